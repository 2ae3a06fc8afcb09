"""Fixtures for all tests."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

# Before numpy and torch are imported: on a busy machine the threads of small problems mostly wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real input beside the checkout; tests that need it skip in a stranger's clone."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("real input absent: no ../shared/data beside this checkout")
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder trained for a few steps on six synthetic sounds: every part real, nothing good."""
    return make_tiny_model(tmp_path_factory.mktemp("tiny"), "debug_spectral", max_steps=20)


@pytest.fixture(scope="session")
def tiny_waveform_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of the waveform family, through both stages: mono, looking ahead, with noise, a hop of 128 samples."""
    overrides = ["training.warmup_steps=4", "training.batch_size=2", "model.ratios=[8]"]
    overrides += ["model.encoder_dilations=[[1]]", "model.decoder_dilations=[[1,3]]"]
    return make_tiny_model(tmp_path_factory.mktemp("tiny_waveform"), "debug_rave", max_steps=6, overrides=overrides)


def make_tiny_model(folder: Path, preset: str, max_steps: int, overrides: Sequence[str] = ()) -> Path:
    """``tiny`` in a folder, beside its ``sounds``, ``corpus`` and ``run``."""
    import numpy as np

    from audiovae.corpus.audio_file import write_audio
    from audiovae.corpus.prepare import prepare
    from audiovae.export.exporter import export_model
    from audiovae.training.run import start_training

    rng = np.random.default_rng(0)
    time_s = np.arange(66150) / 44100
    (folder / "sounds").mkdir()
    for index in range(6):
        pitch_hz = 110.0 * 2 ** (index / 2)
        decay = np.exp(-(time_s % 0.375) * (4 + index))
        sound = 0.4 * decay * np.sin(2 * np.pi * pitch_hz * time_s) + 0.02 * decay * rng.standard_normal(len(time_s))
        write_audio(folder / "sounds" / f"tone_{index}.wav", sound.astype(np.float32), 44100)
    prepare([folder / "sounds"], folder / "corpus", validation_share=0.34, progress=False)
    start_training(preset, folder / "corpus", folder / "run", overrides=overrides, max_steps=max_steps, device="cpu")
    return export_model(folder / "run", folder / "tiny").path

"""Fixtures for all tests."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

MakeOnce = Callable[[str, Callable[[Path], object]], Path]

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
def make_once(tmp_path_factory: pytest.TempPathFactory) -> MakeOnce:
    """``make_once(name, make)``: the folder `name`, filled by ``make(folder)`` in one test process for all of them.

    What lies there is for reading: a test that changes something changes a copy.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # of this run, with a folder of its own for every worker

    def get(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = root / name, root / f"{name}.done"
        with locked(root / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # what a process left that failed here
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return get


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Alone among the test processes, which wait for each other here."""
    import fcntl

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


@pytest.fixture(scope="session")
def tiny_model(make_once: MakeOnce) -> Path:
    """A model folder trained for a few steps on six synthetic sounds: every part real, nothing good."""
    return make_once("tiny_spectral", lambda folder: make_tiny_model(folder, "debug_spectral", max_steps=20)) / "tiny"


@pytest.fixture(scope="session")
def tiny_waveform_model(make_once: MakeOnce) -> Path:
    """The same of the waveform family, through both stages: mono, looking ahead, with noise, a hop of 128 samples."""
    overrides = ["training.warmup_steps=4", "training.batch_size=2", "model.ratios=[8]"]
    overrides += ["model.encoder_dilations=[[1]]", "model.decoder_dilations=[[1,3]]"]
    return make_once("tiny_waveform", lambda folder: make_tiny_model(folder, "debug_rave", 6, overrides)) / "tiny"


@pytest.fixture
def other_model(tiny_model: Path, tmp_path: Path) -> Path:
    """`tiny_model` under another identity, as after training again."""
    folder = tmp_path / "again"
    shutil.copytree(tiny_model, folder)
    sidecar = folder / "latent_space.json"
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | {"model_id": "f0" * 32, "model_name": "again"}))
    return folder


def make_tiny_model(folder: Path, preset: str, max_steps: int, overrides: Sequence[str] = ()) -> None:
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
    export_model(folder / "run", folder / "tiny")

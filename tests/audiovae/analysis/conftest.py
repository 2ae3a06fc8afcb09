"""A model in closed form for the tests of analysis: its latents are what they are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiovae.corpus.audio_file import write_audio
from audiovae.corpus.corpus import Corpus
from audiovae.corpus.prepare import prepare
from audiovae.dsp.descriptors import a_weighting_db, describe
from audiovae.latent_space import Cloud, LatentSpace

RATE, HOP = 16_000, 512
LOUDNESS, CENTROID, NOISE, DEAD = range(4)


def wander(rng: np.random.Generator, n: int, low: float, high: float, step: int = 2400) -> Any:
    """A course of `n` samples between two values, another one every `step` samples."""
    knots = rng.uniform(low, high, n // step + 2)
    return np.interp(np.arange(n), np.arange(len(knots)) * step, knots)


class ClosedModel:
    """Latent 0 is the loudness and 1 the centroid of a tone; 2 is noise that is not decoded, 3 never moves."""

    space: LatentSpace

    def encode(self, audio: Any) -> Any:
        found = describe(audio, RATE, HOP, ["loudness", "centroid"])
        n = len(found["loudness"])
        rng = np.random.default_rng(np.abs(np.frombuffer(np.float32(audio).tobytes(), np.int32)[::97]))
        loudness, octave = (found["loudness"] + 30.0) / 10.0, np.log2(np.maximum(found["centroid"], 50.0) / 1000.0)
        return np.stack([loudness, octave, rng.standard_normal(n), np.full(n, 0.5)], axis=1).astype(np.float32)

    def decode(self, latents: Any) -> Any:
        at = np.arange(len(latents) * HOP) / HOP - 0.5
        loudness, octave = (np.interp(at, np.arange(len(latents)), latents[:, i]) for i in (LOUDNESS, CENTROID))
        pitch_hz = np.clip(1000.0 * 2.0**octave, 50.0, 7000.0)
        level_db = 10.0 * loudness - 30.0 - a_weighting_db(pitch_hz) + 3.01
        tone = 10.0 ** (np.minimum(level_db, 0.0) / 20.0) * np.sin(2 * np.pi * np.cumsum(pitch_hz) / RATE)
        return tone[None].astype(np.float32)


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """A corpus of ten tones of four seconds whose level and pitch wander, each on its own way, in two folders."""
    folder = tmp_path_factory.mktemp("tones")
    rng = np.random.default_rng(5)
    for number in range(10):
        n = 4 * RATE
        pitch_hz = 1000.0 * 2.0 ** wander(rng, n, -2.0, 0.9)
        level_db = wander(rng, n, -45.0, -6.0) - a_weighting_db(pitch_hz)
        tone = 10.0 ** (level_db / 20.0) * np.sin(2 * np.pi * np.cumsum(pitch_hz) / RATE)
        (folder / "sounds" / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        write_audio(folder / "sounds" / "ab"[number % 2] / f"tone_{number}.wav", tone.astype(np.float32), RATE)
    prepare([folder / "sounds"], folder / "corpus", sample_rate=RATE, validation_share=0.3, progress=False)
    return Corpus.open(folder / "corpus")


@pytest.fixture(scope="session")
def closed_model(tones: Corpus) -> ClosedModel:
    """The model with the sidecar it would have been exported with."""
    model = ClosedModel()
    latents = [model.encode(tones.read(file)) for file in tones.files]
    loudness_db = np.concatenate([z[:, LOUDNESS] * 10.0 - 30.0 for z in latents])
    file_index = np.repeat(np.arange(len(latents)), [len(z) for z in latents]).astype(np.int32)
    cloud = Cloud(
        np.concatenate(latents),
        file_index,
        loudness_db,
        tuple(file.name for file in tones.files),
        tuple(file.split for file in tones.files),
    )
    names = {"model_id": "0" * 64, "model_name": "closed", "family": "closed", "sample_rate": RATE, "hop_length": HOP}
    model.space = LatentSpace.from_cloud(cloud, **names, latency_samples=0, channels=1)
    return model


@pytest.fixture(scope="session")
def real_corpus(tiny_model: Path) -> Corpus:
    """What `tiny_model` was trained on."""
    return Corpus.open(tiny_model.parent / "corpus")

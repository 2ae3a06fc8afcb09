"""A small latent space, and recordings whose gesture and latents belong together, for mapping, library and render."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from audiovae.latent_space import Cloud, LatentSpace
from gesturemap.features import FeatureSettings
from gesturemap.frame import Channel, Layout
from gesturemap.mapping import Mapping
from gesturemap.mapping.fitting import fit_mapping
from gesturemap.recording import Recording, Take

RATE = 60.0
LAYOUT = Layout(tuple(Channel(f"hand_{axis}", "mm", -100.0, 100.0) for axis in "xyz"))

RecordingMaker = Callable[..., Recording]


def make_space(model_name: str = "loops", model_id: str = "c1" * 32, latent_size: int = 4) -> LatentSpace:
    """Gaussian latents of unequal mean and spread, 43 Hz."""
    rng = np.random.default_rng(5)
    latents = rng.normal(size=(4000, latent_size)) * np.arange(1, latent_size + 1) + 10.0 * np.arange(latent_size)
    cloud = Cloud(
        latents.astype(np.float32), np.zeros(4000, np.int32), np.zeros(4000, np.float32), ("a.wav",), ("train",)
    )
    return LatentSpace.from_cloud(
        cloud,
        model_id=model_id,
        model_name=model_name,
        family="spectral",
        sample_rate=22050,
        hop_length=512,
        latency_samples=0,
        channels=1,
    )


def motion(n_frames: int, rng: np.random.Generator) -> np.ndarray:
    """(n_frames, 3) smooth motion within +-100 mm."""
    time_s = np.arange(n_frames)[:, None, None] / RATE
    frequency, phase = rng.uniform(0.1, 0.9, (3, 4)), rng.uniform(0, 2 * np.pi, (3, 4))
    return 25.0 * np.sin(2 * np.pi * frequency * time_s + phase).sum(axis=2)


def answer(values: np.ndarray, space: LatentSpace) -> np.ndarray:
    """Latents that smoothly belong to a place of the hand, within the model's range."""
    x, y, z = values.T / 60.0
    shape = np.stack([np.sin(2 * x), np.tanh(y), np.sin(x + z), np.cos(1.5 * y)], axis=1)
    return space.mean + 1.5 * space.std * shape


@pytest.fixture(scope="session")
def play_space() -> LatentSpace:
    return make_space()


@pytest.fixture(scope="session")
def make_recording(play_space: LatentSpace) -> RecordingMaker:
    """``make_recording(n_takes, n_frames, seed, kind)``; kind: ``paired``, ``unrelated`` or ``gesture``."""

    def make(
        n_takes: int = 3, n_frames: int = 240, seed: int = 0, kind: str = "paired", lag_s: float = 0.0
    ) -> Recording:
        rng = np.random.default_rng(seed)
        takes = []
        for index in range(1, n_takes + 1):
            values = motion(n_frames, rng)
            behind = motion(n_frames, rng) if kind == "unrelated" else values
            # The hand at time t answers the latents of t - lag: those of now belong to a later place of it.
            latents = np.roll(answer(behind, play_space), -round(lag_s * RATE), axis=0)
            noisy = values + 0.3 * rng.normal(size=values.shape)
            time_s = 2.0 + np.arange(n_frames) / RATE
            played = None if kind == "gesture" else latents
            takes.append(Take(index, time_s, noisy, played, None if kind == "gesture" else lag_s, True))
        with_latents = kind != "gesture"
        return Recording(
            path=Path(f"{kind}-{seed}.rec"),
            layout=LAYOUT,
            tracker="synthetic",
            source="seed",
            clock="file",
            model_id=play_space.model_id if with_latents else None,
            model_name=play_space.model_name if with_latents else None,
            latent_size=play_space.latent_size if with_latents else 0,
            notes=(),
            takes=takes,
        )

    return make


@pytest.fixture(scope="session")
def position() -> FeatureSettings:
    return FeatureSettings(name="position")


@pytest.fixture(scope="session")
def mapping(play_space: LatentSpace, make_recording: RecordingMaker, position: FeatureSettings) -> Mapping:
    """Fitted on three takes."""
    return fit_mapping([make_recording()], play_space, position, name="wave", intent="A test.")

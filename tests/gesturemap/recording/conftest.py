"""A model folder without a model: the sidecar of a ring-shaped cloud, and a player that sounds its latents."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from audiovae.latent_space import Cloud, LatentSpace

HOP_LENGTH, SAMPLE_RATE = 512, 22050


@pytest.fixture(scope="session")
def space() -> LatentSpace:
    """Three latents at 43 Hz: an audible ring of radius 3, a silent blob above it, validation frames below."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(0.0, 2.0 * np.pi, 3000)
    ring = np.stack([3.0 * np.cos(angle), 3.0 * np.sin(angle), np.zeros(3000)], axis=1)
    latents = np.concatenate([ring, np.tile([0.0, 0.0, 10.0], (300, 1)), np.tile([0.0, 0.0, -10.0], (300, 1))])
    latents += 0.2 * rng.normal(size=latents.shape)
    cloud = Cloud(
        latents.astype(np.float32),
        np.repeat(np.array([0, 1], np.int32), [3300, 300]),
        np.repeat(np.array([-20.0, -90.0, -20.0], np.float32), [3000, 300, 300]),
        ("ring.wav", "other.wav"),
        ("train", "validation"),
    )
    return LatentSpace.from_cloud(
        cloud,
        model_id="ab" * 32,
        model_name="ring",
        family="spectral",
        sample_rate=SAMPLE_RATE,
        hop_length=HOP_LENGTH,
        latency_samples=0,
        channels=1,
    )


@pytest.fixture
def model_dir(space: LatentSpace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model folder; `audiovae.player` is a stand-in that encodes to and decodes from the level of a frame."""

    class Player:
        def __init__(self, folder: Path) -> None:
            self.space = LatentSpace.load(folder)

        def encode(self, audio: np.ndarray) -> np.ndarray:
            frames = audio[0][: audio.shape[1] // HOP_LENGTH * HOP_LENGTH].reshape(-1, HOP_LENGTH)
            return np.repeat(frames.mean(axis=1)[:, None], 3, axis=1).astype(np.float32)

        def decode(self, latents: np.ndarray) -> np.ndarray:
            return np.repeat(latents[:, 0] / 100.0, HOP_LENGTH)[None].astype(np.float32)

    from audiovae.player import load_audio, save_audio

    stand_in = ModuleType("audiovae.player")
    stand_in.__dict__.update(Player=Player, load_audio=load_audio, save_audio=save_audio)
    monkeypatch.setitem(sys.modules, "audiovae.player", stand_in)
    folder = tmp_path / "model"
    folder.mkdir()
    space.save(folder)
    return folder

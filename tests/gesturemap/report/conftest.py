"""Sounds, spaces, mappings and recordings made up for the report, and the definition of coverage written out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from audiovae.latent_space import Cloud, LatentSpace
from gesturemap.frame import Channel, Layout
from gesturemap.mapping import Mapping
from gesturemap.mapping.mapping import Examples
from gesturemap.recording.recording import Recording, Take


def make_sounds(
    n_files: int, n_frames: int, dimensions: int, seed: int, bend: float = 0.75
) -> tuple[np.ndarray, np.ndarray]:
    """Autocorrelated files on a curved sheet, like encoder means.

    Every file is a slow walk about a centre of its own; the second half of the dimensions is mostly a square of
    the first half (`bend`), so that a box around the sounds is mostly empty.
    """
    rng = np.random.default_rng(seed)
    state = rng.standard_normal((n_files, dimensions))
    walk = np.empty((n_files, n_frames, dimensions))
    for t in range(n_frames):
        state = 0.95 * state + np.sqrt(1 - 0.95**2) * rng.standard_normal(state.shape)
        walk[:, t] = state
    z = np.sqrt(1 - 0.45**2) * rng.standard_normal((n_files, 1, dimensions)) + 0.45 * walk
    half = dimensions // 2
    square = (z[..., :half] ** 2 - 1) / np.sqrt(2)
    z[..., half : 2 * half] = bend * square + np.sqrt(1 - bend**2) * z[..., half : 2 * half]
    return z.reshape(-1, dimensions), np.repeat(np.arange(n_files), n_frames)


def make_space(
    latents: np.ndarray,
    file_index: np.ndarray,
    n_validation: int = 0,
    latent_rate: float = 20.0,
    loudness_db: np.ndarray | None = None,
) -> LatentSpace:
    """A latent space whose last `n_validation` files are held out."""
    n_files = int(file_index.max()) + 1
    level = np.full(len(latents), -20.0) if loudness_db is None else loudness_db
    splits = ["train"] * (n_files - n_validation) + ["validation"] * n_validation
    names = tuple(f"sound_{i:03d}.wav" for i in range(n_files))
    cloud = Cloud(latents.astype(np.float32), file_index.astype(np.int32), level, names, tuple(splits))
    return LatentSpace.from_cloud(
        cloud,
        model_id="a1" * 32,
        model_name="bells",
        family="spectral",
        sample_rate=round(latent_rate * 1000),
        hop_length=1000,
        latency_samples=0,
        channels=1,
    )


def write_out(points: np.ndarray, group: np.ndarray, motion: np.ndarray, k: int) -> dict[str, Any]:
    """The definition, frame by frame: coverage, precision and density without trimming."""
    radius = np.empty(len(points))
    for i, point in enumerate(points):
        radius[i] = np.sort(np.linalg.norm(points[group != group[i]] - point, axis=1))[k - 1]
    inside = np.array([np.linalg.norm(motion - p, axis=1) <= r for p, r in zip(points, radius, strict=True)])
    return {
        "radius": radius,
        "reached": inside.any(axis=1),
        "coverage": inside.any(axis=1).mean(),
        "precision": inside.any(axis=0).mean(),
        "density": inside.sum(axis=0).mean() / k,
    }


NO_EXAMPLES = Examples((), np.empty((0, 6)), None, np.empty(0), np.empty(0, dtype=np.intp))


@dataclass
class StandInMapping:
    """A mapping that sends six channels through a fixed matrix: what the report needs of `Mapping`."""

    matrix: np.ndarray
    offset: np.ndarray
    layout: Layout
    low: np.ndarray
    high: np.ndarray
    name: str = "swing"
    model_id: str = "a1" * 32
    model_name: str = "bells"
    label: Any = field(
        default_factory=lambda: SimpleNamespace(
            tracker="gametrak", features="position", model="bells", regressor="ridge"
        )
    )
    card: dict[str, Any] = field(default_factory=dict)
    examples: Examples = NO_EXAMPLES
    check_layout = Mapping.check_layout

    def map_take(self, time_s: np.ndarray, values: np.ndarray) -> np.ndarray:
        """(n, latent_size), NaN where a channel is NaN."""
        assert len(time_s) == len(values)
        return np.clip(values @ self.matrix + self.offset, self.low, self.high)


def make_layout(n_channels: int = 6) -> Layout:
    """Channels in millimetres."""
    return Layout(tuple(Channel(f"axis_{i}", "mm", -1000.0, 1000.0) for i in range(n_channels)))


def make_mapping(space: LatentSpace, seed: int = 0) -> StandInMapping:
    """Channels of +-1 to the middle of the space, with the last latent dimension left alone."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((6, space.latent_size)) * space.std
    matrix[:, -1] = 0.0
    return StandInMapping(
        matrix,
        space.mean,
        make_layout(),
        space.quantile(0.01),
        space.quantile(0.99),
        card={"held_out": {"rmse": 0.42}},
    )


def make_recording(duration_s: float = 40.0, n_takes: int = 1, seed: int = 0, rate: float = 50.0) -> Recording:
    """Six slow sinusoids a take; the second eighth of every take has no hand."""
    rng = np.random.default_rng(seed)
    takes = []
    for number in range(1, n_takes + 1):
        time_s = np.arange(round(duration_s * rate)) / rate + 3.0
        phase = rng.uniform(0, 2 * np.pi, 6)
        values = np.sin(2 * np.pi * rng.uniform(0.05, 0.4, 6) * time_s[:, None] + phase)
        values[len(values) // 8 : len(values) // 4] = np.nan
        takes.append(Take(number, time_s, values, None, None, True))
    path = Path(f"swing-{seed}.rec")
    return Recording(path, make_layout(), "gametrak", "test", "file", None, None, 0, (), takes)


@pytest.fixture(scope="session")
def sounds() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """`make_sounds`."""
    return make_sounds


@pytest.fixture(scope="session")
def space_of() -> Callable[..., LatentSpace]:
    """`make_space`."""
    return make_space


@pytest.fixture(scope="session")
def definition() -> Callable[..., dict[str, Any]]:
    """`write_out`."""
    return write_out


@pytest.fixture(scope="session")
def mapping_for() -> Callable[..., StandInMapping]:
    """`make_mapping`."""
    return make_mapping


@pytest.fixture(scope="session")
def recorded() -> Callable[..., Recording]:
    """`make_recording`."""
    return make_recording


@pytest.fixture(scope="session")
def bells() -> LatentSpace:
    """Thirty files of 8 dimensions at 20 Hz, ten of them held out."""
    return make_space(*make_sounds(30, 80, 8, seed=1), n_validation=10)

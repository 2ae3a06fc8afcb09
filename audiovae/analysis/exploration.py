"""Ways through a latent space, played and described: sweeps, interpolations, random walks, recorded sounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from audiovae.analysis.corpus_frames import CorpusFrames, Model
from audiovae.analysis.descriptor_set import describe_sound, perceive
from audiovae.analysis.dimensions import Dimension
from audiovae.errors import LatentsError
from audiovae.generation.interpolation import Way, interpolate
from audiovae.generation.walk import walk_cloud
from audiovae.latent_space import LatentSpace

FloatArray = npt.NDArray[np.floating[Any]]
Index = npt.NDArray[np.intp]

HELD_S = 0.5  # both ends of a way are held that long, and cut off again: decoders and windows need surroundings
QUARTER_TONE = 2 ** (1 / 24)
WAYS: tuple[Way, ...] = ("linear", "spherical")


@dataclass(frozen=True)
class Journey:
    """A way through a latent space, played.

    Parameters
    ----------
    name : of its sound file.
    latents : (n_frames, latent_size).
    audio : (channels, n_frames * hop_length).
    curves : descriptor -> (n_frames,), see `describe_sound`.
    """

    name: str
    latents: FloatArray
    audio: FloatArray
    curves: dict[str, FloatArray]


def play(model: Model, name: str, latents: FloatArray) -> Journey:
    """Latents as a sound with its descriptors; both ends are held beyond it, out of hearing."""
    space = model.space
    held = max(1, round(HELD_S * space.latent_rate))
    audio = model.decode(np.pad(latents, ((held, held), (0, 0)), mode="edge").astype(np.float32))
    curves = describe_sound(audio, space.sample_rate, space.hop_length)
    end = held + len(latents)
    inside = audio[:, held * space.hop_length : end * space.hop_length]
    return Journey(name, latents, inside, {descriptor: values[held:end] for descriptor, values in curves.items()})


def sweep(model: Model, dimension: Dimension, centre: FloatArray, seconds: float) -> Journey:
    """From one end of a dimension's range to the other, evenly, the other dimensions at `centre`."""
    n_frames = max(8, round(seconds * model.space.latent_rate))
    latents = np.tile(centre, (n_frames, 1))
    latents[:, dimension.index] = np.linspace(dimension.low, dimension.high, n_frames)
    return play(model, f"sweep_latent_{dimension.index}", latents)


def choose_ends(frames: CorpusFrames, white: FloatArray, rows: Index, label: Index) -> tuple[int, int]:
    """Two frames unlike each other: the middles of the two largest clusters, of different files where there are.

    Parameters
    ----------
    white, label : (n, rank) and (n,), of the frames `rows`.
    """
    found: list[int] = []
    for cluster in (0, 1):
        members = np.flatnonzero(label == cluster) if (label == cluster).any() else np.arange(len(rows))
        distance = np.linalg.norm(white[members] - white[members].mean(axis=0), axis=1)
        nearest = rows[members[np.argsort(distance)]]
        other = nearest[~np.isin(frames.file_index[nearest], frames.file_index[found])]
        found.append(int((other if len(other) else nearest)[0]))
    return found[0], found[1]


def interpolations(
    model: Model, frames: CorpusFrames, space: LatentSpace, ends: tuple[int, int], seconds: float
) -> Iterator[Journey]:
    """Between two sounds that are held, and between the two as they go on: each straight and on the sphere."""
    n_frames = max(8, round(seconds * space.latent_rate))
    held = [frames.latents[row : row + 1] for row in ends]
    moving = [stretch(frames, row, n_frames) for row in ends]
    for what, (first, second) in (("sounds", held), ("trajectories", moving)):
        for way in WAYS:
            latents = interpolate(first, second, n_frames, way, space)
            yield play(model, f"between_{what}_{way}", latents)


def stretch(frames: CorpusFrames, row: int, n_frames: int) -> FloatArray:
    """Up to `n_frames` latents of the excerpt around a frame."""
    same = np.flatnonzero(frames.run == frames.run[row])
    first = int(np.clip(row - n_frames // 2, same[0], max(same[0], same[-1] + 1 - n_frames)))
    return frames.latents[first : min(first + n_frames, same[-1] + 1)]


def walks(model: Model, seconds: float, count: int, seed: int) -> list[Journey]:
    """Smooth random trajectories through the model's own cloud; none where it holds too little sound for them."""
    try:
        paths = [walk_cloud(model.space, seconds, seed + i) for i in range(count)]
    except LatentsError:
        return []
    return [play(model, f"walk_{i}", path) for i, path in enumerate(paths)]


def recorded(model: Model, frames: CorpusFrames, seconds: float, seed: int) -> tuple[list[Journey], str]:
    """Sounds of held-out files through the model, about `seconds` in all, and the split they are of.

    Training files where none is held out. An excerpt gives 8 s at most, so that several files are heard.
    """
    split = "validation" if "validation" in frames.file_splits else "train"
    rate = model.space.latent_rate
    runs = [int(run) for run in np.unique(frames.run) if frames.file_splits[frames.excerpts[run].file] == split]
    if not runs:
        split, runs = "train", [int(run) for run in np.unique(frames.run)]
    wanted = seconds * rate
    found: list[Journey] = []
    for run in np.random.default_rng([seed, 3]).permutation(runs):
        rows = np.flatnonzero(frames.run == run)[: round(8.0 * rate)]
        if len(rows) >= 4 and frames.audible[rows].any():
            found.append(play(model, f"recorded_{len(found)}", frames.latents[rows]))
            wanted -= len(rows)
        if wanted <= 0:
            break
    return found, split


def describe_monotony(journey: Journey) -> dict[str, float | None]:
    """Descriptor -> Spearman's correlation with time: 1 rises all the way, -1 falls; None where it has no course.

    A pitch that stays within a quarter tone has none: ranks would make a course of rounding.
    """
    courses: dict[str, float | None] = {}
    for name, values in journey.curves.items():
        known = np.flatnonzero(np.isfinite(values))
        moves = len(known) >= 4 and np.ptp(values[known]) > 0
        if moves and name == "f0":
            moves = values[known].max() / values[known].min() > QUARTER_TONE
        courses[name] = float(stats.spearmanr(known, values[known]).statistic) if moves else None
    return courses


def describe_range(journeys: Sequence[Journey], name: str) -> tuple[float, float] | None:
    """5 % and 95 % quantile of a descriptor over several journeys; None where it has no value."""
    values = np.concatenate([journey.curves[name] for journey in journeys])
    values = values[np.isfinite(values)]
    return (float(np.quantile(values, 0.05)), float(np.quantile(values, 0.95))) if len(values) else None


def perceived(journeys: Sequence[Journey]) -> list[dict[str, FloatArray]]:
    """The curves of every journey on perceptual scales."""
    return [perceive(journey.curves) for journey in journeys]

"""What a mapping makes of recordings: latents at the model's rate, gaps left out and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from audiovae.latent_space import LatentSpace
from audiovae.latent_table import resample_latents
from gesturemap.errors import ReportError
from gesturemap.report.learned import find_learned
from gesturemap.report.neighbours import Index, Points

if TYPE_CHECKING:
    from gesturemap.mapping import Mapping
    from gesturemap.recording.recording import Recording, Take

Mask = npt.NDArray[np.bool_]

# Readings further apart than this, and than this many usual intervals, are not joined: the hand was lost.
MAX_GAP_S = 0.25
MAX_GAP_INTERVALS = 3.0
MIN_DURATION_S = 1.0


@dataclass(frozen=True)
class PlayedTake:
    """One take of the report: where it comes from, how much of it there is, and whether the mapping learned from it."""

    recording: str
    index: int
    duration_s: float
    lost_share: float
    learned: bool


@dataclass(frozen=True)
class Played:
    """Latents that recordings play through a mapping.

    Parameters
    ----------
    latents : (n_frames, latent_size) at the model's latent rate, only where the mapping had a hand to follow.
    values : (n_frames, n_channels) of the hand at the same times; NaN where a channel had no reading.
    take : (n_frames,) index into `takes`.
    segment : (n_frames,) number of the unbroken stretch of every frame; a gap or a new take begins another.
    takes : the takes, those without a single frame included.
    """

    latents: Points
    values: Points
    take: Index
    segment: Index
    takes: tuple[PlayedTake, ...]

    @property
    def lost_share(self) -> float:
        """Share of the recorded time without a hand (or without readings), 0 to 1."""
        total = sum(take.duration_s for take in self.takes)
        return sum(take.duration_s * take.lost_share for take in self.takes) / total if total else 0.0

    @property
    def learned_share(self) -> float:
        """Share of the recorded time that the mapping learned from, 0 to 1."""
        total = sum(take.duration_s for take in self.takes)
        return sum(take.duration_s for take in self.takes if take.learned) / total if total else 0.0


def play_recordings(mapping: Mapping, recordings: Sequence[Recording], space: LatentSpace) -> Played:
    """Every take of `recordings` through `mapping`, resampled to the latent rate of `space`.

    Raises
    ------
    MappingError
        If a recording has other channels than the mapping reads.
    ReportError
        If a recording is named twice, or less than `MIN_DURATION_S` is left.
    """
    paths = [recording.path.resolve() for recording in recordings]
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice is not None:
        raise ReportError(f"{twice} is named more than once: its takes would count as takes that agree; name it once")
    latents, values, takes, lasting = [], [], [], []
    for recording in recordings:
        mapping.check_layout(recording)
        for take, learned in zip(recording.takes, find_learned(mapping, recording.takes), strict=True):
            rows, hand, kept = _play_take(mapping, take, space)
            latents.append(rows)
            values.append(hand)
            lasting.append(kept)
            duration_s = len(kept) / space.latent_rate
            lost = 1 - float(kept.mean()) if len(kept) else 0.0
            takes.append(PlayedTake(recording.path.name, take.index, duration_s, lost, learned))
    n_frames = sum(len(rows) for rows in latents)
    if n_frames < MIN_DURATION_S * space.latent_rate:
        raise ReportError(
            f"{n_frames / space.latent_rate:.2f} s of playing found in {len(takes)} takes of {len(recordings)} "
            f"recordings (a hand that is not seen does not count); {MIN_DURATION_S:g} s or more are needed, "
            f"30 s or more make a useful report: record a longer take"
        )
    number = np.repeat(np.arange(len(latents)), [len(rows) for rows in latents])
    return Played(np.concatenate(latents), np.concatenate(values), number, _segments(lasting), tuple(takes))


def _play_take(mapping: Mapping, take: Take, space: LatentSpace) -> tuple[Points, Points, Mask]:
    """Latents and hand of a take where it can be followed, and the mask of those frames on the latent rate's grid."""
    time_s = take.time_s
    played = np.asarray(mapping.map_take(time_s, take.values), dtype=np.float64)
    space.check(played)
    n_grid = int(np.floor((time_s[-1] - time_s[0]) * space.latent_rate + 1e-9)) + 1
    grid_s = time_s[0] + np.arange(n_grid) / space.latent_rate
    valid = np.asarray(np.isfinite(played).all(axis=1))
    before = np.clip(np.searchsorted(time_s, grid_s, side="right") - 1, 0, len(time_s) - 1)
    after = np.minimum(before + (time_s[before] < grid_s), len(time_s) - 1)
    usual_s = float(np.median(np.diff(time_s))) if len(time_s) > 1 else 0.0
    longest_s = max(MAX_GAP_S, MAX_GAP_INTERVALS * usual_s)
    kept = valid[before] & valid[after] & (time_s[after] - time_s[before] <= longest_s)
    if not kept.any():
        return np.empty((0, space.latent_size)), np.empty((0, take.values.shape[1])), kept
    latents = np.asarray(resample_latents(played[valid], time_s[valid], grid_s[kept]), dtype=np.float64)
    return latents, np.asarray(take.values[before[kept]], dtype=np.float64), kept


def _segments(masks: Sequence[Mask]) -> Index:
    """Segment number of every kept frame: a new one after every gap and at every take."""
    numbers, last = [np.empty(0, dtype=np.intp)], 0
    for kept in masks:
        run = np.cumsum(np.diff(np.concatenate([[False], kept]).astype(int)) == 1)[kept]
        numbers.append(run + last)
        last = int(numbers[-1][-1]) if len(run) else last
    return np.concatenate(numbers)

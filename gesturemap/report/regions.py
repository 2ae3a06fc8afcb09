"""What a gesture never reaches, in parts that sound alike: words for each, its place on the map, a sound of it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.cluster.vq import kmeans2

from gesturemap.report.coverage import Reach
from gesturemap.report.neighbours import Index, Points
from gesturemap.report.sounding import DESCRIPTORS, Sounding, SoundSettings

if TYPE_CHECKING:
    from audiovae.player import Player

# Descriptor, word for less of it, word for more of it. Bandwidth follows the centroid and has no word.
WORDS = (
    ("loudness", "quiet", "loud"),
    ("centroid", "dark", "bright"),
    ("flatness", "tonal", "noisy"),
    ("flux", "steady", "percussive"),
)
CLEAR = 0.4  # standard deviations of the model's sounds that a word needs
MIN_FRAMES = 20


@dataclass(frozen=True)
class Region:
    """A part of the model's sounds that is never reached.

    Parameters
    ----------
    words : how it sounds beside what is reached, empty where nothing is clear.
    share : of all sounds of the model that were decoded.
    place : the first two whitened latent dimensions, median.
    differs : descriptor -> difference from what is reached, in standard deviations of the model's sounds.
    files : source files with most of it.
    rows : (n,) following rows of the cloud to listen to.
    """

    words: tuple[str, ...]
    share: float
    place: tuple[float, float]
    differs: dict[str, float]
    files: tuple[str, ...]
    rows: Index


def find_regions(reach: Reach, model: Sounding, rate: float, settings: SoundSettings, seed: int) -> list[Region]:
    """The unreached among the decoded sounds of the model, in at most `settings.n_regions` parts, the largest first."""
    known, where, at = np.intersect1d(reach.reference.rows, model.rows, return_indices=True)
    if not len(known):
        return []
    heard = model.heard[at]
    spread = np.maximum(heard.std(axis=0), 1e-9)
    standard = (heard - heard.mean(axis=0)) / spread
    reached = reach.reached[where]
    missed = np.flatnonzero(~reached)
    if len(missed) < MIN_FRAMES:
        return []
    middle = np.median(standard[reached], axis=0) if reached.sum() >= MIN_FRAMES else np.zeros(standard.shape[1])
    label = _cluster(standard[missed], min(settings.n_regions, len(missed) // MIN_FRAMES), seed)
    regions = []
    for number in np.unique(label):
        rows = missed[label == number]
        if len(rows) < MIN_FRAMES:
            continue
        differs = dict(zip(DESCRIPTORS, (np.median(standard[rows], axis=0) - middle).tolist(), strict=True))
        of_files = reach.reference.file_index[where[rows]]
        most = np.argsort(-np.bincount(of_files), kind="stable")[:2]
        points = reach.reference.points[where[rows]]
        regions.append(
            Region(
                words=_words(differs),
                share=len(rows) / len(known),
                place=(float(np.median(points[:, 0])), float(np.median(points[:, -1 if points.shape[1] < 2 else 1]))),
                differs=differs,
                files=tuple(reach.reference.file_names[i] for i in most if i in of_files),
                rows=_stretch(known[rows], model, rate, settings),
            )
        )
    return sorted(regions, key=lambda region: -region.share)


def snippet(player: Player, region: Region) -> npt.NDArray[np.floating[Any]]:
    """(channels, samples) decoded sound of a region, faded at its ends."""
    audio = np.array(player.decode(np.asarray(player.space.cloud.latents[region.rows], dtype=np.float32)))
    fade = np.linspace(0, 1, min(audio.shape[1] // 4, player.space.sample_rate // 50), dtype=np.float32)
    audio[:, : len(fade)] *= fade
    audio[:, audio.shape[1] - len(fade) :] *= fade[::-1]
    return audio


def _cluster(points: Points, count: int, seed: int) -> Index:
    """(n,) number of the cluster of every point."""
    if count < 2 or (np.ptp(points, axis=0) == 0).all():
        return np.zeros(len(points), dtype=np.intp)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an emptied cluster is no fault: it is skipped
        label = kmeans2(points, count, minit="++", seed=np.random.default_rng([seed, 300]))[1]
    return np.asarray(label, dtype=np.intp)


def _words(differs: dict[str, float]) -> tuple[str, ...]:
    """At most three words, of what differs most, in the order of `WORDS`."""
    clear = sorted((name for name, _, _ in WORDS), key=lambda name: -abs(differs[name]))[:3]
    return tuple(
        more if differs[name] > 0 else less
        for name, less, more in WORDS
        if name in clear and abs(differs[name]) >= CLEAR
    )


def _stretch(rows: Index, model: Sounding, rate: float, settings: SoundSettings) -> Index:
    """The following rows of one file, `settings.snippet_s` long, that hold most of `rows`."""
    length = round(settings.snippet_s * rate)
    best: tuple[int, Index] = (-1, rows[:1])
    inside = np.isin(model.rows, rows)
    for stretch in np.split(np.arange(len(model.rows)), np.flatnonzero(np.diff(model.segment)) + 1):
        count = np.concatenate([[0], np.cumsum(inside[stretch])])
        size = min(length, len(stretch))
        gained = count[size:] - count[:-size]
        first = int(gained.argmax())
        if gained[first] > best[0]:
            best = int(gained[first]), model.rows[stretch[first : first + size]]
    return best[1]

"""What a gesture hardly reaches, in parts that sound alike: words for each, its place on the map, a sound of it."""

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
    """A part of the model's sounds, alike in their descriptors, that is reached less than the rest.

    Parameters
    ----------
    words : how it sounds beside the model as a whole; empty where nothing is clear.
    share : of all sounds of the model that were decoded.
    reached : share of the region that is reached, 0 to 1.
    place : the first two whitened latent dimensions of what is not reached, median.
    differs : descriptor -> difference from the whole model, in its standard deviations.
    files : source files with most of what is not reached.
    rows : (n,) following rows of the cloud to listen to.
    """

    words: tuple[str, ...]
    share: float
    reached: float
    place: tuple[float, float]
    differs: dict[str, float]
    files: tuple[str, ...]
    rows: Index


def find_regions(reach: Reach, model: Sounding, rate: float, settings: SoundSettings, seed: int) -> list[Region]:
    """The parts of the model that the gesture hardly reaches, at most `settings.n_regions`, what it misses most first.

    The decoded sounds of the model are told apart in `settings.n_parts` parts by their descriptors; parts of the same
    words are one. A part counts if it is reached less than half as much as the whole.
    """
    known, where, at = np.intersect1d(reach.reference.rows, model.rows, return_indices=True)
    if len(known) < 2 * MIN_FRAMES:
        return []
    heard, reached = model.heard[at], reach.reached[where]
    standard = (heard - heard.mean(axis=0)) / np.maximum(heard.std(axis=0), 1e-9)
    label = _cluster(standard, min(settings.n_parts, len(known) // MIN_FRAMES), seed)
    middle, regions = np.median(standard, axis=0), []
    for inside in _same_words(standard, label, middle):
        missed = np.flatnonzero(inside & ~reached)
        share = float(reached[inside].mean())
        if len(missed) < MIN_FRAMES or share > 0.5 * reached.mean():
            continue
        differs = _differences(standard[inside], middle)
        points = reach.reference.points[where[missed]]
        regions.append(
            Region(
                words=_words(differs),
                share=float(inside.mean()),
                reached=share,
                place=(float(np.median(points[:, 0])), float(np.median(points[:, 1])) if points.shape[1] > 1 else 0.0),
                differs=differs,
                files=_most_common(reach, where[missed]),
                rows=_stretch(known[missed], model, rate, settings),
            )
        )
    return sorted(regions, key=lambda region: -region.share * (1 - region.reached))[: settings.n_regions]


def _differences(standard: Points, middle: Points) -> dict[str, float]:
    return dict(zip(DESCRIPTORS, (np.median(standard, axis=0) - middle).tolist(), strict=True))


def _same_words(standard: Points, label: Index, middle: Points) -> list[npt.NDArray[np.bool_]]:
    """A mask for the clusters of every set of words."""
    masks: dict[tuple[str, ...], npt.NDArray[np.bool_]] = {}
    for number in np.unique(label):
        words = _words(_differences(standard[label == number], middle))
        masks[words] = masks.get(words, np.zeros(len(label), dtype=bool)) | (label == number)
    return list(masks.values())


def _most_common(reach: Reach, rows: Index) -> tuple[str, ...]:
    """The one or two source files with most of `rows` of the reference."""
    count = np.bincount(reach.reference.file_index[rows])
    return tuple(reach.reference.file_names[i] for i in np.argsort(-count, kind="stable")[:2] if count[i])


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

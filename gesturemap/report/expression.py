"""How the decoded sound follows the hand: its variation, how strongly it answers, how well gestures are told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gesturemap.report.neighbours import Index, Points

LAG_S = 0.25  # over which hand and sound are compared; shorter is jitter of the tracker
STILL = 0.1  # a hand that moves less than this share of its usual change is still
MIN_TAKES = 3


@dataclass(frozen=True)
class Sensitivity:
    """How far the sound moves for a movement of the hand, both in standard deviations.

    Parameters
    ----------
    median, high : of ``|change of sound| / |change of hand|`` over a quarter of a second; `high` is the 95 % quantile,
        a robust Lipschitz constant.
    still_change : median change of sound while the hand is still: what the mapping plays by itself.
    n_changes : how many were compared.
    """

    median: float
    high: float
    still_change: float | None
    n_changes: int


@dataclass(frozen=True)
class Classes:
    """Whether gestures of a class sound alike and those of other classes differently.

    Parameters
    ----------
    names : of the classes.
    n_takes : in all of them.
    chance : share that guessing the largest class gets right.
    separability : space -> share of takes whose nearest other take is of their class.
    repeatability : space -> ICC(1), the share of variance between classes, mean over dimensions; may be negative.
    """

    names: tuple[str, ...]
    n_takes: int
    chance: float
    separability: dict[str, float]
    repeatability: dict[str, float]


def total_variation(heard: Points, segment: Index, rate: float) -> Points:
    """(n_descriptors,) mean absolute change a second, inside unbroken stretches."""
    joined = segment[1:] == segment[:-1]
    change = np.abs(np.diff(heard, axis=0))[joined]
    return np.asarray(change.mean(axis=0) * rate) if len(change) else np.zeros(heard.shape[1])


def sensitivity(hand: Points, heard: Points, segment: Index, rate: float, spread: Points) -> Sensitivity | None:
    """Change of sound against change of hand.

    Parameters
    ----------
    hand : (n_frames, n_channels), NaN where a channel has no reading; channels with any are left out.
    heard : (n_frames, n_descriptors) of the same frames.
    segment : (n_frames,) number of the unbroken stretch.
    spread : (n_descriptors,) standard deviation of the model's sounds, the unit of change.
    """
    lag = max(1, round(LAG_S * rate))
    hand = hand[:, np.isfinite(hand).all(axis=0)]
    if len(hand) <= lag or not hand.shape[1]:
        return None
    scale = hand.std(axis=0)
    hand = hand[:, scale > 0] / scale[scale > 0]
    joined = segment[lag:] == segment[:-lag]
    moved = np.linalg.norm(hand[lag:] - hand[:-lag], axis=1)[joined] / np.sqrt(max(hand.shape[1], 1))
    sounded = np.linalg.norm((heard[lag:] - heard[:-lag]) / spread, axis=1)[joined] / np.sqrt(heard.shape[1])
    if not len(moved) or moved.max() <= 0:
        return None
    still = moved < STILL * np.sqrt((moved**2).mean())
    ratio = sounded[~still] / moved[~still]
    return Sensitivity(
        median=float(np.median(ratio)),
        high=float(np.quantile(ratio, 0.95)),
        still_change=float(np.median(sounded[still])) if still.sum() >= 10 else None,
        n_changes=len(ratio),
    )


def tell_classes(names: Sequence[str], spaces: dict[str, Sequence[Points]]) -> Classes | None:
    """Separability and repeatability of takes by class.

    Parameters
    ----------
    names : (n_takes,) class of each take.
    spaces : name -> for each take (n_frames, n_dimensions); mean and standard deviation over time stand for the take.

    Returns
    -------
    None with fewer than two classes of `MIN_TAKES` takes.
    """
    found, label, count = np.unique(names, return_inverse=True, return_counts=True)
    lasting = [all(len(takes[take]) > 1 for takes in spaces.values()) for take in range(len(names))]
    used = [take for take in range(len(names)) if count[label[take]] >= MIN_TAKES and lasting[take]]
    if len({int(label[take]) for take in used}) < 2:
        return None
    label = label[used]
    separability, repeatability = {}, {}
    for space, takes in spaces.items():
        points = np.array([np.concatenate([takes[t].mean(axis=0), takes[t].std(axis=0)]) for t in used])
        points = points[:, np.isfinite(points).all(axis=0)]
        spread = points.std(axis=0)
        points = (points[:, spread > 1e-12] - points[:, spread > 1e-12].mean(axis=0)) / spread[spread > 1e-12]
        separability[space] = _nearest_is_same(points, label)
        repeatability[space] = _intraclass_correlation(points, label)
    counts = np.bincount(label)
    return Classes(
        tuple(str(found[i]) for i in np.unique(label)),
        len(used),
        float(counts.max() / len(label)),
        separability,
        repeatability,
    )


def _nearest_is_same(points: Points, label: Index) -> float:
    """Share of points whose nearest other point has their label."""
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    return float((label[distance.argmin(axis=1)] == label).mean())


def _intraclass_correlation(points: Points, label: Index) -> float:
    """ICC(1) of a one-way table, mean over dimensions. Source: Shrout and Fleiss 1979, Psychological Bulletin 86."""
    classes, label, sizes = np.unique(label, return_inverse=True, return_counts=True)
    n, n_classes = len(label), len(classes)
    means = np.array([points[label == i].mean(axis=0) for i in range(n_classes)])
    between = (sizes[:, None] * (means - points.mean(axis=0)) ** 2).sum(axis=0) / (n_classes - 1)
    within = ((points - means[label]) ** 2).sum(axis=0) / (n - n_classes)
    size = (n - (sizes**2).sum() / n) / (n_classes - 1)
    total = between + (size - 1) * within
    return float(np.mean((between - within)[total > 0] / total[total > 0])) if (total > 0).any() else 0.0

"""How far one set of sounds is from another: Frechet distances, and what real sounds among themselves would score.

Files are what is drawn, split and exchanged, never single points: points of one file resemble each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.analysis.frechet import FileSums, frechet_distance

FloatArray = npt.NDArray[np.floating[Any]]

MIN_FILES = 4  # fewer say nothing about how far files differ
N_SPLITS, N_DRAWS, N_PERMUTATIONS = 200, 200, 199
CONFIDENCE = 0.95


def compare_sets(
    real: Sequence[FloatArray], other: Sequence[FloatArray], paired: bool, seed: int = 0
) -> dict[str, Any]:
    """Frechet distance of a set of files from real ones, with its null, interval and p-value; ready for JSON.

    Parameters
    ----------
    real, other : points (n_points, d) of every file, each with one or more.
    paired : file i of `other` is made of file i of `real`.
    seed : of all that is drawn.

    Returns
    -------
    dict of
        value : `frechet_distance` of the two sets.
        corrected : value less its bias: few files of one kind are never quite alike, and draws from them with
            replacement are further apart by about as much again. Not below 0.
        low, high : 95 % interval of what is estimated by `corrected`, from a bootstrap over files, pairs staying
            together: the draws' quantiles, moved to it. It holds the truth in 90 to 98 % of synthetic sets
            (``benchmarks/reconstruction_sets.py``); around `value` it would in 37 % of them where files are few.
        null : median, low and high (95 %) of the distance of two halves of the real files, over 200 random splits.
        crossed : the same of half the other files against the half of the real files that they are not made of: of
            the same sizes as the null, which makes the two comparable where `value` and null are not.
        ratio : median of crossed over median of null; 1 is what real sounds score, and below 1 are files that are
            more varied within, or more alike, than real ones.
        p : share of 199 random exchanges of files between the sets (of the two of a pair; of any two if unpaired)
            that are at least as far apart, the sets themselves counted among them.
        n_files, n_real_files, n_points, n_real_points : counts.
        reason : why all but value and counts are None: fewer than 4 files in a set; None otherwise.

    Raises
    ------
    ShapeError
        If a set is empty, or a file has no points.
    """
    origin = np.concatenate([*real]).mean(axis=0) if len(real) else np.zeros(0)
    sums, rng = FileSums.of(real, origin).joined(FileSums.of(other, origin)), np.random.default_rng(seed)
    n_real, n_other = len(real), len(other)

    def distance(weight: FloatArray, against: FloatArray) -> float:
        return frechet_distance(sums.gaussian(weight), sums.gaussian(against))

    is_real = np.repeat([1.0, 0.0], [n_real, n_other])
    value = distance(is_real, 1 - is_real)
    result: dict[str, Any] = {"value": value, "n_files": n_other, "n_real_files": n_real}
    result |= {"n_points": int((1 - is_real) @ sums.n_points), "n_real_points": int(is_real @ sums.n_points)}
    unknown = dict.fromkeys(("corrected", "low", "high", "null", "crossed", "ratio", "p", "reason"))
    if min(n_real, n_other) < MIN_FILES:
        found = f"{n_real} real and {n_other} other files with audible sound"
        return result | unknown | {"reason": f"{found}: an interval needs {MIN_FILES} or more of each"}
    draws = [distance(*_draw(n_real, n_other, paired, rng)) for _ in range(N_DRAWS)]
    null, crossed = _split(distance, n_real, n_other, paired, rng)
    exchanged = [distance(weight, 1 - weight) for weight in _exchanges(n_real, n_other, paired, rng)]
    rounding = 1e-9 * (value + float(np.trace(sums.gaussian(is_real)[1])))  # equal distances count as equal
    further = int((np.array(exchanged) >= value - rounding).sum())
    corrected, low, high = (max(bound, 0.0) for bound in _correct(value, draws))
    result |= {"corrected": corrected, "low": low, "high": high}
    result |= {"null": _describe(null), "crossed": _describe(crossed), "reason": None}
    ratio = float(np.median(crossed) / np.median(null)) if np.median(null) > 0 else None
    return result | {"ratio": ratio, "p": (1 + further) / (1 + N_PERMUTATIONS)}


def difference_of_sets(
    real: Sequence[FloatArray], first: Sequence[FloatArray], second: Sequence[FloatArray], seed: int = 0
) -> dict[str, float | None]:
    """How much further the second set is from the real one than the first; file i of all three is one sound.

    Returns
    -------
    value, corrected, low, high : difference of the two Frechet distances, the same less its bias, and a 95 % interval,
        as by `compare_sets`; all but value are None below 4 files.
    """
    origin = np.concatenate([*real]).mean(axis=0)
    sums, rng = [FileSums.of(files, origin) for files in (real, first, second)], np.random.default_rng(seed)

    def difference(weight: FloatArray) -> float:
        gaussians = [one.gaussian(weight) for one in sums]
        return frechet_distance(gaussians[0], gaussians[2]) - frechet_distance(gaussians[0], gaussians[1])

    value = difference(np.ones(len(real)))
    if len(real) < MIN_FILES:
        return {"value": value, "corrected": None, "low": None, "high": None}
    draws = [difference(_resample(len(real), rng)) for _ in range(N_DRAWS)]
    corrected, low, high = _correct(value, draws)
    return {"value": value, "corrected": corrected, "low": low, "high": high}


def interval(draws: Sequence[float]) -> FloatArray:
    """(2,) quantiles that hold 95 % of the draws between them."""
    return np.asarray(np.quantile(draws, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)))


def _correct(value: float, draws: Sequence[float]) -> tuple[float, float, float]:
    """The value less the bias that the draws show, and the interval around it."""
    bias = float(np.mean(draws)) - value
    low, high = interval(draws) - 2.0 * bias
    return value - bias, float(low), float(high)


def _describe(values: Sequence[float]) -> dict[str, float]:
    low, high = interval(values)
    return {"median": float(np.median(values)), "low": float(low), "high": float(high)}


def _resample(n_files: int, rng: np.random.Generator) -> FloatArray:
    """(n_files,) how often each file is drawn, of as many draws with replacement."""
    return rng.multinomial(n_files, np.full(n_files, 1 / n_files)).astype(np.float64)


def _draw(n_real: int, n_other: int, paired: bool, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Weights of the files of both sets: those of the real ones, those of the others."""
    real = _resample(n_real, rng)
    other = real if paired else _resample(n_other, rng)
    return np.concatenate([real, np.zeros(n_other)]), np.concatenate([np.zeros(n_real), other])


def _split(
    distance: Callable[[FloatArray, FloatArray], float],
    n_real: int,
    n_other: int,
    paired: bool,
    rng: np.random.Generator,
) -> tuple[list[float], list[float]]:
    """Distances of half the real files, and of as many others, from the other half of the real files."""
    null, crossed = [], []
    for _ in range(N_SPLITS):
        half, against, made = (np.zeros(n_real + n_other) for _ in range(3))
        order = rng.permutation(n_real)
        half[order[: n_real // 2]] = 1
        against[order[n_real // 2 :]] = 1
        chosen = order[: n_real // 2] if paired else rng.permutation(n_other)[: n_real // 2]
        made[n_real + chosen] = 1
        null.append(distance(half, against))
        crossed.append(distance(made, against))
    return null, crossed


def _exchanges(n_real: int, n_other: int, paired: bool, rng: np.random.Generator) -> list[FloatArray]:
    """Weights of one of the sets after files were exchanged at random."""
    if paired:
        stays = rng.integers(0, 2, size=(N_PERMUTATIONS, n_real)).astype(np.float64)
        return list(np.concatenate([stays, 1 - stays], axis=1))
    is_real = np.repeat([1.0, 0.0], [n_real, n_other])
    return [rng.permutation(is_real) for _ in range(N_PERMUTATIONS)]

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
N_SPLITS, N_PERMUTATIONS = 200, 199
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
        corrected : value less its bias, by the jackknife: few files of one kind are never quite alike. Not below 0.
        low, high : 95 % interval of what is estimated by `corrected`: the jackknife over files, pairs staying together,
            with Student's t. How often it holds, ``benchmarks/reconstruction_sets.py`` says.
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
    null, crossed = _split(distance, n_real, n_other, paired, rng)
    exchanged = [distance(weight, 1 - weight) for weight in _exchanges(n_real, n_other, paired, rng)]
    rounding = 1e-9 * (value + float(np.trace(sums.gaussian(is_real)[1])))  # equal distances count as equal
    further = int((np.array(exchanged) >= value - rounding).sum())
    without = [distance(is_real * kept, (1 - is_real) * kept) for kept in _all_but_one(n_real, n_other, paired)]
    sets = [without] if paired else [without[:n_real], without[n_real:]]
    corrected, low, high = (max(bound, 0.0) for bound in _jackknife(value, sets))
    result |= {"corrected": corrected, "low": low, "high": high}
    result |= {"null": _describe(null), "crossed": _describe(crossed), "reason": None}
    ratio = float(np.median(crossed) / np.median(null)) if np.median(null) > 0 else None
    return result | {"ratio": ratio, "p": (1 + further) / (1 + N_PERMUTATIONS)}


def difference_of_sets(
    real: Sequence[FloatArray], first: Sequence[FloatArray], second: Sequence[FloatArray]
) -> dict[str, float | None]:
    """How much further the second set is from the real one than the first; file i of all three is one sound.

    Returns
    -------
    value, corrected, low, high : difference of the two Frechet distances, the same less its bias, and a 95 % interval,
        as by `compare_sets`; all but value are None below 4 files.
    """
    origin = np.concatenate([*real]).mean(axis=0)
    sums = [FileSums.of(files, origin) for files in (real, first, second)]

    def difference(weight: FloatArray) -> float:
        gaussians = [one.gaussian(weight) for one in sums]
        return frechet_distance(gaussians[0], gaussians[2]) - frechet_distance(gaussians[0], gaussians[1])

    value = difference(np.ones(len(real)))
    if len(real) < MIN_FILES:
        return {"value": value, "corrected": None, "low": None, "high": None}
    corrected, low, high = _jackknife(value, [[difference(kept) for kept in 1 - np.eye(len(real))]])
    return {"value": value, "corrected": corrected, "low": low, "high": high}


def _all_but_one(n_real: int, n_other: int, paired: bool) -> FloatArray:
    """Weights of all files, row by row without another one; of pairs without both."""
    if paired:
        return np.tile(1 - np.eye(n_real), 2)
    return np.asarray(1 - np.eye(n_real + n_other))


def _jackknife(value: float, sets: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """The value less its bias, and the interval around that, from the values without each file of each set.

    A bootstrap is no match for it here: files drawn twice make sets further apart, and few of them too narrow
    quantiles. Source: Efron and Stein 1981, The Annals of Statistics 9; degrees of freedom as Welch and Satterthwaite.
    """
    from scipy import stats  # takes a second to load, which no other command should wait for

    bias, parts, freedom = 0.0, [], 0.0
    for without in (np.asarray(values) for values in sets):
        n = len(without)
        bias += (n - 1) * (float(without.mean()) - value)
        parts.append((n - 1) / n * float(((without - without.mean()) ** 2).sum()))
        freedom += parts[-1] ** 2 / (n - 1)
    width = 0.0
    if freedom > 0:
        width = float(stats.t.ppf((1 + CONFIDENCE) / 2, sum(parts) ** 2 / freedom)) * sum(parts) ** 0.5
    return value - bias, value - bias - width, value - bias + width


def _describe(values: Sequence[float]) -> dict[str, float]:
    low, high = np.quantile(values, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return {"median": float(np.median(values)), "low": float(low), "high": float(high)}


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

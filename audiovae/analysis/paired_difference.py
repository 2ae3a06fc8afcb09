"""Is one model nearer than another? Differences file by file: sounds differ more than models do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.analysis.set_distance import CONFIDENCE, MIN_FILES

FloatArray = npt.NDArray[np.floating[Any]]


def compare_pairs(first: Sequence[float], second: Sequence[float], lower_wins: bool = True) -> dict[str, Any]:
    """Two models by one figure of the same files; ready for JSON.

    Parameters
    ----------
    first, second : (n_files,) the figure of every file, by the one and the other model.
    lower_wins : a lower figure is nearer to the original.

    Returns
    -------
    dict of
        n_files, first_wins, second_wins, ties : counts of files.
        difference : mean of second - first.
        low, high : its 95 % interval over files, by Student's t; None below 4 files.
        sign_p : two-sided sign test of the wins, ties left out: exact.
        wilcoxon_p : two-sided Wilcoxon signed-rank test, ties left out: exact up to 50 files without equal differences.
            Both are 1 if every file is a tie, and None of no files.
    """
    from scipy import stats  # takes a second to load, which no other command should wait for

    one, other = (np.asarray(values, dtype=np.float64) for values in (first, second))
    difference = other - one
    toward_first = difference if lower_wins else -difference
    first_wins, second_wins = int((toward_first > 0).sum()), int((toward_first < 0).sum())
    result: dict[str, Any] = {
        "n_files": len(difference),
        "first_wins": first_wins,
        "second_wins": second_wins,
        "ties": len(difference) - first_wins - second_wins,
        **dict.fromkeys(("difference", "low", "high", "sign_p", "wilcoxon_p")),
    }
    if len(difference) == 0:
        return result
    decided = first_wins + second_wins
    result["difference"] = float(difference.mean())
    result["sign_p"] = float(stats.binomtest(first_wins, decided).pvalue) if decided else 1.0
    result["wilcoxon_p"] = float(stats.wilcoxon(difference[difference != 0]).pvalue) if decided else 1.0
    if len(difference) >= MIN_FILES:
        part = stats.t.ppf((1 + CONFIDENCE) / 2, len(difference) - 1)
        half = float(part * difference.std(ddof=1) / np.sqrt(len(difference)))
        result["low"], result["high"] = result["difference"] - half, result["difference"] + half
    return result


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """P-values that hold together, of as many tests as are not None. Source: Holm 1979, Scand. J. Statist. 6(2)."""
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, place) in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) - rank)))
        adjusted[place] = largest
    return adjusted

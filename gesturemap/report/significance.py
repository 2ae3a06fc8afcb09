"""p-values: could motion without intent have reached as much, and do two mappings really differ?

Against a null the test is a Monte Carlo test: surrogates are drawn in the same way as the null, and the p-value is the
rank of the gesture among them. It is exact where gesture and surrogates are exchangeable: for ``shuffled`` if the
dimensions of the gesture are independent of each other, for ``walk`` if it is a stationary Gaussian process, for
``uniform`` and ``prior`` if it is drawn from them. Two mappings that play the same takes are compared by swapping them
take by take. Source: Phipson and Smyth 2010, arXiv:1603.05766, for (count + 1) / (draws + 1).
`benchmarks/intervals.py` measures how uniform p-values are under the null.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from audiovae.latent_space import LatentSpace
from gesturemap.report import nulls
from gesturemap.report.coverage import CoverageSettings, Reach, Reference, whiten
from gesturemap.report.intervals import resampling_units
from gesturemap.report.neighbours import Index, Points, covered

TESTED = ("walk", "shuffled", "prior", "uniform")


def p_values(
    reference: Reference,
    latents: Points,
    take: Index,
    space: LatentSpace,
    settings: CoverageSettings,
    seed: int,
    names: Sequence[str] = TESTED,
) -> dict[str, dict[str, float]]:
    """``p``, two-sided, of the coverage of a gesture against each null of `names`, and the null's ``mean`` coverage.

    Parameters
    ----------
    latents : (n_frames, latent_size). take : (n_frames,) number of the take of every frame.

    Coverage is counted on `settings.test_frames` reference frames, evenly spread, with their radii in the full
    reference.
    """
    rows = np.unique(np.linspace(0, len(reference.points) - 1, settings.test_frames).round().astype(int))
    centres, radius = reference.points[rows], reference.radius[rows]

    def coverage(of: Points) -> float:
        return float(covered(centres, radius, whiten(space, of, reference.rank)).mean())

    rng = np.random.default_rng([seed, 100])
    draw: dict[str, Callable[[], Points]] = {
        "walk": lambda: nulls.walk(latents, take, rng),
        "shuffled": lambda: nulls.shuffled(latents, rng),
        "prior": lambda: nulls.prior(space, len(latents), rng),
        "uniform": lambda: nulls.uniform(space, len(latents), rng),
    }
    value, results = coverage(latents), {}
    for name in names:
        drawn = [coverage(draw[name]()) for _ in range(settings.n_permutations)]
        results[name] = {"p": two_sided(value, drawn), "mean": float(np.mean(drawn))}
    return results


def p_of_difference(first: Reach, second: Reach, settings: CoverageSettings, seed: int) -> float | None:
    """Two-sided p-value of the difference in coverage of two mappings that play the same takes.

    Under the null it does not matter which of the two played a take (or block): they are swapped at random, unit
    by unit. None where there are too few units to swap.
    """
    if len(first.motion.points) != len(second.motion.points) or first.reference is not second.reference:
        return None
    unit, kind = resampling_units(first, settings)
    if kind == "nothing":
        return None
    tables = [reached_by_unit(reach, unit) for reach in (first, second)]
    rng = np.random.default_rng([seed, 101])

    def difference(swap: Index) -> float:
        chosen = [np.where(swap, tables[1 - side], tables[side]).any(axis=1).mean() for side in (0, 1)]
        return float(chosen[0] - chosen[1])

    n_units = tables[0].shape[1]
    value = abs(difference(np.zeros(n_units, dtype=np.intp)))
    drawn = [abs(difference(rng.integers(0, 2, n_units))) for _ in range(settings.n_permutations)]
    return float((1 + np.count_nonzero(np.array(drawn) >= value - 1e-12)) / (len(drawn) + 1))


def reached_by_unit(reach: Reach, unit: Index) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """(n_reference, n_units) whether a unit reaches a reference frame."""
    unit_of_step = np.zeros(reach.hits.shape[1], dtype=np.intp)
    unit_of_step[reach.step] = unit
    table = np.zeros((reach.hits.shape[0], int(unit[-1]) + 1), dtype=bool)
    row = np.repeat(np.arange(reach.hits.shape[0]), np.diff(reach.hits.indptr))
    table[row, unit_of_step[reach.hits.indices]] = True
    return table


def two_sided(value: float, drawn: Sequence[float]) -> float:
    """Twice the smaller tail of `value` among `drawn`, at most 1; equal values count on both sides."""
    surrogates = np.asarray(drawn)
    above = (1 + np.count_nonzero(surrogates >= value - 1e-12)) / (len(surrogates) + 1)
    below = (1 + np.count_nonzero(surrogates <= value + 1e-12)) / (len(surrogates) + 1)
    return float(min(1.0, 2 * min(above, below)))

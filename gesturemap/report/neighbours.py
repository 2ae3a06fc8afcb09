"""Exact nearest neighbours and balls for clouds of many points: the engine under coverage.

Two engines give the same numbers: a k-d tree for few dimensions, and blocks of one matrix product each.
Blocks are computed in float32 with a bound on the rounding error; every pair that the bound cannot decide is
measured again in float64 from the difference of the two points. So results are those of float64 differences,
near-duplicates (silence) included, and memory stays at one block however many the points.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from gesturemap.errors import ReportError

Points = npt.NDArray[np.float64]
Index = npt.NDArray[np.integer[Any]]
Single = npt.NDArray[np.float32]

# Up to here a k-d tree is faster than blocks, measured at 20 000 and 100 000 points of autocorrelated files,
# where it must look past the many neighbours of a point's own file; for one nearest point it need not.
TREE_KTH_DIMENSIONS = 6
TREE_NEAREST_DIMENSIONS = 8
BLOCK = 1 << 21  # pairs a block: 8 MB of float32
STRIDE = 16  # a row's k nearest lie below the k-th smallest of the minima of this many columns each
MAX_TREE_NEIGHBOURS = 160  # rows with more neighbours of their own file than this go to the blocks
RECHECK = 1 << 17  # pairs measured again at a time


def kth_distance(
    points: Points, group: Index, k: int, rows: Index | None = None, without: Index | None = None
) -> Points:
    """Distance of every point to its k-th nearest neighbour among the points of OTHER groups.

    Parameters
    ----------
    points : (n, d).
    group : (n,) group of every point (its source file); ``np.arange(n)`` excludes only the point itself.
    k : 1 or more.
    rows : (n_rows,) the points asked for, each with k or more outside its group; all points if None.
    without : (n_rows,) one more group whose points are no neighbours of that row; another than its own.

    Returns
    -------
    (n,) float64, or (n_rows,).

    Raises
    ------
    ReportError
        If some point has fewer than k points of other groups.
    """
    if rows is not None:
        return np.asarray(np.sqrt(_kth_by_blocks(points, group, k, rows, without)))
    sizes = np.unique(group, return_counts=True)[1]
    outside = len(points) - int(sizes.max(initial=0))
    if outside < k:
        raise ReportError(
            f"neighbour {k} in other source files asked for, but only {outside} frames lie outside the "
            f"largest of {len(sizes)} files: use a smaller k or a model with more source files"
        )
    squared = np.full(len(points), np.nan)
    if points.shape[1] <= TREE_KTH_DIMENSIONS:
        squared = _kth_by_tree(points, group, k)
    rest = np.flatnonzero(np.isnan(squared))
    if len(rest):
        squared[rest] = _kth_by_blocks(points, group, k, rest)
    return np.asarray(np.sqrt(squared))


def pairs_in_balls(centres: Points, radius: Points, points: Points) -> Iterator[tuple[Index, Index]]:
    """Every pair (i, j) where ``points[j]`` lies in the closed ball of ``radius[i]`` around ``centres[i]``.

    Parameters
    ----------
    centres : (n, d). radius : (n,). points : (m, d).

    Yields
    ------
    i, j : (n_pairs,) each, one block at a time; every pair once, in no order to rely on.
    """
    if not len(centres):
        return
    middle = centres.mean(axis=0)
    reach = (np.linalg.norm(centres - middle, axis=1) + radius).max(initial=0) * (1 + 1e-9)
    # A far outlier would widen the rounding bound for all: what no ball can hold is left out first.
    near = np.flatnonzero(np.linalg.norm(points - middle, axis=1) <= reach)
    left = _left(centres - middle, radius**2)
    tolerance = _rounding_bound(centres.shape[1], reach)
    width = max(1, min(len(near), 1 << 14))
    height = max(1, BLOCK // width)
    for column in range(0, len(near), width):
        part = near[column : column + width]
        right = _right(points[part] - middle)
        for row in range(0, len(centres), height):
            power = (left[row : row + height] @ right).ravel()  # squared distance - squared radius
            found = np.flatnonzero(power <= tolerance)
            i, j = found // len(part) + row, part[found % len(part)]
            inside = power[found] < -tolerance
            unsure = np.flatnonzero(~inside)
            distance = np.sqrt(squared_distance(centres, points, i[unsure], j[unsure]))
            inside[unsure] = distance <= radius[i[unsure]]
            yield i[inside], j[inside]


def covered(centres: Points, radius: Points, points: Points) -> npt.NDArray[np.bool_]:
    """(n,) mask of the centres with at least one of `points` in their ball: coverage and nothing else."""
    mask = np.zeros(len(centres), dtype=bool)
    if len(points) and centres.shape[1] <= TREE_NEAREST_DIMENSIONS:
        nearest = np.asarray(cKDTree(points).query(centres, k=1)[1])
        squared = squared_distance(centres, points, np.arange(len(centres)), nearest)
        return np.asarray(np.sqrt(squared) <= radius)
    for i, _ in pairs_in_balls(centres, radius, points):
        mask[i] = True
    return mask


def squared_distance(a: Points, b: Points, i: Index, j: Index) -> Points:
    """(n_pairs,) squared distances of ``a[i]`` to ``b[j]``, where every close comparison ends.

    Summed dimension by dimension, so that a pair gives the same bits in whatever batch it comes: a point at
    exactly the k-th distance must be found inside the closed ball.
    """
    result = np.zeros(len(i))
    for first in range(0, len(i), RECHECK):
        part = slice(first, first + RECHECK)
        squared = (a[i[part]] - b[j[part]]) ** 2
        for column in squared.T:
            result[part] += column
    return result


def _kth_by_tree(points: Points, group: Index, k: int) -> Points:
    """Squared k-th distances; NaN where `MAX_TREE_NEIGHBOURS` did not hold k points of other groups."""
    tree = cKDTree(points)
    squared = np.full(len(points), np.nan)
    rows = np.arange(len(points))
    n_neighbours = 4 * k
    while len(rows) and n_neighbours <= max(MAX_TREE_NEIGHBOURS, 4 * k):
        for part in np.array_split(rows, -(-len(rows) // 8192)):
            # Asked for as a list, scipy returns a column even for one neighbour.
            wanted = np.arange(1, min(n_neighbours, len(points)) + 1)
            neighbours = np.asarray(tree.query(points[part], k=wanted)[1])
            enough = np.cumsum(group[neighbours] != group[part, None], axis=1) >= k
            done = enough[:, -1]
            kth = neighbours[np.arange(len(part)), enough.argmax(axis=1)]
            squared[part[done]] = squared_distance(points, points, part[done], kth[done])
        rows = rows[np.isnan(squared[rows])]
        n_neighbours *= 2
    return squared


def _kth_by_blocks(points: Points, group: Index, k: int, rows: Index, without: Index | None = None) -> Points:
    """Squared k-th distances of ``points[rows]``, a block of rows against all points at a time."""
    order = np.argsort(group, kind="stable")
    left_out = group[rows][:, None] if without is None else np.column_stack([group[rows], without])
    starts = np.searchsorted(group[order], left_out, side="left").tolist()
    ends = np.searchsorted(group[order], left_out, side="right").tolist()
    middle = points.mean(axis=0)
    left = _left(points[rows] - middle, np.zeros(len(rows)))
    right = _pad_columns(_right(points[order] - middle))
    reach = float(np.linalg.norm(points - middle, axis=1).max())
    tolerance = np.float32(2 * _rounding_bound(points.shape[1], reach))
    n_minima = right.shape[1] // STRIDE
    height = max(1, BLOCK // right.shape[1])
    result = np.empty(len(rows))
    for first in range(0, len(rows), height):
        part = rows[first : first + height]
        squared = left[first : first + height] @ right
        for row in range(len(part)):
            for start, end in zip(starts[first + row], ends[first + row], strict=True):
                squared[row, start:end] = np.inf
        minima = squared.reshape(len(part), STRIDE, n_minima).min(axis=1)
        limit = np.full(len(part), np.inf, dtype=np.float32)
        if n_minima >= k:
            limit = np.partition(minima, k - 1, axis=1)[:, k - 1]
        limit = np.minimum(limit + tolerance, np.finfo(np.float32).max)
        i, column = np.divmod(np.flatnonzero(minima <= limit[:, None]), n_minima)
        folded = column[:, None] + n_minima * np.arange(STRIDE)
        found, fold = np.nonzero(squared[i[:, None], folded] <= limit[i, None])
        i, j = i[found], folded[found, fold]
        exact = squared_distance(points, points, part[i], order[j])
        # Candidates stand row by row: inside a row the k-th smallest is wanted.
        ranked = exact[np.lexsort((exact, i))]
        result[first : first + len(part)] = ranked[np.searchsorted(i, np.arange(len(part))) + k - 1]
    return result


def _left(points: Points, squared_radius: Points) -> Single:
    """(n, d + 2): times `_right` of other points it gives squared distances minus squared radii."""
    size = np.einsum("nd,nd->n", points, points)
    return np.column_stack([points, size - squared_radius, np.ones(len(points))]).astype(np.float32)


def _right(points: Points) -> Single:
    """(d + 2, n), see `_left`."""
    size = np.einsum("nd,nd->n", points, points)
    return np.vstack([-2 * points.T, np.ones(len(points)), size]).astype(np.float32)


def _pad_columns(right: Single) -> Single:
    """`right` with infinitely far points added up to a multiple of `STRIDE`."""
    missing = -right.shape[1] % STRIDE
    padding = np.zeros((len(right), missing), dtype=np.float32)
    padding[-1] = np.inf
    return np.hstack([right, padding])


def _rounding_bound(dimensions: int, reach: float) -> float:
    """Largest error of a float32 squared distance minus squared radius, all balls within `reach` of zero.

    A product of d + 2 terms errs by at most (d + 5) u times the sum of their sizes, casts included, which is
    below 5 reach^2; u is half of eps, so that eps doubles the bound for safety.
    """
    return (dimensions + 5) * float(np.finfo(np.float32).eps) * 5 * reach**2

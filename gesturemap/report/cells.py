"""Nearest neighbours among a million points: only cells near a point's own are searched. Approximate, with a recall.

The points are told apart into cells by k-means; the points of a cell are compared with those of the `n_probes` cells
whose centres are nearest to its own, by the exact engine of `neighbours`. What lies further is missed: a k-th distance
is never too small, and pairs are never invented. Memory stays at the points and one block. `benchmarks/coverage.py`
states cost and recall. Source of the idea: inverted files, Jegou et al. 2011, doi 10.1109/TPAMI.2010.57.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gesturemap.report.neighbours import Index, Points, kth_distance, pairs_in_balls

EXACT_POINTS = 100_000  # up to here an exact search is affordable
CELL_SIZE = 1000  # points a cell, about
N_ROUNDS = 8
SAMPLE_PER_CELL = 40  # points that k-means learns from
N_PROBES = 128


@dataclass(frozen=True)
class Cells:
    """Points told apart by the nearest of some centres.

    Parameters
    ----------
    centres : (n_cells, d).
    order : (n,) the points, cell by cell.
    starts : (n_cells + 1,) where each cell begins in `order`.
    """

    centres: Points
    order: Index
    starts: Index

    def points_of(self, cells: Index) -> Index:
        """Indices of the points of some cells, cell by cell."""
        return np.concatenate([self.order[self.starts[cell] : self.starts[cell + 1]] for cell in cells])


def find_cells(points: Points, seed: int = 0, centres: Points | None = None) -> Cells:
    """Cells of about `CELL_SIZE` points of `points` (n, d); with `centres`, those of another cloud."""
    if centres is None:
        rng = np.random.default_rng(seed)
        n_cells = max(1, len(points) // CELL_SIZE)
        sample = points[rng.choice(len(points), min(len(points), SAMPLE_PER_CELL * n_cells), replace=False)]
        centres = sample[:n_cells].copy()
        for _ in range(N_ROUNDS):
            label = _nearest(sample, centres)
            count = np.bincount(label, minlength=n_cells)
            for column in range(points.shape[1]):
                total = np.bincount(label, sample[:, column], minlength=n_cells)
                centres[:, column] = np.where(count > 0, total / np.maximum(count, 1), centres[:, column])
    label = _nearest(points, centres)
    starts = np.concatenate([[0], np.cumsum(np.bincount(label, minlength=len(centres)))])
    return Cells(centres, np.argsort(label, kind="stable"), starts)


def kth_distance_in_cells(
    points: Points, group: Index, k: int, cells: Cells, n_probes: int = N_PROBES, which: Index | None = None
) -> Points:
    """As `neighbours.kth_distance`, (n,), but never below it: neighbours in cells further away are missed.

    With `which` only the points of those cells are looked up; the others are NaN.
    """
    distance = np.full(len(points), np.nan)
    for own, near in _probe(cells, cells, n_probes, which):
        of_near = group[near]
        names, place, count = np.unique(of_near, return_inverse=True, return_counts=True)
        enough = len(near) - count[place[: len(own)]] >= k
        found = kth_distance(points[near], of_near, k, rows=np.flatnonzero(enough))
        distance[own[enough]] = found
        if not enough.all():
            # Cells full of one file: such points are looked up among all.
            distance[own[~enough]] = kth_distance(points, group, k, rows=own[~enough])
    return distance


def pairs_in_cells(
    centres: Points, radius: Points, of_centres: Cells, points: Points, of_points: Cells, n_probes: int = N_PROBES
) -> Iterator[tuple[Index, Index]]:
    """As `neighbours.pairs_in_balls`, less the pairs in cells further away.

    Parameters
    ----------
    of_centres, of_points : cells of the two; they may have the same centres.
    """
    for own, near in _probe(of_centres, of_points, n_probes):
        for i, j in pairs_in_balls(centres[own], radius[own], points[near]):
            yield own[i], near[j]


def _probe(cells: Cells, others: Cells, n_probes: int, which: Index | None = None) -> Iterator[tuple[Index, Index]]:
    """The points of every cell of `cells`, and those of the `n_probes` cells of `others` nearest to it.

    Where both are the same, the points of the cell come first among those near it.
    """
    for cell in range(len(cells.centres)) if which is None else which:
        centre = cells.centres[cell]
        own = cells.points_of(np.array([cell]))
        if len(own):
            distance = ((others.centres - centre) ** 2).sum(axis=1)
            if cells is others:
                distance[cell] = -1.0
            yield own, others.points_of(np.argsort(distance, kind="stable")[:n_probes])


def _nearest(points: Points, centres: Points) -> Index:
    """(n,) index of the nearest centre, in float32: a tie broken wrongly costs nothing but recall."""
    middle = centres.mean(axis=0)
    right = (centres - middle).astype(np.float32)
    size = (right**2).sum(axis=1)
    label = np.empty(len(points), dtype=np.intp)
    height = max(1, (1 << 22) // len(centres))
    for first in range(0, len(points), height):
        left = (points[first : first + height] - middle).astype(np.float32)
        label[first : first + height] = (size - 2 * (left @ right.T)).argmin(axis=1)
    return label

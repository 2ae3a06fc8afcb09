"""Precision, recall, density and coverage of two clouds, as the package prdc defines them or with files left out.

The report needs coverage, precision and density of a motion with intervals (`coverage`); these are the plain numbers
of any two clouds of any size.
"""

from __future__ import annotations

import numpy as np

from gesturemap.report.cells import EXACT_POINTS, N_PROBES, Cells, find_cells, kth_distance_in_cells, pairs_in_cells
from gesturemap.report.neighbours import Index, Points, kth_distance, pairs_in_balls


def four_metrics(
    real: Points,
    fake: Points,
    k: int = 5,
    real_file: Index | None = None,
    fake_file: Index | None = None,
    exact: bool | None = None,
    n_probes: int = N_PROBES,
) -> dict[str, float]:
    """Precision, recall (Kynkaanniemi et al. 2019), density and coverage (Naeem et al. 2020) of `fake` against `real`.

    Parameters
    ----------
    real, fake : (n, d), (m, d).
    real_file, fake_file : (n,), (m,) source file of every point, whose points are no neighbours of each other. None:
        only the point itself is left out, as prdc does.
    exact : None: exact up to `EXACT_POINTS` points, beyond it in cells.
    n_probes : cells that are searched; more of them miss less.
    """
    if exact is None:
        exact = max(len(real), len(fake)) <= EXACT_POINTS
    files = [
        np.arange(len(points)) if file is None else file for points, file in ((real, real_file), (fake, fake_file))
    ]
    if exact:
        radii = [kth_distance(points, file, k) for points, file in zip((real, fake), files, strict=True)]
        inside = pairs_in_balls(real, radii[0], fake)
        recalled = pairs_in_balls(fake, radii[1], real)
    else:
        cells: list[Cells] = [find_cells(real)]
        cells.append(find_cells(fake, centres=cells[0].centres))
        radii = [
            kth_distance_in_cells(points, file, k, of, n_probes)
            for points, file, of in zip((real, fake), files, cells, strict=True)
        ]
        inside = pairs_in_cells(real, radii[0], cells[0], fake, cells[1], n_probes)
        recalled = pairs_in_cells(fake, radii[1], cells[1], real, cells[0], n_probes)
    reached, balls = np.zeros(len(real), dtype=bool), np.zeros(len(fake))
    for i, j in inside:
        reached[i] = True
        np.add.at(balls, j, 1)
    known = np.zeros(len(real), dtype=bool)
    for _, i in recalled:
        known[i] = True
    return {
        "precision": float((balls > 0).mean()),
        "recall": float(known.mean()),
        "density": float(balls.mean() / k),
        "coverage": float(reached.mean()),
    }

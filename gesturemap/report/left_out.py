"""Balls that grow when a source file is left out: it held one of the k neighbours that the radius reached to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gesturemap.report.neighbours import Index, Points, kth_distance, pairs_in_balls


@dataclass(frozen=True)
class LargerBalls:
    """The radii of single frames without single files.

    Parameters
    ----------
    frame : (n,) the centre of the ball.
    file : (n,) the file that is left out, never the frame's own.
    radius : (n,) of the ball without it.
    """

    frame: Index
    file: Index
    radius: Points


def find_larger_balls(points: Points, file: Index, k: int, radius: Points) -> LargerBalls:
    """Every ball whose radius changes without one other file, with its radius then.

    Parameters
    ----------
    points : (n, d). file : (n,) 0, 1, ... radius : (n,) as by `neighbours.kth_distance`.

    Where the files that remain hold fewer than k frames the ball is not listed: it stays as it is.
    """
    n_files = int(file.max()) + 1
    codes = [np.empty(0, dtype=np.intp)]
    for i, j in pairs_in_balls(points, radius, points):
        other = file[i] != file[j]
        codes.append(np.unique(i[other] * n_files + file[j[other]]))
    frame, without = np.divmod(np.unique(np.concatenate(codes)), n_files)
    sizes = np.bincount(file, minlength=n_files)
    enough = len(points) - sizes[file[frame]] - sizes[without] >= k
    frame, without = frame[enough], without[enough]
    return LargerBalls(frame, without, kth_distance(points, file, k, frame, without))

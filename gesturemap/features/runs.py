"""How long each column of a stream has been there without a break, which says how far back may be looked."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gesturemap.frame import Array

Bools = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


def all_there(values: Array) -> bool:
    """Whether every number is finite; also False for numbers so large that their squares are not.

    One call of BLAS: on a live frame looking at each number costs more than the sum of their squares.
    """
    return math.isfinite(np.vdot(values, values))


def count_runs(lost: Bools, paused: Bools, before: Counts) -> Counts:
    """How many frames in a row each column has been seen, this one included; 0 where it is lost.

    Parameters
    ----------
    lost : (n_frames, n_columns).
    paused : (n_frames,) True where too long a pause lies before the frame.
    before : (n_columns,) the count at the last frame of the block before.
    """
    frame = np.arange(1, len(lost) + 1)[:, None]
    # The number of the last frame that does not count; frame 0 is the last one of the block before.
    barrier = np.where(lost, frame, np.where(paused[:, None], frame - 1, -before))
    runs: Counts = frame - np.maximum.accumulate(barrier, axis=0)
    return runs


class RunCounter:
    """`count_runs` from block to block.

    Parameters
    ----------
    n_columns : of the values.

    Attributes
    ----------
    lost : (n_columns,) which columns are absent in the last frame; None if none is.
    """

    def __init__(self, n_columns: int) -> None:
        self.lost: Bools | None = None
        self._before: Counts = np.zeros(n_columns, dtype=np.int64)
        self._common: int | None = 0  # the run of all columns that are there, where they agree

    def count(self, values: Array, paused: Bools | bool = False) -> Counts | int:
        """The runs of the next frames, at least one.

        Parameters
        ----------
        values : (n_frames, n_columns), NaN means absent.
        paused : (n_frames,) whether too long a pause lies before the frame, or the same for all.

        Returns
        -------
        (n_frames, n_columns) as `count_runs`. For one live frame a single number, if there is one that holds for
        every column that is not lost.
        """
        lost = None if all_there(values) else np.isnan(values)
        if len(values) == 1 and self._common is not None and not np.any(paused) and self._as_before(lost):
            self._common += 1
            return self._common
        before = self._before
        if self._common is not None:
            before = np.full(len(before), self._common)
            before[self.lost if self.lost is not None else slice(0)] = 0
        lost = np.zeros(values.shape, dtype=np.bool_) if lost is None else lost
        runs = count_runs(lost, np.broadcast_to(paused, len(values)), before)
        self._before, self.lost = runs[-1], lost[-1] if lost[-1].any() else None
        seen = runs[-1][runs[-1] > 0]
        self._common = int(seen[0]) if len(seen) and (seen == seen[0]).all() else None
        return runs

    def _as_before(self, lost: Bools | None) -> bool:
        if lost is None or self.lost is None:
            return lost is None and self.lost is None
        return bool((lost[0] == self.lost).all())

"""Coverage against time: how fast a motion gets around, and two motions compared at equal duration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gesturemap.report.coverage import Reach
from gesturemap.report.neighbours import Index, Points

MAX_POINTS = 200
N_ORDERS = 20


@dataclass(frozen=True)
class Curve:
    """C(T), the coverage of the first T seconds.

    Parameters
    ----------
    time_s : (n,) from 0 to the whole duration.
    coverage : (n,) mean over the orders of the takes.
    low, high : (n,) smallest and largest over the orders.
    n_orders : 1 for a single take, which has one order.
    """

    time_s: Points
    coverage: Points
    low: Points
    high: Points
    n_orders: int

    @property
    def half_time_s(self) -> float | None:
        """T50, seconds until half of the final coverage is reached; None for a motion that reaches nothing."""
        if self.coverage[-1] <= 0:
            return None
        after = int(np.argmax(self.coverage >= self.coverage[-1] / 2))
        pair = slice(max(after - 1, 0), after + 1)
        return float(np.interp(self.coverage[-1] / 2, self.coverage[pair], self.time_s[pair]))

    def at(self, time_s: float) -> float:
        """C(`time_s`), linear between the points; the final coverage later on."""
        return float(np.interp(time_s, self.time_s, self.coverage))


def coverage_curve(reach: Reach, seed: int = 0) -> Curve:
    """C(T) of a motion: as played for one take, over random orders of the takes for several (rarefaction)."""
    rng = np.random.default_rng(seed)
    take_of_step = np.zeros(reach.hits.shape[1], dtype=np.intp)
    take_of_step[reach.step] = reach.motion.take
    takes, take_of_step = np.unique(take_of_step, return_inverse=True)
    n_orders = 1 if len(takes) == 1 else N_ORDERS
    step_s = np.bincount(reach.step) / reach.motion.rate
    time_s = np.linspace(0, reach.motion.duration_s, min(len(step_s), MAX_POINTS) + 1)
    curves = np.empty((n_orders, len(time_s)))
    for row in range(n_orders):
        played = np.argsort(rng.permutation(len(takes))[take_of_step], kind="stable")
        elapsed_s = np.concatenate([[0.0], np.cumsum(step_s[played])])
        share = np.concatenate([[0.0], np.cumsum(_newly_reached(reach, played))]) / len(reach.reached)
        curves[row] = np.interp(time_s, elapsed_s, share)
    return Curve(time_s, curves.mean(axis=0), curves.min(axis=0), curves.max(axis=0), n_orders)


def _newly_reached(reach: Reach, played: Index) -> Index:
    """(n_steps,) count of reference frames that each step reaches first, the steps in the order `played`."""
    place = np.empty(len(played), dtype=np.intp)
    place[played] = np.arange(len(played))
    starts = reach.hits.indptr[:-1][reach.reached]
    if not len(starts):
        return np.zeros(len(played), dtype=np.intp)
    first = np.minimum.reduceat(place[reach.hits.indices], starts)
    return np.bincount(first, minlength=len(played))

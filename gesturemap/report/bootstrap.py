"""Confidence intervals from resampling source files and takes, never single frames.

Frames of one file, or of one take, follow each other: drawn one by one they would make the intervals several
times too narrow (`tests/gesturemap/report/test_bootstrap.py` shows by how much).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gesturemap.report.coverage import CoverageSettings, Reach
from gesturemap.report.neighbours import Index, Points

MIN_UNITS = 4  # fewer takes (or blocks) than this say nothing about their spread


@dataclass(frozen=True)
class Interval:
    """A number and its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Statistics:
    """Coverage, precision and density of one motion, with intervals.

    Parameters
    ----------
    resampled : what was drawn beside source files: ``takes``, ``blocks`` of some seconds, or ``nothing``.
    """

    coverage: Interval
    precision: Interval
    density: Interval
    resampled: str


def interval_statistics(reach: Reach, settings: CoverageSettings, seed: int = 0) -> Statistics:
    """The three statistics with bootstrap intervals over source files and takes.

    Which reference frame each take reaches is known once; a draw only reweights files and takes. Takes drawn
    with replacement leave out about a third of them, so the draws of a union such as coverage lie below the
    value: the interval is the draws' quantiles moved by the difference of value and mean of the draws.
    Radii stay those of the full reference.
    """
    unit, resampled = resampling_units(reach, settings)
    rng = np.random.default_rng(seed)
    draws = _draw(reach, unit, resampled != "nothing", settings.n_draws, rng)
    values = (reach.coverage, reach.precision, reach.density)
    tail = (1 - settings.confidence) / 2
    intervals = []
    for value, column, top in zip(values, draws.T, (1.0, 1.0, np.inf), strict=True):
        low, high = np.quantile(column, (tail, 1 - tail)) - column.mean() + value
        intervals.append(Interval(value, float(np.clip(low, 0, value)), float(np.clip(high, value, top))))
    coverage, precision, density = intervals
    return Statistics(coverage, precision, density, resampled)


def resampling_units(reach: Reach, settings: CoverageSettings) -> tuple[Index, str]:
    """(n_motion,) unit of every frame, and what it is: a take, or a block of one if there are few takes."""
    take = reach.motion.take
    if len(np.unique(take)) >= MIN_UNITS:
        return np.unique(take, return_inverse=True)[1], "takes"
    # Blocks of whole steps, so that a step belongs to one unit.
    step_length = max(1, round(settings.step_s * reach.motion.rate))
    n_steps = max(1, round(settings.block_s * reach.motion.rate / step_length))
    block = reach.motion.pieces(n_steps * step_length / reach.motion.rate)
    return block, "blocks" if block[-1] + 1 >= MIN_UNITS else "nothing"


def _draw(reach: Reach, unit: Index, draw_units: bool, n_draws: int, rng: np.random.Generator) -> Points:
    """(n_draws, 3) coverage, precision and density of resampled files and units."""
    reference = reach.reference
    n_files, n_units = len(reference.file_names), int(unit[-1]) + 1
    unit_of_step = np.zeros(reach.hits.shape[1], dtype=np.intp)
    unit_of_step[reach.step] = unit
    row = np.repeat(np.arange(reach.hits.shape[0]), np.diff(reach.hits.indptr))
    reached_by = np.unique(row * n_units + unit_of_step[reach.hits.indices])
    reached_row, reached_unit = np.divmod(reached_by, n_units)
    draws = np.empty((n_draws, 3))
    for draw in range(n_draws):
        of_file = rng.multinomial(n_files, np.full(n_files, 1 / n_files))
        of_unit = np.ones(n_units)
        if draw_units:
            of_unit = rng.multinomial(n_units, np.full(n_units, 1 / n_units)).astype(np.float64)
        of_frame = of_file[reference.file_index]
        reached = np.zeros(len(of_frame), dtype=bool)
        reached[reached_row[of_unit[reached_unit] > 0]] = True
        n_frames = max(int(of_frame.sum()), 1)
        balls = reach.balls @ of_file
        weight = of_unit[unit]
        density = (weight @ balls) / weight.sum() / reference.n_neighbours * len(of_frame) / n_frames
        draws[draw] = (of_frame @ reached) / n_frames, (weight @ (balls > 0)) / weight.sum(), density
    return draws

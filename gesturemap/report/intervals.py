"""Confidence intervals from leaving out whole source files and whole takes, never single frames.

Frames of one file, or of one take, follow each other: counted one by one they would make intervals several times too
narrow. Coverage is the share of a union, and a bootstrap of a union is biased: a draw with replacement leaves out a
third of the takes, and a file drawn twice is its own nearest neighbour. So this is the delete-one jackknife over files
and takes, whose variance is an upper bound for any statistic of independent units (Efron and Stein 1981, The Annals of
Statistics 9), and Student's t on the logit scale (density: log). Without a file the radii of the others are found
anew. What files and takes do together is counted twice, once each, and taken off once, as in an analysis of variance.
`benchmarks/intervals.py` measures how often they hold, beside bootstraps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from gesturemap.report.coverage import CoverageSettings, Reach
from gesturemap.report.neighbours import Index, Points, pairs_in_balls, squared_distance

MIN_TAKES = 4  # fewer say nothing about their spread
MAX_BLOCKS = 8  # of a take that stands alone; few and long ones, so that neighbours share little


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
    resampled : what was left out in turn beside source files: ``takes``, ``blocks`` of takes, or ``nothing``.
    """

    coverage: Interval
    precision: Interval
    density: Interval
    resampled: str


def interval_statistics(reach: Reach, settings: CoverageSettings) -> Statistics:
    """The three statistics with intervals over source files and takes."""
    unit, resampled = resampling_units(reach, settings)
    left_out = _leave_out(reach, unit)
    intervals = []
    for value, (by_unit, by_file, by_both), n_frames, bounded in (
        (reach.coverage, left_out["coverage"], len(reach.reached), True),
        (reach.precision, left_out["precision"], len(reach.motion.points), True),
        (reach.density, left_out["density"], len(reach.motion.points), False),
    ):
        error, freedom = _standard_error(by_unit, by_file, by_both)
        intervals.append(_interval(value, error, freedom, settings.confidence, n_frames, bounded))
    return Statistics(intervals[0], intervals[1], intervals[2], resampled)


def resampling_units(reach: Reach, settings: CoverageSettings) -> tuple[Index, str]:
    """(n_motion,) unit of every frame, and what it is: a take, or a block of one if there are few takes.

    Blocks are `settings.block_s` long, shorter where the motion is (half of it at least), longer where it would make
    more than `MAX_BLOCKS`. A block ends where a step does, so that a step belongs to one unit.
    """
    takes, unit = np.unique(reach.motion.take, return_inverse=True)
    if len(takes) >= MIN_TAKES:
        return unit, "takes"
    rate = reach.motion.rate
    step_length = max(1, round(settings.step_s * rate))
    wanted = min(settings.block_s * rate, len(unit) / MIN_TAKES)
    n_steps = max(int(wanted / step_length), -(-len(unit) // (MAX_BLOCKS * step_length)), 1)
    length = n_steps * step_length
    block = reach.motion.pieces(length / rate)
    # The rest of a take that is shorter than half a block belongs to the block before it.
    begins = np.unique(block, return_index=True)[1]
    short = (np.bincount(block) < length / 2) & (np.diff(unit[begins], prepend=-1) == 0)
    block = (np.cumsum(~short) - 1)[block]
    if length < settings.block_s * rate / 2 or block[-1] + 1 < MIN_TAKES:
        return np.zeros_like(block), "nothing"
    return block, "blocks"


Deviations = tuple[Points, Points, Points]


def _leave_out(reach: Reach, unit: Index) -> dict[str, Deviations]:
    """By how much each statistic falls without each unit (n_units,), each file (n_files,) and both (n_units, n_files).

    The third is what is left after the two falls, the second difference, all balls being as they are; without a
    file, those that it kept small grow.
    """
    reference, n_files = reach.reference, len(reach.reference.file_names)
    n_units, k = int(unit[-1]) + 1, reference.n_neighbours
    sizes = reference.file_sizes.astype(np.float64)
    reached = np.bincount(reference.file_index, reach.reached, minlength=n_files)
    only = _reached_by_one(reach, unit, n_units)
    frames = np.bincount(unit, minlength=n_units).astype(np.float64)
    inside = np.bincount(unit, np.diff(reach.balls.indptr) > 0, minlength=n_units)
    held = _held_by_one(reach, unit, n_units)
    in_file = np.zeros((n_units, n_files))
    entries = reach.balls.tocoo()
    np.add.at(in_file, (unit[entries.row], entries.col), entries.data)
    gained = _gained(reach)
    left, n_motion = np.maximum(sizes.sum() - sizes, 1), frames.sum()
    others = np.maximum(n_motion - frames, 1)  # frames of the other units
    # Fewer sounds make fewer balls: the density is put back to the scale of all of them.
    scale = sizes.sum() / left

    return {
        "coverage": _differences(
            reach.coverage,
            (reached.sum() - only.sum(axis=1)) / sizes.sum(),
            (reached.sum() - reached) / left,
            (reached.sum() - only.sum(axis=1)[:, None] - reached + only) / left,
            (reached.sum() - reached + gained["coverage"]) / left,
        ),
        "precision": _differences(
            reach.precision,
            (inside.sum() - inside) / others,
            (inside.sum() - held.sum(axis=0)) / n_motion,
            ((inside.sum() - inside)[:, None] - (held.sum(axis=0) - held)) / others[:, None],
            (inside.sum() - held.sum(axis=0) + gained["precision"]) / n_motion,
        ),
        "density": _differences(
            reach.density,
            (in_file.sum() - in_file.sum(axis=1)) / (k * others),
            (in_file.sum() - in_file.sum(axis=0)) / (k * n_motion) * scale,
            (in_file.sum() - in_file.sum(axis=1)[:, None] - in_file.sum(axis=0) + in_file)
            / (k * others)[:, None]
            * scale,
            (in_file.sum() - in_file.sum(axis=0) + gained["density"]) / (k * n_motion),
        ),
    }


def _differences(
    value: float, without_unit: Points, without_file: Points, without_both: Points, with_larger_balls: Points
) -> Deviations:
    """Falls from the value; `with_larger_balls` is without each file, too, its neighbours' balls grown."""
    both = value - without_unit[:, None] - without_file + without_both
    return value - without_unit, value - with_larger_balls, both


def _gained(reach: Reach) -> dict[str, Points]:
    """(n_files,) each: frames reached, frames of the motion inside, and balls around them, that larger balls add."""
    reference, n_files = reach.reference, len(reach.reference.file_names)
    larger = reference.larger
    centres, before = reference.points[larger.frame], reference.radius[larger.frame]
    newly = np.zeros(len(larger.frame), dtype=bool)
    codes = [np.empty(0, dtype=np.intp)]
    for row, j in pairs_in_balls(centres, larger.radius, reach.motion.points):
        new = np.sqrt(squared_distance(centres, reach.motion.points, row, j)) > before[row]
        newly[row[new]] = True
        codes.append(j[new] * n_files + larger.file[row[new]])
    newly &= ~reach.reached[larger.frame]
    code, count = np.unique(np.concatenate(codes), return_counts=True)
    frame, file = np.divmod(code, n_files)
    of_others = np.asarray(reach.balls.sum(axis=1)).ravel()[frame]
    if len(code):
        of_others = of_others - np.asarray(reach.balls[frame, file]).ravel()
    return {
        "coverage": np.bincount(larger.file[newly], minlength=n_files).astype(np.float64),
        "precision": np.bincount(file[of_others == 0], minlength=n_files).astype(np.float64),
        "density": np.bincount(file, count, minlength=n_files).astype(np.float64),
    }


def _reached_by_one(reach: Reach, unit: Index, n_units: int) -> Points:
    """(n_units, n_files) count of reference frames that this unit reaches and no other does."""
    unit_of_step = np.zeros(reach.hits.shape[1], dtype=np.intp)
    unit_of_step[reach.step] = unit
    row = np.repeat(np.arange(reach.hits.shape[0]), np.diff(reach.hits.indptr))
    frame, by = np.divmod(np.unique(row * n_units + unit_of_step[reach.hits.indices]), n_units)
    once = np.bincount(frame, minlength=len(reach.reached))[frame] == 1
    count = np.zeros((n_units, len(reach.reference.file_names)))
    np.add.at(count, (by[once], reach.reference.file_index[frame[once]]), 1)
    return count


def _held_by_one(reach: Reach, unit: Index, n_units: int) -> Points:
    """(n_units, n_files) count of frames of the motion that are in balls of this file and of no other."""
    files = np.diff(reach.balls.indptr)
    frame = np.flatnonzero(files == 1)
    count = np.zeros((n_units, len(reach.reference.file_names)))
    np.add.at(count, (unit[frame], reach.balls.indices[reach.balls.indptr[frame]]), 1)
    return count


def _standard_error(by_unit: Points, by_file: Points, by_both: Points) -> tuple[float, float]:
    """Standard error of a statistic, and its degrees of freedom by Welch and Satterthwaite."""
    parts = []
    for falls in (by_unit, by_file):
        n = len(falls)
        parts.append((n - 1) / n * float(((falls - falls.mean()) ** 2).sum()))
    total = sum(parts)
    if total <= 0:
        return 0.0, 1.0
    freedom = total**2 / sum(
        part**2 / (len(falls) - 1) for part, falls in zip(parts, (by_unit, by_file), strict=True) if len(falls) > 1
    )
    together = float((by_both**2).sum()) if len(by_unit) > 1 else 0.0
    return float(np.sqrt(max(total - together, *parts))), float(freedom)


def _interval(value: float, error: float, freedom: float, confidence: float, n_frames: int, bounded: bool) -> Interval:
    """`value` -+ t standard errors on the logit scale (log, where there is no upper bound)."""
    if error == 0 or value <= 0:
        return Interval(value, value, value)
    width = float(stats.t.ppf((1 + confidence) / 2, freedom)) * error
    # Near 0 and 1, and where little is known, these scales stretch without end, where the plain one would not.
    least, most = max(0.0, value - 1.5 * width), value + 1.5 * width
    if bounded:
        inner = float(np.clip(value, 0.5 / n_frames, 1 - 0.5 / n_frames))
        half = width / (inner * (1 - inner))
        low, high = special.expit(special.logit(inner) + np.array([-half, half]))
        most = min(1.0, most)
    else:
        factor = float(np.exp(min(width / value, 50.0)))
        low, high = value / factor, value * factor
    return Interval(value, float(min(max(low, least), value)), float(max(min(high, most), value)))

"""How far the hand trails the sound it follows, from a take's gesture rows and the latents that played.

The lag is the delay at which the latents predict the gesture best, judged on time they were not fitted on: for each
delay a ridge regression from the latents of that long ago to the gesture. This way round, because a hand follows
the sound: all of its motion can come from the latents, while the latents hold much that no hand shows. (From the
gesture's position and velocity to the latents, errors were two to five times as large, and takes of 13 s were
often undecided: velocity can stand in for a small shift in time, which flattens the peak.)

Two signals that have nothing to do with each other also have a best delay. So the best one counts only if it stands
out of the same measurement with the latents moved by several seconds, and stays when a part of the take is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gesturemap.frame import Array

EARLIEST_S, LATEST_S = -0.2, 0.8  # a hand that anticipates, a hand that drags
RATE = 50.0  # Hz of the common time axis; the parabola through the peak resolves far less than its 20 ms
MAX_ROWS = 6000  # two minutes at RATE decide as well as an hour
MAX_GAP_S = 0.25  # a longer hole in the gesture is left out, a shorter one bridged by a straight line
N_COMPONENTS = 12
N_FOLDS = 5
RIDGE = 0.1  # per row, on latents of unit variance
N_MOVED = 40
MOVED_BY_S = LATEST_S + 1.5  # at least: so that no moved copy contains the true delay
MIN_MARGIN = 0.2  # unrelated walks reach 0.19 in 1 of 72 takes, a hand that follows with 30 % noise 0.2 in 12 s
MAX_ERROR_S = 0.1

DELAYS = np.arange(round(EARLIEST_S * RATE), round(LATEST_S * RATE) + 1)  # in rows of the common axis


@dataclass(frozen=True)
class LagEstimate:
    """What `estimate_lag` found.

    Parameters
    ----------
    lag_s : seconds the hand trails the sound; negative if it leads; 0 if not confident.
    error_s : standard error of the best delay, from leaving out a fifth of the take at a time.
    score : held-out R squared of the gesture given the latents at the best delay, at most 1.
    chance : the best score of the latents moved by seconds: what unrelated signals of this kind reach.
    confident : whether the best delay is inside the range, `score` stands out of `chance` by 0.2, and `error_s`
        is below 0.1 s.
    """

    lag_s: float
    error_s: float
    score: float
    chance: float
    confident: bool


def estimate_lag(time_s: Array, values: Array, latents: Array) -> LagEstimate:
    """How far the hand trails the sound, between -0.2 and 0.8 s.

    Parameters
    ----------
    time_s : (n_frames,) increasing seconds, at any rate.
    values : (n_frames, n_channels) gesture, NaN where a hand was not seen.
    latents : (n_frames, latent_size) playing at `time_s`.

    Returns
    -------
    LagEstimate. Not confident and 0 s if the take is too short (about 8 s) or too holey, does not move, or does
    not follow.
    """
    undecided = LagEstimate(0.0, 0.0, 0.0, 0.0, confident=False)
    if len(time_s) < 2:
        return undecided
    axis_s = np.arange(time_s[0], time_s[-1], 1.0 / RATE)[:MAX_ROWS]
    gesture = _gesture_components(axis_s, time_s, values)
    sound = _standardise(np.stack([np.interp(axis_s, time_s, column) for column in latents.T], axis=1))
    moved = _moved_by(len(axis_s))
    if not gesture.size or not sound.size or not moved.size:
        return undecided
    rows = np.arange(DELAYS[-1], len(axis_s) + DELAYS[0])
    rows = rows[np.isfinite(gesture[rows]).all(axis=1)]
    if len(rows) < MOVED_BY_S * RATE:
        return undecided
    targets = gesture[rows] - gesture[rows].mean(axis=0)
    total = float(np.square(targets).sum())
    errors = np.array([_held_out_errors(sound[rows - delay], targets) for delay in DELAYS]) / total
    lowest = min(
        _held_out_errors(sound[(rows - delay - by) % len(sound)], targets).sum() / total
        for by in moved
        for delay in DELAYS[::5]
    )
    score, chance = 1.0 - float(errors.sum(axis=1).min()), 1.0 - float(lowest)
    lag_s, inside = _best_delay_s(errors.sum(axis=1))
    without = [_best_delay_s(np.delete(errors, part, axis=1).sum(axis=1))[0] for part in range(N_FOLDS)]
    error_s = float(np.sqrt(N_FOLDS - 1) * np.std(without))  # the jackknife's
    confident = inside and score - chance > MIN_MARGIN and error_s < MAX_ERROR_S
    return LagEstimate(lag_s if confident else 0.0, error_s, score, chance, confident)


def _gesture_components(axis_s: Array, time_s: Array, values: Array) -> Array:
    """(n_rows, up to 12) leading components of the motion on the common axis, NaN in holes; empty if none moves."""
    seen = values[:, np.isfinite(values).mean(axis=0) > 0.5]
    whole = np.isfinite(seen).all(axis=1)
    if seen.shape[1] == 0 or whole.sum() < 2:
        return np.empty((0, 0))
    seen_s, seen = time_s[whole], seen[whole]
    after = np.searchsorted(seen_s, axis_s).clip(1, len(seen_s) - 1)
    hole = (seen_s[after] - seen_s[after - 1] > MAX_GAP_S) | (axis_s < seen_s[0]) | (axis_s > seen_s[-1])
    position = _standardise(np.stack([np.interp(axis_s, seen_s, column) for column in seen.T], axis=1))
    if position.shape[1] == 0 or hole.all():
        return np.empty((0, 0))
    _, _, axes = np.linalg.svd(position[~hole], full_matrices=False)
    components = position @ axes[:N_COMPONENTS].T
    components[hole] = np.nan
    return np.asarray(components)


def _standardise(columns: Array) -> Array:
    """Columns with mean 0 and deviation 1; those that do not move are left out."""
    spread = columns.std(axis=0)
    moving = spread > 1e-9 * np.abs(columns).max(axis=0, initial=1e-300)
    return np.asarray((columns[:, moving] - columns[:, moving].mean(axis=0)) / spread[moving])


def _moved_by(n_rows: int) -> npt.NDArray[np.int_]:
    """Rows to move the latents by, spread over the take; none if the take is too short for that."""
    least = round(MOVED_BY_S * RATE)
    if n_rows <= 3 * least:
        return np.empty(0, dtype=int)
    return np.unique(np.linspace(least, n_rows - least, N_MOVED).astype(int))


def _held_out_errors(inputs: Array, targets: Array) -> Array:
    """(N_FOLDS,) squared error on each contiguous part of a ridge regression fitted on the other parts."""
    inputs = np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)
    penalty = RIDGE * len(inputs) * np.eye(inputs.shape[1])
    gram, cross = inputs.T @ inputs + penalty, inputs.T @ targets
    errors = []
    for part in np.array_split(np.arange(len(inputs)), N_FOLDS):
        own = inputs[part]
        weights = np.linalg.solve(gram - own.T @ own, cross - own.T @ targets[part])
        errors.append(np.square(targets[part] - own @ weights).sum())
    return np.array(errors)


def _best_delay_s(errors: Array) -> tuple[float, bool]:
    """Delay of the least error, refined by a parabola through it and its neighbours; whether it is no end."""
    best = int(errors.argmin())
    if not 0 < best < len(errors) - 1:
        return float(DELAYS[best] / RATE), False
    before, least, after = errors[best - 1 : best + 2]
    bend = before - 2.0 * least + after
    vertex = 0.5 * (before - after) / bend if bend > 0 else 0.0
    return float((DELAYS[best] + vertex) / RATE), True

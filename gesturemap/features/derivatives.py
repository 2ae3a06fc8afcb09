"""Velocity, acceleration and jerk on real time stamps: causal, per channel, the same for any cut into blocks.

Two methods. ``polynomial`` fits a local polynomial by least squares to the last frames and takes its
derivatives at the newest one: less noise, and the velocity hardly late (the acceleration of degree 2 is that of
the middle of the window, of degree 3 hardly late but far noisier). ``difference`` divides the change over n
frames by the time they took: what most published tables hold, n/2 frames late. ``benchmarks/features.py`` has
the numbers.

What holds for both:

- A lost channel (NaN) is NaN in its derivatives, and nothing else is: the frames before a gap are never used
  after it. A pause longer than `gap_s` counts as a gap too.
- After a start or a gap the derivatives use the frames there are, at the degree they allow: 0 at the first
  frame (a hand appears at rest), velocity from the second, acceleration from the third, jerk from the fourth.
  A derivative is therefore a number wherever its channel is, and never one made from a missing frame.
- Sums run over frames one at a time, never by a reduction whose order depends on the shape of the array:
  this is what makes a stream and a file agree to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from audiovae.settings import Settings
from gesturemap.features.runs import Counts, RunCounter
from gesturemap.frame import Array

Numbers = TypeVar("Numbers", float, Array)  # one number, or one for each of many windows

ORDERS = {"velocity": 1, "acceleration": 2, "jerk": 3}


class DerivativeSettings(Settings):
    """How derivatives are taken.

    Parameters
    ----------
    method : ``polynomial`` or ``difference``.
    window_s : polynomial, length of the window in seconds: the same smoothing at any frame rate. It reaches
        further back where it would hold fewer than ``degree + 1`` frames.
    window_frames : polynomial, frames in the window instead, the newest included; `window_s` is 0 then.
    degree : polynomial, its degree. 2 gives velocity and acceleration; 3 jerk too, at much more noise.
    velocity_frames, acceleration_frames, jerk_frames : difference, frames that each one spans; the
        acceleration is a difference of velocities, the jerk of accelerations.
    gap_s : a longer pause between two frames starts the window anew, as a lost hand does; frames that come
        slower than this never have a derivative other than 0.
    """

    method: Literal["polynomial", "difference"] = "polynomial"
    window_s: float = Field(default=0.1, ge=0.0, le=2.0)
    window_frames: int = Field(default=0, ge=0, le=200)
    degree: int = Field(default=2, ge=1, le=3)
    velocity_frames: int = Field(default=1, ge=1, le=200)
    acceleration_frames: int = Field(default=1, ge=1, le=200)
    jerk_frames: int = Field(default=1, ge=1, le=200)
    gap_s: float = Field(default=2.0, gt=0.0)

    @model_validator(mode="after")
    def _one_window(self) -> DerivativeSettings:
        if (self.window_s > 0.0) == (self.window_frames > 0):
            raise ValueError(
                f"window_s {self.window_s} and window_frames {self.window_frames}:"
                " one of them must be above 0 and the other 0"
            )
        if 0 < self.window_frames <= self.degree:
            raise ValueError(
                f"window_frames {self.window_frames} is too short for degree {self.degree}:"
                f" at least {self.degree + 1}"
            )
        return self


class Method(Protocol):
    """One way to differentiate; holds the frames it still needs."""

    def process(self, time_s: Array, values: Array, runs: Counts | int) -> Array:
        """(order, n_frames, n_channels) derivatives 1 to `order`; `runs` as from `RunCounter`."""


class Derivatives:
    """Derivatives 1 to `order` of a stream of frames.

    Parameters
    ----------
    settings : how.
    n_channels : count of channels.
    order : highest derivative: 1 velocity, 2 acceleration, 3 jerk.
    """

    def __init__(self, settings: DerivativeSettings, n_channels: int, order: int) -> None:
        self.settings = settings
        self.n_channels = n_channels
        self.order = order
        self.reset()

    def reset(self) -> None:
        """Forget the past, as before the first frame."""
        polynomial = self.settings.method == "polynomial"
        method = PolynomialMethod if polynomial else DifferenceMethod
        self._method: Method = method(self.settings, self.n_channels, self.order)
        self._runs = RunCounter(self.n_channels)
        self._gap_s = self.settings.gap_s
        self._time_s = -math.inf

    def process(self, time_s: Array, values: Array) -> Array:
        """Derivatives of the next frames.

        Parameters
        ----------
        time_s : (n_frames,) seconds, strictly increasing, also from the block before (checked by the caller).
        values : (n_frames, n_channels), NaN means absent.

        Returns
        -------
        (order, n_frames, n_channels), in units of `values` per s, s^2, s^3; NaN exactly where `values` are.
        """
        if not len(time_s):
            return np.empty((self.order, 0, self.n_channels))
        last_s = float(time_s[-1])
        if len(time_s) == 1:
            runs = self._runs.count(values, last_s - self._time_s > self._gap_s)
        else:
            runs = self._runs.count(values, np.diff(time_s, prepend=self._time_s) > self._gap_s)
        self._time_s = last_s
        return self._method.process(time_s, values, runs)


class RecentFrames:
    """The frames that are still needed, in one piece of memory with room for those to come.

    Attributes
    ----------
    times : seconds of every frame held.
    """

    def __init__(self, n_channels: int) -> None:
        self.times: list[float] = []
        self._room = np.empty((64, n_channels))

    @property
    def values(self) -> Array:
        """(len(times), n_channels), a view."""
        return self._room[: len(self.times)]

    def extend(self, time_s: Array, values: Array, keep: int) -> None:
        """Add frames; of those before at least the last `keep` stay."""
        held, new = len(self.times), len(time_s)
        if held + new > len(self._room):
            keep = min(keep, held)
            kept = self._room[held - keep : held].copy()
            if 2 * (keep + new) > len(self._room):
                self._room = np.empty((4 * (keep + new), values.shape[1]))
            self._room[:keep] = kept
            del self.times[: held - keep]
            held = keep
        self._room[held : held + new] = values
        self.times += time_s.tolist()


class PolynomialMethod:
    """Derivatives at the newest frame of the polynomial that fits the window best (least squares)."""

    def __init__(self, settings: DerivativeSettings, n_channels: int, order: int) -> None:
        self.degree = settings.degree
        self.window_frames = settings.window_frames
        # A little more, so that rounding does not drop a frame that is exactly `window_s` old.
        self.reach_s = settings.window_s * (1.0 + 1e-6)
        self.order = order
        self._frames = RecentFrames(n_channels)
        self._longest = 0  # frames in the window of the last frame

    def process(self, time_s: Array, values: Array, runs: Counts | int) -> Array:
        """See `Method`."""
        self._frames.extend(time_s, values, self._longest)
        past = len(self._frames.times) - len(time_s)
        in_window = self._frames_in_window(past)
        self._longest = in_window[-1]
        if isinstance(runs, int):  # nearly every live frame
            return self._fit_newest(min(runs, in_window[0]))
        windows = np.minimum(runs, np.array(in_window)[:, None])
        derivatives = np.full((self.order, *values.shape), np.nan)
        # Nearly always every channel of a block has the same window: one pass of this loop.
        for length in np.unique(windows[windows > 0]).tolist():
            chosen = windows == length
            rows = np.flatnonzero(chosen.any(axis=1))
            fitted = self._fit(past + rows, length)
            derivatives[:, rows] = np.where(chosen[rows], fitted, derivatives[:, rows])
        return derivatives

    def _frames_in_window(self, past: int) -> list[int]:
        """How many frames a full window at each frame from `past` on holds, at most as many as there are."""
        times = self._frames.times
        if self.reach_s == 0.0:
            return [min(row + 1, self.window_frames) for row in range(past, len(times))]
        counts, oldest = [], max(0, past - self._longest)
        for row in range(past, len(times)):
            reach_s = times[row] - self.reach_s
            while times[oldest] < reach_s:
                oldest += 1
            counts.append(min(row + 1, max(row + 1 - oldest, self.degree + 1)))
        return counts

    def _fit_newest(self, length: int) -> Array:
        """`_fit` at the newest frame alone: one call for all lags. Both add in the same order, to the last bit."""
        times, window = self._frames.times[-length:], self._frames.values[-length:]
        newest_s = times[-1]
        ages_s = [time_s - newest_s for time_s in times]
        try:
            weights: Array = np.array(derivative_weights(ages_s, min(self.degree, length - 1), self.order))
        except ZeroDivisionError:  # times so close that their squares are 0: arrays give no number, and no error
            return self._fit(np.array([len(self._frames.times) - 1]), length)
        return _sum_frames(weights[..., None] * (window - window[-1]))[:, None]

    def _fit(self, rows: npt.NDArray[np.intp], length: int) -> Array:
        """(order, len(rows), n_channels) derivatives at `rows` from the last `length` frames of each."""
        times, values = np.array(self._frames.times), self._frames.values
        lags = range(length - 1, -1, -1)
        ages_s = [times[rows - lag] - times[rows] for lag in lags]
        weights = derivative_weights(ages_s, min(self.degree, length - 1), self.order)
        # From the newest value, so that a still channel has derivatives of exactly 0.
        newest = values[rows]
        fitted = np.zeros((self.order, *newest.shape))
        for index, lag in enumerate(lags):
            change = values[rows - lag] - newest
            for order in range(self.order):
                fitted[order] += weights[order][index][:, None] * change
        return fitted


def derivative_weights(ages_s: Sequence[Numbers], degree: int, order: int) -> list[list[Numbers]]:
    """Weights that turn the frames of a window into the derivatives of its least-squares polynomial at age 0.

    Parameters
    ----------
    ages_s : time of each frame minus the newest, in seconds, all different. Numbers for one window, which for a few
        frames is quicker than arrays, or arrays of the same shape for many windows: the results are the same bits.
    degree : degree of the polynomial, below the count of frames.
    order : highest derivative; those above `degree` have weights of 0.

    Returns
    -------
    For each order a weight for each frame, in 1/s, 1/s^2, ...: derivative r is the sum of ``weights[r - 1]`` times
    the values.

    The polynomials are made orthogonal on the frames by the three-term recurrence
    ``p[j+1] = (t - a[j]) p[j] - b[j] p[j-1]`` (Forsythe 1957, the classical way for uneven samples), so no
    system is solved and nothing is ill-conditioned; differentiating the recurrence gives their derivatives.
    """
    zero = 0.0 * ages_s[0]
    polynomial, last, square = [zero + 1.0] * len(ages_s), [zero] * len(ages_s), [zero + 1.0] * len(ages_s)
    at_newest, last_at_newest = [zero + 1.0] + [zero] * order, [zero] * (order + 1)
    weights: list[list[Numbers]] = [[zero] * len(ages_s)] * order
    norm, slope = zero + len(ages_s), zero
    for reached in range(1, degree + 1):
        # Loops that add, because the built-in `sum` of numbers corrects its rounding since Python 3.12.
        moment, next_norm = zero, zero
        for age_s, term in zip(ages_s, square, strict=True):
            moment = moment + age_s * term
        centre = moment / norm
        terms = zip(ages_s, polynomial, last, strict=True)
        polynomial, last = [(age_s - centre) * now - slope * before for age_s, now, before in terms], polynomial
        square = [value * value for value in polynomial]
        for term in square:
            next_norm = next_norm + term
        derived = [-centre * now - slope * before for now, before in zip(at_newest, last_at_newest, strict=True)]
        for r in range(1, order + 1):
            derived[r] = derived[r] + r * at_newest[r - 1]
        at_newest, last_at_newest = derived, at_newest
        slope, norm = next_norm / norm, next_norm
        for r in range(min(order, reached)):
            share = at_newest[r + 1] / norm
            weights[r] = [weight + share * value for weight, value in zip(weights[r], polynomial, strict=True)]
    return weights


def _sum_frames(terms: Array) -> Array:
    """Sum over the frames, the last axis but one, in their order; `np.sum` would choose one by the array's shape."""
    total: Array = np.add.accumulate(terms, axis=-2)[..., -1, :]
    return total


class DifferenceMethod:
    """Derivatives as differences over some frames, each taken of the one before."""

    def __init__(self, settings: DerivativeSettings, n_channels: int, order: int) -> None:
        spans = (settings.velocity_frames, settings.acceleration_frames, settings.jerk_frames)[:order]
        self._differences = [Difference(span, n_channels) for span in spans]

    def process(self, time_s: Array, values: Array, runs: Counts | int) -> Array:
        """See `Method`."""
        derivatives = []
        for difference in self._differences:
            values = difference.process(time_s, values, runs)
            # The first value of a run is a made-up 0: the next difference must not look at it.
            runs = runs - 1
            derivatives.append(values)
        return np.stack(derivatives)


class Difference:
    """Change over the last `span` frames of a run, or over those there are, divided by the time it took."""

    def __init__(self, span: int, n_channels: int) -> None:
        self.span = span
        self._time_s = np.empty(0)
        self._values = np.empty((0, n_channels))

    def process(self, time_s: Array, values: Array, runs: Counts | int) -> Array:
        """(n_frames, n_channels) differences; `runs` counts the frames that may be used, below 1 none."""
        all_time_s = np.concatenate((self._time_s, time_s))
        all_values = np.concatenate((self._values, values))
        lags = np.clip(np.broadcast_to(runs, values.shape) - 1, 0, self.span)
        earlier = len(self._time_s) + np.arange(len(time_s))[:, None] - lags
        change = values - np.take_along_axis(all_values, earlier, axis=0)
        elapsed_s = time_s[:, None] - all_time_s[earlier]
        differences = np.divide(change, elapsed_s, out=np.zeros_like(change), where=lags > 0)
        self._time_s, self._values = all_time_s[-self.span :].copy(), all_values[-self.span :].copy()
        return np.where(np.isnan(values), np.nan, differences)

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
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from audiovae.settings import Settings
from gesturemap.frame import Array

Counts = npt.NDArray[np.int64]

_FEW_ROWS = 8  # fitted with all lags at once; more would take memory in proportion to the window

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

    def process(self, time_s: Array, values: Array, runs: Counts) -> Array:
        """(order, n_frames, n_channels) derivatives 1 to `order`; `runs` as from `count_runs`."""


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
        self._run = np.zeros(self.n_channels, dtype=np.int64)
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
        before_s = np.concatenate(([self._time_s], time_s[:-1]))
        paused = time_s - before_s > self.settings.gap_s
        runs = count_runs(np.isnan(values), paused, self._run)
        self._run, self._time_s = runs[-1], float(time_s[-1])
        return self._method.process(time_s, values, runs)


def count_runs(lost: npt.NDArray[np.bool_], paused: npt.NDArray[np.bool_], before: Counts) -> Counts:
    """How many frames in a row each channel has been seen, this one included; 0 where it is lost.

    Parameters
    ----------
    lost : (n_frames, n_channels).
    paused : (n_frames,) True where too long a pause lies before the frame.
    before : (n_channels,) the count at the last frame of the block before.
    """
    frame = np.arange(1, len(lost) + 1)[:, None]
    # The number of the last frame that does not count; frame 0 is the last one of the block before.
    barrier = np.where(lost, frame, np.where(paused[:, None], frame - 1, -before))
    runs: Counts = frame - np.maximum.accumulate(barrier, axis=0)
    return runs


class PolynomialMethod:
    """Derivatives at the newest frame of the polynomial that fits the window best (least squares)."""

    def __init__(self, settings: DerivativeSettings, n_channels: int, order: int) -> None:
        self.degree = settings.degree
        self.window_frames = settings.window_frames
        # A little more, so that rounding does not drop a frame that is exactly `window_s` old.
        self.reach_s = settings.window_s * (1.0 + 1e-6)
        self.order = order
        self._time_s = np.empty(0)
        self._values = np.empty((0, n_channels))

    def process(self, time_s: Array, values: Array, runs: Counts) -> Array:
        """See `Method`."""
        past = len(self._time_s)
        all_time_s = np.concatenate((self._time_s, time_s))
        all_values = np.concatenate((self._values, values))
        windows = np.minimum(runs, self._frames_in_window(all_time_s)[past:, None])
        longest = int(windows.flat[0]) if windows.size else 0
        if longest > 0 and (windows == longest).all():  # nearly every live frame
            derivatives = self._fit(all_time_s, all_values, np.arange(past, len(all_time_s)), longest)
            self._keep(all_time_s, all_values)
            return derivatives
        derivatives = np.full((self.order, *values.shape), np.nan)
        # Nearly always every channel of a block has the same window: one pass of this loop.
        for length in np.unique(windows[windows > 0]).tolist():
            chosen = windows == length
            rows = np.flatnonzero(chosen.any(axis=1))
            fitted = self._fit(all_time_s, all_values, past + rows, length)
            derivatives[:, rows] = np.where(chosen[rows], fitted, derivatives[:, rows])
        self._keep(all_time_s, all_values)
        return derivatives

    def _frames_in_window(self, time_s: Array) -> Counts:
        """(n_frames,) how many frames a full window at each frame holds."""
        if self.reach_s == 0.0:
            return np.full(len(time_s), self.window_frames)
        oldest = np.searchsorted(time_s, time_s - self.reach_s)
        counts: Counts = np.maximum(np.arange(1, len(time_s) + 1) - oldest, self.degree + 1)
        return counts

    def _fit(self, time_s: Array, values: Array, rows: npt.NDArray[np.intp], length: int) -> Array:
        """(order, len(rows), n_channels) derivatives at `rows` from the last `length` frames of each."""
        back = rows - np.arange(length)[:, None]
        weights = derivative_weights(time_s[back] - time_s[rows], min(self.degree, length - 1), self.order)
        newest = values[rows]
        # From the newest value, so that a still channel has derivatives of exactly 0.
        if len(rows) <= _FEW_ROWS:
            # A live frame: one call instead of one a lag. Both ways add in the same order, to the last bit.
            return _sum_frames(weights[..., None] * (values[back] - newest), axis=1)
        fitted = np.zeros((self.order, *newest.shape))
        for lag in range(1, length):
            fitted += weights[:, lag, :, None] * (values[rows - lag] - newest)
        return fitted

    def _keep(self, time_s: Array, values: Array) -> None:
        """Hold the frames that a later window can still reach."""
        if self.reach_s == 0.0:
            count = self.window_frames - 1
        else:
            in_window = len(time_s) - int(np.searchsorted(time_s, time_s[-1] - self.reach_s))
            count = max(in_window, self.degree)
        self._time_s, self._values = time_s[-count:].copy(), values[-count:].copy()


def derivative_weights(ages_s: Array, degree: int, order: int) -> Array:
    """Weights that turn the frames of a window into the derivatives of its least-squares polynomial at age 0.

    Parameters
    ----------
    ages_s : (n_frames_in_window, n_windows) time of each frame minus the newest, in seconds, all different.
    degree : degree of the polynomial, below n_frames_in_window.
    order : highest derivative; those above `degree` have weights of 0.

    Returns
    -------
    (order, n_frames_in_window, n_windows), in 1/s, 1/s^2, ...: derivative r is the sum of ``weights[r - 1]``
    times the values.

    The polynomials are made orthogonal on the frames by the three-term recurrence
    ``p[j+1] = (t - a[j]) p[j] - b[j] p[j-1]`` (Forsythe 1957, the classical way for uneven samples), so no
    system is solved and nothing is ill-conditioned; differentiating the recurrence gives their derivatives.
    """
    frames, windows = ages_s.shape
    polynomial, last = np.ones((frames, windows)), np.zeros((frames, windows))
    at_newest, last_at_newest = np.zeros((order + 1, windows)), np.zeros((order + 1, windows))
    at_newest[0] = 1.0
    norm = np.full(windows, float(frames))
    orders = np.arange(1, order + 1)[:, None]
    weights = np.zeros((order, frames, windows))
    slope = np.zeros(windows)
    square = polynomial
    for _ in range(degree):
        centre = _sum_frames(ages_s * square) / norm
        following = (ages_s - centre) * polynomial - slope * last
        following_at_newest = -centre * at_newest - slope * last_at_newest
        following_at_newest[1:] += orders * at_newest[:-1]
        polynomial, last = following, polynomial
        at_newest, last_at_newest = following_at_newest, at_newest
        square = polynomial * polynomial
        next_norm = _sum_frames(square)
        slope, norm = next_norm / norm, next_norm
        weights += (at_newest[1:] / norm)[:, None, :] * polynomial
    return weights


def _sum_frames(terms: Array, axis: int = 0) -> Array:
    """Sum over the frames in their order; `np.sum` would choose an order by the array's shape."""
    total: Array = np.add.accumulate(terms, axis=axis)[(slice(None),) * axis + (-1,)]
    return total


class DifferenceMethod:
    """Derivatives as differences over some frames, each taken of the one before."""

    def __init__(self, settings: DerivativeSettings, n_channels: int, order: int) -> None:
        spans = (settings.velocity_frames, settings.acceleration_frames, settings.jerk_frames)[:order]
        self._differences = [Difference(span, n_channels) for span in spans]

    def process(self, time_s: Array, values: Array, runs: Counts) -> Array:
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

    def process(self, time_s: Array, values: Array, runs: Counts) -> Array:
        """(n_frames, n_channels) differences; `runs` counts the frames that may be used, below 1 none."""
        all_time_s = np.concatenate((self._time_s, time_s))
        all_values = np.concatenate((self._values, values))
        lags = np.clip(runs - 1, 0, self.span)
        earlier = len(self._time_s) + np.arange(len(time_s))[:, None] - lags
        change = values - np.take_along_axis(all_values, earlier, axis=0)
        elapsed_s = time_s[:, None] - all_time_s[earlier]
        differences = np.divide(change, elapsed_s, out=np.zeros_like(change), where=lags > 0)
        self._time_s, self._values = all_time_s[-self.span :].copy(), all_values[-self.span :].copy()
        return np.where(np.isnan(values), np.nan, differences)

"""The last thing before the outputs: whatever comes in, what goes out is finite, in range and without jumps."""

from __future__ import annotations

import math

import numpy as np

from gesturemap.frame import Array


class Guard:
    """Latents made safe, frame by frame.

    Present latents are clipped to the range. When they are lost the last ones are held, then move in a straight line
    to rest, as `gesturemap.mapping.mapping.fill_absent` does for a whole take. Panic moves to rest as fast as the slew
    limit allows and stays there. Of what would then go out, a step larger than the slew limit is cut to it; only the
    very first frame, which follows nothing, goes out as it is.

    Parameters
    ----------
    low, high : (latent_size,) range, the model's quantiles.
    rest : (latent_size,), brought into the range.
    hold_s, fade_s : seconds from the last present frame, and from then on to rest.
    slew_per_s : largest change, in widths of the range a second.

    Attributes
    ----------
    panic : move to rest and stay there.
    resting : nothing is present and the fade is over.
    lost_s : seconds without a gesture, summed up.
    n_cut : frames in which the slew limit cut a step.
    """

    def __init__(self, low: Array, high: Array, rest: Array, hold_s: float, fade_s: float, slew_per_s: float) -> None:
        self.low, self.high, self.rest = low, high, np.clip(rest, low, high)
        self.hold_s, self.fade_s = hold_s, max(fade_s, 1e-9)
        self._slew = slew_per_s * (high - low)  # per second
        self.panic = False
        self.lost_s = 0.0
        self.n_cut = 0
        self._time_s = -math.inf
        self._held: Array | None = None
        self._held_s = 0.0
        self._out: Array | None = None

    @property
    def resting(self) -> bool:
        """Nothing was present for so long that the fade is over."""
        return self._held is None or self._time_s - self._held_s >= self.hold_s + self.fade_s

    def process(self, time_s: float, latents: Array | None) -> Array:
        """What goes out now.

        Parameters
        ----------
        time_s : seconds; a time before the last one counts as the last one.
        latents : (latent_size,); None, or any value that is not finite, is a gesture that is not there.

        Returns
        -------
        (latent_size,), a new array.
        """
        step_s = max(0.0, time_s - self._time_s) if self._out is not None else 0.0
        self._time_s = max(self._time_s, time_s)
        target = self._find_target(latents, step_s)
        if self._out is None:
            self._out = target
            return target.copy()
        limit = self._slew * step_s
        step = target - self._out
        too_far = np.abs(step) > limit
        if too_far.any():
            self.n_cut += 1
            # Only where the step is too large, so that rounding does not keep the others from arriving.
            target = np.where(too_far, self._out + np.clip(step, -limit, limit), target)
        self._out = target
        return target.copy()

    def _find_target(self, latents: Array | None, step_s: float) -> Array:
        if latents is not None and np.isfinite(latents).all():
            self._held = np.minimum(np.maximum(latents, self.low), self.high)
            self._held_s = self._time_s
            return self.rest if self.panic else self._held
        self.lost_s += step_s
        if self._held is None or self.panic:
            return self.rest
        share = min(max((self._time_s - self._held_s - self.hold_s) / self.fade_s, 0.0), 1.0)
        target: Array = self._held + share * (self.rest - self._held)
        return target

"""What a live tracker gives while its device is away."""

from __future__ import annotations

import numpy as np

from gesturemap.clock import Clock
from gesturemap.frame import Array, Frame, Layout
from gesturemap.trackers.base import wait_until

RETRY_S = 1.0


def absent_values(layout: Layout) -> Array:
    """(n_channels,) NaN, and 0 in every channel that says whether something is present."""
    return np.array([0.0 if name.endswith("present") else np.nan for name in layout.names])


class Outage:
    """Frames of absence at the tracker's rate from the moment its device was lost, and when to look for it again.

    So a performance notices at once, and a recording has no gap that an interpolation could bridge.

    Attributes
    ----------
    count : how often the device was lost.
    active : whether it is away now.
    due_s : when the next frame of absence is due, if it is.
    """

    def __init__(self, clock: Clock, layout: Layout, frame_rate: float) -> None:
        self._clock = clock
        self._values = absent_values(layout)
        self._period_s = 1.0 / frame_rate
        self.due_s = self._retry_s = np.inf
        self.count = 0
        self.active = False

    def begin(self) -> None:
        """The device is lost; the first frame of absence is due now."""
        self.due_s = self._clock.now_s()
        self._retry_s = self.due_s + RETRY_S
        self.count += 1
        self.active = True

    def end(self) -> None:
        """It is back."""
        self.active = False

    def retry_due(self) -> bool:
        """Whether to look for the device now: once every `RETRY_S`, because looking takes a while."""
        now_s = self._clock.now_s()
        if not self.active or now_s < self._retry_s:
            return False
        self._retry_s = now_s + RETRY_S
        return True

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame of absence, waiting for it on the clock; None if it is not due within `timeout_s`."""
        if not wait_until(self._clock, self.due_s, timeout_s):
            return None
        frame = Frame(self.due_s, self._values.copy())
        # One frame at a time: a reader who paused is not handed the absences it missed.
        self.due_s = max(self.due_s, self._clock.now_s() - self._period_s) + self._period_s
        return frame

"""Trackers of things that have a state to look at whenever one likes: knobs, keys, a mouse, a game controller."""

from __future__ import annotations

import numpy as np

from gesturemap.clock import Clock, MonotonicClock
from gesturemap.errors import TrackerError
from gesturemap.frame import Array, Frame
from gesturemap.trackers.base import wait_until
from gesturemap.trackers.outage import Outage, absent_values
from gesturemap.trackers.stored import NumberedTracker

DEFAULT_RATE = 100.0


class SampledTracker(NumberedTracker):
    """Looks at a state at a fixed rate on the clock. A subclass says how to `connect`, `sample` and `disconnect`.

    While the device is away, frames are absent, and it is looked for every second.

    Parameters
    ----------
    frame_rate : Hz.
    clock : says when a frame falls due, and gives it its time; None for the machine's.

    Attributes
    ----------
    dropped : frames since `open` that were due while the reader was away; only the newest of them is given.
    lost : times since `open` that the device went away.
    """

    live = True

    def __init__(self, frame_rate: float = DEFAULT_RATE, clock: Clock | None = None) -> None:
        if not 0 < frame_rate <= 1000:
            raise TrackerError(f"{self.name}: {frame_rate=}: expected 1 to 1000 Hz")
        self.frame_rate = frame_rate
        self._clock = clock if clock is not None else MonotonicClock()

    def connect(self) -> None:
        """Open the device. Errors: `TrackerError` if it is not there."""
        raise NotImplementedError

    def sample(self) -> Array | None:
        """(n_channels,) the state now, an array of its own; None if the device is away."""
        raise NotImplementedError

    def disconnect(self) -> None:
        """Let go of the device; twice does nothing more."""
        raise NotImplementedError

    def start(self) -> float:
        """Connect; the first frame is due now."""
        self.disconnect()
        self.connect()
        self.dropped = self.lost = 0
        self._outage = Outage(self._clock, self.layout, self.frame_rate)
        self._due_s = self._clock.now_s()
        return np.inf

    def frame_at(self, index: int, timeout_s: float) -> Frame | None:
        """The state when the next frame falls due."""
        if not wait_until(self._clock, self._due_s, timeout_s):
            return None
        period_s = 1.0 / self.frame_rate
        missed = max(0, int((self._clock.now_s() - self._due_s) * self.frame_rate + 1e-6))
        self.dropped += missed
        time_s = self._due_s + missed * period_s
        self._due_s = time_s + period_s
        return Frame(time_s, self._look())

    def close(self) -> None:
        """Let go of the device."""
        self.disconnect()
        super().close()

    def _look(self) -> Array:
        if self._outage.retry_due():
            try:
                self.disconnect()
                self.connect()
            except TrackerError:  # not back yet
                return absent_values(self.layout)
        values = self.sample()
        if values is not None:
            self._outage.end()
            return values
        if not self._outage.active:
            self._outage.begin()
            self.lost = self._outage.count
        return absent_values(self.layout)

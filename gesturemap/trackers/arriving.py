"""Trackers whose readings are sent to us by somebody who may stop at any time."""

from __future__ import annotations

import numpy as np

from gesturemap.clock import Clock, MonotonicClock
from gesturemap.errors import TrackerError
from gesturemap.frame import Array, Frame
from gesturemap.trackers.base import Tracker, not_open, strictly_after
from gesturemap.trackers.outage import Outage

DEFAULT_TIMEOUT_S = 1.0


class ArrivingTracker(Tracker):
    """Frames as they arrive. A subclass says how to `connect`, `receive` and `disconnect`.

    After `timeout_s` without a reading, frames of absence come at `frame_rate` until there is one again.

    Parameters
    ----------
    timeout_s : after which a reading is too old.
    frame_rate : Hz at which readings are expected. They are taken whenever they come.
    clock : gives the frames their time; None for the machine's.

    Attributes
    ----------
    lost : times since `open` that readings stopped.
    """

    live = True

    def __init__(self, timeout_s: float, frame_rate: float, clock: Clock | None) -> None:
        if not (timeout_s > 0 and 0 < frame_rate < np.inf):
            raise TrackerError(f"{self.name}: {timeout_s=}, {frame_rate=}: expected both above 0")
        self.frame_rate = frame_rate
        self._timeout_s = timeout_s
        self._clock = clock if clock is not None else MonotonicClock()
        self._open = self._closed = False

    def connect(self) -> None:
        """Begin to listen."""
        raise NotImplementedError

    def receive(self, timeout_s: float) -> tuple[float, Array] | None:
        """The next reading's time on the clock, and its (n_channels,) values; None if none came in time."""
        raise NotImplementedError

    def disconnect(self) -> None:
        """Stop listening; twice does nothing more."""
        raise NotImplementedError

    def open(self) -> None:
        """Listen."""
        self.close()
        self.connect()
        self._open, self._closed = True, False
        self._heard_s, self._last_s = np.inf, -np.inf  # before the first reading there is nothing to miss
        self._outage = Outage(self._clock, self.layout, self.frame_rate)
        self.dropped = self.lost = 0

    def read(self, timeout_s: float = 0.0) -> Frame | None:
        """The next reading; without one for too long, a frame of absence."""
        if not self._open:
            raise not_open(self)
        silent_from_s = self._outage.due_s if self._outage.active else self._heard_s + self._timeout_s
        reading = self.receive(min(timeout_s, max(0.0, silent_from_s - self._clock.now_s())))
        if reading is not None:
            self._outage.end()
            self._heard_s = self._clock.now_s()
            return self._stamp(*reading)
        if self._clock.now_s() < silent_from_s:
            return None
        if not self._outage.active:
            self._outage.begin()
            self.lost = self._outage.count
        absent = self._outage.read(0.0)
        return absent and self._stamp(absent.time_s, absent.values)

    @property
    def finished(self) -> bool:
        """True when closed: somebody may always send again."""
        return self._closed

    def close(self) -> None:
        """Stop listening."""
        self.disconnect()
        self._open, self._closed = False, True

    def _stamp(self, time_s: float, values: Array) -> Frame:
        self._last_s = strictly_after(self._last_s, time_s)
        return Frame(self._last_s, values)

"""A file as a live tracker: its frames come when they would have come."""

from __future__ import annotations

from gesturemap.clock import Clock
from gesturemap.frame import Frame
from gesturemap.trackers.base import Tracker


class PacedTracker(Tracker):
    """The frames of a tracker that is a file, timed on a clock, the first one at once.

    Parameters
    ----------
    tracker : one with ``live`` False.
    clock : says when a frame falls due, and gives it its time.
    """

    live = True

    def __init__(self, tracker: Tracker, clock: Clock) -> None:
        self.name, self.source, self.layout = tracker.name, tracker.source, tracker.layout
        self._tracker, self._clock = tracker, clock
        self._next: Frame | None = None
        self._offset_s: float | None = None

    @property
    def frame_rate(self) -> float:  # type: ignore[override]  # a file knows it once open
        """Hz, the file's."""
        return self._tracker.frame_rate

    def open(self) -> None:
        """Open the file at its beginning."""
        self._tracker.open()
        self._next, self._offset_s = None, None

    def read(self, timeout_s: float = 0.0) -> Frame | None:
        """The next frame, waited for on the clock."""
        if self._next is None:
            self._next = self._tracker.read()
        if self._next is None:
            return None
        if self._offset_s is None:
            self._offset_s = self._clock.now_s() - self._next.time_s
        due_s = self._next.time_s + self._offset_s
        ahead_s = due_s - self._clock.now_s()
        if ahead_s > 0:
            self._clock.sleep_s(min(ahead_s, timeout_s))
        if ahead_s > timeout_s:
            return None
        frame, self._next = Frame(due_s, self._next.values), None
        return frame

    @property
    def finished(self) -> bool:
        """True after the last frame and when closed."""
        return self._next is None and self._tracker.finished

    def close(self) -> None:
        """Close the file."""
        self._next = None
        self._tracker.close()

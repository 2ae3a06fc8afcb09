"""What trackers have in common whose frames are all known once a file is read: captures and recordings."""

from __future__ import annotations

from gesturemap.frame import Array, Frame
from gesturemap.trackers.base import Tracker, not_open


def mean_rate(time_s: Array) -> float:
    """Frames a second on average, in Hz; 1 for a single frame, which has no rate."""
    return (len(time_s) - 1) / float(time_s[-1] - time_s[0]) if len(time_s) > 1 else 1.0


class StoredTracker(Tracker):
    """Yields the rows of a table one after the other. A subclass says how to `load` it."""

    live = False
    _time_s: Array
    _values: Array
    _next: int | None = None
    _closed = False

    def load(self) -> tuple[Array, Array]:
        """(n_frames,) strictly increasing seconds and (n_frames, n_channels) values; called by `open`."""
        raise NotImplementedError

    def open(self) -> None:
        """Read the file, start at its first frame."""
        self._time_s, self._values = self.load()
        self._next, self._closed = 0, False

    def read(self, timeout_s: float = 0.0) -> Frame | None:
        """The next row, or None after the last."""
        if self._next is None:
            raise not_open(self)
        if self.finished:
            return None
        frame = Frame(float(self._time_s[self._next]), self._values[self._next].copy())
        self._next += 1
        return frame

    @property
    def finished(self) -> bool:
        """True after the last row and when closed."""
        return self._closed or (self._next is not None and self._next >= len(self._time_s))

    def close(self) -> None:
        """Forget the position."""
        self._next, self._closed = None, True

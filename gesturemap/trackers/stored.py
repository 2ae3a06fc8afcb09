"""What trackers have in common whose frames have numbers: recordings, captures, files, and motion that is made up."""

from __future__ import annotations

from gesturemap.frame import Array, Frame
from gesturemap.trackers.base import Tracker, not_open


def mean_rate(time_s: Array) -> float:
    """Frames a second on average, in Hz; 1 for a single frame, which has no rate."""
    return (len(time_s) - 1) / float(time_s[-1] - time_s[0]) if len(time_s) > 1 else 1.0


class NumberedTracker(Tracker):
    """Keeps the position. A subclass says how many frames there are, and what the next one is."""

    _n_frames: float
    _next: int | None = None
    _closed = False

    def start(self) -> float:
        """Get ready for frame 0, and say how many there are: infinity for no end. Called by `open`."""
        raise NotImplementedError

    def frame_at(self, index: int, timeout_s: float) -> Frame | None:
        """Frame `index`, which follows the one given before; None if it does not come within `timeout_s`."""
        raise NotImplementedError

    def open(self) -> None:
        """Start at frame 0."""
        self._n_frames = self.start()
        self._next, self._closed = 0, False

    def read(self, timeout_s: float = 0.0) -> Frame | None:
        """The next frame, or None after the last."""
        if self._next is None:
            raise not_open(self)
        frame = None if self.finished else self.frame_at(self._next, timeout_s)
        self._next += frame is not None
        return frame

    @property
    def finished(self) -> bool:
        """True after the last frame and when closed."""
        return self._closed or (self._next is not None and self._next >= self._n_frames)

    def close(self) -> None:
        """Forget the position."""
        self._next, self._closed = None, True


class StoredTracker(NumberedTracker):
    """Yields the rows of a table one after the other. A subclass says how to `load` it."""

    live = False
    _time_s: Array
    _values: Array

    def load(self) -> tuple[Array, Array]:
        """(n_frames,) strictly increasing seconds and (n_frames, n_channels) values; called by `open`."""
        raise NotImplementedError

    def start(self) -> float:
        """Read the file."""
        self._time_s, self._values = self.load()
        return len(self._time_s)

    def frame_at(self, index: int, timeout_s: float) -> Frame | None:
        """A row, which is the reader's own."""
        return Frame(float(self._time_s[index]), self._values[index].copy())

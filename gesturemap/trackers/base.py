"""What every tracker is: a source of `Frame`s with a fixed `Layout`, opened, read frame by frame, closed."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

import numpy as np

from gesturemap.clock import Clock
from gesturemap.errors import TrackerError
from gesturemap.frame import Array, Frame, Layout


class Tracker(Protocol):
    """A source of frames. Implementations subclass this, so that they are context managers for free.

    Attributes
    ----------
    name : "hands", "gametrak", "osc" and so on: the tracker part of a mapping's label. A replay carries the
        name of the tracker that was recorded.
    source : what is opened: a file path, a camera, a device, a seed.
    live : True when frames come in real time and carry the time of the injected clock. False when they carry
        the file's own time and come as fast as they are read.
    layout : the channels of every frame; known before `open`.
    frame_rate : nominal rate in Hz; a file that is opened may correct it.
    dropped : readings since `open` that came but could not be used, or came too fast to be read.
    lost : times since `open` that a live source went away. While it is away the frames say so, see `Outage`.
    """

    name: str
    source: str
    live: bool
    layout: Layout
    frame_rate: float
    dropped: int = 0
    lost: int = 0

    def open(self) -> None:
        """Open the source at its beginning; an open tracker starts again.

        Raises
        ------
        TrackerError
            If the source is absent or cannot be read. `MissingExtraError` if a library is not installed.
        """

    def read(self, timeout_s: float = 0.0) -> Frame | None:
        """The next frame, or None when none came within `timeout_s` or the source has ended.

        Times are finite and strictly increasing from frame to frame.

        Raises
        ------
        TrackerError
            If the tracker is not open, or its device never gave anything.
        """

    @property
    def finished(self) -> bool:
        """True when no frame will ever come again: at the end of the source and after `close`."""
        ...

    def close(self) -> None:
        """Let go of the source. Closing twice does nothing more."""

    def __enter__(self) -> Self:
        """Open."""
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


def read_all(tracker: Tracker) -> tuple[Array, Array]:
    """Every frame of a tracker that ends by itself, from its beginning; opens and closes it.

    Parameters
    ----------
    tracker : one with ``live`` False.

    Returns
    -------
    time_s : (n_frames,) seconds.
    values : (n_frames, n_channels).

    Raises
    ------
    TrackerError
        If the tracker is live, which would never end, or the source cannot be read.
    """
    if tracker.live:
        raise TrackerError(f"tracker {tracker.name!r} on {tracker.source} is live, without end: read it frame by frame")
    frames: list[Frame] = []
    with tracker:
        while not tracker.finished:
            frame = tracker.read()
            if frame is not None:
                frames.append(frame)
    time_s = np.array([frame.time_s for frame in frames], dtype=np.float64)
    values = np.array([frame.values for frame in frames], dtype=np.float64)
    return time_s, values.reshape(len(frames), len(tracker.layout))


def not_open(tracker: Tracker) -> TrackerError:
    """The error for reading a tracker that is not open."""
    return TrackerError(
        f"tracker {tracker.name!r} on {tracker.source} is not open: call open() or use it in a with block"
    )


def wait_until(clock: Clock, due_s: float, timeout_s: float) -> bool:
    """Wait on `clock` until `due_s`, at most `timeout_s`; whether it has come."""
    ahead_s = due_s - clock.now_s()
    if ahead_s > 0:
        clock.sleep_s(min(ahead_s, timeout_s))
    return ahead_s <= timeout_s


def strictly_after(last_s: float, now_s: float) -> float:
    """`now_s`, or the next number after `last_s` where readings come faster than the clock ticks."""
    return max(now_s, float(np.nextafter(last_s, np.inf)))

"""Pictures with their times, from a video file or a camera; the only file that knows OpenCV.

OpenCV comes with mediapipe. Nothing here asks for `opencv-python`, which would overwrite it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gesturemap.clock import Clock
from gesturemap.errors import MissingExtraError, TrackerError
from gesturemap.trackers.base import strictly_after
from gesturemap.trackers.outage import RETRY_S
from gesturemap.trackers.quiet import quiet_stderr

Picture = npt.NDArray[np.uint8]

DEFAULT_FRAME_RATE = 30.0
LOST_S = 3.0
MAX_DAMAGED = 250  # pictures in a row, ten seconds at 25 Hz


class Capture(Protocol):
    """The part of OpenCV's VideoCapture that is used here; a test gives its own."""

    def isOpened(self) -> bool:  # noqa: N802
        """Whether there is a source."""

    def get(self, propId: int) -> float:  # noqa: N803
        """A property; 0 or -1 if unknown."""

    def read(self) -> tuple[bool, Any]:
        """Whether a picture came, and the picture: (height, width, 3) BGR."""

    def release(self) -> None:
        """Let go of the source."""


def open_capture(source: str | int) -> Capture:
    """OpenCV's capture of a file or a camera; not open if there is none."""
    with quiet_stderr():
        return opencv().VideoCapture(source)  # type: ignore[no-any-return]


class VideoFile:
    """The pictures of a file, one after the other, with the times its container gives them.

    Damaged pictures are left out, and counted in `dropped`.

    Raises
    ------
    TrackerError
        If the file is absent, empty, no video, or holds no picture that can be decoded (then from `read`).
    """

    live = False

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        if not self._path.is_file():
            raise TrackerError(f"no video {path}: give the path of a file, or the number of a camera such as 0")
        self._capture = open_capture(str(path))
        if not self._capture.isOpened():
            raise TrackerError(
                f"{path} ({self._path.stat().st_size} bytes) is not a video that can be read, or was cut off. "
                f"If other players open it, convert it:  ffmpeg -i {path} -c:v libx264 fixed.mp4"
            )
        cv2 = opencv()
        self.frame_rate = _sane_rate(self._capture.get(cv2.CAP_PROP_FPS))
        self.dropped = 0
        self.finished = False
        self._n_expected = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self._n_read = 0
        self._last_s = -np.inf

    def read(self, timeout_s: float = 0.0) -> tuple[float, Picture] | None:
        """Seconds from the file's start, and (height, width, 3) RGB; None at the end."""
        bgr = None if self.finished else self._next_good()
        if bgr is None:
            return None
        cv2 = opencv()
        time_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if not time_s > self._last_s:  # containers without times say 0
            time_s = self._last_s + 1 / self.frame_rate
        self._last_s = time_s
        return time_s, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)

    def close(self) -> None:
        """Let go of the file."""
        self.finished = True
        self._capture.release()

    def _next_good(self) -> Any | None:
        failed = 0
        while True:
            found, bgr = self._capture.read()
            if found:
                self._n_read += 1
                self.dropped += failed
                return bgr
            failed += 1
            # A damaged stretch reads like the end of the file; only the announced length tells them apart.
            if failed > MAX_DAMAGED or self._n_read + self.dropped + failed > self._n_expected:
                self.finished = True
                if self._n_read == 0:
                    raise TrackerError(f"{self._path}: no picture in it can be decoded; record or convert it again")
                return None


class Camera:
    """The newest picture of a camera; older ones nobody read are dropped and counted.

    A thread of its own takes the pictures, so that a camera which hangs does not hold up the reader. When the camera
    is unplugged, that thread looks for it every `retry_s` until it is back.

    Attributes
    ----------
    dropped : pictures that came while the one before was worked on.

    Raises
    ------
    TrackerError
        If there is no such camera, or (from `read`) it has never given a picture within `LOST_S`.
    """

    live = True

    def __init__(
        self, index: int, clock: Clock, opener: Callable[[int], Capture] = open_capture, retry_s: float = RETRY_S
    ) -> None:
        self._name = f"camera {index}"
        self._clock = clock
        self._open = partial(opener, index)
        self._retry_s = retry_s
        self._capture = self._open()
        if not self._capture.isOpened():
            raise TrackerError(
                f"{self._name} cannot be opened: plug one in, close other programs that use it, allow this program "
                "to use it, or try another number (hands:1); `gesturemap doctor` looks for the reason"
            )
        self.frame_rate = _sane_rate(self._capture.get(opencv().CAP_PROP_FPS))
        self.dropped = 0
        self.finished = False
        self._newest: tuple[float, Any] | None = None
        self._unplugged = self._seen = False
        self._n_unplugged = self._n_told = 0
        self._last_s = clock.now_s()
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._take_pictures, name=self._name, daemon=True)
        self._thread.start()

    @property
    def away(self) -> bool:
        """Whether it is unplugged, or has given nothing for `LOST_S`."""
        return self._unplugged or self._clock.now_s() - self._last_s > LOST_S

    def read(self, timeout_s: float = 0.0) -> tuple[float, Picture] | None:
        """When the newest picture came, and (height, width, 3) RGB; None if none comes within `timeout_s`."""
        with self._changed:
            # That it was unplugged ends the wait once, or a reader would spin until it is back.
            self._changed.wait_for(lambda: self._newest is not None or self._n_unplugged != self._n_told, timeout_s)
            newest, self._newest = self._newest, None
            self._n_told = self._n_unplugged
        if newest is not None:
            cv2 = opencv()
            return newest[0], cv2.cvtColor(newest[1], cv2.COLOR_BGR2RGB)
        if self.away and not self._seen:
            self.close()
            raise TrackerError(f"{self._name} gives no pictures: plug it in again, or close programs that use it")
        return None

    def close(self) -> None:
        """Stop the thread and let go of the camera."""
        self.finished = True
        self._stop.set()
        self._thread.join(timeout=1.0)
        # A camera that hangs in its driver keeps its thread: to release it from here could crash.
        if not self._thread.is_alive():
            self._capture.release()

    def _take_pictures(self) -> None:
        while not self.finished:
            found, bgr = self._capture.read()
            with self._changed:
                self._unplugged = not found
                self._n_unplugged += not found
                if found:
                    now_s = strictly_after(self._last_s, self._clock.now_s())
                    self.dropped += self._newest is not None
                    self._newest, self._last_s, self._seen = (now_s, bgr), now_s, True
                self._changed.notify()
            if not found:
                self._reopen()

    def _reopen(self) -> None:
        """Look for the camera until it is back, or nobody wants it any more."""
        self._capture.release()
        while not self._stop.wait(self._retry_s):
            self._capture = self._open()
            if self._capture.isOpened():
                return


def _sane_rate(frame_rate: float) -> float:
    """Hz; what containers without a rate and cameras that do not tell put there is replaced."""
    return frame_rate if 1.0 <= frame_rate <= 480.0 else DEFAULT_FRAME_RATE


def opencv() -> Any:
    """OpenCV. Errors: `MissingExtraError`."""
    try:
        import cv2
    except ImportError:
        raise MissingExtraError("mediapipe with its OpenCV", "camera") from None
    return cv2

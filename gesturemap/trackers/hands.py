"""Both hands in front of a camera, or in a video file, as 21 landmarks each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from gesturemap.clock import Clock, MonotonicClock
from gesturemap.errors import TrackerError
from gesturemap.frame import Array, Frame
from gesturemap.trackers.base import Tracker, not_open, strictly_after
from gesturemap.trackers.hand_detector import HandDetector
from gesturemap.trackers.hand_layout import CHANNELS_PER_HAND, hand_block, hand_layout
from gesturemap.trackers.hand_model import locate_hand_model
from gesturemap.trackers.hand_slots import DetectedHand, HandSlots
from gesturemap.trackers.outage import RETRY_S, Outage
from gesturemap.trackers.pictures import DEFAULT_FRAME_RATE, Camera, Capture, VideoFile, open_capture
from gesturemap.trackers.preview import Preview


class HandsTracker(Tracker):
    """Hands found by MediaPipe's hand landmarker, the left and the right one each in its own channels.

    While a camera is unplugged, or hangs, frames without hands come at its rate until it is back.

    Parameters
    ----------
    source : number of a camera, or path of a video file.
    hand_model : model file or mediapipe 0.10.21 wheel, see `locate_hand_model`.
    num_hands : 1 or 2. One costs half; the hand then goes into the slot of its side.
    mirror : True if the pictures are mirrored, as many selfie recordings are. They are turned round before
        detection, so that sides, x and shapes are those of the un-mirrored picture either way. (The detector
        tells left from right by the un-mirrored picture.)
    preview : show the pictures, mirrored, with the hands in them, in a window.
    allow_unknown_model : use a model file that is not the one the accuracy was measured with.
    clock : time of camera pictures; None for the machine's. A file has its own.
    opener, retry_s : the seam for tests of the camera, and how often it is looked for when it was unplugged.

    Attributes
    ----------
    frame_rate : of the file or camera once open, 30 before.
    dropped : pictures since `open` that were damaged (file) or came while the one before was worked on (camera).
    lost : times since `open` that the camera went away.
    """

    name = "hands"

    def __init__(
        self,
        source: str | int | Path = 0,
        hand_model: str | Path | None = None,
        num_hands: int = 2,
        mirror: bool = False,
        preview: bool = False,
        allow_unknown_model: bool = False,
        clock: Clock | None = None,
        opener: Callable[[int], Capture] = open_capture,
        retry_s: float = RETRY_S,
    ) -> None:
        if num_hands not in (1, 2):
            raise TrackerError(f"num_hands={num_hands}: expected 1 or 2, there is a left and a right slot")
        self.source = str(source)
        self.live = self.source.isdecimal()
        self.layout = hand_layout()
        self.frame_rate = DEFAULT_FRAME_RATE
        self._model, self._allow_unknown_model = hand_model, allow_unknown_model
        self._num_hands, self._mirror = num_hands, mirror
        self._wants_preview = preview
        self._preview: Preview | None = None
        self._clock = clock if clock is not None else MonotonicClock()
        self._opener, self._retry_s = opener, retry_s
        self._pictures: VideoFile | Camera | None = None
        self._closed = False

    def open(self) -> None:
        """Open the pictures and load the model; takes about a second."""
        self.close()
        if self.live:
            model = locate_hand_model(self._model, self._allow_unknown_model)
            pictures: VideoFile | Camera = Camera(int(self.source), self._clock, self._opener, self._retry_s)
        else:
            pictures = VideoFile(self.source)  # before the model, since a path is mistyped more often
        try:
            if not self.live:
                model = locate_hand_model(self._model, self._allow_unknown_model)
            self._preview = Preview() if self._wants_preview else None
            self._detector = HandDetector(model, self._num_hands)
        except TrackerError:
            pictures.close()
            raise
        self._slots = HandSlots()
        self._pictures, self._closed = pictures, False
        self.frame_rate, self.dropped, self.lost = pictures.frame_rate, 0, 0
        self._outage = Outage(self._clock, self.layout, self.frame_rate)
        self._last_s = -np.inf

    def read(self, timeout_s: float = 0.0) -> Frame | None:
        """The hands of the next picture of a file, or of the newest one of a camera."""
        if self._pictures is None:
            raise not_open(self)
        if self._outage.active:
            found = self._pictures.read(min(timeout_s, max(0.0, self._outage.due_s - self._clock.now_s())))
        else:
            found = self._pictures.read(timeout_s)
        self.dropped = self._pictures.dropped
        if found is None:
            return self._absent(self._pictures)
        self._outage.end()
        time_s, picture = found
        if self._mirror:
            picture = picture[:, ::-1]
        height, width = picture.shape[:2]
        hands = self._slots.assign(self._detector.detect(picture, time_s), time_s, height / width)
        if self._preview is not None:
            self._preview.show(picture, hands)
        return self._stamp(time_s, hand_values(hands))

    @property
    def finished(self) -> bool:
        """True at the end of the file, when a camera never gave a picture and when closed."""
        return self._closed or (self._pictures is not None and self._pictures.finished)

    def close(self) -> None:
        """Let go of the pictures and the model."""
        if self._pictures is not None:
            self._pictures.close()
            self._detector.close()
        if self._preview is not None:
            self._preview.close()
        self._pictures, self._preview, self._closed = None, None, True

    def _absent(self, pictures: VideoFile | Camera) -> Frame | None:
        """No hands while the camera is away; None at the end of a file or when no picture came in time."""
        if not isinstance(pictures, Camera) or not pictures.away:
            return None
        if not self._outage.active:
            self._outage.begin()
            self.lost = self._outage.count
        absent = self._outage.read(0.0)
        return absent and self._stamp(absent.time_s, absent.values)

    def _stamp(self, time_s: float, values: Array) -> Frame:
        self._last_s = strictly_after(self._last_s, time_s)
        return Frame(self._last_s, values)


def hand_values(hands: tuple[DetectedHand | None, DetectedHand | None]) -> Array:
    """The left and the right hand as (254,) values of `hand_layout`; NaN for one that is not there."""
    values = np.full(2 * CHANNELS_PER_HAND, np.nan)
    for side, hand in enumerate(hands):
        block = values[hand_block(side)]
        block[0] = float(hand is not None)
        if hand is not None:
            block[1:] = np.concatenate([hand.picture.ravel(), hand.world.ravel()])
    return values

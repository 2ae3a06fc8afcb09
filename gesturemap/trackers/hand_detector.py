"""MediaPipe's hand landmarker behind one method; the only file that knows mediapipe.

mediapipe 0.10.35 and later send usage reports to play.googleapis.com whenever a landmarker is made, without a
way to opt out; 0.10.30 to 0.10.33 hold no network code. So `pyproject.toml` asks for these.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np

from gesturemap.errors import MissingExtraError, TrackerError
from gesturemap.frame import Array
from gesturemap.trackers.hand_slots import DetectedHand
from gesturemap.trackers.pictures import Picture
from gesturemap.trackers.quiet import quiet_stderr


class HandDetector:
    """Finds hands in the pictures of one video.

    Parameters
    ----------
    model : the file that `locate_hand_model` gives.
    num_hands : how many to look for, 1 or 2. With 2 the palm detector runs on every picture in which fewer are
        seen, which doubles the cost.

    Raises
    ------
    TrackerError
        If mediapipe refuses the model. `MissingExtraError` if it is not installed.
    """

    def __init__(self, model: Path, num_hands: int) -> None:
        try:
            import mediapipe
            from mediapipe.tasks.python import BaseOptions, vision
        except ImportError:
            raise MissingExtraError("mediapipe", "camera") from None
        options = vision.HandLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(model)),
            running_mode=vision.RunningMode.VIDEO,
            num_hands=num_hands,
        )
        self._mediapipe = mediapipe
        self._last_ms = -1
        self._found_any = False
        try:
            with quiet_stderr():
                self._landmarker = vision.HandLandmarker.create_from_options(options)
        except (RuntimeError, ValueError, OSError) as error:
            raise TrackerError(f"mediapipe cannot use the hand model {model}: {error}") from None

    def detect(self, picture: Picture, time_s: float) -> list[DetectedHand]:
        """The hands of the next picture.

        Parameters
        ----------
        picture : (height, width, 3) RGB, un-mirrored: from a mirrored one left and right come out exchanged.
        time_s : later than that of the picture before.

        Returns
        -------
        At most `num_hands` hands, in an order that means nothing.
        """
        # Whole milliseconds, which must increase: mediapipe raises ValueError otherwise.
        self._last_ms = max(self._last_ms + 1, round(time_s * 1000))
        mediapipe = self._mediapipe
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(picture))
        with contextlib.nullcontext() if self._found_any else quiet_stderr():
            result = self._landmarker.detect_for_video(image, self._last_ms)
        self._found_any = self._found_any or bool(result.handedness)
        return [
            DetectedHand(0 if label[0].category_name == "Left" else 1, label[0].score, _points(seen), _points(world))
            for label, seen, world in zip(
                result.handedness, result.hand_landmarks, result.hand_world_landmarks, strict=True
            )
        ]

    def close(self) -> None:
        """Free mediapipe's threads."""
        self._landmarker.close()


def _points(landmarks: Any) -> Array:
    return np.array([(point.x, point.y, point.z) for point in landmarks], dtype=np.float64)

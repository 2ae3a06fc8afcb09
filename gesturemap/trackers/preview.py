"""A window that shows what the camera sees and which hands were found in it."""

from __future__ import annotations

import os
import sys

import numpy as np

from gesturemap.errors import TrackerError
from gesturemap.trackers.hand_slots import DetectedHand
from gesturemap.trackers.pictures import Picture, opencv

TITLE = "gesturemap hands"
_COLOURS_BGR = ((80, 200, 255), (255, 160, 60))  # left, right


class Preview:
    """The window; opened by the first picture.

    Raises
    ------
    TrackerError
        If there is no screen, or OpenCV was built without windows. `MissingExtraError` if it is not installed.
    """

    def __init__(self) -> None:
        self._cv2 = opencv()
        if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise TrackerError("preview=true needs a screen, and neither DISPLAY nor WAYLAND_DISPLAY is set: leave it")

    def show(self, picture: Picture, hands: tuple[DetectedHand | None, DetectedHand | None]) -> None:
        """Show the next picture; never waits for a key."""
        try:
            self._cv2.imshow(TITLE, draw_hands(picture, hands))
            self._cv2.pollKey()  # lets the window draw itself
        except self._cv2.error as error:
            raise TrackerError(
                f"OpenCV opens no window ({error}): it was built without, or the screen is not allowed. Leave preview "
                "out, or  pip install --force-reinstall opencv-contrib-python"
            ) from None

    def close(self) -> None:
        """Close the window."""
        self._cv2.destroyAllWindows()


def draw_hands(picture: Picture, hands: tuple[DetectedHand | None, DetectedHand | None]) -> Picture:
    """A mirror: the un-mirrored RGB `picture` turned round, in BGR, with the landmarks of both hands in it."""
    cv2 = opencv()
    height, width = picture.shape[:2]
    mirrored: Picture = np.ascontiguousarray(picture[:, ::-1, ::-1])
    for hand, colour in zip(hands, _COLOURS_BGR, strict=True):
        if hand is None:
            continue
        places = np.rint((hand.picture[:, :2] * [-1.0, 1.0] + [1.0, 0.0]) * [width - 1, height - 1]).astype(int)
        for x, y in places:
            cv2.circle(mirrored, (int(x), int(y)), max(2, width // 160), colour, thickness=-1)
    return mirrored

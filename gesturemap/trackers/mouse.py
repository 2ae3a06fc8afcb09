"""The mouse, which everybody has."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gesturemap.clock import Clock
from gesturemap.frame import Array, Channel, Layout
from gesturemap.trackers.desktop import MouseState, open_mouse
from gesturemap.trackers.sampled import DEFAULT_RATE, SampledTracker

BUTTONS = ("left", "middle", "right")


class MouseTracker(SampledTracker):
    """Place of the pointer on the first screen and what is pressed, whichever window is in front.

    Its channels are ``x`` and ``y``, shares of the screen from its left and from its top (beyond 1 on a second
    screen), and the buttons ``left``, ``middle`` and ``right``.

    Parameters
    ----------
    frame_rate : Hz at which it is looked at.
    clock : gives the frames their time; None for the machine's.
    opener : the seam for tests.
    """

    name = "mouse"
    source = "pointer"
    layout = Layout(
        (
            *(Channel(axis, "norm", 0.0, 1.0) for axis in "xy"),
            *(Channel(button, "bool", 0.0, 1.0) for button in BUTTONS),
        )
    )

    def __init__(
        self,
        frame_rate: float = DEFAULT_RATE,
        clock: Clock | None = None,
        opener: Callable[[], Callable[[], MouseState]] = open_mouse,
    ) -> None:
        super().__init__(frame_rate, clock)
        self._opener = opener
        self._read: Callable[[], MouseState] | None = None

    def connect(self) -> None:
        """Look for a screen."""
        self._read = self._opener()

    def sample(self) -> Array | None:
        """Where it is now."""
        if self._read is None:
            return None
        state = self._read()
        place = [state.x / max(1, state.width - 1), state.y / max(1, state.height - 1)]
        return np.array([*place, *map(float, state.buttons)])

    def disconnect(self) -> None:
        """Forget the screen."""
        self._read = None

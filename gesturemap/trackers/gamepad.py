"""Game controllers: two sticks, two triggers and the buttons, by the same names for every make."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gesturemap.clock import Clock
from gesturemap.frame import Array, Channel, Layout
from gesturemap.trackers.desktop import GamepadState, open_gamepad
from gesturemap.trackers.sampled import DEFAULT_RATE, SampledTracker

# In SDL's order; "a" is the lower one of the four on the right, whatever is printed on it.
STICKS = ("left_x", "left_y", "right_x", "right_y")
TRIGGERS = ("left_trigger", "right_trigger")
BUTTONS = (
    *("a", "b", "x", "y", "back", "guide", "start", "left_stick", "right_stick"),
    *("left_shoulder", "right_shoulder", "up", "down", "left", "right"),
)
FULL = 32767.0


class GamepadTracker(SampledTracker):
    """A controller that SDL knows the buttons of, which are nearly all.

    Sticks go from -1 (left, up) to 1 (right, down), triggers from 0 to 1. While it is unplugged frames are NaN, until
    it is back.

    Parameters
    ----------
    source : number from 0, or a part of its name; empty for the first one.
    frame_rate : Hz at which it is looked at.
    clock : gives the frames their time; None for the machine's.
    opener : the seam for tests.
    """

    name = "gamepad"
    layout = Layout(
        (
            *(Channel(name, "norm", -1.0, 1.0) for name in STICKS),
            *(Channel(name, "norm", 0.0, 1.0) for name in TRIGGERS),
            *(Channel(name, "bool", 0.0, 1.0) for name in BUTTONS),
        )
    )

    def __init__(
        self,
        source: str = "",
        frame_rate: float = DEFAULT_RATE,
        clock: Clock | None = None,
        opener: Callable[[str], Callable[[], GamepadState | None]] = open_gamepad,
    ) -> None:
        super().__init__(frame_rate, clock)
        self.source = source
        self._opener = opener
        self._read: Callable[[], GamepadState | None] | None = None

    def connect(self) -> None:
        """Look for the controller."""
        self._read = self._opener(self.source)

    def sample(self) -> Array | None:
        """What the hands do now."""
        state = None if self._read is None else self._read()
        if state is None:
            return None
        axes = np.clip(np.array(state.axes) / FULL, -1.0, 1.0)  # a stick goes to -32768
        return np.concatenate([axes, np.array(state.buttons, dtype=np.float64)])

    def disconnect(self) -> None:
        """Forget it."""
        self._read = None

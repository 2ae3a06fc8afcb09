"""What a performer asks for without hands while playing: the triggers of recording, as wishes of a performance."""

from __future__ import annotations

from gesturemap.frame import Frame
from gesturemap.live.controls import Controls
from gesturemap.recording.hands_free import Triggers
from gesturemap.recording.triggers import Action


class TriggerControl:
    """Sets `Controls` by triggers: panic silences, run plays again, toggle is either, stop ends.

    Parameters
    ----------
    controls : what the loop obeys.
    triggers : pedals, keys, messages and poses.
    """

    def __init__(self, controls: Controls, triggers: Triggers) -> None:
        self._controls, self._triggers = controls, triggers

    def hear(self, frame: Frame | None) -> None:
        """Look at every source, and at the tracker's newest frame; never waits."""
        for action in self._triggers.asked(frame):
            if action is Action.PANIC:
                self._controls.panic = True
            elif action is Action.RUN:
                self._controls.panic = False
            elif action is Action.TOGGLE:
                self._controls.panic = not self._controls.panic
            elif action is Action.STOP:
                self._controls.stop = True

"""What each action does on stage, whoever asked for it: a pedal, a pose, a key, a message."""

from __future__ import annotations

from gesturemap.frame import Frame
from gesturemap.live.controls import Controls
from gesturemap.live.teaching import Teacher
from gesturemap.recording.hands_free import Triggers
from gesturemap.recording.triggers import Action


class Actions:
    """Panic silences, run plays again, toggle is either, stop ends; the rest goes to the teacher, if there is one.

    With a teacher toggle begins and ends a take, and stop ends a take that runs before it ends the performance.

    Parameters
    ----------
    controls : what the loop obeys, and what was asked for by key and message.
    triggers : pedals, messages and poses; None if there are none.
    teacher : None if nothing is taught.

    Attributes
    ----------
    in_vain : actions that mean nothing here.
    """

    def __init__(self, controls: Controls, triggers: Triggers | None = None, teacher: Teacher | None = None) -> None:
        self.in_vain = 0
        self._controls, self._triggers, self._teacher = controls, triggers, teacher

    def hear(self, frame: Frame | None) -> None:
        """Look at every source, and at the tracker's newest frame; never waits."""
        if self._teacher is not None:
            self._teacher.see(frame)
        if self._triggers is not None:
            self._controls.asked.extend(self._triggers.asked(frame))
        while self._controls.asked:
            self._do(self._controls.asked.popleft())

    def _do(self, action: Action) -> None:
        taught = self._teacher is not None and self._teacher.do(action)
        if action is Action.PANIC:
            self._controls.panic = True
        elif action is Action.RUN:
            self._controls.panic = False
        elif taught:
            return
        elif action is Action.TOGGLE:
            self._controls.panic = not self._controls.panic
        elif action is Action.STOP:
            self._controls.stop = True
        else:
            self.in_vain += 1

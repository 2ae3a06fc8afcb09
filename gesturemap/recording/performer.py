"""The frames of a performer, and what they ask for meanwhile."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from gesturemap.clock import Clock
from gesturemap.frame import Frame
from gesturemap.recording.hands_free import POLL_S, Triggers
from gesturemap.recording.triggers import Action
from gesturemap.trackers.base import Tracker

ENDS_TAKE = frozenset({Action.STOP, Action.TOGGLE, Action.UNDO, Action.PANIC})
STARTS = frozenset({Action.RECORD, Action.TOGGLE})


class Performer:
    """Reads a tracker, and looks at the clock, the triggers and Ctrl-C at every frame and at least every 20 ms.

    Parameters
    ----------
    tracker : open.
    clock : of a live tracker.
    triggers : None if there are none.
    interrupted : whether Ctrl-C was pressed.

    Attributes
    ----------
    last_asked : the action that ended the last wait or take; None if it ended by itself.
    seen : whether the tracker gave a frame.
    """

    def __init__(
        self, tracker: Tracker, clock: Clock, triggers: Triggers | None, interrupted: Callable[[], bool]
    ) -> None:
        self.last_asked: Action | None = None
        self.seen = False
        self._tracker, self._clock, self._triggers, self._interrupted = tracker, clock, triggers, interrupted

    @property
    def gone(self) -> bool:
        """Whether no further take will come."""
        return self._tracker.finished or self._interrupted() or self.last_asked is Action.PANIC

    def wait_for(self, wanted: Collection[Action]) -> Action | None:
        """The next action that is one of `wanted`; None if the performer is gone before."""
        self.last_asked = None
        while not self.gone:
            if self._listen(self._tracker.read(POLL_S), wanted):
                return self.last_asked
        return None

    def frames(self, start_s: float | None, limit_s: float) -> Iterator[tuple[Frame | None, float]]:
        """Each frame of a take, and its seconds since `start_s` (None: since the first frame), below `limit_s`.

        While no frame comes, and before `start_s`, None and the seconds so far. Ends when the performer asks for it.
        """
        self.last_asked = None
        while not self.gone:
            frame = self._tracker.read(POLL_S)
            if self._listen(frame, ENDS_TAKE):
                return
            if frame is None and start_s is None:
                continue
            now_s = self._clock.now_s() if frame is None else frame.time_s
            start_s = now_s if start_s is None else start_s
            if now_s - start_s >= limit_s:
                return
            yield (frame if now_s >= start_s else None), now_s - start_s

    def _listen(self, frame: Frame | None, wanted: Collection[Action]) -> bool:
        """Whether one of `wanted` was asked for, then in `last_asked`."""
        self.seen |= frame is not None
        if self._triggers is None:
            return False
        for action in self._triggers.asked(frame):
            if action in wanted:
                self.last_asked = action
                return True
        return False


@contextmanager
def ctrl_c() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed: once lets a row in the making be finished, twice is a KeyboardInterrupt."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return

    def note(number: int, stack_frame: object) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)

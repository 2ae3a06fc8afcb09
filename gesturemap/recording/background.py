"""A recorder in a thread of its own, for whoever must not wait for a disk."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from gesturemap.errors import RecordingError
from gesturemap.frame import Array, Frame
from gesturemap.recording.recorder import Recorder
from gesturemap.take_file import remove_if_empty

_LOOK_S = 0.05  # how often the thread works; a wake-up at every frame would cost the control loop


class BackgroundRecorder:
    """What `Recorder` does, asked for from a control loop: every call returns at once.

    Parameters
    ----------
    recorder : used by nobody else from now on; closed with this.

    Attributes
    ----------
    problem : what went wrong first, as a full disk; empty if nothing did. Nothing is written after it.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.path = recorder.path
        self.problem = ""
        self._recorder = recorder
        self._asked: deque[Callable[[], object]] = deque()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._thread.start()

    def start_take(self) -> None:
        """Begin a take."""
        self._asked.append(self._recorder.start_take)

    def write(self, frame: Frame, latents: Array) -> None:
        """Add a row, `latents` (latent_size,) beside it. Neither array may change afterwards."""
        self._asked.append(lambda: self._recorder.write(frame, latents))

    def stop_take(self) -> None:
        """End the take."""
        self._asked.append(self._recorder.stop_take)

    def undo_take(self) -> None:
        """Take the last take back."""
        self._asked.append(self._recorder.undo_take)

    def redo_take(self) -> None:
        """Bring the last one that was taken back again."""
        self._asked.append(self._recorder.redo_take)

    def close(self) -> None:
        """Write what waits, end a running take, end the thread; a recording without a take is removed."""
        self._over.set()
        self._thread.join()
        self._do(self._recorder.close)
        remove_if_empty(self.path)

    def _work(self) -> None:
        over = False
        while not over:
            over = self._over.wait(_LOOK_S)  # before the last look, so that nothing is left
            while self._asked:
                self._do(self._asked.popleft())
            self._do(self._recorder.flush_if_due)

    def _do(self, asked: Callable[[], object]) -> None:
        if self.problem:
            return
        try:
            asked()
        except RecordingError as error:
            self.problem = str(error)

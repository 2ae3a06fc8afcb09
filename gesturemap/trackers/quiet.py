"""Native libraries that print."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

_turned = threading.RLock()  # two threads that turn it away at once would lose it for good


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Drop what native code prints inside: notes of mediapipe, OpenCV, ALSA, LSL and SDL that no user can act on.

    No option stops them. It is the process's stderr that is turned away, so keep the inside short; what goes
    wrong there comes out as an exception or a return value all the same.
    """
    with _turned:
        try:
            saved = os.dup(2)
        except OSError:  # no stderr at all, as in a windowed program
            yield
            return
        try:
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)

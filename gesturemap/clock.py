"""Time for everything that runs live, injected so that tests and files run faster than real time."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Monotonic seconds, and a way to wait for them."""

    def now_s(self) -> float:
        """Monotonic time in seconds; never goes back."""

    def sleep_s(self, duration_s: float) -> None:
        """Wait for `duration_s` seconds of this clock."""


class MonotonicClock:
    """The machine's monotonic clock, zero when it is made."""

    def __init__(self) -> None:
        self._start_s = time.monotonic()

    def now_s(self) -> float:
        """Seconds since this clock was made."""
        return time.monotonic() - self._start_s

    def sleep_s(self, duration_s: float) -> None:
        """Block this thread."""
        time.sleep(max(0.0, duration_s))


class ManualClock:
    """A clock that moves only when told: `sleep_s` returns at once, `duration_s` later."""

    def __init__(self, start_s: float = 0.0) -> None:
        self._now_s = start_s

    def now_s(self) -> float:
        """Seconds this clock was moved to."""
        return self._now_s

    def sleep_s(self, duration_s: float) -> None:
        """Move the clock forward."""
        self._now_s += max(0.0, duration_s)

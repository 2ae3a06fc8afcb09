"""Learning beside the session: one training at a time, then its error on examples left out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import NamedTuple

from gesturemap.bridge.learning import HeldOut, Learned, Lesson, learn, measure_held_out


class Outcome(NamedTuple):
    """How a training ended.

    Attributes
    ----------
    learned : what can answer now.
    missed : outputs that were to be trained and could not be; none if it was cancelled or failed.
    problem : why it failed; empty if it did not.
    """

    learned: list[Learned]
    missed: tuple[int, ...]
    problem: str


class Training:
    """What an executor does for the session.

    Parameters
    ----------
    wake : called from the executor's thread when `poll` should look.

    Attributes
    ----------
    report : errors on examples left out, of the last training.
    """

    def __init__(self, executor: Executor, wake: Callable[[], object]) -> None:
        self.report: list[HeldOut] = []
        self._executor, self._wake = executor, wake
        self._lesson: Lesson | None = None
        self._running: Future[list[Learned]] | None = None
        self._measuring: Future[list[HeldOut]] | None = None
        self._cancelled = threading.Event()

    @property
    def busy(self) -> bool:
        """Whether it learns; measuring afterwards does not count."""
        return self._running is not None

    def start(self, lesson: Lesson) -> None:
        """Learn in the background."""
        self._cancelled = threading.Event()
        self._lesson = lesson
        self._running = self._executor.submit(learn, lesson, self._cancelled.is_set)
        self._running.add_done_callback(lambda future: self._wake())

    def cancel(self) -> None:
        """Stop before the next fit; `poll` tells its end all the same."""
        self._cancelled.set()

    def drop(self) -> None:
        """Forget what is being learned, and the report."""
        self.cancel()
        self._running = self._measuring = None
        self.report = []

    def poll(self) -> Outcome | None:
        """The training that has ended, told once."""
        if self._measuring is not None and self._measuring.done():
            measured, self._measuring = self._measuring, None
            if measured.exception() is None:
                self.report = measured.result()
        if self._running is None or not self._running.done():
            return None
        assert self._lesson is not None
        done, self._running = self._running, None
        error = done.exception()
        if error is not None:  # whatever it is: the old models play on
            return Outcome([], (), f"training failed: {error}")
        learned = done.result()
        if self._cancelled.is_set():
            return Outcome(learned, (), "")
        self._measuring = self._executor.submit(measure_held_out, self._lesson)
        self._measuring.add_done_callback(lambda future: self._wake())
        given = {output for each in learned for output in each.outputs}
        return Outcome(learned, tuple(output for output in self._lesson.wanted if output not in given), "")

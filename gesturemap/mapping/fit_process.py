"""Fits in a process of their own: one holds the interpreter's lock for long, and would stop a performance meanwhile."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from gesturemap.errors import GestureMapError, MappingError

_NICE = 10  # behind the performance, where the two share a core
_JOIN_S = 5.0


class FitProcess:
    """Runs one function after another in another process; ends with this one, however that ends.

    As `concurrent.futures.Executor`, but `submit` returns at once whatever has to be sent.

    Parameters
    ----------
    needs : a function whose module the process loads at once, so that the first call does not wait for it.
    """

    def __init__(self, needs: Callable[..., Any]) -> None:
        context = get_context("spawn")  # a fork would copy threads and open devices
        self._pipe, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, needs), daemon=True)
        self._process.start()
        there.close()
        self._courier = ThreadPoolExecutor(1, thread_name_prefix="fit")

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Begin ``function(*args)``; a function of a module, whose arguments and result can be sent."""
        return self._courier.submit(self._call, function, args)

    def shutdown(self, wait: bool = True) -> None:
        """Wait for what runs, and end the process."""
        self._courier.shutdown(wait=wait)
        self._pipe.close()
        self._process.join(_JOIN_S)

    def _call(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        try:
            self._pipe.send((function, args))
            result, problem = self._pipe.recv()
        except (EOFError, OSError):
            raise MappingError("the process that fits has ended: is there enough memory?") from None
        if problem:
            raise MappingError(problem)
        return result


def _serve(pipe: Connection, needs: Callable[..., Any]) -> None:
    """In the other process: call what comes until the pipe is closed; `needs` was loaded by being sent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the performance, which then closes the pipe
    if hasattr(os, "nice"):
        os.nice(_NICE)
    with suppress(EOFError, OSError):
        while True:
            function, args = pipe.recv()
            try:
                answer = (function(*args), "")
            except (GestureMapError, ValueError, ArithmeticError, MemoryError) as error:
                answer = (None, str(error) or type(error).__name__)
            pipe.send(answer)

"""What keeps a loop that must answer from being late: its place among the threads and the programs of this machine."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def undisturbed() -> Iterator[None]:
    """Other threads let go of the interpreter soon, and the garbage collector leaves alone what was there before."""
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(5e-4)
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(interval_s)


@contextmanager
def urgent(priority: int) -> Iterator[None]:
    """Run before all other programs, where the system allows it; threads made inside do not inherit it."""
    before = None
    if priority and hasattr(os, "sched_setscheduler"):
        before = os.sched_getscheduler(0)
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    try:
        yield
    finally:
        if before is not None:
            os.sched_setscheduler(0, before, os.sched_param(0))

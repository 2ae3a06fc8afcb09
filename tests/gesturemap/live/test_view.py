"""What the terminal shows, from a snapshot."""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.console import Console

from gesturemap.live.controls import Controls
from gesturemap.live.counters import Counters
from gesturemap.live.guard import Guard
from gesturemap.live.loop import Snapshot
from gesturemap.live.view import draw, watching


class Loop:
    """As much of a loop as is looked at."""

    def __init__(self, snapshot: Snapshot | None) -> None:
        self.snapshot, self.counters, self.controls = snapshot, Counters(), Controls()


def text_of(loop: Any, kept: Any) -> str:
    guard = Guard(np.array([-1.0, 0.0, 5.0]), np.array([1.0, 4.0, 5.0]), np.zeros(3), 0.5, 1.0, 10.0)
    console = Console(width=120, force_terminal=False)
    with console.capture() as capture:
        console.print(draw(loop, guard, ("latent_0", "latent_1", "latent_2"), [kept]))
    return capture.get()


def test_a_bar_for_every_latent_and_the_counts(kept: Any) -> None:
    loop = Loop(Snapshot(1.0, np.array([0.0, 4.0, 5.0]), True, False))
    loop.counters.frames, loop.counters.late, loop.counters.dropped = 7, 2, 1
    shown = text_of(loop, kept)
    bars = [line.count("━") for line in shown.splitlines() if "latent_" in line]
    assert bars == [20, 40, 0]
    assert "7 frames, 2 late, 1 dropped" in shown
    assert "playing" in shown


def test_states(kept: Any) -> None:
    assert "waiting for the first frame" in text_of(Loop(None), kept)
    assert "hand lost" in text_of(Loop(Snapshot(1.0, np.zeros(3), False, False)), kept)
    assert "PANIC" in text_of(Loop(Snapshot(1.0, np.zeros(3), True, True)), kept)


def test_nothing_is_shown_where_stderr_is_no_terminal(kept: Any, capsys: Any) -> None:
    guard = Guard(np.zeros(1), np.ones(1), np.zeros(1), 0.5, 1.0, 10.0)
    with watching(Loop(None), guard, ("latent_0",), [kept]):  # type: ignore[arg-type]
        pass
    assert capsys.readouterr().err == ""

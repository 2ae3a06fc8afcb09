"""What a performer sees on the terminal, ten times a second, in a thread of its own from a snapshot."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gesturemap.live.guard import Guard
from gesturemap.live.loop import ControlLoop
from gesturemap.live.sinks import LatentSink
from gesturemap.live.teaching import Teacher

if TYPE_CHECKING:
    from rich.table import Table

PERIOD_S = 0.1
_WIDTH = 40
_KEYS = "p panic  r resume  q end"
_TEACHING_KEYS = "n next sound  space record  t train  g play on  u undo  U redo"


@contextmanager
def watching(
    loop: ControlLoop, guard: Guard, names: Sequence[str], sinks: Sequence[LatentSink], teacher: Teacher | None = None
) -> Iterator[None]:
    """Show the performance on stderr inside the block; nothing where stderr is no terminal."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    over = threading.Event()
    with Live(console=console, auto_refresh=False, transient=True) as live:

        def refresh() -> None:
            while not over.wait(PERIOD_S):
                live.update(draw(loop, guard, names, sinks, teacher), refresh=True)

        watcher = threading.Thread(target=refresh, name="view", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()


def draw(
    loop: ControlLoop, guard: Guard, names: Sequence[str], sinks: Sequence[LatentSink], teacher: Teacher | None = None
) -> Table:
    """A bar for every latent within its range, and the counts below."""
    from rich.table import Table

    shot, counters = loop.snapshot, loop.counters
    table = Table(box=None, show_header=False, title=_KEYS, title_justify="left")
    if shot is None:
        table.add_row("waiting for the first frame")
        return table
    width = guard.high - guard.low
    for name, value, low, span in zip(names, shot.latents, guard.low, width, strict=True):
        filled = round(_WIDTH * float((value - low) / span)) if span > 0 else 0
        table.add_row(name, "━" * filled + "─" * (_WIDTH - filled), f"{value:8.3f}")
    state = "PANIC" if shot.panic else ("playing" if shot.present else "hand lost")
    total = counters.stages["total"].summary()
    table.add_row(state, f"{counters.frames} frames, {counters.late} late, {counters.dropped} dropped", "")
    table.add_row("latency", f"median {total['median']:.2f} ms, p99 {total['p99']:.2f}, max {total['max']:.2f}", "")
    if teacher is not None:
        table.add_row("teaching", teacher.state, "")
        table.add_row("", _TEACHING_KEYS, "")
    for sink in sinks:
        counts = [f"{key} {value}" for key, value in sink.summary().items() if isinstance(value, int)]
        table.add_row(str(sink.summary()["output"]), ", ".join(counts), "")
    return table

"""What the command line shows: progress and errors on stderr, tables and results on stdout."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from audiovae.errors import describe_error

if TYPE_CHECKING:
    from gesturemap.library import DatasetEntry, MappingEntry
    from gesturemap.mapping.compare import Facts
    from gesturemap.recording import Recording
    from gesturemap.recording.session import Progress
    from gesturemap.trackers.gametrak_wizard import Pose


def print_error(error: Exception) -> None:
    """One line on stderr."""
    # As Text, because a message may hold [brackets] that rich would take for markup.
    Console(stderr=True).print(Text.assemble(("error:", "bold red"), f" {describe_error(error)}"), soft_wrap=True)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Say on stderr what takes a while, as long as it does; nothing where stderr is no terminal."""
    with Console(stderr=True).status(what):
        yield


@contextmanager
def recording_progress() -> Iterator[Callable[[Progress], None]]:
    """A line on stderr that says take, seconds and rows, renewed a few times a second."""
    with Console(stderr=True).status("waiting for the first frame") as status:

        def show(progress: Progress) -> None:
            status.update(_describe_progress(progress))

        yield show


def ask_pose(pose: Pose, problem: str) -> None:
    """Say on stderr which pose to take, and wait for Enter."""
    console = Console(stderr=True)
    if problem:
        console.print(Text(problem, style="yellow"))
    console.print(Text.assemble((f"{pose.name}  ", "bold"), pose.instruction))
    console.input("    Press Enter while you hold it. ")


def _describe_progress(progress: Progress) -> str:
    if math.isinf(progress.time_s):
        return f"take {progress.take} waits to be asked for  (Ctrl-C ends it)"
    if progress.time_s < 0:
        return f"take {progress.take} in {math.ceil(-progress.time_s)}"
    return f"take {progress.take}  {progress.time_s:6.1f} s  {progress.n_rows} rows  (Ctrl-C ends it)"


def print_recording(recording: Recording, as_json: bool) -> None:
    """What is in a recording, take by take, and the remarks that were made on the way."""
    if as_json:
        takes = [
            {"take": t.index, "rows": len(t.time_s), "seconds": round(t.duration_s, 3), "lag_s": t.lag_s}
            for t in recording.takes
        ]
        contents = {"takes": takes, "latents": recording.latent_size, "notes": recording.notes}
        typer.echo(json.dumps({"recording": str(recording.path)} | contents))
        return
    count = len(recording.takes)
    channels = f"{len(recording.layout)} channels of {recording.tracker}"
    typer.echo(f"{recording.path}: {channels}, {count} take{'s' * (count != 1)}")
    for take in recording.takes:
        lag = ", no lag found between sound and hand" if take.lag_s == 0 else ""
        if take.lag_s:
            where = "behind" if take.lag_s > 0 else "ahead of"
            lag = f", the hand {abs(1000 * take.lag_s):.0f} ms {where} the sound"
        typer.echo(f"  take {take.index}: {len(take.time_s)} rows, {take.duration_s:.1f} s{lag}")
    for note in recording.notes:
        typer.echo(f"  {note}")


def print_performance(counted: dict[str, Any], as_json: bool) -> None:
    """What a performance counted; with `as_json` all of it."""
    if as_json:
        typer.echo(json.dumps(counted))
        return
    counts = ", ".join(f"{counted[key]} {key}" for key in ("frames", "late", "dropped"))
    typer.echo(f"{counted['ended']}: {counts}")
    typer.echo(f"  {counted['lost_s']:.1f} s without a hand, {counted['cut_by_slew']} frames cut by the slew limit")
    if counted["in_vain"]:
        typer.echo(f"  {counted['in_vain']} actions asked for in vain: add --teach REC to record, train and undo here")
    stages = counted["latency_ms"].items()
    rows = [(stage, *(f"{ms[key]:.3f}" for key in ("median", "p99", "max"))) for stage, ms in stages]
    print_table(("ms", "median", "p99", "max"), rows)
    for output in counted["outputs"]:
        counts = ", ".join(f"{key} {value}" for key, value in output.items() if key != "output" and value != "")
        typer.echo(f"{output['output']}: {counts}")
    if "taught" in counted:
        taught = counted["taught"]
        where = f"{taught['examples']} examples in {taught['recording']}" if taught["examples"] else "nothing"
        typer.echo(f"taught: {taught['takes']} take{'s' * (taught['takes'] != 1)}, {where}")
        if taught["saved"]:
            typer.echo(f"fitted on them and saved: {taught['saved']}")
        if taught["problem"]:
            typer.echo(f"problem: {taught['problem']}")


def print_table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """A table whose first column, which is there to be copied, stays whole while the others fold."""
    first, *others = header
    columns = [Column(first, no_wrap=True, overflow="fold"), *(Column(name, overflow="fold") for name in others)]
    table = Table(*columns)
    for row in rows:
        table.add_row(*map(Text, row))  # as Text, or rich would take the brackets of gesturemap[camera] for markup
    Console().print(table)


def measured(entry: MappingEntry | Facts) -> tuple[str, str, str]:
    """Held-out R², held-out error and coverage of a mapping for a table; empty where not measured."""
    r2, error, coverage = entry.held_out_r2, entry.held_out_error, entry.coverage
    return (
        "" if r2 is None else f"{r2:.2f}",
        "" if error is None else f"{error:.3f}",
        "" if coverage is None else f"{100 * coverage:.0f} %",
    )


def print_problems(entries: Iterable[MappingEntry | DatasetEntry]) -> None:
    """A line for every entry that cannot be used, whole, since it names files."""
    for entry in entries:
        if entry.problem:
            typer.echo(f"{entry.path}: {entry.problem}")

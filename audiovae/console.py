"""What the command line shows: progress and errors on stderr, results on stdout."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table
from rich.text import Text

T = TypeVar("T")
HEADERS = {
    "lsd_db": "LSD dB",
    "spectral_convergence_db": "SC dB",
    "mel_lsd_db": "mel LSD\ndB",
    "loudness_error_db": "loudness dB",
    "msd": "MSD",
    "si_sdr_db": "SI-SDR\ndB",
}


class Result(Protocol):
    """What a command found: text for people, JSON for programs."""

    def to_json(self) -> dict[str, Any]:
        """As JSON has it."""
        ...


def print_error(message: str) -> None:
    """One line on stderr."""
    # As Text, because a message may hold [brackets] that rich would take for markup.
    Console(stderr=True).print(Text.assemble(("error:", "bold red"), f" {message}"), soft_wrap=True)


def print_result(result: Result, as_json: bool) -> None:
    """A result as text, or as JSON."""
    typer.echo(json.dumps(result.to_json()) if as_json else str(result))


def print_paths(paths: Iterable[Path]) -> None:
    """A line for each file."""
    for path in list(paths):  # all are made before one is printed, or they would land within the bar
        typer.echo(path)


def track(items: Sequence[T], description: str = "") -> Iterator[T]:
    """`items`, with a bar on stderr that says how many are done; nothing where stderr is no terminal."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        yield from bar.track(items, description=description)


def print_evaluations(models: Sequence[dict[str, Any]], answer: str) -> None:
    """The table of every model, under its name where there are several, then the answer in words."""
    for model in models:
        if len(models) > 1:
            typer.echo(f"\n{model['model_name']}")
        _print_evaluation(model)
    Console().print(Text(answer))


def _print_evaluation(result: dict[str, Any]) -> None:
    metrics = [name for name in HEADERS if result["means"][name] is not None or name not in result["not_applicable"]]
    figures = [Column(HEADERS[name], justify="right", no_wrap=True) for name in metrics]
    table = Table(Column("file", overflow="fold"), *figures)
    for row in result["files"]:
        table.add_row(Path(row["file"]).name, *(_figure(row[name]) for name in metrics))
    table.add_section()
    table.add_row("mean", *(_figure(result["means"][name]) for name in metrics))
    remarks = [
        f"{Path(row['file']).name}: {row['status']}, {row['reason'] or 'left out'}"
        for row in result["files"]
        if row["status"] != "compared"
    ]
    remarks += [f"{HEADERS[name].split()[0]}: not applicable, {why}" for name, why in result["not_applicable"].items()]
    Console().print(table, *map(Text, remarks), sep="\n")


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"

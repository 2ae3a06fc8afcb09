"""The command line `gesturemap`. Each command calls one function; progress goes to stderr, results to stdout."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from audiovae.errors import AudioVAEError
from gesturemap.errors import GestureMapError

if TYPE_CHECKING:
    from gesturemap.recording.session import Progress

# Annotations are read at run time by Typer, which is why Optional is spelled out.
app = typer.Typer(no_args_is_help=True, add_completion=False, help="Hand motion to latent space.")

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Model = Annotated[Path, typer.Option("--model", help="A model folder, as `audiovae export` writes it.")]
MappingSpec = Annotated[str, typer.Argument(help="A mapping folder, or tracker/model/name in a library.")]
Library = Annotated[Optional[Path], typer.Option(help="Where mappings lie; looked in before the others.")]  # noqa: UP045
Force = Annotated[bool, typer.Option("--force", help="Take a mapping fitted on another model; its sounds will differ.")]
Recordings = Annotated[list[Path], typer.Argument(help="Recordings (.rec folders).")]


def main() -> None:
    """Run the command line; an error a user can meet is one line on stderr and exit status 1."""
    # Read when torch or numpy's BLAS is loaded (the demo trains, fit solves): threads that wait shall sleep.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app()
    except (GestureMapError, AudioVAEError, OSError) as error:
        # As Text, because a message may hold [brackets] that rich would take for markup.
        Console(stderr=True).print(Text.assemble(("error:", "bold red"), f" {error}"), soft_wrap=True)
        sys.exit(1)


@app.command()
def trackers(as_json: Json = False) -> None:
    """What can be tracked, what each tracker needs, and whether it is there."""
    from gesturemap.trackers import list_trackers

    found = list_trackers()
    if as_json:
        typer.echo(json.dumps([vars(info) for info in found]))
        return
    rows = [(i.name, i.description, i.sources, "yes" if i.available else i.hint) for i in found]
    _print_table(("tracker", "what it is", "NAME:SOURCE", "installed"), rows)


@app.command()
def doctor(as_json: Json = False) -> None:
    """What is missing for camera, Gametrak, sound and training on this machine, and what to do about it."""
    from gesturemap.doctor import examine

    checks = examine()
    if as_json:
        typer.echo(json.dumps([vars(check) for check in checks]))
        return
    rows = [("[green]ok[/]" if c.ok else "[yellow]missing[/]", c.name, c.found, c.fix) for c in checks]
    _print_table(("", "what", "found", "what to do"), rows)


@app.command()
def mappings(library: Library = None, as_json: Json = False) -> None:
    """The mappings there are: label, model, held-out fit."""
    from gesturemap.library import list_mappings

    found = list_mappings(library)
    if as_json:
        typer.echo(json.dumps([{k: v if v is None else str(v) for k, v in vars(m).items()} for m in found]))
        return
    rows = [
        (m.path, m.features, m.regressor, "" if m.held_out_r2 is None else f"{m.held_out_r2:.2f}", m.problem)
        for m in found
    ]
    _print_table(("mapping", "features", "regressor", "held-out R²", "problem"), rows)


@app.command()
def datasets(as_json: Json = False) -> None:
    """The cards of audio and hand-motion data sets."""
    from gesturemap.library import list_datasets

    found = list_datasets()
    if as_json:
        typer.echo(json.dumps([{"path": d.path, "card": d.card and d.card.model_dump(mode="json")} for d in found]))
        return
    rows = [(d.path, d.card.licence, d.card.summary) if d.card else (d.path, "", d.problem) for d in found]
    _print_table(("dataset", "licence", "what it is"), rows)


@app.command()
def record(
    tracker: Annotated[str, typer.Option(help="NAME[:SOURCE]; see `gesturemap trackers`.")],
    out: Annotated[Path, typer.Option(help="Recording to make, by custom NAME.rec.")],
    seconds: Annotated[Optional[float], typer.Option(help="Length of a take.")] = None,  # noqa: UP045
    model: Annotated[Optional[Path], typer.Option(help="Model folder whose latents go beside the gesture.")] = None,  # noqa: UP045
    play: Annotated[Optional[str], typer.Option(help="A sound, a latent table, or walk[:SECONDS].")] = None,  # noqa: UP045
    takes: Annotated[int, typer.Option(help="Takes to record.")] = 1,
    append: Annotated[bool, typer.Option("--append", help="Add takes to a recording that is there.")] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Begin the trajectory again at its end.")] = False,
    silent: Annotated[bool, typer.Option("--silent", help="Play nothing; play.wav is written all the same.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the walk.")] = 0,
    hand_model: Annotated[Optional[Path], typer.Option(help="hand_landmarker.task for the hands tracker.")] = None,  # noqa: UP045
    mirror: Annotated[bool, typer.Option("--mirror", help="The picture is mirrored: swap the hands.")] = False,
    as_json: Json = False,
) -> None:
    """Record gestures, and with --model the latents they go with. Ctrl-C ends the take; nothing flushed is lost."""
    from gesturemap.clock import MonotonicClock
    from gesturemap.recording.session import record as record_session
    from gesturemap.trackers import open_tracker

    clock = MonotonicClock()
    options = {"hand_model": hand_model} if hand_model else {}
    source = open_tracker(tracker, clock, **options | ({"mirror": True} if mirror else {}))
    with _recording_progress() as on_progress:
        recording = record_session(
            source,
            out,
            seconds=seconds,
            model_dir=model,
            play=play,
            seed=seed,
            silent=silent,
            loop=loop,
            takes=takes,
            append=append,
            clock=clock,
            on_progress=on_progress,
        )
    _print_recording(recording, as_json)


@app.command("import")
def import_(
    table: Annotated[Path, typer.Argument(help="CSV, Parquet or JSONL.")],
    out: Annotated[Path, typer.Option(help="Recording to make, by custom NAME.rec.")],
    rate_hz: Annotated[Optional[float], typer.Option("--rate", help="Rows a second, where no column is time.")] = None,  # noqa: UP045
    time_column: Annotated[Optional[str], typer.Option(help="Column that is time.")] = None,  # noqa: UP045
    time_unit: Annotated[str, typer.Option(help="Unit of the time column: s, ms, us, ns, MMSSmmm.")] = "s",
    take_column: Annotated[Optional[str], typer.Option(help="Column that tells takes apart.")] = None,  # noqa: UP045
    unit: Annotated[Optional[list[str]], typer.Option(help="COLUMN=UNIT, repeatable.")] = None,  # noqa: UP045
    header: Annotated[Optional[bool], typer.Option(help="Whether a text table has one.")] = None,  # noqa: UP045
    leave_out: Annotated[Optional[list[str]], typer.Option(help="Column to leave out, repeatable.")] = None,  # noqa: UP045
    tracker: Annotated[str, typer.Option(help="Tracker name for the label.")] = "table",
    as_json: Json = False,
) -> None:
    """A recording from any table of motion: any columns, any rate, gaps, several takes."""
    from gesturemap.recording.tables import import_table

    recording = import_table(
        table,
        out,
        rate_hz=rate_hz,
        time_column=time_column,
        time_unit=time_unit,
        take_column=take_column,
        units=dict(item.partition("=")[::2] for item in unit or ()),
        header=header,
        leave_out=leave_out or (),
        tracker=tracker,
    )
    _print_recording(recording, as_json)


@app.command("export")
def export_(recording: Path, out: Annotated[Path, typer.Option(help="Table to write: .parquet or .csv.")]) -> None:
    """A recording as one table."""
    from gesturemap.recording import Recording
    from gesturemap.recording.tables import export_table

    export_table(Recording.load(recording), out)
    typer.echo(out)


@app.command()
def fit(
    recordings: Recordings,
    model: Model,
    name: Annotated[str, typer.Option(help="Name of the mapping.")],
    features: Annotated[Optional[str], typer.Option(help="Feature preset or .toml; chosen by the tracker.")] = None,  # noqa: UP045
    regressor: Annotated[Optional[str], typer.Option(help="ridge, knn, kernel_ridge, mlp, ...")] = None,  # noqa: UP045
    settings: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--set", help="features.KEY=V, regressor.KEY=V or output.KEY=V, repeatable."),
    ] = None,
    library: Annotated[Optional[Path], typer.Option(help="Library it goes into; your own if not given.")] = None,  # noqa: UP045
    intent: Annotated[str, typer.Option(help="What the gesture means, for the card.")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a mapping of that name.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    as_json: Json = False,
) -> None:
    """Fit a mapping on recorded pairs and measure it on takes left out."""
    from gesturemap.library import fit_into_library

    mapping, folder = fit_into_library(
        recordings,
        model,
        name,
        library=library,
        features=features,
        regressor=regressor,
        overrides=settings or [],
        intent=intent,
        overwrite=overwrite,
        seed=seed,
    )
    if as_json:
        typer.echo(json.dumps({"mapping": str(folder), "label": str(mapping.label), "card": mapping.card}))
        return
    typer.echo(f"{folder}: {mapping.label}")
    typer.echo(mapping.summary)


@app.command()
def render(
    mapping: MappingSpec,
    recording: Path,
    model: Model,
    out: Annotated[Path, typer.Option(help="Sound file to write.")],
    latents: Annotated[Optional[Path], typer.Option(help="Latent table (.parquet) to write too.")] = None,  # noqa: UP045
    take: Annotated[Optional[int], typer.Option(help="One take; all of them if not given.")] = None,  # noqa: UP045
    library: Library = None,
    force: Force = False,
) -> None:
    """What a recording sounds like through a mapping."""
    from gesturemap.library import load_for_model
    from gesturemap.recording import Recording
    from gesturemap.render import render as render_recording

    loaded, _ = load_for_model(mapping, model, library, force)
    done = render_recording(loaded, Recording.load(recording), model, out, latents, take, force=force)
    typer.echo(f"{out}: {done.duration_s:.1f} s of sound, {done.faster:.0f} times faster than real time")


@app.command()
def report(
    mapping: MappingSpec,
    recordings: Recordings,
    model: Model,
    out: Annotated[Path, typer.Option(help="Folder for report.html and report.json.")],
    library: Library = None,
    force: Force = False,
    audio: Annotated[Optional[Path], typer.Option(help="Sound of the rendered gesture, to put into the page.")] = None,  # noqa: UP045
    seed: Annotated[int, typer.Option(help="Seed of nulls and bootstrap.")] = 0,
    as_json: Json = False,
) -> None:
    """How much of the model the gesture reaches, and how well: one HTML page and JSON."""
    from gesturemap.report.report import report_on

    result = report_on(mapping, recordings, model, out, library=library, force=force, audio=audio, seed=seed)
    typer.echo(json.dumps(result) if as_json else f"{result['answer']}\n{out / 'report.html'}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything it makes.")],
    seed: Annotated[int, typer.Option(help="The same seed makes the same demo.")] = 0,
) -> None:
    """The whole way once: loops, training, export, recording, fit, sound, report."""
    from gesturemap.demo import run_demo

    run_demo(out, seed)


@contextmanager
def _recording_progress() -> Iterator[Callable[[Progress], None]]:
    """A line on stderr that says take, seconds and rows, renewed a few times a second."""
    with Console(stderr=True).status("waiting for the first frame") as status:

        def show(progress: Progress) -> None:
            status.update(f"take {progress.take}  {progress.time_s:6.1f} s  {progress.n_rows} rows  (Ctrl-C ends it)")

        yield show


def _print_recording(recording: Any, as_json: bool) -> None:
    takes = [
        {"take": t.index, "rows": len(t.time_s), "seconds": round(t.duration_s, 3), "lag_s": t.lag_s}
        for t in recording.takes
    ]
    if as_json:
        typer.echo(json.dumps({"recording": str(recording.path), "takes": takes, "latents": recording.latent_size}))
        return
    typer.echo(f"{recording.path}: {len(recording.layout)} channels of {recording.tracker}, {len(takes)} take(s)")
    for take in takes:
        lag = "" if take["lag_s"] is None else f", the hand {1000 * take['lag_s']:.0f} ms behind the sound"
        if take["lag_s"] == 0:
            lag = ", no lag found between sound and hand"
        typer.echo(f"  take {take['take']}: {take['rows']} rows, {take['seconds']:.1f} s{lag}")


def _print_table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    table = Table(*header)
    for row in rows:
        table.add_row(*row)
    Console().print(table)

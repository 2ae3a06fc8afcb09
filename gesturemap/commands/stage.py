"""A mapping on stage, and a Wekinator without its window."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Annotated

import typer

from gesturemap.commands.options import Force, Json, Library
from gesturemap.console import print_performance
from gesturemap.errors import GestureMapError

app = typer.Typer()


@app.command()
def perform(
    tracker: Annotated[str, typer.Option(help="NAME[:SOURCE]; see `gesturemap trackers`.")],
    mapping: Annotated[
        str | None,
        typer.Argument(help="Mapping folder, or tracker/model/name in a library."),
    ] = None,
    osc: Annotated[list[str] | None, typer.Option(help="HOST:PORT that gets /latent, repeatable.")] = None,
    audio: Annotated[str | None, typer.Option(help="Sound output, by name or number, or `default`.")] = None,
    audio_file: Annotated[
        Path | None,
        typer.Option(help="Sound file to write at the end; from a file as tracker faster than real time."),
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Model folder that sounds.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Length; until the tracker ends, or Ctrl-C.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="live.slew_per_s=V, live.osc_rate_hz=V, output.hold_s=V, ..., repeatable."),
    ] = None,
    control: Annotated[str, typer.Option(help="[HOST:]PORT for /gesturemap/panic, resume, query, actions.")] = "7401",
    wekinator: Annotated[
        str | None,
        typer.Option(help="HOST:PORT of a running Wekinator that answers in place of a mapping."),
    ] = None,
    wekinator_out_port: Annotated[int, typer.Option(help="Port that Wekinator sends its outputs to.")] = 12000,
    features: Annotated[str | None, typer.Option(help="Features that --wekinator gets.")] = None,
    triggers: Annotated[
        Path | None,
        typer.Option(help="Trigger file: panic, run, toggle, stop and teaching by pedal, OSC, MIDI or pose."),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(help="Sound that a mapping of --mode add or multiply moves here; over OSC the receiver has it."),
    ] = None,
    teach: Annotated[
        Path | None,
        typer.Option(metavar="REC", help="Teach while playing; every take goes into this recording."),
    ] = None,
    sounds: Annotated[int, typer.Option(min=0, help="Sounds of the model to step through with --teach.")] = 8,
    save_as: Annotated[str | None, typer.Option(help="Name to keep the taught mapping under.")] = None,
    library: Library = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Play live: tracker, mapping, guard, then OSC and sound. p is panic, r takes it back, Ctrl-C fades and ends."""
    from gesturemap.clock import MonotonicClock
    from gesturemap.live.start import start_performance
    from gesturemap.trackers import open_tracker

    clock = MonotonicClock()
    counted = start_performance(
        mapping,
        open_tracker(tracker, clock),
        clock,
        osc=osc or (),
        audio="" if audio == "default" else audio,
        audio_file=audio_file,
        model_dir=model,
        library=library,
        force=force,
        seconds=seconds,
        overrides=settings or (),
        control=control,
        wekinator=wekinator,
        wekinator_out_port=wekinator_out_port,
        features=features,
        triggers=triggers,
        base=base,
        teach=teach,
        sounds=sounds,
        save_as=save_as,
    )
    print_performance(counted, as_json)
    for output in counted["outputs"]:
        if output.get("problem"):
            raise GestureMapError(output["problem"])


@app.command()
def bridge(
    in_port: Annotated[int, typer.Option(min=0, max=65535, help="UDP port of inputs and control messages.")] = 6448,
    out_port: Annotated[int, typer.Option(min=1, max=65535, help="UDP port that outputs go to.")] = 12000,
    in_host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 hears every network.")] = "127.0.0.1",
    out_host: Annotated[str, typer.Option(help="Machine that outputs go to.")] = "127.0.0.1",
    inputs: Annotated[int | None, typer.Option(min=1, help="Numbers of an input; else the first one's.")] = None,
    outputs: Annotated[int | None, typer.Option(min=1, help="Outputs; else as many as labels come.")] = None,
    output: Annotated[
        list[str] | None,
        typer.Option(help="number:LOW:HIGH[:integer][:soft|clip|hard], class:COUNT[:distribution], dtw:COUNT."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="Model folder: an output for each latent, kept in its range."),
    ] = None,
    regressor: Annotated[str, typer.Option(help="As of `fit`; wekinator is the original's.")] = "gaussian_process",
    settings: Annotated[list[str] | None, typer.Option("--set", help="KEY=V of the regressor, repeatable.")] = None,
    session: Annotated[
        Path | None,
        typer.Option(help="Folder of the session, gone on with if it is there; else bridge-DATE-TIME.session."),
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option(help="Wekinator project (.wekproj), or session, to open, train and run at once."),
    ] = None,
    triggers: Annotated[
        Path | None, typer.Option(help="Trigger file: record, train, run, undo, panic, ... by key, pedal, MIDI or OSC.")
    ] = None,
    priority: Annotated[
        int, typer.Option(min=0, max=99, help="Real-time priority, for a busy Linux machine (needs rtprio).")
    ] = 0,
    strict: Annotated[bool, typer.Option("--strict", help="Read arguments as the original does: ints are 0.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    table: Annotated[bool, typer.Option("--protocol", help="Print all messages it understands, and end.")] = False,
    as_json: Json = False,
) -> None:
    """A headless Wekinator: learns by example over OSC and answers inputs with outputs. Ctrl-C ends it."""
    from gesturemap.bridge.protocol import protocol_table
    from gesturemap.bridge.server import make_settings, run_bridge

    if table:
        typer.echo(protocol_table())
        return
    for stop in (signal.SIGINT, signal.SIGTERM):  # both end it whole, also where a shell starts it in the background
        signal.signal(stop, signal.default_int_handler)
    made = make_settings(
        inputs, outputs, output or [], regressor, settings or [], model, strict=strict, folder=session, seed=seed
    )
    counts = run_bridge(
        made,
        in_port,
        out_port,
        in_host,
        out_host,
        project,
        triggers,
        priority,
        on_ready=lambda port: typer.echo(
            f"listening on {in_host}:{port}, answering to {out_host}:{out_port}", err=True
        ),
    )
    typer.echo(json.dumps(vars(counts)) if as_json else ", ".join(f"{n} {name}" for name, n in vars(counts).items()))


@app.command()
def patch(
    source: Annotated[str, typer.Argument(metavar="MAPPING|MODEL", help="A mapping, or a model folder.")],
    out: Annotated[Path, typer.Option(help="Folder for the patches.")],
    model: Annotated[Path | None, typer.Option(help="Model folder of the mapping, for rate and model.ts.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="UDP port that the patches listen at.")] = 7400,
    library: Library = None,
    as_json: Json = False,
) -> None:
    """Patches for Max and Pure Data that take /latent from `gesturemap perform` and play the model with nn~."""
    from gesturemap.live.patches import write_patches

    made = write_patches(source, out, model_dir=model, library=library, port=port)
    if as_json:
        typer.echo(json.dumps({"files": [str(path) for path in made.files], "note": made.note}))
        return
    for path in made.files:
        typer.echo(path)
    if made.note:
        typer.echo(made.note)

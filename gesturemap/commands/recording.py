"""From a tracker, a table or an older recording to recordings."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer

from gesturemap.commands.options import Json, Library, Model, NewRecording, OneRecording
from gesturemap.console import (
    ask_pose,
    print_recording,
    print_table,
    recording_progress,
    working,
)

app = typer.Typer()


@app.command()
def record(
    tracker: Annotated[str, typer.Option(help="NAME[:SOURCE][?key=value&...]; see `gesturemap trackers`.")],
    out: NewRecording,
    seconds: Annotated[float | None, typer.Option(help="Length of a take; until its end if not given.")] = None,
    model: Annotated[Path | None, typer.Option(help="Model folder whose latents go beside the gesture.")] = None,
    play: Annotated[
        str | None,
        typer.Option(
            help="A sound, a latent table, walk[:SECONDS], prior[:SECONDS], or suggestions[:REC]: what REC has not met."
        ),
    ] = None,
    takes: Annotated[
        int | None,
        typer.Option(min=1, help="Takes to record; one, or with --triggers as many as are asked for, if not given."),
    ] = None,
    count_in: Annotated[float, typer.Option(min=0, help="Seconds counted before each take.")] = 0.0,
    pause: Annotated[float, typer.Option(min=0, help="Seconds between takes.")] = 0.0,
    click: Annotated[bool, typer.Option("--click", help="Click the count-in although nothing plays.")] = False,
    triggers: Annotated[
        Path | None,
        typer.Option(help="Trigger file: takes begin, end and are undone by pedal, key, OSC, MIDI or pose."),
    ] = None,
    wekinator: Annotated[
        str | None,
        typer.Option(help="HOST:PORT of a running Wekinator, whose outputs are recorded as latents."),
    ] = None,
    wekinator_out_port: Annotated[int, typer.Option(help="Port that Wekinator sends its outputs to.")] = 12000,
    outputs: Annotated[int | None, typer.Option(min=1, help="Outputs of that Wekinator, without --model.")] = None,
    features: Annotated[str | None, typer.Option(help="Features that Wekinator is sent.")] = None,
    append: Annotated[bool, typer.Option("--append", help="Add takes to a recording that is there.")] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Begin the trajectory again at its end.")] = False,
    silent: Annotated[bool, typer.Option("--silent", help="Play nothing; play.wav is written all the same.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first take's walk; each walks another way.")] = 0,
    hand_model: Annotated[Path | None, typer.Option(help="hands: hand_landmarker.task to use.")] = None,
    mirror: Annotated[bool, typer.Option("--mirror", help="hands: the picture is mirrored, turn it round.")] = False,
    calibration: Annotated[
        str | None,
        typer.Option(help="gametrak: TOML file of its ranges, or `capture` for the ranges of the capture itself."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Record gestures, and with --model the latents they go with. Ctrl-C ends it early and whole."""
    from gesturemap.clock import MonotonicClock
    from gesturemap.features import load_features
    from gesturemap.mapping.fitting import choose_features
    from gesturemap.recording.companion import open_companion
    from gesturemap.recording.hands_free import open_triggers
    from gesturemap.recording.session import record as record_session
    from gesturemap.trackers import open_tracker

    clock = MonotonicClock()
    options = {"hand_model": hand_model, "mirror": mirror or None, "calibration": calibration}
    source = open_tracker(tracker, clock, **{key: given for key, given in options.items() if given is not None})
    with ExitStack() as stack:
        companion = None
        if wekinator:
            sent = load_features(features or choose_features(source.layout))
            companion = open_companion(wekinator, sent, source.layout, clock, outputs, model, wekinator_out_port)
            stack.enter_context(closing(companion))
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
            count_in_s=count_in,
            pause_s=pause,
            click=click,
            triggers=stack.enter_context(open_triggers(triggers, source.layout, clock)) if triggers else None,
            companion=companion,
            clock=clock,
            on_progress=stack.enter_context(recording_progress()),
        )
    print_recording(recording, as_json)


@app.command()
def calibrate(
    tracker: Annotated[str, typer.Argument(help="gametrak, or gametrak:CAPTURE.jsonl in which every axis moves.")],
    out: Annotated[Path, typer.Option(help="TOML file to write, for --calibration or ?calibration=FILE.")],
    reach_mm: Annotated[
        float | None,
        typer.Option(min=100, help="Height of a last pose, measured with a tape: settles the millimetres."),
    ] = None,
    as_json: Json = False,
) -> None:
    """What the counts of your Gametrak mean: a few poses to hold, or the ranges of a capture."""
    from gesturemap.clock import MonotonicClock
    from gesturemap.trackers.gametrak_calibration import AXES
    from gesturemap.trackers.gametrak_wizard import calibrate as calibrate_gametrak

    calibration = calibrate_gametrak(tracker, MonotonicClock(), ask_pose, reach_mm)
    calibration.save(out)
    if as_json:
        typer.echo(json.dumps(vars(calibration)))
        return
    rows = zip(AXES, calibration.low, calibration.high, strict=True)
    print_table(("axis", "low", "high"), [(axis, f"{low:.0f}", f"{high:.0f}") for axis, low, high in rows])
    typer.echo(f"{calibration.tether_mm_per_count:.3f} mm a count")
    typer.echo(out)


@app.command()
def learn(
    action: Annotated[str, typer.Argument(help="record, stop, toggle, train, run, undo, redo, next_snapshot, panic.")],
    triggers: Annotated[Path, typer.Option(help="Trigger file (TOML) it is written into.")] = Path("triggers.toml"),
    tracker: Annotated[str | None, typer.Option(help="Tracker whose foot switch or pose it is.")] = None,
    pose: Annotated[str | None, typer.Option(help="Pose to learn, by a name: hold it for --tracker.")] = None,
    osc_port: Annotated[int | None, typer.Option(min=1, max=65535, help="Listen there for OSC, from now on.")] = None,
    midi: Annotated[str | None, typer.Option(help="MIDI input, or a part of its name, from now on.")] = None,
    timeout_s: Annotated[float, typer.Option("--timeout", min=1, help="Seconds to wait for it.")] = 30.0,
    as_json: Json = False,
) -> None:
    """Press the thing you want to use: it does ACTION from now on."""
    from gesturemap.clock import MonotonicClock
    from gesturemap.recording.hands_free import learn as learn_trigger
    from gesturemap.recording.triggers import find_action
    from gesturemap.trackers import open_tracker

    clock = MonotonicClock()
    source = open_tracker(tracker, clock) if tracker else None
    options = {"pose": pose, "osc_port": osc_port, "midi_port": midi}
    with working(f"hold the pose {pose!r}" if pose else "press what you want to use"):
        control = learn_trigger(find_action(action), triggers, source, clock, timeout_s=timeout_s, **options)  # type: ignore[arg-type]
    typer.echo(json.dumps({"action": action, "control": control}) if as_json else f"{triggers}: {control} is {action}")


@app.command()
def suggest(
    model: Model,
    recordings: Annotated[list[Path] | None, typer.Argument(help="Recordings so far.")] = None,
    mapping: Annotated[
        str | None,
        typer.Option(help="Counts as met only what this mapping answers with confidence."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many sounds.")] = 8,
    out: Annotated[Path | None, typer.Option(help="Latent table (.parquet) to write, for record --play.")] = None,
    sound: Annotated[Path | None, typer.Option(help="Sound file of it to write.")] = None,
    library: Library = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw from a large model.")] = 0,
    as_json: Json = False,
) -> None:
    """Sounds of a model that your gestures have not met: what to record next."""
    from gesturemap.library import load_for_model
    from gesturemap.mapping.suggest import suggest as suggest_next
    from gesturemap.recording import Recording

    loaded = [Recording.load(path) for path in recordings or ()]
    fitted = load_for_model(mapping, model, library)[0] if mapping else None
    found = suggest_next(loaded, model, fitted, count=count, out=out, sound=sound, seed=seed)
    if as_json:
        latents = found.latents.round(6).tolist()
        typer.echo(json.dumps({"latents": latents, "covered": found.covered, "covered_after": found.covered_after}))
        return
    rows = [(str(i + 1), f"{far:.1f}", ", ".join(f"{v:.2f}" for v in z)) for i, (far, z) in enumerate(found.rows)]
    print_table(("", "radii away", "latents"), rows)
    typer.echo(f"met so far: {100 * found.covered:.0f} % of the model; with these {100 * found.covered_after:.0f} %")


@app.command("import")
def import_(
    table: Annotated[Path, typer.Argument(help="CSV, Parquet, JSON, JSONL or XDF.")],
    out: NewRecording,
    rate_hz: Annotated[float | None, typer.Option("--rate", help="Rows a second, where no column is time.")] = None,
    time_column: Annotated[str | None, typer.Option(help="Column that is time, by name or number.")] = None,
    time_unit: Annotated[str, typer.Option(help="Unit of the time column: s, ms, us, ns, MMSSmmm.")] = "s",
    take_column: Annotated[str | None, typer.Option(help="Column that tells takes apart.")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="COLUMN=UNIT, repeatable.")] = None,
    header: Annotated[bool | None, typer.Option(help="Whether a text table has one.")] = None,
    leave_out: Annotated[list[str] | None, typer.Option(help="Column to leave out, repeatable.")] = None,
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
        units=_read_units(unit or ()),
        header=header,
        leave_out=leave_out or (),
        tracker=tracker,
    )
    print_recording(recording, as_json)


@app.command("export")
def export_(
    recording: OneRecording, out: Annotated[Path, typer.Option(help="Table to write: .parquet or .csv.")]
) -> None:
    """A recording as one table."""
    from gesturemap.recording import Recording
    from gesturemap.recording.tables import export_table

    export_table(Recording.load(recording), out)
    typer.echo(out)


def _read_units(items: Iterable[str]) -> dict[str, str]:
    units = dict(item.partition("=")[::2] for item in items)
    for column, unit in units.items():
        if not (column and unit):
            raise typer.BadParameter(f"{column or unit!r}: expected COLUMN=UNIT, as left_x=mm", param_hint="--unit")
    return units

"""The command line `gesturemap`. Each command calls one function; progress goes to stderr, results to stdout."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Optional

import typer

from audiovae.errors import AudioVAEError
from gesturemap.console import (
    ask_pose,
    measured,
    print_error,
    print_performance,
    print_problems,
    print_recording,
    print_table,
    recording_progress,
    working,
)
from gesturemap.errors import GestureMapError, MissingExtraError

# Annotations are read at run time by Typer, which is why Optional is spelled out.
app = typer.Typer(no_args_is_help=True, add_completion=False, help="Hand motion to latent space.")

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Model = Annotated[Path, typer.Option("--model", help="A model folder, as `audiovae export` writes it.")]
MappingSpec = Annotated[str, typer.Argument(help="A mapping folder, or tracker/model/name in a library.")]
Library = Annotated[Optional[Path], typer.Option(help="Where mappings lie; looked in before the others.")]  # noqa: UP045
Force = Annotated[bool, typer.Option("--force", help="Take a mapping fitted on another model; its sounds will differ.")]
Recordings = Annotated[list[Path], typer.Argument(help="Recordings (.rec folders).")]
OneRecording = Annotated[Path, typer.Argument(metavar="RECORDING", help="A recording (.rec folder).")]
NewRecording = Annotated[Path, typer.Option(help="Recording to make, usually called NAME.rec.")]


def main() -> None:
    """Run the command line; an error a user can meet is one line on stderr and exit status 1."""
    # Read when torch or numpy's BLAS is loaded (the demo trains, fit solves): threads that wait shall sleep.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app()
    except (GestureMapError, AudioVAEError, OSError) as error:
        print_error(error)
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
    print_table(("tracker", "what it is", "NAME:SOURCE", "installed"), rows)


@app.command()
def doctor(
    hand_model: Annotated[Optional[Path], typer.Option(help="hand_landmarker.task to check.")] = None,  # noqa: UP045
    as_json: Json = False,
) -> None:
    """What is missing for trackers, sound and training on this machine, and what to do about it."""
    from gesturemap.doctor import examine

    checks = examine(hand_model)
    if as_json:
        typer.echo(json.dumps([vars(check) for check in checks]))
        return
    print_table(("what", "", "found"), [(c.name, "ok" if c.ok else "missing", c.found) for c in checks])
    # Below the table and in one piece each: these are commands to copy.
    for check in checks:
        if check.fix:
            typer.echo(f"{check.name}: {check.fix}")


mappings_app = typer.Typer(add_completion=False)
app.add_typer(mappings_app, name="mappings")


@mappings_app.callback(invoke_without_command=True)
def mappings(context: typer.Context, library: Library = None, as_json: Json = False) -> None:
    """The mappings there are: tracker/model/name, features, regressor, held-out fit and error, coverage."""
    from gesturemap.library import library_path, list_mappings

    if context.invoked_subcommand is not None:
        return
    found = list_mappings(library)
    if as_json:
        typer.echo(json.dumps([vars(mapping) for mapping in found], default=str))  # folders are no JSON
        return
    if not found:
        places = ", ".join(str(root) for root in library_path(library))
        typer.echo(f"no mappings in {places}: `gesturemap fit` makes one")
        return
    header = ("mapping", "features", "regressor", "held-out R²", "error", "coverage")
    print_table(header, [(m.path, m.features, m.regressor, *measured(m)) for m in found])
    print_problems(found)


@mappings_app.command()
def compare(
    first: MappingSpec,
    second: MappingSpec,
    recording: Annotated[Optional[Path], typer.Argument(help="A recording, to hear how far apart they are.")] = None,  # noqa: UP045
    library: Library = None,
    as_json: Json = False,
) -> None:
    """Two mappings side by side: error, coverage, and on a recording the distance of what they play."""
    from gesturemap.library import find_mapping
    from gesturemap.mapping.compare import compare_mappings

    result = compare_mappings(find_mapping(first, library), find_mapping(second, library), recording)
    if as_json:
        typer.echo(json.dumps(asdict(result)))
        return
    facts = (result.first, result.second)
    header = ("mapping", "label", "examples", "held-out R²", "error", "coverage")
    print_table(header, [(f.mapping, f.label, str(f.examples), *measured(f)) for f in facts])
    if result.distance is not None:
        each = ", ".join(f"{value:.2f}" for value in result.distance)
        typer.echo(f"{result.distance_all:.3f} of a half range apart in {result.n_frames} frames (per latent: {each})")
    elif not result.same_model:
        typer.echo("they play different models: their latents mean different sounds")


@app.command()
def datasets(as_json: Json = False) -> None:
    """The cards of audio and hand-motion data sets."""
    from gesturemap.library import list_datasets

    found = list_datasets()
    if as_json:
        cards = [d.card and d.card.model_dump(mode="json") for d in found]
        rows = zip(found, cards, strict=True)
        typer.echo(json.dumps([{"path": d.path, "card": card, "problem": d.problem} for d, card in rows]))
        return
    if not found:
        typer.echo("no dataset cards here: they lie in the folder datasets/ of a source checkout")
        return
    print_table(
        ("dataset", "licence", "what it is"),
        [(d.path, d.card.licence, d.card.summary) if d.card else (d.path, "", "") for d in found],
    )
    print_problems(found)


@app.command()
def record(
    tracker: Annotated[str, typer.Option(help="NAME[:SOURCE][?key=value&...]; see `gesturemap trackers`.")],
    out: NewRecording,
    seconds: Annotated[Optional[float], typer.Option(help="Length of a take; until its end if not given.")] = None,  # noqa: UP045
    model: Annotated[Optional[Path], typer.Option(help="Model folder whose latents go beside the gesture.")] = None,  # noqa: UP045
    play: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="A sound, a latent table, walk[:SECONDS], prior[:SECONDS], or suggestions[:REC]: what REC has not met."
        ),
    ] = None,
    takes: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="Takes to record; one, or with --triggers as many as are asked for, if not given."),
    ] = None,
    count_in: Annotated[float, typer.Option(min=0, help="Seconds counted before each take.")] = 0.0,
    pause: Annotated[float, typer.Option(min=0, help="Seconds between takes.")] = 0.0,
    click: Annotated[bool, typer.Option("--click", help="Click the count-in although nothing plays.")] = False,
    triggers: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Trigger file: takes begin, end and are undone by pedal, key, OSC, MIDI or pose."),
    ] = None,
    wekinator: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="HOST:PORT of a running Wekinator, whose outputs are recorded as latents."),
    ] = None,
    outputs: Annotated[Optional[int], typer.Option(min=1, help="Outputs of that Wekinator, without --model.")] = None,  # noqa: UP045
    features: Annotated[Optional[str], typer.Option(help="Features that Wekinator is sent.")] = None,  # noqa: UP045
    append: Annotated[bool, typer.Option("--append", help="Add takes to a recording that is there.")] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Begin the trajectory again at its end.")] = False,
    silent: Annotated[bool, typer.Option("--silent", help="Play nothing; play.wav is written all the same.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first take's walk; each walks another way.")] = 0,
    hand_model: Annotated[Optional[Path], typer.Option(help="hands: hand_landmarker.task to use.")] = None,  # noqa: UP045
    mirror: Annotated[bool, typer.Option("--mirror", help="hands: the picture is mirrored, turn it round.")] = False,
    calibration: Annotated[
        Optional[str],  # noqa: UP045
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
            companion = open_companion(wekinator, sent, source.layout, clock, outputs, model)
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
        Optional[float],  # noqa: UP045
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
    action: Annotated[str, typer.Argument(help="record, stop, toggle, train, run, undo, next_snapshot or panic.")],
    triggers: Annotated[Path, typer.Option(help="Trigger file (TOML) it is written into.")] = Path("triggers.toml"),
    tracker: Annotated[Optional[str], typer.Option(help="Tracker whose foot switch or pose it is.")] = None,  # noqa: UP045
    pose: Annotated[Optional[str], typer.Option(help="Pose to learn, by a name: hold it for --tracker.")] = None,  # noqa: UP045
    osc_port: Annotated[Optional[int], typer.Option(help="Listen there for OSC, from now on.")] = None,  # noqa: UP045
    midi: Annotated[Optional[str], typer.Option(help="MIDI input, or a part of its name, from now on.")] = None,  # noqa: UP045
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
    recordings: Annotated[Optional[list[Path]], typer.Argument(help="Recordings so far.")] = None,  # noqa: UP045
    mapping: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Counts as met only what this mapping answers with confidence."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many sounds.")] = 8,
    out: Annotated[Optional[Path], typer.Option(help="Latent table (.parquet) to write, for record --play.")] = None,  # noqa: UP045
    sound: Annotated[Optional[Path], typer.Option(help="Sound file of it to write.")] = None,  # noqa: UP045
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
    table: Annotated[Path, typer.Argument(help="CSV, Parquet, JSONL or XDF.")],
    out: NewRecording,
    rate_hz: Annotated[Optional[float], typer.Option("--rate", help="Rows a second, where no column is time.")] = None,  # noqa: UP045
    time_column: Annotated[Optional[str], typer.Option(help="Column that is time, by name or number.")] = None,  # noqa: UP045
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


@app.command("import-wekinator")
def import_wekinator(
    project: Annotated[Path, typer.Argument(help="Project folder, or its .wekproj.")],
    out: NewRecording,
    model: Annotated[Optional[Path], typer.Option(help="Model folder whose latents the outputs are.")] = None,  # noqa: UP045
    mapping: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Mapping folder to make of the project's trained networks; needs --model."),
    ] = None,
    tracker: Annotated[str, typer.Option(help="Tracker that gives these inputs, for the label.")] = "osc",
    as_json: Json = False,
) -> None:
    """A Wekinator project as a recording: a take for each round, the outputs as latents."""
    from audiovae.latent_space import LatentSpace
    from gesturemap.wekinator import import_mapping, import_project

    if mapping and not model:
        raise typer.BadParameter("a mapping plays a model: give --model MODEL_DIR", param_hint="--mapping")
    space = LatentSpace.load(model) if model else None
    recording = import_project(project, out, space=space, tracker=tracker)
    if mapping and space:
        import_mapping(project, space, mapping.name, tracker=tracker).save(mapping)
    print_recording(recording, as_json)


@app.command("export-wekinator")
def export_wekinator(
    source: Annotated[Path, typer.Argument(help="A recording (.rec folder) with latents, or a mapping folder.")],
    out: Annotated[Path, typer.Option(help="Project folder to make.")],
) -> None:
    """A Wekinator project of the examples of a recording or a mapping, ready to train there."""
    from gesturemap.mapping import Mapping
    from gesturemap.recording import Recording
    from gesturemap.wekinator import export_project, write_project

    is_mapping = (source / "mapping.toml").is_file()
    loaded = Mapping.load(source) if is_mapping else Recording.load(source)
    typer.echo(write_project(export_project(loaded, out.name), out))


@app.command("import-flucoma")
def import_flucoma(
    dataset: Annotated[Path, typer.Argument(help="JSON of fluid.dataset~.")],
    out: NewRecording,
    targets: Annotated[Optional[Path], typer.Option(help="Data set of the same points: the latents.")] = None,  # noqa: UP045
    labels: Annotated[Optional[Path], typer.Option(help="Label set of the same points: classes.")] = None,  # noqa: UP045
    model: Annotated[Optional[Path], typer.Option(help="Model folder whose latents the targets are.")] = None,  # noqa: UP045
    rate_hz: Annotated[float, typer.Option("--rate", help="Points a second; a data set has no times.")] = 60.0,
    as_json: Json = False,
) -> None:
    """A FluCoMa data set as a recording of one take."""
    from audiovae.latent_space import LatentSpace
    from gesturemap.wekinator import import_flucoma as read_flucoma

    space = LatentSpace.load(model) if model else None
    recording = read_flucoma(dataset, out, targets=targets, labels=labels, space=space, rate_hz=rate_hz)
    print_recording(recording, as_json)


@app.command("export-flucoma")
def export_flucoma(
    recording: OneRecording,
    out: Annotated[Path, typer.Option(help="JSON for fluid.dataset~ to write: the channels.")],
    targets: Annotated[Optional[Path], typer.Option(help="JSON for a second one: the latents.")] = None,  # noqa: UP045
) -> None:
    """A recording as FluCoMa data sets."""
    from gesturemap.recording import Recording
    from gesturemap.wekinator import export_flucoma as write_flucoma

    write_flucoma(Recording.load(recording), out, targets)
    typer.echo(out)


@app.command()
def fit(
    recordings: Recordings,
    model: Model,
    name: Annotated[str, typer.Option(help="Name of the mapping.")],
    features: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="position, motion, gametrak_motion, gametrak_together, hand_motion, hand_shape, series, statistics, or"
            " a .toml; fits the tracker."
        ),
    ] = None,
    regressor: Annotated[
        str,
        typer.Option(
            help="linear_map, ridge, polynomial, knn, kernel_ridge, gaussian_process, gaussian_mixture, mlp, wekinator."
        ),
    ] = "kernel_ridge",
    mode: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="replace; add or multiply: linear_map moves the latents of a base sound (render --base)."),
    ] = None,
    settings: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--set", help="features.KEY=V, regressor.KEY=V or output.KEY=V, repeatable."),
    ] = None,
    library: Annotated[Optional[Path], typer.Option(help="Library it goes into; your own if not given.")] = None,  # noqa: UP045
    intent: Annotated[str, typer.Option(help="What the gesture means, for the card.")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a mapping of that name.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    as_json: Json = False,
) -> None:
    """Fit a mapping on recorded pairs and measure it on takes left out."""
    from gesturemap.library import fit_into_library

    with working("fitting, then measuring on takes left out"):
        mapping, folder = fit_into_library(
            recordings,
            model,
            name,
            library=library,
            features=features,
            regressor=regressor,
            overrides=[*(settings or ()), *([f"output.mode={mode}"] if mode else ())],
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
    recording: OneRecording,
    model: Model,
    out: Annotated[Path, typer.Option(help="Sound file to write: .wav, .flac, .mp3, ...")],
    latents: Annotated[Optional[Path], typer.Option(help="Latent table (.parquet) to write too.")] = None,  # noqa: UP045
    base: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Sound (or latent table, or walk) that a mapping of mode add or multiply moves."),
    ] = None,
    take: Annotated[Optional[int], typer.Option(help="One take; all of them if not given.")] = None,  # noqa: UP045
    library: Library = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """What a recording sounds like through a mapping."""
    from gesturemap.library import load_for_model
    from gesturemap.recording import Recording
    from gesturemap.render import render as render_recording

    with working("rendering"):
        loaded, _ = load_for_model(mapping, model, library, force)
        done = render_recording(loaded, Recording.load(recording), model, out, latents, take, base=base, force=force)
    if as_json:
        made = {"sound": str(out), "latents": latents and str(latents)}
        typer.echo(json.dumps(made | {"seconds": round(done.duration_s, 3), "takes": done.takes}))
        return
    typer.echo(f"{out}: {done.duration_s:.1f} s of sound, {done.faster:.0f} times faster than real time")


@app.command()
def perform(
    tracker: Annotated[str, typer.Option(help="NAME[:SOURCE]; see `gesturemap trackers`.")],
    mapping: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(help="Mapping folder, or tracker/model/name in a library."),
    ] = None,
    osc: Annotated[Optional[list[str]], typer.Option(help="HOST:PORT that gets /latent, repeatable.")] = None,  # noqa: UP045
    audio: Annotated[Optional[str], typer.Option(help="Sound output, by name or number, or `default`.")] = None,  # noqa: UP045
    audio_file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Sound file to write at the end; from a file as tracker faster than real time."),
    ] = None,
    model: Annotated[Optional[Path], typer.Option(help="Model folder that sounds.")] = None,  # noqa: UP045
    seconds: Annotated[Optional[float], typer.Option(help="Length; until the tracker ends, or Ctrl-C.")] = None,  # noqa: UP045
    settings: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--set", help="live.slew_per_s=V, live.osc_rate_hz=V, output.hold_s=V, ..., repeatable."),
    ] = None,
    control: Annotated[str, typer.Option(help="[HOST:]PORT for /gesturemap/panic, resume, stop, query.")] = "7401",
    wekinator: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="HOST:PORT of a running Wekinator that answers in place of a mapping."),
    ] = None,
    wekinator_out_port: Annotated[int, typer.Option(help="Port that Wekinator sends its outputs to.")] = 12000,
    features: Annotated[Optional[str], typer.Option(help="Features that --wekinator gets.")] = None,  # noqa: UP045
    triggers: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Trigger file: panic, run, toggle and stop by pedal, OSC, MIDI or pose."),
    ] = None,
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
    )
    print_performance(counted, as_json)


@app.command()
def bridge(
    in_port: Annotated[int, typer.Option(min=0, max=65535, help="UDP port of inputs and control messages.")] = 6448,
    out_port: Annotated[int, typer.Option(min=1, max=65535, help="UDP port that outputs go to.")] = 12000,
    in_host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 hears every network.")] = "127.0.0.1",
    out_host: Annotated[str, typer.Option(help="Machine that outputs go to.")] = "127.0.0.1",
    inputs: Annotated[Optional[int], typer.Option(min=1, help="Numbers of an input; else the first one's.")] = None,  # noqa: UP045
    outputs: Annotated[Optional[int], typer.Option(min=1, help="Outputs; else as many as labels come.")] = None,  # noqa: UP045
    output: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="number:LOW:HIGH[:integer][:soft|clip|hard], class:COUNT[:distribution], dtw:COUNT."),
    ] = None,
    model: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Model folder: an output for each latent, kept in its range."),
    ] = None,
    regressor: Annotated[str, typer.Option(help="As of `fit`; wekinator is the original's.")] = "gaussian_process",
    settings: Annotated[Optional[list[str]], typer.Option("--set", help="KEY=V of the regressor, repeatable.")] = None,  # noqa: UP045
    session: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Folder of the session, gone on with if it is there; else bridge-DATE-TIME.session."),
    ] = None,
    project: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Wekinator project (.wekproj), or session, to open, train and run at once."),
    ] = None,
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
        on_ready=lambda port: typer.echo(
            f"listening on {in_host}:{port}, answering to {out_host}:{out_port}", err=True
        ),
    )
    typer.echo(json.dumps(vars(counts)) if as_json else ", ".join(f"{n} {name}" for name, n in vars(counts).items()))


@app.command()
def patch(
    source: Annotated[str, typer.Argument(metavar="MAPPING|MODEL", help="A mapping, or a model folder.")],
    out: Annotated[Path, typer.Option(help="Folder for the patches.")],
    model: Annotated[Optional[Path], typer.Option(help="Model folder of the mapping, for rate and model.ts.")] = None,  # noqa: UP045
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


@app.command()
def report(
    mapping: MappingSpec,
    recordings: Recordings,
    model: Model,
    out: Annotated[Path, typer.Option(help="Folder for report.html and report.json.")],
    library: Library = None,
    force: Force = False,
    audio: Annotated[Optional[Path], typer.Option(help="Sound of the rendered gesture, to put into the page.")] = None,  # noqa: UP045
    seed: Annotated[int, typer.Option(min=0, help="Seed of nulls and bootstrap.")] = 0,
    as_json: Json = False,
) -> None:
    """How much of the model the gesture reaches, and how well: one HTML page and JSON."""
    from gesturemap.report.report import report_on

    with working("measuring"):
        result = report_on(mapping, recordings, model, out, library=library, force=force, audio=audio, seed=seed)
    typer.echo(json.dumps(result) if as_json else f"{result['answer']}\n{out / 'report.html'}")


@app.command()
def study(
    file: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="Models, recordings and recipes to compare.")],
    out: Annotated[Path, typer.Option(help="Folder for study.html, study.json and a report of each combination.")],
    library: Library = None,
    as_json: Json = False,
) -> None:
    """Every model under every set of recordings through every mapping recipe, on one page.

    The file holds [models] NAME = FOLDER, [recordings] NAME = [RECORDING, ...] and [recipes.NAME] with regressor,
    features and set; paths are relative to it.
    """
    from gesturemap.report.study import run_study

    result = run_study(file, out, library, say=lambda text: typer.echo(text, err=True))
    typer.echo(json.dumps(result) if as_json else f"{result['answer']}\n{out / 'study.html'}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything it makes.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same demo.")] = 0,
) -> None:
    """The whole way once: loops, training, export, recording, fit, sound, report."""
    from gesturemap.demo import run_demo

    try:
        run_demo(out, seed)
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "train") from None


def _read_units(items: Iterable[str]) -> dict[str, str]:
    units = dict(item.partition("=")[::2] for item in items)
    for column, unit in units.items():
        if not (column and unit):
            raise typer.BadParameter(f"{column or unit!r}: expected COLUMN=UNIT, as left_x=mm", param_hint="--unit")
    return units

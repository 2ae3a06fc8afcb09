"""Files of other programs: Wekinator projects, FluCoMa data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gesturemap.commands.options import Json, NewRecording, OneRecording
from gesturemap.console import (
    print_recording,
)

app = typer.Typer()


@app.command("import-wekinator")
def import_wekinator(
    project: Annotated[Path, typer.Argument(help="Project folder, or its .wekproj.")],
    out: NewRecording,
    model: Annotated[Path | None, typer.Option(help="Model folder whose latents the outputs are.")] = None,
    mapping: Annotated[
        Path | None,
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
    targets: Annotated[Path | None, typer.Option(help="Data set of the same points: the latents.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Label set of the same points: classes.")] = None,
    model: Annotated[Path | None, typer.Option(help="Model folder whose latents the targets are.")] = None,
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
    targets: Annotated[Path | None, typer.Option(help="JSON for a second one: the latents.")] = None,
) -> None:
    """A recording as FluCoMa data sets."""
    from gesturemap.recording import Recording
    from gesturemap.wekinator import export_flucoma as write_flucoma

    write_flucoma(Recording.load(recording), out, targets)
    typer.echo(out)

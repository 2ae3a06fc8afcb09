"""From recordings to mappings, their sound, and what they reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gesturemap.commands.options import Force, Json, Library, MappingSpec, Model, OneRecording, Recordings
from gesturemap.console import (
    working,
)
from gesturemap.errors import MissingExtraError

app = typer.Typer()


@app.command()
def fit(
    recordings: Recordings,
    model: Model,
    name: Annotated[str, typer.Option(help="Name of the mapping.")],
    features: Annotated[
        str | None,
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
        str | None,
        typer.Option(help="replace; add or multiply: linear_map moves the latents of a base sound (render --base)."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="features.KEY=V, regressor.KEY=V or output.KEY=V, repeatable."),
    ] = None,
    library: Annotated[Path | None, typer.Option(help="Library it goes into; your own if not given.")] = None,
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
    latents: Annotated[Path | None, typer.Option(help="Latent table (.parquet) to write too.")] = None,
    base: Annotated[
        str | None,
        typer.Option(help="Sound (or latent table, or walk) that a mapping of mode add or multiply moves."),
    ] = None,
    take: Annotated[int | None, typer.Option(help="One take; all of them if not given.")] = None,
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
def report(
    mapping: MappingSpec,
    recordings: Recordings,
    model: Model,
    out: Annotated[Path, typer.Option(help="Folder for report.html and report.json.")],
    library: Library = None,
    force: Force = False,
    audio: Annotated[Path | None, typer.Option(help="Sound of the rendered gesture, to put into the page.")] = None,
    decode: Annotated[bool, typer.Option(help="Measure what is heard too; takes two to three times as long.")] = True,
    seed: Annotated[int, typer.Option(min=0, help="Seed of nulls and subsampling.")] = 0,
    as_json: Json = False,
) -> None:
    """How much of the model the gesture reaches, and how well: one HTML page and JSON."""
    from gesturemap.report.report import report_on

    with working("measuring"):
        result = report_on(
            mapping, recordings, model, out, library=library, force=force, audio=audio, seed=seed, decode=decode
        )
    typer.echo(json.dumps(result) if as_json else f"{result['answer']}\n{out / 'report.html'}")


@app.command()
def study(
    file: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="Models, recordings and recipes to compare.")],
    out: Annotated[Path, typer.Option(help="Folder for study.html, study.json and a report of each combination.")],
    library: Library = None,
    as_json: Json = False,
) -> None:
    """Every model under every set of recordings through every mapping recipe, on one page.

    The file holds tables: models (NAME = FOLDER), recordings (NAME = list of recordings), and recipes.NAME
    (regressor, features, set, pairs or mapping); paths are relative to it.
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

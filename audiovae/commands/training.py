"""A corpus to a run, and the run to a model folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from audiovae.commands.options import Json, ModelName, NewModelDir, OverwriteModel

app = typer.Typer()


@app.command()
def presets(as_json: Json = False) -> None:
    """What can be trained."""
    from audiovae.settings import list_presets

    found = list_presets()
    if as_json:
        typer.echo(json.dumps(found))
        return
    for name, text in found.items():
        typer.echo(f"{name:<20} {text}")


@app.command()
def train(
    preset: Annotated[str, typer.Argument(help="Name of a preset (see `audiovae presets`) or a .toml file.")],
    corpus: Annotated[Path, typer.Option(help="A prepared corpus.")],
    run: Annotated[Path, typer.Option(help="Folder for checkpoints and logs.")],
    settings: Annotated[list[str] | None, typer.Option("--set", help="section.key=value, repeatable.")] = None,
    max_steps: Annotated[int | None, typer.Option(help="Steps of the whole run.")] = None,
    warmup_steps: Annotated[int | None, typer.Option(help="Steps before the discriminators join (RAVE).")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of weights and excerpts.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
) -> None:
    """Train a model. Ctrl-C saves and stops (exit status 130); --resume goes on as if nothing had happened.

    On several devices: torchrun --standalone --nproc-per-node N --no-python -- audiovae train ...
    """
    from audiovae.training.run import Run, start_training

    state = start_training(
        preset,
        corpus,
        run,
        overrides=settings or [],
        max_steps=max_steps,
        warmup_steps=warmup_steps,
        seed=seed,
        resume=resume,
        device=device,
    )
    max_steps = Run.open(run).settings.trainer.max_steps
    if os.environ.get("RANK", "0") == "0":  # under torchrun one process speaks for all
        where = f"stopped at step {state.step} of {max_steps}" if state.step < max_steps else f"step {state.step}"
        typer.echo(f"{run}: {where}, best held-out score {state.best_score:.4f} at step {state.best_step}")
    if state.step < max_steps:
        raise typer.Exit(130)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="A run folder, as `audiovae train` writes it.")],
    out: NewModelDir,
    latents: Annotated[int | None, typer.Option(help="Principal latents to keep; all if not given.")] = None,
    fidelity: Annotated[float | None, typer.Option(help="Or: keep this share of the variance.")] = None,
    name: ModelName = None,
    corpus: Annotated[Path | None, typer.Option(help="Where the corpus lies, if it was moved.")] = None,
    prior: Annotated[Path | None, typer.Option(help="Run of a prior of this model, to go with it.")] = None,
    overwrite: OverwriteModel = False,
    as_json: Json = False,
) -> None:
    """Write the model folder that everything else plays, maps and measures."""
    from audiovae.export.exporter import export_model

    done = export_model(
        run, out, latents=latents, fidelity=fidelity, name=name, corpus=corpus, prior=prior, overwrite=overwrite
    )
    if as_json:
        typer.echo(json.dumps({"model": str(done.path), "model_id": done.space.model_id, "parity": done.parity}))
        return
    checks = ", ".join(f"{file} within {value:.1e}" for file, value in done.parity.items())
    typer.echo(f"{done.path}: {done.space.latent_size} latents at {done.space.latent_rate:.2f} Hz; {checks}")


@app.command("import-rave")
def import_rave(
    file: Annotated[Path, typer.Argument(help="A TorchScript file for nn~ (.ts), as `rave export` writes it.")],
    out: NewModelDir,
    corpus: Annotated[Path, typer.Option(help="Reference sounds: a corpus, or a folder of audio.")],
    name: ModelName = None,
    latents: Annotated[int | None, typer.Option(help="First latents to play; all if not given.")] = None,
    sample_rate: Annotated[int | None, typer.Option(help="Hz, if the file does not state it.")] = None,
    overwrite: OverwriteModel = False,
) -> None:
    """Make a model folder of a RAVE, or of another autoencoder for nn~, that you have."""
    from audiovae.export.rave_import import import_rave as import_file

    space = import_file(file, out, corpus, name=name, latents=latents, sample_rate=sample_rate, overwrite=overwrite)
    typer.echo(
        f"{out}: {space.latent_size} latents at {space.latent_rate:.2f} Hz, {space.latency_samples} samples of latency"
    )

"""What a model is worth, and what its latents are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from audiovae.commands.options import Json, ModelDir
from audiovae.console import print_evaluations, track
from audiovae.errors import SettingsError

app = typer.Typer()


@app.command()
def evaluate(
    model_dirs: Annotated[list[Path], typer.Argument(help="Model folders; several are set side by side.")],
    audio: Annotated[Path, typer.Option(help="Folder of audio the models were not trained on.")],
    generated: Annotated[Path | None, typer.Option(help="Folder of sound that the model made by itself.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures and sounds to this file.")] = None,
) -> None:
    """How near decoded sound is to the sound that was encoded, file by file and as a set."""
    from audiovae.conversion import evaluate_model, evaluate_models

    several = len(model_dirs) > 1
    if generated and several:
        raise SettingsError(
            f"--generated is the sound of one model, {len(model_dirs)} are named: evaluate each by itself"
        )
    if several:
        result = evaluate_models(model_dirs, audio, track)
    else:
        result = evaluate_model(model_dirs[0], audio, track, generated)
    if json_file:
        from audiovae.latent_space import replace_text

        replace_text(json_file, json.dumps(result, indent=1))
    if html:
        from audiovae.analysis.evaluation_page import write_page

        write_page(html, result, model_dirs)
    models = result.get("models", [result])
    print_evaluations(models, result["answer"])
    if not all(model["counts"].get("compared") for model in models):
        raise typer.Exit(1)


@app.command()
def analyse(
    model_dir: ModelDir,
    corpus: Annotated[Path, typer.Option(help="A prepared corpus; best the model's own, with held-out files.")],
    out: Annotated[Path, typer.Option(help="Folder for analysis.html, analysis.json and the sounds.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same analysis.")] = 0,
    as_json: Json = False,
) -> None:
    """What a model's latent space is made of: dimensions, descriptors, a map to listen to, ways through it."""
    from audiovae.analysis.analyse import analyse_model

    result = analyse_model(model_dir, corpus, out, seed, track)
    typer.echo(json.dumps(result) if as_json else f"{result['answer']}\n{out / 'analysis.html'}")


@app.command()
def info(model_dir: ModelDir, as_json: Json = False) -> None:
    """What a model folder holds: identity, rates, latents, files."""
    from audiovae.latent_space import IDENTITY, LatentSpace

    space = LatentSpace.load(model_dir)
    plain = {key: getattr(space, key) for key in IDENTITY} | {
        "latent_rate": space.latent_rate,
        "reference_frames": len(space.cloud.latents),
        "reference_files": len(space.cloud.file_names),
        "dimensions_at_fidelity_0.95": space.fidelity_rank(),
        "nn~": (model_dir / "model.ts").is_file(),
    }
    if as_json:
        typer.echo(json.dumps(plain | {"explained_variance": space.explained_variance.tolist()}))
        return
    for key, value in plain.items():
        typer.echo(f"{key:<28} {value}")
    if not plain["nn~"]:
        typer.echo(
            f"no model.ts: the {space.family} family does not play in nn~; use `audiovae decode` or `gesturemap`"
        )

"""A model folder at work: sound to latents, latents to sound, and latents that it makes up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audiovae.commands.options import ModelDir
from audiovae.console import print_paths, track

app = typer.Typer()


@app.command()
def encode(
    model_dir: ModelDir,
    audio: Annotated[list[Path], typer.Argument(help="Audio files or folders.")],
    out: Annotated[Path, typer.Option(help="Folder for the latent tables (.parquet).")],
) -> None:
    """Latent tables of audio files."""
    from audiovae.conversion import encode_files

    print_paths(encode_files(model_dir, audio, out, track))


@app.command()
def decode(
    model_dir: ModelDir,
    latents: Annotated[list[Path], typer.Argument(help="Latent tables (.parquet) or folders.")],
    out: Annotated[Path, typer.Option(help="Folder for the sound (.wav).")],
) -> None:
    """Sound of latent tables."""
    from audiovae.conversion import decode_files

    print_paths(decode_files(model_dir, latents, out, track))


@app.command()
def generate(
    model_dir: ModelDir,
    mode: Annotated[str, typer.Argument(help="reconstruct, trajectory, interpolate or prior.")],
    out: Annotated[Path, typer.Option(help="Folder for the latent tables (.parquet) and the sound (.wav).")],
    sources: Annotated[list[Path] | None, typer.Argument(help="Sounds, or latent tables for trajectory.")] = None,
    seconds: Annotated[float, typer.Option(help="Length of what is made; sounds and tables keep their own.")] = 30.0,
    prior: Annotated[Path | None, typer.Option(help="Run of a prior; the model's own if not given.")] = None,
    temperature: Annotated[float, typer.Option(help="Of the prior: 0 the likeliest, 1 as varied as the corpus.")] = 1.0,
    spherical: Annotated[bool, typer.Option("--spherical", help="Interpolate on the sphere, not straight.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed makes the same latents.")] = 0,
) -> None:
    """Make latents, and the sound of them: sampled from a prior, walked through the model, between two sounds.

    trajectory without SOURCES is a smooth random walk through all that the model knows.
    """
    from audiovae.generation.generate import Request
    from audiovae.generation.generate import generate as generate_latents

    request = Request(sources or (), seconds, prior, temperature, "spherical" if spherical else "linear", seed)
    print_paths(generate_latents(model_dir, mode, request, out, track))

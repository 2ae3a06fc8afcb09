"""The command line `audiovae`. Each command calls one function; progress goes to stderr, results to stdout."""

from __future__ import annotations

import os
import sys

import typer

from audiovae.commands import corpus, measuring, playing, training
from audiovae.console import print_error
from audiovae.errors import AudioVAEError, describe_error

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Audio to latent space and back.")
app.add_typer(corpus.app, name="corpus")
for part in (training, playing, measuring):
    app.add_typer(part.app)

TRAIN_EXTRA = ("torch", "lightning_fabric", "safetensors", "onnx", "onnxscript", "tensorboard")


def main() -> None:
    """Run the command line; an error a user can meet is one line on stderr and exit status 1."""
    # Read when torch is loaded: its threads sleep while they wait. Spinning on two cores that others used too,
    # `spectral` trained at 0.9 steps/s, sleeping at 6.4.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app()
    except (AudioVAEError, OSError) as error:
        print_error(describe_error(error))
        sys.exit(1)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in TRAIN_EXTRA:
            raise
        print_error(f"{error.name} is not installed: run  pip install 'gesturemap[train]'")
        sys.exit(1)

"""The command line `gesturemap`. Each command calls one function; progress goes to stderr, results to stdout."""

from __future__ import annotations

import os
import sys

import typer

from audiovae.errors import AudioVAEError
from gesturemap.commands import exchange, inventory, mapping, recording, stage
from gesturemap.console import print_error
from gesturemap.errors import GestureMapError

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Hand motion to latent space.")
for part in (inventory, recording, mapping, stage, exchange):
    app.add_typer(part.app)


def main() -> None:
    """Run the command line; an error a user can meet is one line on stderr and exit status 1."""
    # Read when torch or numpy's BLAS is loaded (the demo trains, fit solves): threads that wait shall sleep.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app()
    except (GestureMapError, AudioVAEError, OSError) as error:
        print_error(error)
        sys.exit(1)

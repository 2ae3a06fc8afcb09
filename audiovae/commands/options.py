"""Options and arguments that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
ModelDir = Annotated[Path, typer.Argument(help="A model folder, as `audiovae export` writes it.")]
NewModelDir = Annotated[Path, typer.Option(help="Model folder to make.")]
ModelName = Annotated[str | None, typer.Option(help="Model name; the folder's if not given.")]
OverwriteModel = Annotated[bool, typer.Option("--overwrite", help="Replace a model folder.")]
Workers = Annotated[int | None, typer.Option(help="Threads; one a core if not given.")]

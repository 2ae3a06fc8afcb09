"""Options and arguments that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Model = Annotated[Path, typer.Option("--model", help="A model folder, as `audiovae export` writes it.")]
MappingSpec = Annotated[str, typer.Argument(help="A mapping folder, or tracker/model/name in a library.")]
Library = Annotated[Path | None, typer.Option(help="Where mappings lie; looked in before the others.")]
Force = Annotated[bool, typer.Option("--force", help="Take a mapping fitted on another model; its sounds will differ.")]
Recordings = Annotated[list[Path], typer.Argument(help="Recordings (.rec folders).")]
OneRecording = Annotated[Path, typer.Argument(metavar="RECORDING", help="A recording (.rec folder).")]
NewRecording = Annotated[Path, typer.Option(help="Recording to make, usually called NAME.rec.")]

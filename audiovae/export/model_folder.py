"""A model folder appears whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audiovae.errors import ExportError


def check_target(out: Path, *, overwrite: bool) -> None:
    """Refuse to write where something is, unless it is a model folder that is to be replaced."""
    if out.exists() and not (overwrite and (out / "latent_space.json").exists()):
        raise ExportError(f"{out} exists: choose another --out, or add --overwrite to replace a model folder")


@contextmanager
def write_beside(out: Path) -> Iterator[Path]:
    """A folder beside `out` to write into, which becomes `out` at the end, and is gone if something was raised."""
    beside = out.with_name(out.name + ".part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        yield beside
        if out.exists():
            shutil.rmtree(out)
        beside.rename(out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)

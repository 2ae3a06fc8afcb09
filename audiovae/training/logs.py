"""What a run leaves to read: ``log.jsonl`` (always) and TensorBoard events (numbers, histograms, sound)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.tensorboard import SummaryWriter


class RunLog:
    """Rows of numbers by step, appended and flushed; only rank zero makes one.

    Parameters
    ----------
    run : folder of the run.
    first_step : rows at or after this step, left by a run that went on past its last checkpoint, are dropped.
    """

    def __init__(self, run: Path, first_step: int) -> None:
        path = run / "log.jsonl"
        kept = [row for row in read_log(run) if row["step"] < first_step]
        beside = path.with_name(path.name + ".part")
        beside.write_text("".join(json.dumps(row) + "\n" for row in kept))
        os.replace(beside, path)
        self._rows = path.open("a")
        self._board = SummaryWriter(str(run / "tensorboard"), purge_step=first_step)

    def write(self, step: int, kind: str, values: dict[str, Any]) -> None:
        """One row: floats, or a list of floats with one entry a latent dimension."""
        self._rows.write(json.dumps({"step": step, "kind": kind} | values) + "\n")
        self._rows.flush()
        for name, value in values.items():
            if isinstance(value, list):
                self._board.add_histogram(f"{kind}/{name}", torch.tensor(value), step)
            else:
                self._board.add_scalar(f"{kind}/{name}", value, step)

    def write_audio(self, step: int, name: str, audio: npt.NDArray[np.floating[Any]], sample_rate: int) -> None:
        """A sound to listen to, (samples,) in [-1, 1]."""
        self._board.add_audio(name, torch.from_numpy(np.clip(audio, -1, 1)[None]), step, sample_rate)

    def close(self) -> None:
        """Flush and close both files."""
        self._rows.close()
        self._board.close()


def read_log(run: Path) -> list[dict[str, Any]]:
    """Rows of a run's ``log.jsonl``; a last line cut by a kill is left out."""
    path = run / "log.jsonl"
    if not path.is_file():
        return []
    lines = path.read_text().split("\n")
    return [json.loads(line) for line in lines[:-1] if line]

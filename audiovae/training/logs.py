"""What a run leaves to read: ``log.jsonl`` (always) and TensorBoard events (numbers, histograms, sound)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from audiovae.errors import CheckpointError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class RunLog:
    """Rows of numbers by step, appended and flushed; only rank zero makes one.

    Parameters
    ----------
    run : folder of the run.
    step : steps done so far. Later rows, left by a run that went on past its last checkpoint, are dropped.
    validated : whether a validation is due at `step`; else one that only an interruption asked for is dropped.
    """

    def __init__(self, run: Path, step: int, validated: bool) -> None:
        from torch.utils.tensorboard import SummaryWriter  # here because reading a log needs none of it

        path = run / "log.jsonl"
        kept = [
            row
            for row in read_log(run)
            if row["step"] < step or (row["step"] == step and (validated or row["kind"] != "validation"))
        ]
        beside = path.with_name(path.name + ".part")
        beside.write_text("".join(json.dumps(row) + "\n" for row in kept))
        os.replace(beside, path)
        self._rows = path.open("a")
        self._board = SummaryWriter(str(run / "tensorboard"), purge_step=step + 1)

    def write(self, step: int, kind: str, values: dict[str, Any]) -> None:
        """One row after `step` steps: floats, or a list of floats with one entry a latent dimension.

        In TensorBoard a list is a histogram; one whose name ends in ``_curve`` is drawn over its dimensions.
        """
        self._rows.write(json.dumps({"step": step, "kind": kind} | values) + "\n")
        self._rows.flush()
        for name, value in values.items():
            if isinstance(value, list) and name.endswith("_curve"):
                self._board.add_figure(f"{kind}/{name}", _draw_curve(value), step)
            elif isinstance(value, list):
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


def _draw_curve(values: list[float]) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot(range(1, len(values) + 1), values, marker=".")
    axes.set(xlabel="latents kept", ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    return figure


def read_log(run: Path) -> list[dict[str, Any]]:
    """Rows of a run's ``log.jsonl``; a last line cut by a kill is left out.

    Raises
    ------
    CheckpointError
        If another line is no row.
    """
    path = run / "log.jsonl"
    if not path.is_file():
        return []
    rows = []
    for number, line in enumerate(path.read_text().split("\n")[:-1], start=1):
        try:
            rows.append(dict(json.loads(line)))
        except (ValueError, TypeError):
            raise CheckpointError(f"{path}: line {number} is no JSON row: take that line out") from None
    return rows

"""The training loop, one for all models. Read it top to bottom.

Every random number of a step comes from (seed, rank, step): nothing random is saved, and a resumed run gives
the same losses, bit for bit, as one that was never stopped.
"""

from __future__ import annotations

import copy
import math
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text
from torch import Tensor, nn

from audiovae.errors import TrainingError
from audiovae.training.checkpoint import load_checkpoint, save_checkpoint
from audiovae.training.logs import RunLog
from audiovae.training.task import Task, TrainerSettings


@dataclass
class TrainingState:
    """Where a run stands; what a checkpoint keeps beside the weights."""

    step: int = 0
    best_score: float = float("inf")
    best_step: int = 0


def train(task: Task, run: Path, settings: TrainerSettings, fabric: Fabric, *, resume: bool = False) -> TrainingState:
    """Train until `max_steps`, or until interrupted; leaves ``checkpoints/{last,best}.safetensors``.

    Raises
    ------
    CheckpointError
        If `resume` is on and there is no checkpoint of these networks, or one cannot be written.
    TrainingError
        If a loss or gradient is not finite; the checkpoints are from before.
    """
    last, best = (run / "checkpoints" / f"{name}.safetensors" for name in ("last", "best"))
    task.setup(fabric)
    average = copy.deepcopy(task.model)
    networks = task.networks | {"average": average}
    state = TrainingState(**load_checkpoint(last, networks, task.optimisers)) if resume else TrainingState()
    # Only rank zero has a log; it alone validates and saves.
    opened: AbstractContextManager[RunLog | None] = nullcontext()
    if fabric.is_global_zero:
        opened = closing(RunLog(run, state.step, state.step % settings.validate_every == 0))

    with opened as log, _interruptible(fabric) as interrupted, _progress(fabric, settings, state) as advance:
        while state.step < settings.max_steps:
            rng = _seed_step(settings.seed, fabric.global_rank, state.step)
            losses = _read_losses(task.step(fabric, state.step, rng), state.step)
            _update_average(average, task.model, settings.average_decay, state.step)
            state.step += 1
            done = state.step == settings.max_steps
            stopped = interrupted()
            if log:
                logged = done or state.step % settings.log_every == 0
                if logged:
                    log.write(state.step, "train", losses)
                if done or state.step % settings.validate_every == 0:
                    _validate(task, average, state, log, best)
                if done or state.step % settings.examples_every == 0:
                    _write_examples(task, average, state, log)
                if done or stopped or state.step % settings.save_every == 0:
                    save_checkpoint(last, networks, task.optimisers, vars(state))
                if logged:
                    advance(losses)
            if stopped:
                break
        if log and not state.best_step:
            # Stopped before the first validation: there is something to export. The checkpoint to go on from
            # knows nothing of it, so that a resumed run chooses its best as one that was never stopped.
            _validate(task, average, state, log, best)
    fabric.barrier()
    return state


def _read_losses(losses: dict[str, Tensor], step: int) -> dict[str, float]:
    values = {name: float(value) for name, value in losses.items()}
    broken = [f"{name} {value}" for name, value in values.items() if not math.isfinite(value)]
    if broken:
        raise TrainingError(
            f"training went astray at step {step}: {', '.join(broken)}; the checkpoints are from before: start "
            "another run with a lower training.learning_rate, or look for broken sounds in the corpus"
        )
    return values


def _validate(task: Task, average: nn.Module, state: TrainingState, log: RunLog, best: Path) -> None:
    average.eval()
    with torch.no_grad():
        figures = task.validate(average)
    average.train()
    log.write(state.step, "validation", figures)
    # Scores of two stages do not compare: what a later one sounds like is what the run is for.
    later = task.stage(state.step - 1) > task.stage(state.best_step - 1)
    if later or figures["score"] < state.best_score:
        state.best_score, state.best_step = figures["score"], state.step
        save_checkpoint(best, {"model": average}, {}, vars(state))


def _write_examples(task: Task, average: nn.Module, state: TrainingState, log: RunLog) -> None:
    average.eval()
    with torch.no_grad():
        for name, audio in task.examples(average).items():
            log.write_audio(state.step, name, audio, task.sample_rate)
    average.train()


def _seed_step(seed: int, rank: int, step: int) -> np.random.Generator:
    rng = np.random.default_rng([seed, rank, step])
    torch.manual_seed(int(rng.integers(2**62)))
    return rng


@torch.no_grad()
def _update_average(average: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    # Young averages forget faster, so that the untrained weights do not linger in them.
    weight = 1.0 - min(decay, (step + 1) / (step + 10))
    for mean, value in zip(average.parameters(), model.parameters(), strict=True):
        mean.lerp_(value, weight)
    for old, new in zip(average.buffers(), model.buffers(), strict=True):
        old.copy_(new)


@contextmanager
def _interruptible(fabric: Fabric) -> Iterator[Any]:
    """Inside, Ctrl-C or SIGTERM only sets a flag that all processes agree on; a second Ctrl-C stops at once."""
    hit = {"count": 0}

    def on_signal(number: int, _frame: object) -> None:
        hit["count"] += 1
        if hit["count"] > 1:
            raise KeyboardInterrupt

    def interrupted() -> bool:
        if fabric.world_size == 1:
            return hit["count"] > 0
        flags = torch.tensor(float(hit["count"]), device=fabric.device)
        total = fabric.all_reduce(flags, reduce_op="sum")
        assert isinstance(total, torch.Tensor)
        return total.item() > 0

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(fabric: Fabric, settings: TrainerSettings, state: TrainingState) -> Iterator[Any]:
    """On stderr: a bar with steps a second and the time left; under it, on lines of their own, losses and score."""
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f} steps/s"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True, quiet=not fabric.is_global_zero)
    bar = Progress(*columns, console=console)
    task = bar.add_task("", total=settings.max_steps, completed=state.step, rate=0.0)
    with Live(bar, console=console) as live:

        def advance(losses: dict[str, float]) -> None:
            bar.update(task, completed=state.step, rate=bar.tasks[0].speed or 0.0)
            text = "  ".join(f"{name} {value:.4g}" for name, value in losses.items())
            if state.best_step:
                text += f"\nbest score {state.best_score:.4f} at step {state.best_step}"
            live.update(Group(bar, Text(text)))

        yield advance
    if not console.is_interactive:
        console.print()  # rich ends the last line only where it can also redraw it

"""The training loop, one for all models. Read it top to bottom.

Every random number of a step comes from (seed, rank, step): nothing random is saved, and a resumed run gives
the same losses, bit for bit, as one that was never stopped.
"""

from __future__ import annotations

import copy
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn

from audiovae.errors import CheckpointError
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
        If the run folder already holds checkpoints and `resume` is off, or none and it is on.
    """
    last, best = (run / "checkpoints" / f"{name}.safetensors" for name in ("last", "best"))
    if last.exists() and not resume:
        raise CheckpointError(f"{run} holds a run: add --resume to go on with it, or choose another --run")
    task.setup(fabric)
    average = copy.deepcopy(task.model)
    networks = task.networks | {"average": average}
    state = TrainingState(**load_checkpoint(last, networks, task.optimisers)) if resume else TrainingState()
    log = RunLog(run, first_step=state.step) if fabric.is_global_zero else None

    with _interruptible(fabric) as interrupted, _progress(fabric, settings, state) as advance:
        while state.step < settings.max_steps:
            rng = _seed_step(settings.seed, fabric.global_rank, state.step)
            losses = task.step(fabric, state.step, rng)
            _update_average(average, task.model, settings.average_decay, state.step)
            logged = state.step % settings.log_every == 0
            if logged:
                values = {name: float(value) for name, value in losses.items()}
                advance(state, values)
                if log:
                    log.write(state.step, "train", values)
            state.step += 1
            done = state.step == settings.max_steps or interrupted()
            if (done or state.step % settings.validate_every == 0) and fabric.is_global_zero:
                _validate(task, average, state, log)
                if state.best_step == state.step:
                    save_checkpoint(best, {"model": average}, {}, vars(state))
            if (done or state.step % settings.save_every == 0) and fabric.is_global_zero:
                save_checkpoint(last, networks, task.optimisers, vars(state))
            if done:
                break
    if log:
        log.close()
    fabric.barrier()
    return state


def _validate(task: Task, average: nn.Module, state: TrainingState, log: RunLog | None) -> None:
    average.eval()
    with torch.no_grad():
        figures: dict[str, Any] = task.validate(average)
        if figures["score"] < state.best_score:
            state.best_score, state.best_step = figures["score"], state.step
        if log:
            log.write(state.step, "validation", figures)
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
    """A bar with steps a second, the time left, the losses and the best held-out score, on stderr."""
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f} steps/s"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[losses]}"),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not fabric.is_global_zero) as bar:
        task = bar.add_task("", total=settings.max_steps, completed=state.step, rate=0.0, losses="")

        def advance(now: TrainingState, losses: dict[str, float]) -> None:
            text = "  ".join(f"{name} {value:.4g}" for name, value in losses.items())
            if now.best_step:
                text += f"  best {now.best_score:.4f} at {now.best_step}"
            bar.update(task, completed=now.step, rate=bar.tasks[0].speed or 0.0, losses=text)

        yield advance

"""What the tasks do with an optimiser: make it, set its rate over the run, take one step."""

from __future__ import annotations

from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from audiovae.training.schedules import cosine_decay, ramp

_WARMUP_STEPS = 50


def make_adamw(model: nn.Module, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
    """AdamW, with moments of the gradient over 10 and 100 steps."""
    return torch.optim.AdamW(model.parameters(), learning_rate, betas=(0.9, 0.99), weight_decay=weight_decay)


def set_rate(optimiser: torch.optim.Optimizer, highest: float, step: int, max_steps: int, floor: float) -> None:
    """Learning rate of a step: it rises to `highest` over 50 steps, and falls by a cosine to `floor` of it."""
    for group in optimiser.param_groups:
        group["lr"] = highest * ramp(step + 1, _WARMUP_STEPS) * cosine_decay(step, max_steps, floor=floor)


def descend(fabric: Fabric, loss: Tensor, network: Any, optimiser: Any, clip_norm: float) -> Tensor:
    """One step down `loss`, the gradient cut to `clip_norm`; gives its norm before.

    Parameters
    ----------
    network, optimiser : as `Fabric.setup` gave them back.
    """
    optimiser.zero_grad()
    fabric.backward(loss)
    # A norm that is not finite is not refused here but by the loop, which knows the step.
    norm: Tensor | None = fabric.clip_gradients(network, optimiser, max_norm=clip_norm, error_if_nonfinite=False)
    assert norm is not None
    optimiser.step()
    return norm

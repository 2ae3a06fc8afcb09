"""The seam between the one training loop and the models: what a task must give."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import torch
from lightning_fabric import Fabric
from pydantic import Field
from torch import Tensor, nn

from audiovae.settings import Settings


class TrainerSettings(Settings):
    """Settings of the loop, the same for every family."""

    max_steps: int = Field(1000, ge=1)
    """Steps of the whole run."""
    validate_every: int = Field(100, ge=1)
    """Steps between validations; each may become the best checkpoint."""
    save_every: int = Field(500, ge=1)
    """Steps between saves of the last checkpoint; Ctrl-C saves too."""
    log_every: int = Field(10, ge=1)
    """Steps between rows of the log."""
    examples_every: int = Field(500, ge=1)
    """Steps between sounds in TensorBoard, a megabyte or two each time; there are some at the end too."""
    average_decay: float = Field(0.99, ge=0, lt=1)
    """Decay of the averaged weights that are validated and exported; 0 turns averaging off."""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """bf16-mixed computes in bfloat16: faster on GPUs and on processors that multiply it. No fp16: its loss scale is
    not in a checkpoint."""
    seed: int = Field(0, ge=0)
    """Seed of weights and excerpts: the same seed on the same machine gives the same losses."""

    def autocast(self, device: torch.device) -> torch.autocast:
        """Context in which networks compute at `precision`; unlike the loop's own it leaves what goes in as it is."""
        return torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bf16-mixed")


class Task(Protocol):
    """A model being trained: it owns the networks, their optimisers, and the data.

    Attributes
    ----------
    networks : every trained network by name, ``model`` among them.
    optimisers : by name.
    sample_rate : of the examples, Hz.
    """

    networks: dict[str, nn.Module]
    optimisers: dict[str, torch.optim.Optimizer]
    sample_rate: int

    @property
    def model(self) -> nn.Module:
        """The network that is averaged, validated and exported."""

    def setup(self, fabric: Fabric) -> None:
        """Move networks to the device and wrap them for several processes."""

    def stage(self, step: int) -> int:
        """Stage of the step after `step` others, from 1 on: the best checkpoint is one of the last stage reached."""

    def step(self, fabric: Fabric, step: int, rng: np.random.Generator) -> dict[str, Tensor]:
        """One optimisation step on a batch drawn from `rng`; detached losses and the gradient norm, by name."""

    def validate(self, model: nn.Module) -> dict[str, Any]:
        """Figures on held-out files; ``score`` is the one to minimise, lists are per latent dimension."""

    def examples(self, model: nn.Module) -> dict[str, npt.NDArray[np.floating[Any]]]:
        """A few held-out sounds, original and decoded, (samples,) each."""

"""The seam between the one training loop and the models: what a task must give."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from audiovae.settings import Settings


class TrainerSettings(Settings):
    """Settings of the loop, the same for every family."""

    max_steps: int = 1000
    """Steps of the whole run."""
    validate_every: int = 100
    """Steps between validations; each may become the best checkpoint."""
    save_every: int = 500
    """Steps between saves of the last checkpoint; Ctrl-C saves too."""
    log_every: int = 10
    """Steps between rows of the log."""
    average_decay: float = 0.99
    """Decay of the averaged weights that are validated and exported; 0 turns averaging off."""
    precision: str = "32-true"
    """lightning-fabric precision: 32-true, bf16-mixed, 16-mixed."""
    seed: int = 0
    """Seed of weights and excerpts: the same seed on the same machine gives the same losses."""


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

    def step(self, fabric: Fabric, step: int, rng: np.random.Generator) -> dict[str, Tensor]:
        """One optimisation step on a batch drawn from `rng`; the detached losses by name."""

    def validate(self, model: nn.Module) -> dict[str, Any]:
        """Figures on held-out files; ``score`` is the one to minimise, lists are per latent dimension."""

    def examples(self, model: nn.Module) -> dict[str, npt.NDArray[np.floating[Any]]]:
        """A few held-out sounds, original and decoded, (samples,) each."""

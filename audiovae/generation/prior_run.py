"""The prior of a run, ready to be sampled or exported. This needs torch; an exported prior does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from audiovae.errors import CheckpointError
from audiovae.models.prior import LatentPrior
from audiovae.training.prior_task import PriorSettings
from audiovae.training.run import Run

FloatArray = npt.NDArray[np.floating[Any]]
State = list[FloatArray]


class RunPrior:
    """A prior as it was trained; see `audiovae.generation.prior.PriorSampler`.

    Parameters
    ----------
    path : run folder; its best checkpoint is taken.

    Raises
    ------
    CheckpointError
        If it is no run of a prior.
    """

    def __init__(self, path: str | Path) -> None:
        run = Run.open(path)
        if not isinstance(run.settings, PriorSettings):
            raise CheckpointError(
                f"{path} is a run of the {run.settings.family} family, one of a prior expected: make it with "
                "`audiovae train prior --set model=MODEL_DIR`"
            )
        model = run.load_model()
        assert isinstance(model, LatentPrior)
        self.model = model
        self.model_id, self.model_name = run.settings.space.model_id, run.settings.space.model_name
        self.n_noise = model.n_noise

    def start(self) -> tuple[FloatArray, State]:
        """The frame (1, latent_size) and the state before the first step."""
        return self.model.init_previous(1).numpy(), [one.numpy() for one in self.model.init_state(1)]

    @torch.no_grad()
    def advance(
        self, previous: FloatArray, temperature: FloatArray, noise: FloatArray, state: State
    ) -> tuple[FloatArray, State]:
        """The next latents (batch, latent_size) and the state after; arguments as of `LatentPrior.step`, float32."""
        given = [torch.from_numpy(np.ascontiguousarray(one)) for one in (previous, temperature, noise, *state)]
        latents, after = self.model.step(given[0], given[1], given[2], given[3:])
        return latents.numpy(), [one.numpy() for one in after]

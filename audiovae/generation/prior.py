"""Latents sampled from the prior of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from audiovae.codecs.prior import OnnxPrior
from audiovae.errors import LatentsError, SettingsError
from audiovae.latent_space import LatentSpace

FloatArray = npt.NDArray[np.floating[Any]]
State = list[FloatArray]
Progress = Callable[[range], Iterable[int]]


class PriorSampler(Protocol):
    """A prior ready to be sampled: an exported one, or one of a run.

    Attributes
    ----------
    model_id, model_name : of the model whose latents it makes.
    n_noise : standard normal numbers a step.
    """

    model_id: str
    model_name: str
    n_noise: int

    def start(self) -> tuple[FloatArray, State]:
        """The frame (1, latent_size) and the state before the first step."""

    def advance(
        self, previous: FloatArray, temperature: FloatArray, noise: FloatArray, state: State
    ) -> tuple[FloatArray, State]:
        """The next latents (batch, latent_size) and the state after; arguments as of `LatentPrior.step`, float32."""


def open_prior(source: str | Path, space: LatentSpace) -> PriorSampler:
    """The prior in a model folder, or of a run, which needs torch.

    Raises
    ------
    LatentsError
        If it was trained on another model.
    AudioVAEError
        If there is none, or it is damaged.
    """
    source = Path(source)
    if (source / "prior.onnx").is_file():
        sampler: PriorSampler = OnnxPrior(source / "prior.onnx")
    elif (source / "latent_space.json").is_file():
        raise SettingsError(
            f"{source} has no prior.onnx: give the run of a prior with --prior RUN; `audiovae train prior` makes one"
        )
    else:
        from audiovae.generation.prior_run import RunPrior

        sampler = RunPrior(source)
    check_model(str(source), sampler.model_name, sampler.model_id, space)
    return sampler


def check_model(prior: str, model_name: str, model_id: str, space: LatentSpace) -> None:
    """Raise `LatentsError`, naming both models, unless a prior is of the model of `space`."""
    if model_id != space.model_id:
        raise LatentsError(
            f"{prior}: a prior of model {model_name} ({model_id[:12]}) found; this is {space.model_name} "
            f"({space.model_id[:12]}): train one with --set model=... of this model"
        )


def sample_prior(
    sampler: PriorSampler, n_frames: int, temperature: float, seed: int, progress: Progress = iter
) -> FloatArray:
    """Latents (n_frames, latent_size) float32; the same arguments give the same latents.

    Parameters
    ----------
    n_frames : 1 or more.
    temperature : 0 or more; 1 is as varied as the corpus, 0 the likeliest.

    Raises
    ------
    SettingsError
        If an argument is out of range.
    """
    if n_frames < 1 or not 0 <= temperature < np.inf:
        raise SettingsError(
            f"{n_frames} latent frames at temperature {temperature} asked for: one frame or more, and a temperature "
            "of 0 or more, expected"
        )
    rng = np.random.default_rng(seed)
    heat = np.full((1, 1), temperature, np.float32)
    frame, state = sampler.start()
    latents = np.empty((n_frames, frame.shape[1]), np.float32)
    for index in progress(range(n_frames)):
        noise = rng.standard_normal((1, sampler.n_noise), np.float32)
        frame, state = sampler.advance(frame, heat, noise, state)
        latents[index] = frame[0]
    return latents

"""A prior as it is exported: a stream for nn~ that remembers where it is, and ``prior.onnx``, one step of it."""

# No postponed annotations here: TorchScript reads them.

import json
import os
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from audiovae.codecs.prior import OnnxPrior
from audiovae.export.counter_noise import counter_noise
from audiovae.export.onnx_file import write_onnx
from audiovae.export.parity import check_parity
from audiovae.generation.prior import check_model
from audiovae.generation.prior_run import RunPrior
from audiovae.latent_space import LatentSpace
from audiovae.models.prior import LatentPrior

_CHECKED_STEPS = 64


class PriorStream(nn.Module):
    """A prior that goes on from where it stopped: blocks of any size give one and the same sequence.

    Parameters
    ----------
    prior : in evaluation mode.
    """

    previous: Tensor
    history: Tensor
    hidden: Tensor
    place: Tensor

    def __init__(self, prior: LatentPrior) -> None:
        super().__init__()
        self.model = prior
        history, hidden = prior.init_state(1)
        self.register_buffer("previous", prior.init_previous(1).clone(), persistent=False)
        self.register_buffer("history", history, persistent=False)
        self.register_buffer("hidden", hidden, persistent=False)
        self.register_buffer("place", torch.zeros(1, dtype=torch.long), persistent=False)

    def forward(self, temperature: Tensor) -> Tensor:
        """The next latents (batch, latent_size, frames).

        Parameters
        ----------
        temperature : (batch, 1, frames), brought to 0..4; what is not finite counts as 0. Another batch than
            before starts anew.
        """
        if temperature.shape[0] != self.previous.shape[0]:
            self.reset(temperature.shape[0])
        heat = torch.nan_to_num(temperature, 0.0, 0.0, 0.0).clamp(0.0, 4.0)
        start = int(self.place.item())
        noise = counter_noise(heat.shape[0], self.model.n_noise, heat.shape[2], start, heat.device)
        latents, state = self.model.roll(self.previous, heat, noise, [self.history, self.hidden])
        self.previous, self.history, self.hidden = latents[:, :, -1], state[0], state[1]
        self.place = self.place + heat.shape[2]
        return latents

    @torch.jit.export
    def reset(self, batch: int = 1) -> None:
        """Back to the start: the same sequence again."""
        state = self.model.init_state(batch)
        self.previous, self.history, self.hidden = self.model.init_previous(batch).clone(), state[0], state[1]
        self.place = torch.zeros_like(self.place)


class _Step(nn.Module):
    """`LatentPrior.step` as a module's forward, which is what an exporter takes."""

    def __init__(self, prior: LatentPrior) -> None:
        super().__init__()
        self.model = prior

    def forward(
        self, previous: Tensor, temperature: Tensor, noise: Tensor, state: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        return self.model.step(previous, temperature, noise, state)


def write_prior(folder: str | Path, prior_run: str | Path) -> dict[str, float]:
    """Write ``prior.onnx`` of a run into the model folder it was trained on.

    Inputs: ``previous`` (batch, latent_size), ``temperature`` (batch, 1), ``noise`` (batch, n_noise) standard normal,
    ``state_0`` ...; outputs ``latents`` (batch, latent_size), ``next_state_0`` ... The metadata says how to start.

    Returns
    -------
    Largest difference between the file, the scripted stream and the model, by what was checked.

    Raises
    ------
    CheckpointError, LatentsError
        If the run is none of a prior, or its prior was trained on another model.
    ExportError
        If a check fails; nothing is left then.
    """
    space = LatentSpace.load(folder)
    trained = RunPrior(prior_run)
    check_model(str(prior_run), trained.model_name, trained.model_id, space)
    prior = trained.model
    path, beside = Path(folder) / "prior.onnx", Path(folder) / "prior.part.onnx"
    try:
        _write_step(beside, prior, space)
        parity = {
            path.name: check_parity(path.name, _measure_file(beside, prior)),
            "prior": check_parity("the scripted prior", measure_stream(prior)),
        }
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return parity


def _write_step(path: Path, prior: LatentPrior, space: LatentSpace) -> None:
    state = prior.init_state(2)
    example = (prior.init_previous(2).clone(), torch.ones(2, 1), torch.zeros(2, prior.n_noise), state)
    batch = {0: torch.export.Dim("batch", min=1)}
    numbers = range(len(state))
    write_onnx(
        path,
        _Step(prior).eval(),
        example,
        ["previous", "temperature", "noise", *(f"state_{number}" for number in numbers)],
        ["latents", *(f"next_state_{number}" for number in numbers)],
        (batch, batch, batch, [batch for _ in numbers]),
        {
            "model_id": space.model_id,
            "model_name": space.model_name,
            "start": json.dumps(prior.mean.tolist()),
        },
    )


@torch.no_grad()
def _measure_file(path: Path, prior: LatentPrior) -> float:
    """Largest difference of a step between ``prior.onnx`` and the model, each from the model's own past."""
    sampler, differences = OnnxPrior(path), []
    rng = np.random.default_rng(0)
    for temperature in (0.0, 1.0):
        previous, state = prior.init_previous(1), prior.init_state(1)
        for _ in range(_CHECKED_STEPS):
            noise = rng.standard_normal((1, prior.n_noise)).astype(np.float32)
            found, after = sampler.advance(
                previous.numpy(), np.full((1, 1), temperature, np.float32), noise, [one.numpy() for one in state]
            )
            previous, state = prior.step(previous, torch.full((1, 1), temperature), torch.from_numpy(noise), state)
            pairs = zip([found, *after], [previous, *state], strict=True)
            differences.append(max(float(np.abs(one - other.numpy()).max()) for one, other in pairs))
    return float(np.max(differences))  # unlike the built-in max, NaN where one is NaN


@torch.no_grad()
def measure_stream(prior: LatentPrior) -> float:
    """Largest difference between the scripted stream, in blocks, and the model at once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch.jit.script: nn~ reads nothing else
        stream = torch.jit.script(PriorStream(prior).eval())
    heat = torch.linspace(0.0, 1.5, _CHECKED_STEPS).expand(2, 1, _CHECKED_STEPS)
    noise = counter_noise(2, prior.n_noise, _CHECKED_STEPS, 0, heat.device)
    expected, _ = prior.roll(prior.init_previous(2), heat, noise, prior.init_state(2))
    blocks = [stream(block) for block in torch.split(heat, [1, 7, 24, 32], dim=2)]
    return float((torch.cat(blocks, dim=2) - expected).abs().max())

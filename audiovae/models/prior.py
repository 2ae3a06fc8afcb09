"""The autoregressive prior over latents: what the sounds of a corpus do next, frame by frame.

It is a linear autoregression with a recurrent network on top. The network says how the next frame differs from
the linear guess: a mixture of Gaussians over the whole frame, in coordinates where the linear model's own residual
is white. It starts as a few widths of that residual, better than the linear model before the first step, and
minutes of audio are enough.
"""

# No postponed annotations here: TorchScript reads them.

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from audiovae.dsp.autoregression import fit_autoregression
from audiovae.settings import Settings

FloatArray = npt.NDArray[np.floating[Any]]

_MARGIN = 0.1  # of each dimension's range that a generated latent may leave the data's by
_LOW_LOG_SCALE, _HIGH_LOG_SCALE = -4.0, 3.0  # of a component; narrower ones only memorise frames of silence


class LatentPriorSettings(Settings):
    """Size of a `LatentPrior`."""

    hidden_size: int = Field(64, ge=1)
    """Units of the recurrent layer: larger remembers more, and wants more sound."""
    components: int = Field(8, ge=1)
    """Gaussians in the mixture: ways to go on."""
    order: int = Field(4, ge=1)
    """Latent frames that the linear part looks back."""
    dropout: float = Field(0.3, ge=0.0, lt=1.0)
    """Share of units silenced in training."""


class LatentPrior(nn.Module):
    """Density of the next latent frame given all before it, and a sampler of it.

    With x the standardised frame, A the linear autoregression and C the Cholesky factor of its residual,

        C^-1 (x_t - A x_(t-1..t-order)) ~ sum_k w_k N(m_k, S_k T_k T_k' S_k)

    where weights w, means m and the diagonal S come from the recurrent layer at every frame, and the unit lower
    triangular T, how the dimensions go together, belongs to the component.

    Parameters
    ----------
    settings : `LatentPriorSettings`.
    latent_size : of the model it is for.

    Attributes
    ----------
    n_noise : standard normal numbers that a step takes.
    state_shapes : shape of each tensor of the state, without the batch.
    """

    mean: Tensor
    std: Tensor
    low: Tensor
    high: Tensor
    factor: Tensor
    identity: Tensor

    def __init__(self, settings: LatentPriorSettings, latent_size: int) -> None:
        super().__init__()
        s = settings
        self.latent_size, self.components, self.order = latent_size, s.components, s.order
        self.low_log_scale, self.high_log_scale = _LOW_LOG_SCALE, _HIGH_LOG_SCALE
        self.n_noise = s.components + latent_size
        self.state_shapes = [(s.order, latent_size), (s.hidden_size,)]
        for name, value in (("mean", 0.0), ("std", 1.0), ("low", -1e3), ("high", 1e3)):
            self.register_buffer(name, torch.full((latent_size,), value))
        self.register_buffer("factor", torch.eye(latent_size))
        self.register_buffer("identity", torch.eye(latent_size), persistent=False)
        self.linear = nn.Linear(s.order * latent_size, latent_size, bias=False)
        self.recurrent = nn.GRU(latent_size, s.hidden_size, batch_first=True)
        self.dropout = nn.Dropout(s.dropout)
        self.head = nn.Linear(s.hidden_size, s.components * (1 + 2 * latent_size))
        self.mixing = nn.Parameter(torch.zeros(s.components, latent_size, latent_size))
        self._start_head()

    def _start_head(self) -> None:
        """Equal weights, nearly equal means, widths around the linear residual's: a heavy-tailed Gaussian."""
        nn.init.zeros_(self.head.weight)
        bias = torch.zeros(self.components, 1 + 2 * self.latent_size)
        if self.components > 1:
            bias[:, 1 : 1 + self.latent_size] = 0.1 * torch.randn(self.components, self.latent_size)
            bias[:, 1 + self.latent_size :] = torch.linspace(-2.0, 0.7, self.components)[:, None]
        self.head.bias.data.copy_(bias.flatten())

    @torch.jit.unused
    def initialise(self, latents: FloatArray) -> None:
        """Scale, range and linear part from training latents (n_frames, latent_size)."""
        fitted = fit_autoregression(latents, self.order)
        low, high = latents.min(axis=0), latents.max(axis=0)
        margin = _MARGIN * (high - low)
        values = {"mean": fitted.mean, "std": fitted.std, "factor": fitted.factor}
        for name, value in (values | {"low": low - margin, "high": high + margin}).items():
            getattr(self, name).copy_(torch.from_numpy(value))
        # The history holds the newest frame last.
        weights = fitted.coefficients[::-1].transpose(1, 0, 2).reshape(self.latent_size, -1)
        self.linear.weight.data.copy_(torch.from_numpy(weights))

    def forward(self, latents: Tensor, context: Tensor | None = None) -> Tensor:
        """Log-likelihood of every frame given those before it.

        Parameters
        ----------
        latents : (batch, latent_size, frames).
        context : the same, where what is known of the past is not exact: training adds noise to it.

        Returns
        -------
        (batch, frames) nats, of `latents` as they are, not of standardised ones.
        """
        frames = self._standardise(latents.transpose(1, 2))
        past = frames if context is None else self._standardise(context.transpose(1, 2))
        past = functional.pad(past, (0, 0, self.order, 0))[:, :-1]
        history = torch.cat([past[:, lag : lag + frames.shape[1]] for lag in range(self.order)], dim=2)
        hidden = self.recurrent(past[:, self.order - 1 :])[0]
        logits, mean, log_scale = self._mixture(hidden)
        residual = frames - self.linear(history)
        # Single precision under autocast too: there is no triangular solve in half.
        white = torch.linalg.solve_triangular(self.factor, residual.float().transpose(1, 2), upper=False)
        offset = (white.transpose(1, 2).unsqueeze(2) - mean) * torch.exp(-log_scale)
        inverse = torch.linalg.solve_triangular(
            self._triangles(), self.identity.expand_as(self.mixing), upper=False, unitriangular=True
        )
        normal = torch.einsum("kij,btkj->btki", inverse.to(offset.dtype), offset)
        density = -0.5 * normal.square().sum(dim=3) - log_scale.sum(dim=3)
        volume = (self.factor.diagonal() * self.std).log().sum() + 0.5 * self.latent_size * math.log(2 * math.pi)
        return torch.logsumexp(torch.log_softmax(logits, dim=2) + density, dim=2) - volume

    @torch.jit.export
    def step(
        self, previous: Tensor, temperature: Tensor, noise: Tensor, state: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """The next frame.

        Parameters
        ----------
        previous : (batch, latent_size), the frame before; `init_previous` before the first.
        temperature : (batch, 1), 0 or more. 1 samples the density; it scales the noise within a component and in
            the choice of one, so 0 gives the centre of the likeliest.
        noise : (batch, n_noise), standard normal.
        state : of the step before; `init_state` before the first.

        Returns
        -------
        latents (batch, latent_size), within a margin of the training latents' range; the state after.
        """
        newest = self._standardise(previous)
        history = torch.cat([state[0][:, 1:], newest.unsqueeze(1)], dim=1)
        hidden = self._remember(newest, state[1])
        logits, mean, log_scale = self._mixture(hidden.unsqueeze(1))
        # The largest of logit + Gumbel noise is a draw from the weights. Source: Gumbel 1954; Maddison et al. 2014.
        uniform = (0.5 + 0.5 * torch.erf(noise[:, : self.components] / math.sqrt(2.0))).clamp(1e-6, 1.0 - 1e-6)
        chosen = torch.argmax(logits[:, 0] - temperature * torch.log(-torch.log(uniform)), dim=1)
        picked = chosen.reshape(-1, 1, 1).expand(-1, 1, self.latent_size)
        normal = (temperature * noise[:, self.components :]).unsqueeze(2)
        mixed = torch.matmul(self._triangles()[chosen], normal).squeeze(2)
        centre, scale = mean[:, 0].gather(1, picked)[:, 0], log_scale[:, 0].gather(1, picked)[:, 0].exp()
        residual = torch.matmul(centre + scale * mixed, self.factor.t())
        frame = (self.linear(history.flatten(1)) + residual) * self.std + self.mean
        return torch.minimum(torch.maximum(frame, self.low), self.high), [history, hidden]

    @torch.jit.export
    def roll(
        self, previous: Tensor, temperature: Tensor, noise: Tensor, state: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """Many steps: latents (batch, latent_size, frames) and the state after, as the next block wants it.

        Parameters
        ----------
        previous, state : as for `step`; the last frame given is the next block's `previous`.
        temperature : (batch, 1, frames).
        noise : (batch, n_noise, frames).
        """
        frames: list[Tensor] = []
        for index in range(noise.shape[2]):
            previous, state = self.step(previous, temperature[:, :, index], noise[:, :, index], state)
            frames.append(previous)
        return torch.stack(frames, dim=2), state

    @torch.jit.export
    def init_state(self, batch: int) -> list[Tensor]:
        """State before the first frame."""
        history = torch.zeros(batch, self.order, self.latent_size, device=self.mean.device)
        return [history, torch.zeros(batch, self.recurrent.hidden_size, device=self.mean.device)]

    @torch.jit.export
    def init_previous(self, batch: int) -> Tensor:
        """What stands before the first frame: the mean, (batch, latent_size)."""
        return self.mean.expand(batch, self.latent_size)

    def _standardise(self, frames: Tensor) -> Tensor:
        return (frames - self.mean) / self.std

    def _remember(self, x: Tensor, hidden: Tensor) -> Tensor:
        """One frame through the recurrent layer: `nn.GRU` written out, which exporters take for a sequence."""
        r = self.recurrent  # torch declares its weights one by one as it is made, unseen by mypy
        new = functional.linear(x, r.weight_ih_l0, r.bias_ih_l0).chunk(3, dim=1)  # type: ignore[arg-type]
        old = functional.linear(hidden, r.weight_hh_l0, r.bias_hh_l0).chunk(3, dim=1)  # type: ignore[arg-type]
        reset, update = torch.sigmoid(new[0] + old[0]), torch.sigmoid(new[1] + old[1])
        candidate = torch.tanh(new[2] + reset * old[2])
        return candidate + update * (hidden - candidate)

    def _triangles(self) -> Tensor:
        """(components, latent_size, latent_size), unit lower triangular."""
        return torch.tril(self.mixing, -1) + self.identity

    def _mixture(self, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (batch, frames, components); means and log scales (batch, frames, components, latent_size)."""
        out = self.head(self.dropout(hidden)).float()
        out = out.reshape(out.shape[0], out.shape[1], self.components, 1 + 2 * self.latent_size)
        log_scale = out[..., 1 + self.latent_size :].clamp(self.low_log_scale, self.high_log_scale)
        return out[..., 0], out[..., 1 : 1 + self.latent_size], log_scale

"""The two halves of a waveform model as they are exported: one block and a state in, one block and a state out.

Both take any input: what is not finite becomes silence or the mean latent, and leaves nothing broken in the state.
"""

# No postponed annotations here: TorchScript reads them.

import torch
from torch import Tensor, nn

from audiovae.export.counter_noise import counter_noise
from audiovae.models.waveform import WaveformVAE
from audiovae.nn.projection import LatentProjection

AUDIO_LIMIT = 8.0
"""Samples are kept within it, 18 dB above full scale."""

LATENT_LIMIT = 1e3
"""Principal latents are kept within it, hundreds of deviations: further out the sound only saturates."""


def _keep_within(x: Tensor, limit: float) -> Tensor:
    return torch.nan_to_num(x, 0.0, 0.0, 0.0).clamp(-limit, limit)


class StreamingEncoder(nn.Module):
    """Audio (batch, channels, k * hop_length) to principal latents (batch, latent_size, k).

    Attributes
    ----------
    inputs, stride : channels of its input, and how many frames of that make a latent frame.
    """

    def __init__(self, model: WaveformVAE, projection: LatentProjection) -> None:
        super().__init__()
        self.model, self.projection, self.limit = model, projection, AUDIO_LIMIT
        self.inputs, self.stride = model.channels, model.hop_length

    def forward(self, audio: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Latent means."""
        mean, after = self.model.encode_step(_keep_within(audio, self.limit), state)
        return self.projection.project(mean), after

    @torch.jit.export
    def sample(self, audio: Tensor, state: list[Tensor], temperature: float, start: int) -> tuple[Tensor, list[Tensor]]:
        """Latents drawn from the posterior with its deviation times `temperature`; `start` frames came before."""
        mean, log_variance, after = self.model.posterior_step(_keep_within(audio, self.limit), state)
        noise = counter_noise(mean.shape[0], mean.shape[1], mean.shape[2], start, mean.device)
        return self.projection.project(mean + temperature * (0.5 * log_variance).exp() * noise), after

    @torch.jit.unused
    def init_state(self, batch: int) -> list[Tensor]:
        """State before the first block."""
        return self.model.init_encode_state(batch)


class StreamingDecoder(nn.Module):
    """Principal latents (batch, latent_size, k) to audio (batch, channels, k * hop_length).

    Attributes
    ----------
    inputs, stride : channels of its input, and how many frames of that make a latent frame: one.
    """

    def __init__(self, model: WaveformVAE, projection: LatentProjection) -> None:
        super().__init__()
        self.model, self.projection, self.limit = model, projection, LATENT_LIMIT
        self.inputs, self.stride = len(projection.basis), 1

    def forward(self, latents: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Audio in [-1, 1]."""
        return self.model.decode_step(self.projection.unproject(_keep_within(latents, self.limit)), state)

    @torch.jit.unused
    def init_state(self, batch: int) -> list[Tensor]:
        """State before the first block."""
        return self.model.init_decode_state(batch)

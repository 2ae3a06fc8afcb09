"""The temporal spectral VAE: log-mel frames to a small latent with a time axis, and back."""

from __future__ import annotations

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from audiovae.nn.blocks import ResidualBlock
from audiovae.settings import Settings


class SpectralVAESettings(Settings):
    """Size of a `SpectralVAE`."""

    latent_size: int = Field(8, ge=1)
    """Dimensions a performer steers."""
    stride: int = Field(4, ge=1)
    """Mel frames per latent frame: smaller reacts faster, and is harder to steer."""
    capacity: int = Field(192, ge=8)
    """Channels of the hidden layers: larger can hold more sounds, and costs its square."""
    n_blocks: int = Field(4, ge=1)
    """Residual blocks in the encoder, and in the decoder."""
    kernel_size: int = Field(3, ge=1)
    """Latent frames one convolution sees, odd."""
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Share of hidden channels silenced in training."""

    @model_validator(mode="after")
    def _check(self) -> SpectralVAESettings:
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size {self.kernel_size} must be odd")
        return self


class SpectralVAE(nn.Module):
    """Variational autoencoder of log-mel frames, 1-D convolutions over time.

    `stride` mel frames are folded into the channels of one latent frame and every layer runs at the latent
    rate. A linear path (a PCA of such patches after `initialise_linear`) carries what is linear; the
    networks start as a zero residual on it. On minutes of audio this generalises where a plain network
    does worse than the PCA alone.

    Parameters
    ----------
    settings : `SpectralVAESettings`.
    n_mels : bands of the frames.
    """

    band_mean: Tensor
    band_std: Tensor

    def __init__(self, settings: SpectralVAESettings, n_mels: int) -> None:
        super().__init__()
        s = settings
        self.latent_size, self.stride, self.n_mels = s.latent_size, s.stride, n_mels
        self.register_buffer("band_mean", torch.zeros(n_mels, 1))
        self.register_buffer("band_std", torch.ones(n_mels, 1))
        patch = n_mels * s.stride
        self.linear_encoder = nn.Conv1d(patch, s.latent_size, 1)
        self.linear_decoder = nn.Conv1d(s.latent_size, patch, 1)
        # Quiet posteriors at the start: the linear path is right from step 0.
        head = torch.cat([torch.zeros(s.latent_size), torch.full((s.latent_size,), -6.0)])
        self.encoder = _network(s, patch, head)
        self.decoder = _network(s, s.latent_size, torch.zeros(patch))

    def forward(self, spec: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What training needs in one pass: estimate and target (standardised), posterior mean, log-variance."""
        mean, log_variance = self.posterior(spec)
        latents = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return self.decode_standardised(latents), self.standardise(spec), mean, log_variance

    def posterior(self, spec: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the latents of log-mel frames.

        Parameters
        ----------
        spec : (batch, n_mels, frames), frames a multiple of `stride`.

        Returns
        -------
        Two tensors (batch, latent_size, frames // stride).
        """
        patches = self._fold(self.standardise(spec))
        mean, log_variance = torch.chunk(self.encoder(patches), 2, dim=1)
        return self.linear_encoder(patches) + mean, log_variance.clamp(-12.0, 4.0)

    def encode(self, spec: Tensor) -> Tensor:
        """Latent means of log-mel frames: (batch, n_mels, frames) to (batch, latent_size, frames // stride)."""
        return self.posterior(spec)[0]

    def decode(self, latents: Tensor) -> Tensor:
        """Log-mel frames of latents: (batch, latent_size, frames) to (batch, n_mels, frames * stride)."""
        return self.decode_standardised(latents) * self.band_std + self.band_mean

    def decode_standardised(self, latents: Tensor) -> Tensor:
        """Like `decode`, in units of each band's deviation: what training compares."""
        return self._unfold(self.linear_decoder(latents) + self.decoder(latents))

    def standardise(self, spec: Tensor) -> Tensor:
        """Log-mel frames in units of each band's deviation over the training files."""
        return (spec - self.band_mean) / self.band_std

    @torch.no_grad()
    def initialise_statistics(self, spec: Tensor) -> None:
        """Set the standardisation from training frames, (n_mels, frames)."""
        self.band_mean.copy_(spec.mean(dim=1, keepdim=True))
        self.band_std.copy_(spec.std(dim=1, keepdim=True).clamp_min(1e-3))

    @torch.no_grad()
    def initialise_linear(self, spec: Tensor) -> None:
        """Set the linear path to the PCA of patches of `stride` training frames.

        One scale for all latents gives the first unit variance and leaves their ratios: a latent varies by as much
        as it changes the sound, so that a PCA of the trained latents ranks what a performer would rank.

        Parameters
        ----------
        spec : (n_mels, frames) log-mel; call `initialise_statistics` first.
        """
        standardised = self.standardise(spec)
        whole = standardised[None, :, : standardised.shape[1] // self.stride * self.stride]
        patches = self._fold(whole)[0].T.double()
        centre = patches.mean(dim=0)
        variance, components = torch.linalg.eigh(torch.cov((patches - centre).T))
        basis = components[:, -self.latent_size :].flip(1).T
        scale = float(variance[-1].clamp_min(1e-8).sqrt())
        self.linear_encoder.weight.copy_((basis / scale)[:, :, None])
        _set(self.linear_encoder.bias, -(basis / scale) @ centre)
        self.linear_decoder.weight.copy_((basis * scale).T[:, :, None])
        _set(self.linear_decoder.bias, centre)

    def _fold(self, frames: Tensor) -> Tensor:
        batch, _, count = frames.shape
        patches = frames.reshape(batch, self.n_mels, count // self.stride, self.stride)
        return patches.transpose(2, 3).reshape(batch, self.n_mels * self.stride, count // self.stride)

    def _unfold(self, patches: Tensor) -> Tensor:
        batch, _, count = patches.shape
        frames = patches.reshape(batch, self.n_mels, self.stride, count).transpose(2, 3)
        return frames.reshape(batch, self.n_mels, count * self.stride)


def _network(s: SpectralVAESettings, inputs: int, start: Tensor) -> nn.Sequential:
    """A convolution in, residual blocks of growing dilation, and a head that starts as the constant `start`."""
    head = nn.Conv1d(s.capacity, len(start), 1)
    nn.init.zeros_(head.weight)
    _set(head.bias, start)
    blocks = [ResidualBlock(s.capacity, s.kernel_size, 2 ** (i % 3), s.dropout) for i in range(s.n_blocks)]
    return nn.Sequential(nn.Conv1d(inputs, s.capacity, s.kernel_size, padding="same"), *blocks, head)


@torch.no_grad()
def _set(bias: Tensor | None, value: Tensor) -> None:
    assert bias is not None
    bias.copy_(value)

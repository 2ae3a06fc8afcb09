"""The two halves of a spectral model as they are exported: the model's own encode and decode, rotated."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audiovae.models.spectral import SpectralVAE
from audiovae.nn.projection import LatentProjection


class SpectralEncoder(nn.Module):
    """Log-mel frames (batch, n_mels, frames) to principal latents (batch, latent_size, frames // stride)."""

    def __init__(self, model: SpectralVAE, projection: LatentProjection) -> None:
        super().__init__()
        self.model, self.projection = model, projection

    def forward(self, spec: Tensor) -> Tensor:
        """Latent means."""
        return self.projection.project(self.model.encode(spec))


class SpectralDecoder(nn.Module):
    """Principal latents (batch, latent_size, frames) to log-mel frames (batch, n_mels, frames * stride)."""

    def __init__(self, model: SpectralVAE, projection: LatentProjection) -> None:
        super().__init__()
        self.model, self.projection = model, projection

    def forward(self, latents: Tensor) -> Tensor:
        """Frames, not below silence."""
        return torch.relu(self.model.decode(self.projection.unproject(latents)))

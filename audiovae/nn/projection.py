"""Turning latents into the axes a performer gets: principal components, most informative first."""

# No postponed annotations here: TorchScript reads those of buffers, and only as types.

import torch
from torch import Tensor, nn


class LatentProjection(nn.Module):
    """Rotation of latents onto the leading principal components, and back.

    Parameters
    ----------
    mean : (full_size,) mean of the model's latents.
    basis : (latent_size, full_size), orthonormal rows, largest variance first.
    """

    mean: Tensor
    basis: Tensor

    def __init__(self, mean: Tensor, basis: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean[:, None].clone())
        self.register_buffer("basis", basis.clone())

    def project(self, latents: Tensor) -> Tensor:
        """(batch, full_size, frames) to (batch, latent_size, frames)."""
        return torch.matmul(self.basis, latents - self.mean)

    def unproject(self, latents: Tensor) -> Tensor:
        """(batch, latent_size, frames) to (batch, full_size, frames); dropped components rest at their mean."""
        return torch.matmul(self.basis.T, latents) + self.mean

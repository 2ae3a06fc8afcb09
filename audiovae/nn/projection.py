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


@torch.no_grad()
def find_principal_axes(points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Principal axes of points, in double precision; one point or more.

    Parameters
    ----------
    points : (size, n).

    Returns
    -------
    centre : (size,).
    axes : (size, size), orthonormal rows, largest variance first; the largest entry of each is positive, so that two
        fits agree on its sign.
    fidelity : (size,) share of the variance that the first axes explain together.
    """
    points = points.double()
    centre = points.mean(dim=1)
    centred = points - centre[:, None]
    variance, columns = torch.linalg.eigh(centred @ centred.T)
    variance = variance.flip(0).clamp_min(0)  # a rounding error where there are fewer points than dimensions
    axes = columns.flip(1).T
    axes = axes * axes.gather(1, axes.abs().argmax(dim=1, keepdim=True)).sign()
    return centre, axes, variance.cumsum(0) / variance.sum().clamp_min(1e-300)


def count_axes(fidelity: Tensor, share: float) -> int:
    """Fewest axes that explain this share of the variance, for the curve of `find_principal_axes`."""
    return min(int((fidelity < share - 1e-12).sum()) + 1, len(fidelity))

"""Losses as pure functions of tensors; each is a mean over all elements, so that weights mean the same at any size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

ReconstructionLoss = Literal["mse", "l1", "huber", "rms", "spectral_convergence"]


def mean_squared_error(estimate: Tensor, target: Tensor) -> Tensor:
    """Mean of the squared differences."""
    return functional.mse_loss(estimate, target)


def mean_absolute_error(estimate: Tensor, target: Tensor) -> Tensor:
    """Mean of the absolute differences."""
    return functional.l1_loss(estimate, target)


def huber(estimate: Tensor, target: Tensor) -> Tensor:
    """Squared differences that grow only linearly above half a deviation; equals the squared error below."""
    return 2 * functional.huber_loss(estimate, target, delta=0.5)


def root_mean_square(estimate: Tensor, target: Tensor) -> Tensor:
    """Mean over the batch of each excerpt's root mean square difference."""
    difference = (estimate - target).flatten(1)
    # As a norm: its gradient at 0 is 0, where that of a square root would be NaN.
    norm: Tensor = torch.linalg.vector_norm(difference, dim=1)
    mean: Tensor = norm.mean() / difference.shape[1] ** 0.5
    return mean


def spectral_convergence(estimate: Tensor, target: Tensor) -> Tensor:
    """Mean over the batch of ||target - estimate|| / ||target||. Source: Arik et al. 2018, arXiv:1808.06719."""
    error: Tensor = torch.linalg.vector_norm((target - estimate).flatten(1), dim=1)
    size: Tensor = torch.linalg.vector_norm(target.flatten(1), dim=1)
    return (error / size.clamp_min(1e-3)).mean()


RECONSTRUCTION_LOSSES: dict[ReconstructionLoss, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": mean_squared_error,
    "l1": mean_absolute_error,
    "huber": huber,
    "rms": root_mean_square,
    "spectral_convergence": spectral_convergence,
}


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) of each element: 0 for the standard normal.

    Source: Kingma and Welling 2014, arXiv:1312.6114, appendix B.
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def weighted_sum(losses: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Sum of losses, each times its weight once; a loss without a weight is an error."""
    return torch.stack([weights[name] * value for name, value in losses.items()]).sum()

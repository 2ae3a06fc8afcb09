"""The axes a performer gets: principal components of the encoder's means over the training files."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from audiovae.errors import SettingsError
from audiovae.nn.projection import LatentProjection, count_axes, find_principal_axes


def check_cut(latents: int | None, fidelity: float | None, latent_size: int) -> None:
    """Refuse a count of latents, or a share of their variance, that means nothing for a model of `latent_size`."""
    if latents is not None and fidelity is not None:
        raise SettingsError("--latents and --fidelity both given: they answer the same question, give one")
    if fidelity is not None and not 0 < fidelity <= 1:
        raise SettingsError(f"--fidelity {fidelity} found, a share above 0 and up to 1 expected")
    if latents is not None and not 1 <= latents <= latent_size:
        raise SettingsError(f"--latents {latents} found, 1 to {latent_size} expected")


@torch.no_grad()
def fit_projection(means: Iterable[Tensor], latents: int | None, fidelity: float | None) -> LatentProjection:
    """Projection onto the leading principal axes, in double precision.

    Parameters
    ----------
    means : (latent_size, frames) of each training file, one frame or more together.
    latents : axes kept; all if None.
    fidelity : or: the fewest that explain this share of the variance, whatever their number.
    """
    centre, axes, share = find_principal_axes(torch.cat(list(means), dim=1))
    size = latents or len(centre)
    if fidelity is not None:
        size = count_axes(share, fidelity)
    return LatentProjection(centre.float(), axes[:size].float())

"""Losses as pure functions of tensors; each is a mean over all elements, so that weights mean the same at any size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

ReconstructionLoss = Literal["mse", "l1", "huber", "rms", "spectral_convergence"]
N_FFTS = (2048, 1024, 512, 256, 128)
"""Windows of the multi-scale distance, samples."""


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


class _Magnitudes(torch.autograd.Function):
    """|rfft(frames)|, whose gradient goes back by one real transform where torch's own takes a full complex one."""

    @staticmethod
    def forward(ctx: Any, frames: Tensor) -> Tensor:
        spectra = torch.fft.rfft(frames)
        parts = torch.view_as_real(spectra)
        out = (parts[..., 0].square() + parts[..., 1].square()).sqrt_()
        ctx.save_for_backward(spectra, out)
        ctx.n_fft = frames.shape[-1]
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        spectra, out = ctx.saved_tensors
        # The inverse transform counts every bin twice but the first and the last, which have no mirror image.
        weight = torch.full_like(out[0, 0], ctx.n_fft / 2)
        weight[0] = weight[-1] = ctx.n_fft
        back: Tensor = torch.fft.irfft(spectra * (gradient / out.clamp_min(1e-8) * weight), n=ctx.n_fft)
        return back


def magnitudes(audio: Tensor, n_fft: int) -> Tensor:
    """Magnitudes of centred spectra, Hann window of `n_fft`, a quarter of it apart; zeros beyond the ends.

    (batch, channels, samples) to (batch * channels, frames, n_fft // 2 + 1).
    """
    padded = functional.pad(audio.flatten(0, 1), (n_fft // 2, n_fft // 2))
    frames = padded.unfold(1, n_fft, n_fft // 4) * torch.hann_window(n_fft, device=audio.device)
    out: Tensor = _Magnitudes.apply(frames)  # type: ignore[no-untyped-call]
    return out


def multi_scale_distance(
    estimate: Tensor, target: Tensor, n_ffts: Sequence[int] = N_FFTS, floor: float = 1e-7, power: int = 1
) -> Tensor:
    """Sum over window lengths of a relative Frobenius distance and a distance of log magnitudes.

    sum over n_fft of  (|| |X| - |Y| || / ||X||)^power  +  mean | ln(|X| + floor) - ln(|Y| + floor) |

    The norms go over the whole batch, so that a silent excerpt in it weighs nothing in the first term.

    Parameters
    ----------
    estimate, target : (batch, channels, samples), audio or bands; X is of the target.
    power : 1 to train on, where the square is ruled by what is far too loud; 2 to measure as RAVE does.
    floor : magnitude under which a spectrum counts as silent; the window's sum, n_fft / 2, is full scale.

    Source: Yamamoto et al. 2020, arXiv:1910.11480; Caillon and Esling 2021,
    arXiv:2111.05011.
    """
    total = torch.zeros((), device=target.device)
    for n_fft in n_ffts:
        x, y = magnitudes(target, n_fft), magnitudes(estimate, n_fft)
        relative = torch.linalg.vector_norm(x - y) / torch.linalg.vector_norm(x).clamp_min(1e-3)
        total = total + relative**power + ((x + floor).log() - (y + floor).log()).abs().mean()
    return total


def discriminator_hinge(real_scores: Sequence[Tensor], fake_scores: Sequence[Tensor]) -> Tensor:
    """Mean over discriminators of max(0, 1 - real) + max(0, 1 + fake): 0 once both are told apart by a margin of 1.

    Source: Lim and Ye 2017, arXiv:1705.02894.
    """
    pairs = zip(real_scores, fake_scores, strict=True)
    return torch.stack([(1 - real).relu().mean() + (1 + fake).relu().mean() for real, fake in pairs]).mean()


def generator_hinge(fake_scores: Sequence[Tensor]) -> Tensor:
    """Mean over discriminators of -fake: falls as decoded sound is taken for recorded."""
    return -torch.stack([fake.mean() for fake in fake_scores]).mean()


def feature_matching(real: Sequence[Sequence[Tensor]], fake: Sequence[Sequence[Tensor]]) -> Tensor:
    """Mean over discriminators and layers of mean |real - fake| / mean |real|; the scores, last, are left out.

    Source: Kumar et al. 2019, arXiv:1910.06711; made relative as by Defossez et al. 2022,
    arXiv:2210.13438.
    """
    distances = [
        (one - other).abs().mean() / one.abs().mean().clamp_min(1e-6)
        for layers, others in zip(real, fake, strict=True)
        for one, other in zip(layers[:-1], others[:-1], strict=True)
    ]
    return torch.stack(distances).mean()

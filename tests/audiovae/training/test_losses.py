"""Losses against closed forms."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from torch.distributions import Normal
from torch.distributions.kl import kl_divergence as reference_kl

from audiovae.training.losses import (
    RECONSTRUCTION_LOSSES,
    ReconstructionLoss,
    discriminator_hinge,
    feature_matching,
    generator_hinge,
    kl_divergence,
    magnitudes,
    multi_scale_distance,
    weighted_sum,
)

TARGET = torch.tensor([[[3.0, 4.0]], [[0.0, 5.0]]])  # two excerpts, each of norm 5
OFF_BY_ONE = TARGET + 1.0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mse", 1.0),
        ("l1", 1.0),
        ("huber", 0.75),  # 2 * 0.5 * (1 - 0.5 / 2)
        ("rms", 1.0),
        ("spectral_convergence", np.sqrt(2) / 5),
    ],
)
def test_a_difference_of_one_everywhere(name: ReconstructionLoss, expected: float) -> None:
    assert RECONSTRUCTION_LOSSES[name](OFF_BY_ONE, TARGET).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", RECONSTRUCTION_LOSSES)
def test_no_difference_is_no_loss_and_its_gradient_is_finite(name: ReconstructionLoss) -> None:
    estimate = TARGET.clone().requires_grad_()
    loss = RECONSTRUCTION_LOSSES[name](estimate, TARGET)
    loss.backward()
    assert loss.item() == 0
    assert estimate.grad is not None
    assert torch.isfinite(estimate.grad).all()


def test_huber_is_the_squared_error_where_differences_are_small() -> None:
    estimate = TARGET + torch.tensor([0.1, -0.4])
    small = [RECONSTRUCTION_LOSSES[name](estimate, TARGET).item() for name in ("huber", "mse")]
    assert small[0] == pytest.approx(small[1], rel=1e-6)


def test_rms_weighs_excerpts_alike_where_mse_weighs_differences() -> None:
    estimate = TARGET + torch.tensor([[[3.0]], [[1.0]]])
    assert RECONSTRUCTION_LOSSES["rms"](estimate, TARGET).item() == pytest.approx(2.0)
    assert RECONSTRUCTION_LOSSES["mse"](estimate, TARGET).item() == pytest.approx(5.0)


def test_every_name_that_settings_allow_is_a_loss() -> None:
    assert set(get_args(ReconstructionLoss)) == set(RECONSTRUCTION_LOSSES)


def test_kl_is_zero_for_the_standard_normal_and_right_elsewhere() -> None:
    assert kl_divergence(torch.zeros(3), torch.zeros(3)).tolist() == [0, 0, 0]
    assert kl_divergence(torch.tensor(2.0), torch.tensor(0.0)).item() == pytest.approx(2.0)
    mean, log_variance = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    expected = reference_kl(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(kl_divergence(mean, log_variance), expected)


def test_a_weight_counts_once_and_a_loss_without_one_is_an_error() -> None:
    losses = {"a": torch.tensor(2.0), "b": torch.tensor(3.0)}
    assert weighted_sum(losses, {"a": 10.0, "b": 0.5}).item() == pytest.approx(21.5)
    with pytest.raises(KeyError, match="b"):
        weighted_sum(losses, {"a": 1.0})


def test_magnitudes_of_a_sine_on_a_bin() -> None:
    sine = torch.sin(2 * torch.pi * 8 * torch.arange(1024) / 128)[None, None]
    spectrum = magnitudes(sine, 128)
    assert spectrum.shape == (1, 33, 65)
    assert spectrum[0, 16].argmax() == 8
    assert spectrum[0, 16, 8].item() == pytest.approx(0.5 * 64, rel=1e-4)  # half the window's sum


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("gain", [0.5, 1.0, 3.0])
def test_multi_scale_distance_of_a_gain(gain: float, power: int) -> None:
    """Each scale has |1 - gain|^power and |ln gain|."""
    torch.manual_seed(0)
    audio = torch.randn(2, 1, 4096)
    expected = 3 * (abs(1 - gain) ** power + abs(np.log(gain)))
    found = multi_scale_distance(gain * audio, audio, n_ffts=(512, 256, 128), floor=1e-12, power=power)
    assert found.item() == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_multi_scale_distance_does_not_hear_phase_or_channels_apart() -> None:
    torch.manual_seed(0)
    audio = torch.randn(2, 3, 2048)
    assert multi_scale_distance(-audio, audio).item() == pytest.approx(0, abs=1e-6)
    assert multi_scale_distance(audio[:, [1, 0, 2]], audio).item() > 1


def test_multi_scale_distance_from_silence_is_finite_and_has_a_gradient() -> None:
    estimate = torch.zeros(1, 1, 1024, requires_grad=True)
    distance = multi_scale_distance(estimate + 0.1 * torch.randn(1, 1, 1024), torch.zeros(1, 1, 1024), floor=1e-5)
    distance.backward()
    assert torch.isfinite(distance)
    assert estimate.grad is not None
    assert torch.isfinite(estimate.grad).all()
    silent = torch.zeros(1, 1, 1024, requires_grad=True)
    multi_scale_distance(silent, torch.randn(1, 1, 1024)).backward()
    assert silent.grad is not None
    assert torch.isfinite(silent.grad).all()


@pytest.mark.parametrize(
    ("real", "fake", "expected"), [(1.0, -1.0, 0.0), (5.0, -5.0, 0.0), (0.0, 0.0, 2.0), (-1.0, 2.0, 5.0)]
)
def test_discriminator_hinge(real: float, fake: float, expected: float) -> None:
    scores = [torch.full((2, 1, 3), real), torch.full((2, 1, 5), real)]
    others = [torch.full((2, 1, 3), fake), torch.full((2, 1, 5), fake)]
    assert discriminator_hinge(scores, others).item() == pytest.approx(expected)


def test_generator_hinge_counts_every_discriminator_the_same() -> None:
    assert generator_hinge([torch.full((1, 1, 100), 2.0), torch.full((1, 1, 1), 4.0)]).item() == -3


def test_feature_matching_is_relative_and_leaves_the_scores_out() -> None:
    real = [[torch.full((2, 4), 10.0), torch.full((2, 2), 0.1), torch.zeros(2, 1)]]
    fake = [[torch.full((2, 4), 15.0), torch.full((2, 2), 0.2), torch.ones(2, 1)]]
    assert feature_matching(real, fake).item() == pytest.approx((0.5 + 1.0) / 2)

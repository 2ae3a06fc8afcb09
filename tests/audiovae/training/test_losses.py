"""Losses against closed forms."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from torch.distributions import Normal
from torch.distributions.kl import kl_divergence as reference_kl

from audiovae.training.losses import RECONSTRUCTION_LOSSES, ReconstructionLoss, kl_divergence, weighted_sum

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

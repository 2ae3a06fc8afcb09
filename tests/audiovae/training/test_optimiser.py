"""The rate over a run and one step of an optimiser, in closed form."""

from __future__ import annotations

import math

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from audiovae.training.optimiser import descend, make_adamw, set_rate


def test_the_rate_rises_over_fifty_steps_and_falls_by_a_cosine() -> None:
    optimiser = make_adamw(nn.Linear(1, 1), 1.0, 0.0)

    def rate(step: int) -> float:
        set_rate(optimiser, 0.2, step, 1000, floor=0.1)
        return float(optimiser.param_groups[0]["lr"])

    assert rate(0) == pytest.approx(0.2 / 50)
    assert rate(24) == pytest.approx(0.1 * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * 0.024))))
    assert rate(500) == pytest.approx(0.2 * 0.55)
    assert rate(1000) == rate(2000) == pytest.approx(0.02)


@pytest.mark.parametrize(("clip_norm", "kept"), [(1.0, 0.2), (10.0, 1.0)])
def test_a_step_goes_down_the_gradient_cut_to_its_largest_norm(clip_norm: float, kept: float) -> None:
    fabric = Fabric(accelerator="cpu", devices=1)
    layer = nn.Linear(2, 1, bias=False)
    layer.weight.data.zero_()
    network, optimiser = fabric.setup(layer, torch.optim.SGD(layer.parameters(), lr=1.0))
    for _ in range(2):  # the gradient of the step before is not added
        norm = descend(fabric, network(torch.tensor([3.0, 4.0])).sum(), network, optimiser, clip_norm)
        assert float(norm) == pytest.approx(5.0)
    torch.testing.assert_close(layer.weight.data, torch.tensor([[-6.0, -8.0]]) * kept)


def test_a_norm_that_is_not_finite_is_given_back() -> None:
    fabric = Fabric(accelerator="cpu", devices=1)
    layer = nn.Linear(1, 1)
    network, optimiser = fabric.setup(layer, make_adamw(layer, 1e-3, 0.0))
    assert not descend(fabric, network(torch.tensor([math.inf])).sum(), network, optimiser, 1.0).isfinite()

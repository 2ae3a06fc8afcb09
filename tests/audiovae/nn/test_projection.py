"""Principal axes: how many explain what, and that two fits agree."""

from __future__ import annotations

import torch

from audiovae.nn.projection import count_axes, find_principal_axes


def test_fidelity_of_known_variances() -> None:
    torch.manual_seed(0)
    points = torch.linalg.qr(torch.randn(1000, 4)).Q
    points = points - points.mean(dim=0)
    scaled = (torch.linalg.qr(points).Q * torch.tensor([1.0, 3.0, 1.0, 0.0])).T  # variances 1, 9, 1, 0
    _, axes, fidelity = find_principal_axes(scaled)
    torch.testing.assert_close(fidelity, torch.tensor([9, 10, 11, 11]).double() / 11, atol=1e-6, rtol=0)
    torch.testing.assert_close(axes[0], torch.tensor([0.0, 1.0, 0.0, 0.0]).double(), atol=1e-5, rtol=0)
    assert [count_axes(fidelity, share) for share in (0.5, 0.85, 0.95, 1.0)] == [1, 2, 3, 3]


def test_fewer_points_than_dimensions() -> None:
    centre, axes, fidelity = find_principal_axes(torch.tensor([[1.0], [2.0], [3.0]]))
    assert centre.tolist() == [1, 2, 3]
    torch.testing.assert_close(axes @ axes.T, torch.eye(3).double())
    assert fidelity.tolist() == [0, 0, 0]

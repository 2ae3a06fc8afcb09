"""Principal axes from any number of frames, and exactly as many as a fidelity asks for."""

from __future__ import annotations

import pytest
import torch

from audiovae.export.principal_axes import fit_projection


@pytest.mark.parametrize(
    ("fidelity", "kept"), [(0.4, 1), (0.41, 2), (0.7, 2), (0.9, 3), (0.99, 4), (0.991, 5), (1.0, 5)]
)
def test_a_fidelity_keeps_the_fewest_axes_that_reach_it(fidelity: float, kept: int) -> None:
    share = torch.tensor([0.4, 0.3, 0.2, 0.09, 0.01], dtype=torch.float64)
    # Each axis at plus and minus its deviation, alone: the covariance is known without error.
    points = torch.cat([torch.diag(share.sqrt()), -torch.diag(share.sqrt())], dim=1) + 3.0
    projection = fit_projection([points[:, :4], points[:, 4:]], None, fidelity)
    torch.testing.assert_close(projection.basis, torch.eye(5)[:kept], atol=1e-6, rtol=0)
    torch.testing.assert_close(projection.mean[:, 0], torch.full((5,), 3.0))


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_fewer_frames_than_dimensions_still_give_a_rotation(frames: int) -> None:
    points = torch.randn(8, frames, generator=torch.Generator().manual_seed(0))
    projection = fit_projection([points], None, None)
    torch.testing.assert_close(projection.basis @ projection.basis.T, torch.eye(8), atol=1e-6, rtol=0)
    torch.testing.assert_close(projection.unproject(projection.project(points[None]))[0], points)
    if frames > 1:
        assert len(fit_projection([points], None, 1.0).basis) == frames - 1


def test_dropped_axes_rest_at_their_mean() -> None:
    points = torch.randn(6, 100, generator=torch.Generator().manual_seed(1)) + 5
    projection = fit_projection([points], 2, None)
    still = projection.unproject(torch.zeros(1, 2, 1))[0, :, 0]
    torch.testing.assert_close(still, points.mean(dim=1))
    again = projection.project(projection.unproject(torch.tensor([[[1.0], [-2.0]]])))
    torch.testing.assert_close(again, torch.tensor([[[1.0], [-2.0]]]))

"""Ways between two sounds' latents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audiovae.generation.interpolation import Way, interpolate, slerp
from audiovae.latent_space import LatentSpace

HALF = np.array([[0.5]])


def test_slerp_turns_and_stretches_evenly() -> None:
    a, b = np.array([[2.0, 0.0]]), np.array([[0.0, 4.0]])
    halfway = slerp(a, b, HALF)
    np.testing.assert_allclose(halfway, 3.0 * np.sqrt(0.5) * np.ones((1, 2)))


@pytest.mark.parametrize("b", [[2.0, 0.0], [0.0, 0.0], [-2.0, 0.0]])
def test_slerp_goes_straight_where_there_is_no_turn(b: list[float]) -> None:
    a = np.array([[1.0, 0.0]])
    np.testing.assert_allclose(slerp(a, np.array([b]), HALF), (a + [b]) / 2)


@pytest.mark.parametrize("way", ["linear", "spherical"])
def test_it_begins_in_one_sound_and_ends_in_the_other(tiny_model: Path, way: Way) -> None:
    space = LatentSpace.load(tiny_model)
    first, second = space.cloud.latents[:5], space.cloud.latents[40:47]
    latents = interpolate(first, second, 30, way, space)
    assert latents.shape == (30, space.latent_size)
    np.testing.assert_allclose(latents[0], first[0], atol=1e-5)
    np.testing.assert_allclose(latents[-1], second[29 % 7], atol=1e-5)
    still = interpolate(first, first, 30, way, space)  # between a sound and itself nothing but the sound
    np.testing.assert_allclose(still, first[np.arange(30) % 5], atol=1e-5)

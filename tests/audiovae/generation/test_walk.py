"""The walk: how it goes from place to place. Where it goes is measured in gesturemap's trajectories."""

from __future__ import annotations

import numpy as np
import pytest

from audiovae.generation.walk import minimum_jerk


def test_the_way_between_waypoints_starts_and_ends_at_rest() -> None:
    u = np.linspace(0.0, 1.0, 100_001)
    way = minimum_jerk(u)
    speed = np.gradient(way, u)
    assert (way[0], way[-1]) == (0.0, 1.0)
    assert (np.diff(way) >= 0).all()
    assert abs(speed[[0, -1]]).max() < 1e-6
    assert abs(np.gradient(speed, u)[[0, -1]]).max() < 1e-2
    assert speed.max() == pytest.approx(15 / 8, abs=1e-6)  # halfway

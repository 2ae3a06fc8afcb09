"""Coverage against time: closed forms on clusters that are visited one after the other."""

from __future__ import annotations

import numpy as np
import pytest

from gesturemap.report.coverage import CoverageSettings, Motion, build_reference, measure, whiten
from gesturemap.report.curve import coverage_curve

RATE = 20.0


@pytest.fixture(scope="module")
def grid(space_of):
    """Eight far-apart clusters of 50 frames, each in five files."""
    rng = np.random.default_rng(0)
    which = np.tile(np.repeat(np.arange(8), 10), 5)
    latents = np.array([[30.0 * w, 30.0 * (w % 3)] for w in which]) + 0.5 * rng.standard_normal((400, 2))
    space = space_of(latents, np.repeat(np.arange(5), 80))
    return space, build_reference(space, CoverageSettings(trim=0.0, fidelity=1.0)), latents, which


def curve_of(grid, visits, take_of_visit):
    """Each visit goes to all 50 frames of one cluster, in 2.5 s."""
    space, reference, latents, which = grid
    points = np.concatenate([whiten(space, latents[which == visit], 2) for visit in visits])
    motion = Motion(points, np.repeat(take_of_visit, 50), RATE)
    return measure(reference, motion, 0.5)


def test_one_cluster_after_another_is_a_straight_line(grid):
    reach = curve_of(grid, range(8), np.zeros(8, dtype=int))
    curve = coverage_curve(reach)
    assert curve.n_orders == 1
    assert curve.time_s[-1] == pytest.approx(20.0)
    assert curve.coverage[0] == 0
    assert curve.coverage[-1] == pytest.approx(1.0)
    for visited in range(9):
        assert curve.at(2.5 * visited) == pytest.approx(visited / 8, abs=1e-9)
    assert 7.5 < curve.half_time_s <= 10.0
    assert curve.at(1e9) == pytest.approx(1.0)


def test_coming_back_reaches_nothing_new(grid):
    curve = coverage_curve(curve_of(grid, [0, 1, 0, 1, 0, 1], np.zeros(6, dtype=int)))
    assert curve.at(5.0) == pytest.approx(0.25)
    assert curve.coverage[-1] == pytest.approx(0.25)
    assert (np.diff(curve.coverage) >= 0).all()


def test_takes_are_put_in_random_orders(grid):
    # Takes 0, 2, 4 repeat cluster 0; takes 1, 3 bring one new cluster each.
    reach = curve_of(grid, [0, 1, 0, 2, 0], np.array([0, 1, 2, 3, 6]))
    curve = coverage_curve(reach, seed=1)
    assert curve.n_orders == 20
    assert curve.coverage[-1] == pytest.approx(3 / 8)
    assert (curve.low <= curve.coverage + 1e-12).all()
    assert (curve.coverage <= curve.high + 1e-12).all()
    assert curve.low[-1] == curve.high[-1]
    # The first take always brings one cluster; the second at least nothing, at most one.
    assert curve.at(2.5) == pytest.approx(1 / 8)
    assert 1 / 8 < curve.at(5.0) < 2 / 8
    assert np.array_equal(curve.coverage, coverage_curve(reach, seed=1).coverage)


def test_a_motion_that_reaches_nothing_has_no_half_time(grid):
    _, reference, _, _ = grid
    reach = measure(reference, Motion(np.full((60, 2), 1e6), np.zeros(60, dtype=int), RATE))
    curve = coverage_curve(reach)
    assert not curve.coverage.any()
    assert curve.half_time_s is None

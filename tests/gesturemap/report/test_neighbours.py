"""The engine against distances written out."""

from __future__ import annotations

import numpy as np
import pytest

from gesturemap.errors import ReportError
from gesturemap.report import neighbours
from gesturemap.report.neighbours import covered, kth_distance, pairs_in_balls


def pair_table(centres, radius, points):
    """(n, m) table of the pairs, each counted."""
    table = np.zeros((len(centres), len(points)), dtype=int)
    for i, j in pairs_in_balls(centres, radius, points):
        np.add.at(table, (i, j), 1)
    return table


@pytest.mark.parametrize("dimensions", [1, 2, 6, 7, 16, 33])
def test_kth_distance_skips_the_own_file_exactly(sounds, definition, dimensions):
    points, files = sounds(13, 29, dimensions, seed=dimensions)
    files = np.random.default_rng(0).permutation(13)[files]
    expected = definition(points, files, points[:1], 5)["radius"]
    assert np.allclose(kth_distance(points, files, 5), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("k", [1, 3, 40])
def test_tree_and_blocks_agree(sounds, k):
    points, files = sounds(9, 50, 4, seed=2)
    by_blocks = neighbours._kth_by_blocks(points, files, k, np.arange(len(points)))
    assert np.array_equal(kth_distance(points, files, k), np.sqrt(by_blocks))


def test_rows_that_the_tree_gives_up_are_finished_by_blocks(definition):
    # Two far clusters, one a file: every neighbour of a point, 400 deep, is of its own file.
    rng = np.random.default_rng(3)
    points = np.concatenate([rng.standard_normal((400, 2)), rng.standard_normal((400, 2)) + 50])
    files = np.repeat([0, 1], 400)
    assert np.isnan(neighbours._kth_by_tree(points, files, 5)).all()
    expected = definition(points, files, points[:1], 5)["radius"]
    assert np.allclose(kth_distance(points, files, 5), expected, rtol=1e-12)


@pytest.mark.parametrize("dimensions", [2, 8, 16])
def test_kth_distance_without_files_is_the_plain_neighbour(dimensions):
    points = np.random.default_rng(4).standard_normal((300, dimensions))
    distance = np.sort(np.linalg.norm(points[:, None] - points[None], axis=2), axis=1)
    assert np.allclose(kth_distance(points, np.arange(300), 5), distance[:, 5], rtol=1e-12)


@pytest.mark.parametrize("dimensions", [2, 16])
def test_too_few_frames_outside_a_file_are_refused(dimensions):
    points = np.zeros((10, dimensions))
    with pytest.raises(ReportError, match=r"only 4 frames lie outside the largest of 2 files"):
        kth_distance(points, np.array([0] * 6 + [1] * 4), 5)


@pytest.mark.parametrize("dimensions", [1, 3, 16, 40])
def test_pairs_are_those_of_the_distances_and_come_once(dimensions, monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK", 2000)
    rng = np.random.default_rng(5)
    centres, points = rng.standard_normal((150, dimensions)), rng.standard_normal((170, dimensions))
    radius = rng.uniform(0, 1.5 * np.sqrt(dimensions), 150)
    distance = np.linalg.norm(centres[:, None] - points[None], axis=2)
    assert np.array_equal(pair_table(centres, radius, points), (distance <= radius[:, None]).astype(int))


@pytest.mark.parametrize("dimensions", [2, 16])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_a_point_on_the_sphere_is_inside(sounds, dimensions, offset):
    # Every k-th neighbour lies exactly on its sphere, where rounding decides: all must be found.
    points, files = sounds(20, 30, dimensions, seed=6)
    points = points + offset
    radius = kth_distance(points, files, 5)
    table = pair_table(points, radius, points)
    other = files[:, None] != files[None]
    assert ((table * other).sum(axis=1) == 5).all()


@pytest.mark.parametrize("dimensions", [2, 16])
def test_identical_frames_such_as_silence_have_balls_of_radius_zero(dimensions):
    rng = np.random.default_rng(7)
    silence = np.tile(rng.standard_normal(dimensions), (60, 1))
    points = np.concatenate([silence, rng.standard_normal((60, dimensions))])
    files = np.tile(np.arange(6), 20)
    radius = kth_distance(points, files, 5)
    assert (radius[:60] == 0).all()
    assert (radius[60:] > 0).all()
    table = pair_table(points, radius, silence[:1])
    assert table[:60, 0].all()
    assert not pair_table(points, radius, silence[:1] + 1e-9)[:60].any()


def test_near_duplicates_far_from_the_middle_keep_their_distances():
    # |x|^2 + |y|^2 - 2 x y in float32 would see nothing below 1e-2 here.
    rng = np.random.default_rng(8)
    points = np.concatenate([1e-7 * rng.standard_normal((200, 16)) + 100, -100 + rng.standard_normal((200, 16))])
    files = np.tile(np.arange(10), 40)
    expected = [np.sort(np.linalg.norm(points[files != f] - p, axis=1))[4] for p, f in zip(points, files, strict=True)]
    assert np.allclose(kth_distance(points, files, 5), expected, rtol=1e-9)


@pytest.mark.parametrize("dimensions", [2, 8, 16])
def test_covered_is_any_pair(sounds, dimensions):
    points, files = sounds(10, 40, dimensions, seed=9)
    motion, _ = sounds(3, 40, dimensions, seed=10)
    radius = kth_distance(points, files, 5)
    assert np.array_equal(covered(points, radius, motion), pair_table(points, radius, motion).any(axis=1))
    assert not covered(points, radius, motion[:0]).any()


def test_far_outliers_change_nothing(sounds):
    points, files = sounds(10, 40, 16, seed=11)
    motion, _ = sounds(3, 40, 16, seed=12)
    radius = kth_distance(points, files, 5)
    table = pair_table(points, radius, np.concatenate([motion, np.full((1, 16), 1e12)]))
    assert np.array_equal(table[:, :-1], pair_table(points, radius, motion))
    assert not table[:, -1].any()


def test_rows_asked_for_are_those_of_all(sounds):
    points, files = sounds(12, 40, 9, seed=7)
    rows = np.array([3, 77, 479])
    assert np.array_equal(kth_distance(points, files, 3, rows), kth_distance(points, files, 3)[rows])

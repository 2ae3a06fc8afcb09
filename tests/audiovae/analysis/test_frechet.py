"""Frechet distance: closed forms, shrinkage, and sums of files that add up to the whole."""

from __future__ import annotations

import numpy as np
import pytest

from audiovae.analysis.frechet import FileSums, frechet_distance, shrink
from audiovae.errors import ShapeError

RNG = np.random.default_rng(0)


def covariance(d: int) -> np.ndarray:
    root = RNG.standard_normal((d, d))
    return root @ root.T


def test_gaussians_of_diagonal_covariance_by_hand() -> None:
    mean_1, mean_2 = np.array([1.0, 2.0, 0.0]), np.array([0.0, 2.0, -2.0])
    deviation_1, deviation_2 = np.array([1.0, 2.0, 3.0]), np.array([2.0, 0.0, 3.5])
    expected = 5.0 + ((deviation_1 - deviation_2) ** 2).sum()
    found = frechet_distance((mean_1, np.diag(deviation_1**2)), (mean_2, np.diag(deviation_2**2)))
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_turn_of_space_changes_nothing() -> None:
    turn, _ = np.linalg.qr(RNG.standard_normal((5, 5)))
    first, second = (np.diag(RNG.uniform(0.1, 4, 5)) for _ in range(2))
    expected = ((np.sqrt(np.diag(first)) - np.sqrt(np.diag(second))) ** 2).sum()
    zero = np.zeros(5)
    assert frechet_distance((zero, turn @ first @ turn.T), (zero, turn @ second @ turn.T)) == pytest.approx(expected)


def test_it_is_the_same_both_ways_and_that_of_scipy() -> None:
    from scipy.linalg import sqrtm

    first, second = (RNG.standard_normal(6), covariance(6)), (RNG.standard_normal(6), covariance(6))
    root = np.real(sqrtm(first[1] @ second[1]))
    expected = ((first[0] - second[0]) ** 2).sum() + np.trace(first[1] + second[1] - 2 * root)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(second, first) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("rank", [1, 4, 8])
def test_a_gaussian_is_at_zero_from_itself_of_any_rank(rank: int) -> None:
    root = RNG.standard_normal((8, rank))
    one = (RNG.standard_normal(8), root @ root.T)
    assert frechet_distance(one, one) == pytest.approx(0.0, abs=1e-6 * np.trace(one[1]))


def test_shrinkage_keeps_the_trace_and_goes_with_points() -> None:
    true = np.diag([4.0, 1.0, 0.25])
    amounts = []
    for n_points in (5, 50, 5000):
        shrunk = shrink(true, n_points)
        assert np.trace(shrunk) == pytest.approx(np.trace(true))
        amounts.append(shrunk[2, 2] - 0.25)
    assert np.all(np.diff(amounts) < 0)
    assert amounts[-1] < 2e-3
    np.testing.assert_array_equal(shrink(2 * np.eye(3), 10), 2 * np.eye(3))
    np.testing.assert_array_equal(shrink(np.zeros((2, 2)), 10), np.zeros((2, 2)))


def test_shrinkage_brings_few_points_nearer_to_the_truth() -> None:
    true = np.diag(np.linspace(0.5, 2.0, 20))
    errors = []
    for _ in range(20):
        points = RNG.standard_normal((15, 20)) * np.sqrt(np.diag(true))
        sample = np.cov(points, rowvar=False, bias=True)
        errors.append([((one - true) ** 2).sum() for one in (sample, shrink(sample, 15))])
    plain, shrunk = np.mean(errors, axis=0)
    assert shrunk < plain / 3


def test_sums_of_files_are_those_of_all_points() -> None:
    files = [RNG.standard_normal((n, 3)) + 100.0 for n in (5, 1, 40)]
    mean, found = FileSums.of(files, np.full(3, 100.0)).gaussian(np.array([1.0, 2.0, 1.0]))
    points = np.concatenate([files[0], files[1], files[1], files[2]])
    np.testing.assert_allclose(mean + 100.0, points.mean(axis=0))
    np.testing.assert_allclose(found, shrink(np.cov(points, rowvar=False, bias=True), len(points)), rtol=1e-10)


def test_no_files_and_no_points_are_refused() -> None:
    with pytest.raises(ShapeError, match="shape none"):
        FileSums.of([], np.zeros(3))
    with pytest.raises(ShapeError, match=r"\(0, 3\)"):
        FileSums.of([np.zeros((0, 3))], np.zeros(3))

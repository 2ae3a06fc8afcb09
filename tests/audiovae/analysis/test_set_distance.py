"""Distances of sets of files: what is equal scores the null, what is not does not, and order means nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from audiovae.analysis.set_distance import compare_sets, difference_of_sets
from audiovae.errors import ShapeError


def draw_files(rng: np.random.Generator, n_files: int, spread: float = 1.0, n_points: int = 12) -> list[np.ndarray]:
    """Files whose points (n_points, 3) lie around a centre of their own."""
    return [spread * rng.standard_normal(3) + 0.3 * rng.standard_normal((n_points, 3)) for _ in range(n_files)]


@pytest.mark.parametrize("paired", [True, False])
def test_the_same_set_is_at_zero_and_not_significant(paired: bool) -> None:
    files = draw_files(np.random.default_rng(0), 10)
    result = compare_sets(files, files, paired)
    assert result["value"] == pytest.approx(0.0, abs=1e-9)
    assert result["p"] > 0.9
    assert result["low"] == pytest.approx(0.0, abs=1e-9)
    if paired:  # half of the copies is the half itself
        assert result["crossed"] == pytest.approx(result["null"])
        assert result["ratio"] == pytest.approx(1.0)
    json.dumps(result, allow_nan=False)


@pytest.mark.parametrize("paired", [True, False])
def test_p_values_of_real_against_real_are_uniform(paired: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiovae.analysis.set_distance.N_SPLITS", 2)
    monkeypatch.setattr("audiovae.analysis.set_distance.N_PERMUTATIONS", 39)
    p_values = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        p_values.append(compare_sets(draw_files(rng, 8), draw_files(rng, 8), paired, seed)["p"])
    jitter = np.random.default_rng(0).uniform(0, 1 / 40, len(p_values))  # p has 40 steps
    assert stats.kstest(np.array(p_values) - jitter, "uniform").pvalue > 0.01


def test_two_draws_of_the_same_kind_score_the_null() -> None:
    rng = np.random.default_rng(5)
    result = compare_sets(draw_files(rng, 60), draw_files(rng, 60), paired=False)
    assert 0.6 < result["ratio"] < 1.6
    assert result["p"] > 0.05


@pytest.mark.parametrize("paired", [True, False])
def test_another_set_is_told_and_by_how_much(paired: bool) -> None:
    rng = np.random.default_rng(1)
    real = draw_files(rng, 20, n_points=200)
    other = [points + np.array([3.0, 0.0, 0.0]) for points in real]
    result = compare_sets(real, other, paired)
    assert result["value"] == pytest.approx(9.0, rel=1e-6)  # a shift alone
    if paired:  # a shift of each pair is known to the digit
        assert (result["corrected"], result["low"], result["high"]) == pytest.approx((9.0, 9.0, 9.0))
    assert 0 <= result["low"] <= result["corrected"] <= result["high"]
    assert result["p"] == pytest.approx(1 / 200)
    assert result["ratio"] > 5
    assert (result["n_files"], result["n_points"]) == (20, 4000)


def test_the_order_of_files_changes_no_distance() -> None:
    rng = np.random.default_rng(2)
    real, other = draw_files(rng, 9), draw_files(rng, 9, spread=1.5)
    order = rng.permutation(9)
    moved = compare_sets([real[i] for i in order], [other[i] for i in order], paired=True)
    result = compare_sets(real, other, paired=True)
    assert moved["value"] == pytest.approx(result["value"])
    assert moved["null"]["median"] == pytest.approx(result["null"]["median"], rel=0.5)  # other random halves
    assert compare_sets(real, other, paired=True) == result  # and one seed gives one answer


def test_the_nearer_of_two_sets_is_told_with_an_interval() -> None:
    rng = np.random.default_rng(3)
    real = draw_files(rng, 12)
    near, far = ([points + shift for points in real] for shift in (0.1, 1.0))
    result = difference_of_sets(real, near, far)
    assert result["value"] == pytest.approx(3 * (1.0 - 0.01))
    assert result["low"] is not None
    assert result["low"] > 0
    assert difference_of_sets(real[:3], near[:3], far[:3])["low"] is None


def test_intervals_hold_the_truth_where_the_plain_value_is_far_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiovae.analysis.set_distance.N_SPLITS", 2)
    monkeypatch.setattr("audiovae.analysis.set_distance.N_PERMUTATIONS", 2)
    results = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        real, other = draw_files(rng, 12), draw_files(rng, 12)
        results.append(compare_sets(real, [points + np.array([1.0, 0, 0]) for points in other], False, seed))
    assert np.mean([result["value"] for result in results]) > 1.4
    assert np.mean([result["corrected"] for result in results]) == pytest.approx(1.0, abs=0.25)
    assert np.mean([result["low"] <= 1.0 <= result["high"] for result in results]) >= 0.85


def test_few_files_have_a_distance_and_a_reason() -> None:
    files = draw_files(np.random.default_rng(4), 3)
    result = compare_sets(files, files, paired=True)
    assert result["value"] == pytest.approx(0.0, abs=1e-9)
    assert result["p"] is result["null"] is result["low"] is None
    assert "3 real and 3 other files" in result["reason"]
    with pytest.raises(ShapeError, match="none"):
        compare_sets([], [], paired=True)


@pytest.mark.parametrize("n_files", [6, 13])
def test_the_interval_of_few_pairs_holds_the_truth(n_files: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`benchmarks/reconstruction_sets.py` asks the same of sets without pairs, 200 times."""
    monkeypatch.setattr("audiovae.analysis.set_distance.N_SPLITS", 1)
    monkeypatch.setattr("audiovae.analysis.set_distance.N_PERMUTATIONS", 1)
    truth = 1.0 + 3 * (np.sqrt(1.09 + 0.09) - np.sqrt(1.09)) ** 2  # files vary by 1 + 0.3^2, copies by as much again
    held = []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        real = draw_files(rng, n_files)
        other = [points + np.array([1.0, 0, 0]) + 0.3 * rng.standard_normal(3) for points in real]
        result = compare_sets(real, other, paired=True, seed=seed)
        held.append(result["low"] <= truth <= result["high"])
    assert np.mean(held) >= 0.88

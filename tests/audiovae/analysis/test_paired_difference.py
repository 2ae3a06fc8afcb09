"""Two models file by file: counts, exact p-values by hand, intervals and corrections."""

from __future__ import annotations

import json

import numpy as np
import pytest

from audiovae.analysis.paired_difference import compare_pairs, holm


def test_wins_and_exact_p_values_by_hand() -> None:
    second = [1.1, 2.2, 3.3, 4.4, 5.5, 6.6]
    result = compare_pairs([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], second)
    assert (result["first_wins"], result["second_wins"], result["ties"]) == (6, 0, 0)
    assert result["sign_p"] == pytest.approx(2 / 2**6)
    assert result["wilcoxon_p"] == pytest.approx(2 / 2**6)
    assert result["difference"] == pytest.approx(np.mean([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]))
    assert 0 < result["low"] < result["difference"] < result["high"]
    json.dumps(result, allow_nan=False)


def test_where_more_is_nearer_the_wins_turn_and_the_difference_does_not() -> None:
    result = compare_pairs([1.0, 2.0, 3.0, 5.0], [2.0, 4.0, 6.0, 9.0], lower_wins=False)
    assert (result["first_wins"], result["second_wins"]) == (0, 4)
    assert result["difference"] > 0


def test_a_model_against_itself_ties_everywhere() -> None:
    result = compare_pairs([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0])
    assert (result["ties"], result["sign_p"], result["wilcoxon_p"]) == (4, 1.0, 1.0)
    assert result["low"] == result["high"] == result["difference"] == 0.0


def test_the_interval_covers_the_truth_and_the_tests_are_calibrated() -> None:
    covered, found = 0, 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        sounds = 10 * rng.standard_normal(30)  # sounds differ far more than the models
        result = compare_pairs(sounds + rng.standard_normal(30), sounds + rng.standard_normal(30))
        covered += result["low"] <= 0.0 <= result["high"]
        found += result["wilcoxon_p"] < 0.05
    assert 0.89 <= covered / 200 <= 0.99
    assert found / 200 < 0.1


def test_few_files_have_no_interval_and_none_no_difference() -> None:
    assert compare_pairs([1.0, 2.0], [3.0, 1.0])["low"] is None
    assert compare_pairs([], [])["difference"] is None


def test_holm_by_hand() -> None:
    assert holm([0.04, None, 0.01, 0.03]) == pytest.approx([0.06, None, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]

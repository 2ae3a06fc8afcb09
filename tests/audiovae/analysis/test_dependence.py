"""Dependence: known p-values, known memory, and no finding where there is nothing to find."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from audiovae.analysis import dependence
from audiovae.analysis.dependence import (
    InformationNull,
    associate,
    autocorrelations,
    block_length,
    draw_blocks,
    holm,
    rank_correlation,
)


def autoregress(rng: np.random.Generator, n: int, columns: int, memory: float) -> np.ndarray:
    noise, series = rng.standard_normal((n, columns)), np.zeros((n, columns))
    for i in range(1, n):
        series[i] = memory * series[i - 1] + noise[i]
    return series


def sounds(rng: np.random.Generator, count: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Number of the sound, and frame within it, of frames of `count` sounds of 20 to 200 frames."""
    lengths = rng.integers(20, 200, count)
    return np.repeat(np.arange(count), lengths), np.concatenate([np.arange(n) for n in lengths])


def test_holm_is_that_of_the_textbook() -> None:
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9])[1] == 1.0


def test_autocorrelation_of_an_autoregression() -> None:
    rng = np.random.default_rng(0)
    run = np.repeat(np.arange(20), 500)
    series = np.concatenate([autoregress(rng, 500, 1, 0.9) for _ in range(20)])
    found = autocorrelations(series, run)[:20, 0]
    np.testing.assert_allclose(found, 0.9 ** np.arange(20), atol=0.08)


def test_autocorrelation_leaves_out_what_is_missing() -> None:
    rng = np.random.default_rng(0)
    series = autoregress(rng, 8000, 1, 0.8)
    series[rng.random(8000) < 0.3] = np.nan
    found = autocorrelations(series, np.zeros(8000, int))[:8, 0]
    np.testing.assert_allclose(found, 0.8 ** np.arange(8), atol=0.08)


def test_a_block_ends_where_both_have_forgotten() -> None:
    slow, fast = 0.9 ** np.arange(100), 0.5 ** np.arange(100)
    assert block_length(slow, slow) == 15  # 0.81^15 = 0.042
    assert block_length(slow, fast) == 4  # 0.45^4 = 0.041
    assert block_length(np.ones(100), np.ones(100)) is None


def test_blocks_are_as_far_apart_as_asked_and_every_file_is_in() -> None:
    rng = np.random.default_rng(1)
    run, place = sounds(rng)
    for block in (1, 7, 60, 500):
        rows = draw_blocks(run, run, place, np.ones(len(run), bool), block, rng)
        assert set(run[rows]) == set(run)
        for sound in np.unique(run):
            assert (np.diff(place[rows][run[rows] == sound]) == block).all()
    assert len(draw_blocks(run, run, place, np.ones(len(run), bool), None, rng)) == 30


def test_rank_correlation_of_one_draw_is_that_of_scipy() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal(200)
    y = x + rng.standard_normal(200)
    rho, n, p = rank_correlation([(x, y)])
    expected = stats.spearmanr(x, y)
    assert (rho, n) == (pytest.approx(expected.statistic), 200)
    assert p == pytest.approx(expected.pvalue)


def test_information_is_that_of_scikit_learn() -> None:
    from sklearn.feature_selection import mutual_info_regression

    rng = np.random.default_rng(3)
    x = rng.standard_normal(256)
    for noise in (0.1, 0.5, 1.0):
        ranks = [stats.rankdata(v).astype(int) for v in (x, x**2 + noise * rng.standard_normal(256))]
        expected = mutual_info_regression(ranks[0][:, None], ranks[1], random_state=0)[0] / np.log(2)
        assert dependence._information(ranks[0], ranks[1]) == pytest.approx(expected, abs=0.1)


def test_information_finds_what_no_correlation_finds() -> None:
    rng = np.random.default_rng(4)
    x = rng.standard_normal(300)
    bits, p = InformationNull(300, 0).compare(x, x**2, rng)
    assert bits is not None
    assert bits > 1.0
    assert p == pytest.approx(1 / 301)
    assert InformationNull(300, 0).compare(x[:10], x[:10], rng) == (None, 1.0)


@pytest.mark.parametrize("file_level", [0.0, 2.0])
def test_independent_noise_gives_no_finding_in_95_of_100_seeds(
    file_level: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Smooth series, with and without a level of its own in every sound: where frames are tested, most are found."""
    shared = InformationNull(600, 0)  # the null does not depend on the data
    monkeypatch.setattr(dependence, "InformationNull", lambda *_: shared)
    clean, naive = 0, []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        run, place = sounds(rng)
        series = np.concatenate([autoregress(rng, n, 6, 0.9) for n in np.bincount(run)])
        series += file_level * rng.standard_normal((30, 6))[run]
        found = associate(
            series[:, :3], {name: series[:, 3 + i] for i, name in enumerate("abc")}, run, place, run, seed
        )
        clean += all(one.p_holm >= 0.05 for one in found)
        naive.append(stats.spearmanr(series[:, 0], series[:, 3]).pvalue < 0.05)
    assert clean >= 95
    assert np.mean(naive) > 0.3


def test_a_dependence_is_found_and_the_seed_decides_everything() -> None:
    rng = np.random.default_rng(7)
    run, place = sounds(rng)
    series = np.concatenate([autoregress(rng, n, 2, 0.9) for n in np.bincount(run)])
    descriptors = {"same": np.exp(series[:, 0]), "other": series[:, 1]}
    found = associate(series[:, :1], descriptors, run, place, run, 3)
    assert found[0].rho == pytest.approx(1.0)
    assert found[0].p_holm < 1e-6
    assert found[0].information_p_holm < 0.05
    assert found[1].p_holm > 0.05
    assert associate(series[:, :1], descriptors, run, place, run, 3) == found

"""The floors and the ceiling keep what they promise to keep."""

from __future__ import annotations

import numpy as np

from gesturemap.report import nulls


def test_held_out_frames_are_whole_validation_files_cut_at_the_count(bells):
    rows = nulls.held_out(bells, -60.0, 200, np.random.default_rng(0))
    source = bells.cloud.file_index[rows]
    assert len(rows) == 200
    assert (source >= 20).all()
    assert sorted(np.unique(source, return_counts=True)[1]) == [40, 80, 80]
    assert np.array_equal(np.diff(rows)[np.diff(source) == 0], np.ones(197))
    assert not np.array_equal(rows, nulls.held_out(bells, -60.0, 200, np.random.default_rng(1)))


def test_held_out_gives_what_there_is(bells):
    assert len(nulls.held_out(bells, -60.0, 10**6, np.random.default_rng(0))) == 800
    assert len(nulls.held_out(bells, 0.0, 100, np.random.default_rng(0))) == 0


def test_prior_and_box(bells):
    rng = np.random.default_rng(1)
    draws = nulls.prior(bells, 20_000, rng)
    assert np.abs(draws.mean(axis=0)).max() < 0.04
    assert np.abs(np.cov(draws, rowvar=False) - np.eye(8)).max() < 0.05
    box = nulls.uniform(bells, 5000, rng)
    assert (box >= bells.quantile(0.01)).all()
    assert (box <= bells.quantile(0.99)).all()
    assert np.allclose(box.mean(axis=0), (bells.quantile(0.01) + bells.quantile(0.99)) / 2, atol=0.1)


def test_shuffling_keeps_every_dimension_and_breaks_their_dependence(sounds):
    latents = sounds(1, 2000, 4, seed=2)[0]
    shuffled = nulls.shuffled(latents, np.random.default_rng(3))
    assert np.array_equal(np.sort(shuffled, axis=0), np.sort(latents, axis=0))
    assert abs(np.corrcoef(latents[:, 0] ** 2, latents[:, 2])[0, 1]) > 0.3
    assert abs(np.corrcoef(shuffled[:, 0] ** 2, shuffled[:, 2])[0, 1]) < 0.1


def test_the_walk_has_the_gestures_mean_spread_and_autocorrelation_take_by_take(sounds):
    latents, take = sounds(3, 501, 4, seed=4)
    latents = np.concatenate([latents, latents[:500]])
    take = np.concatenate([take, np.full(500, 3)])
    walk = nulls.walk(latents, take, np.random.default_rng(5))
    assert np.isrealobj(walk)
    assert not np.allclose(walk, latents, atol=0.1)
    for number in range(4):
        one, other = latents[take == number], walk[take == number]
        assert np.allclose(one.mean(axis=0), other.mean(axis=0))
        assert np.allclose(one.std(axis=0), other.std(axis=0))
        # The circular autocorrelation is the transform of the power spectrum.
        assert np.allclose(np.abs(np.fft.rfft(one, axis=0)), np.abs(np.fft.rfft(other, axis=0)))


def test_static_is_the_median():
    latents = np.array([[0.0, 1.0], [2.0, 5.0], [9.0, 3.0]])
    assert np.array_equal(nulls.static(latents), [[2.0, 3.0]])

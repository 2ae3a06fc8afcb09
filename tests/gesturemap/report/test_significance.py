"""p-values: small where there is a difference, spread out where there is none; `benchmarks/intervals.py` has more."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gesturemap.report.coverage import CoverageSettings, Motion, build_reference, measure, whiten
from gesturemap.report.significance import p_of_difference, p_values, two_sided

SETTINGS = CoverageSettings(n_permutations=39, test_frames=200)


def test_the_rank_among_surrogates_counts_on_both_sides():
    drawn = list(range(1, 20))
    assert two_sided(100.0, drawn) == pytest.approx(2 / 20)
    assert two_sided(-1.0, drawn) == pytest.approx(2 / 20)
    assert two_sided(10.0, drawn) == 1.0
    assert two_sided(18.5, drawn) == pytest.approx(4 / 20)


def test_draws_of_the_null_have_uniform_p_values(bells):
    reference = build_reference(bells, SETTINGS)
    rng = np.random.default_rng(0)
    take = np.zeros(100, dtype=np.intp)
    p = []
    for repetition in range(40):
        latents = rng.uniform(bells.quantile(0.01), bells.quantile(0.99), (100, 8))
        p.append(p_values(reference, latents, take, bells, SETTINGS, repetition, ("uniform",))["uniform"]["p"])
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_a_path_is_told_from_points_that_jump(bells, sounds):
    reference = build_reference(bells, SETTINGS)
    latents, take = sounds(10, 60, 8, seed=5)
    found = p_values(reference, latents, take, bells, SETTINGS, 0)
    assert found["uniform"]["p"] <= 0.05
    assert found["uniform"]["mean"] > measured(bells, reference, latents, take).coverage


def measured(space, reference, latents, take):
    motion = Motion(whiten(space, latents, reference.rank), take, space.latent_rate)
    return measure(reference, motion, SETTINGS.step_s)


def test_two_mappings_are_compared_take_by_take(bells, sounds):
    reference = build_reference(bells, SETTINGS)
    latents, take = sounds(12, 60, 8, seed=6)
    whole = measured(bells, reference, latents, take)
    still = measured(bells, reference, np.tile(latents[:1], (len(latents), 1)), take)
    assert p_of_difference(whole, still, SETTINGS, 0) <= 0.05
    assert p_of_difference(whole, whole, SETTINGS, 0) == 1.0
    shorter = measured(bells, reference, latents[:-60], take[:-60])
    assert p_of_difference(whole, shorter, SETTINGS, 0) is None

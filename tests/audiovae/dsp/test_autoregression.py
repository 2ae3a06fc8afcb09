"""The baselines of a prior: their likelihood in closed form, and that they find what a process was made with."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from audiovae.dsp.autoregression import (
    Autoregression,
    choose_autoregression,
    fit_autoregression,
    fit_diagonal,
    measure_nats,
)

TURN = np.array([[0.9, -0.3, 0.0], [0.3, 0.9, 0.0], [0.0, 0.2, 0.5]])


def process(n_frames: int, seed: int = 0) -> np.ndarray:
    """A first-order process with correlated residuals, of which the third dimension is large."""
    rng = np.random.default_rng(seed)
    factor = np.array([[0.2, 0.0, 0.0], [0.1, 0.2, 0.0], [0.0, 0.1, 0.3]])
    frames = np.zeros((n_frames, 3))
    for index in range(1, n_frames):
        frames[index] = TURN @ frames[index - 1] + factor @ rng.standard_normal(3)
    return np.array([3.0, 0.0, -1.0]) + frames * [1.0, 1.0, 10.0]


def test_likelihood_is_that_of_the_normal_distribution_around_the_linear_guess() -> None:
    rng = np.random.default_rng(1)
    mean, std = rng.standard_normal(3), np.array([0.5, 2.0, 1.0])
    coefficients, factor = 0.3 * rng.standard_normal((2, 3, 3)), np.linalg.cholesky(np.cov(rng.random((3, 9))))
    model, frames = Autoregression(mean, std, coefficients, factor), rng.standard_normal((5, 3))
    before = np.concatenate([np.tile(mean, (2, 1)), frames])
    for index, frame in enumerate(frames):
        past = (before[[index + 1, index]] - mean) / std
        guess = mean + std * (coefficients[0] @ past[0] + coefficients[1] @ past[1])
        covariance = np.outer(std, std) * (factor @ factor.T)
        expected = multivariate_normal(guess, covariance).logpdf(frame)
        assert model.log_likelihood(frames)[index] == pytest.approx(expected, abs=1e-9)


def test_the_process_is_found_and_held_out_frames_choose_the_order() -> None:
    train, held_out = process(20_000), process(5_000, seed=1)
    found = fit_autoregression(train, 1)
    np.testing.assert_allclose(
        found.std[:, None] * found.coefficients[0] / found.std, TURN * [1, 1, 0.1] * [[1], [1], [10]], atol=0.15
    )
    nats = measure_nats(choose_autoregression(train, held_out), held_out)
    assert nats >= measure_nats(found, held_out) > measure_nats(fit_autoregression(train, 0), held_out)
    assert measure_nats(fit_autoregression(train, 0), held_out) > measure_nats(fit_diagonal(train), held_out)


def test_a_constant_dimension_has_a_finite_likelihood() -> None:
    frames = np.column_stack([process(100), np.full(100, 2.0)])
    assert np.isfinite(fit_autoregression(frames, 2).log_likelihood(frames)).all()

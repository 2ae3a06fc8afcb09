"""One suite over every regressor of the table."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from gesturemap.errors import MappingError
from gesturemap.regressors import DEFAULT_REGRESSOR, REGRESSORS, find_regressor, make_regressor, regressor_settings
from gesturemap.regressors.storage import load_regressor, save_regressor

N_FEATURES, N_OUTPUTS = 3, 2


def smooth_map(x: np.ndarray) -> np.ndarray:
    """Two smooth functions of three features, of very unequal size and far from zero."""
    wave, step = np.sin(x[:, 0]) + 0.3 * x[:, 1], np.tanh(x[:, 2] - 0.5 * x[:, 0])
    return np.stack([wave, 500.0 + 100.0 * step], axis=1)


def examples(n_rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features on unequal scales, and their latents with a little noise."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.5, 1.5, (n_rows, N_FEATURES))
    y = smooth_map(x)
    return x * [1.0, 1e3, 1e-3] + [0.0, 1e4, 0.0], y + 0.01 * y.std(axis=0) * rng.normal(size=y.shape)


def fitted(name: str, x: np.ndarray, y: np.ndarray, seed: int = 0) -> Any:
    """A fitted regressor with default settings, but no network learns for long."""
    settings = regressor_settings(name, ["max_epochs=80"] if name == "mlp" else [])
    return make_regressor(name, settings, x.shape[1], 1 if y.ndim == 1 else y.shape[1], seed).fit(x, y)


@functools.cache
def learned(name: str) -> Any:
    """`fitted` on ``examples(60)``, once for all tests that only ask it."""
    return fitted(name, *examples(60))


@pytest.fixture(params=list(REGRESSORS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_fit_returns_itself_and_predict_keeps_the_shape(name: str) -> None:
    x, y = examples(60)
    regressor = make_regressor(name, None, N_FEATURES, N_OUTPUTS)
    assert regressor.fit(x, y) is regressor
    assert regressor.predict(x[:7]).shape == (7, N_OUTPUTS)
    assert regressor.predict(x[:1]).shape == (1, N_OUTPUTS)
    assert regressor.predict(x[:1]).dtype == np.float64


def test_one_output(name: str) -> None:
    x, y = examples(60)
    flat, column = fitted(name, x, y[:, 0]), fitted(name, x, y[:, :1])
    assert flat.predict(x).shape == (60,)
    assert column.predict(x).shape == (60, 1)
    np.testing.assert_array_equal(flat.predict(x), column.predict(x)[:, 0])


def test_clone_is_unfitted_and_learns_the_same(name: str) -> None:
    from sklearn.base import clone

    x, y = examples(60)
    regressor = learned(name)
    copy = clone(regressor)
    assert not hasattr(copy, "n_features_in_")
    np.testing.assert_array_equal(copy.fit(x, y).predict(x), regressor.predict(x))


def test_equal_seeds_give_equal_numbers(name: str) -> None:
    x, y = examples(60)
    np.testing.assert_array_equal(fitted(name, x, y, 3).predict(x), fitted(name, x, y, 3).predict(x))


def test_file_gives_the_same_bits_back(name: str, tmp_path: Any) -> None:
    regressor = learned(name)
    save_regressor(regressor, tmp_path / "regressor.skops")
    again = load_regressor(tmp_path / "regressor.skops")
    fresh = examples(40, seed=1)[0]
    np.testing.assert_array_equal(again.predict(fresh), regressor.predict(fresh))
    assert [path.name for path in tmp_path.iterdir()] == ["regressor.skops"]


def test_order_of_features_does_not_matter(name: str) -> None:
    if name in ("mlp", "wekinator"):
        pytest.skip("its first weights are drawn by column, so another order is another draw")
    x, y = examples(80)
    order = [2, 0, 1]
    straight = fitted(name, x, y).predict(x)
    turned = fitted(name, x[:, order], y).predict(x[:, order])
    np.testing.assert_allclose(turned, straight, rtol=0, atol=1e-3 * y.std(axis=0).max())


def test_unit_of_the_latents_does_not_matter(name: str) -> None:
    x, y = examples(60)
    large, small = fitted(name, x, 8.0 * y).predict(x), learned(name).predict(x)
    np.testing.assert_allclose(large, 8.0 * small, rtol=1e-6)


def test_rows_do_not_depend_on_their_neighbours(name: str) -> None:
    x, _ = examples(60)
    regressor = learned(name)
    one_by_one = np.concatenate([regressor.predict(x[i : i + 1]) for i in range(len(x))])
    np.testing.assert_allclose(one_by_one, regressor.predict(x), rtol=1e-9)


def test_five_rows_are_enough_and_four_are_refused(name: str) -> None:
    x, y = examples(5)
    assert np.isfinite(fitted(name, x, y).predict(x)).all()
    if find_regressor(name).min_rows == 1:
        pytest.skip("as the original, it learns from a single example")
    with pytest.raises(MappingError, match="4 examples found, 5 or more needed"):
        fitted(name, x[:4], y[:4])


def test_constant_feature_and_constant_latent(name: str) -> None:
    x, y = examples(60)
    x[:, 1], y[:, 0] = 7.0, -3.0
    latents = fitted(name, x, y).predict(x)
    assert np.isfinite(latents).all()
    np.testing.assert_allclose(latents[:, 0], -3.0, atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(name: str, bad: float) -> None:
    x, y = examples(60)
    regressor = learned(name)
    broken = x.copy()
    broken[3, 1] = bad
    with pytest.raises(MappingError, match="1 of 60 feature rows"):
        regressor.predict(broken)
    with pytest.raises(MappingError, match="1 of 60 feature rows"):
        fitted(name, broken, y)
    with pytest.raises(MappingError, match="latents hold NaN"):
        fitted(name, x, np.where(np.arange(60)[:, None] == 3, bad, y))


def test_other_shapes_are_refused(name: str) -> None:
    x, y = examples(60)
    regressor = learned(name)
    with pytest.raises(MappingError, match=r"\(60, 2\) found, \(n_rows, 3\) expected"):
        regressor.predict(x[:, :2])
    with pytest.raises(MappingError, match="for 60 feature rows"):
        fitted(name, x, y[:59])


def test_better_than_the_mean(name: str) -> None:
    x, y = examples(300)
    held_x, held_y = examples(200, seed=1)
    error = np.mean((fitted(name, x, y).predict(held_x) - held_y) ** 2, axis=0)
    mean_error = np.mean((y.mean(axis=0) - held_y) ** 2, axis=0)
    # One feature explains less than all of them do.
    assert (error < (0.6 if name == "linear_map" else 0.3) * mean_error).all()


def test_confidence_is_one_among_the_examples_and_zero_far_away(name: str) -> None:
    x, _ = examples(60)
    regressor = learned(name)
    confidence = regressor.confidence(x)
    assert confidence.shape == (60,)
    assert confidence.dtype == np.float64
    assert ((confidence >= 0) & (confidence <= 1)).all()
    far = x.mean(axis=0) + 50.0 * x.std(axis=0)
    assert np.median(confidence) > 0.8 > 1e-3 > regressor.confidence(far[None])[0]
    outward = x.mean(axis=0) + np.linspace(3, 8, 6)[:, None] * x.std(axis=0)
    assert (np.diff(regressor.confidence(outward)) <= 1e-12).all()


def test_confidence_refuses_what_predict_refuses(name: str) -> None:
    x, _ = examples(60)
    with pytest.raises(MappingError, match=r"\(60, 2\) found, \(n_rows, 3\) expected"):
        learned(name).confidence(x[:, :2])


def test_confidence_survives_the_file(name: str, tmp_path: Any) -> None:
    save_regressor(learned(name), tmp_path / "regressor.skops")
    fresh = examples(40, seed=1)[0]
    again = load_regressor(tmp_path / "regressor.skops").confidence(fresh)
    np.testing.assert_array_equal(again, learned(name).confidence(fresh))


def test_the_table_is_closed() -> None:
    assert DEFAULT_REGRESSOR in REGRESSORS
    with pytest.raises(MappingError, match="no regressor 'forest'; there are: linear_map"):
        find_regressor("forest")
    with pytest.raises(MappingError, match="KnnSettings found, RidgeSettings expected"):
        make_regressor("ridge", REGRESSORS["knn"].settings(), 3, 2)

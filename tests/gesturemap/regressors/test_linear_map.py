"""One feature a latent: the arithmetic, what is learned, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from gesturemap.errors import MappingError
from gesturemap.regressors import make_regressor
from gesturemap.regressors.linear_map import LinearMap
from gesturemap.regressors.settings import LinearMapSettings

X = np.stack([np.linspace(0.0, 10.0, 101), np.linspace(5.0, -5.0, 101) ** 3], axis=1)


def test_without_examples_the_travel_of_a_feature_covers_the_range() -> None:
    regressor = LinearMap(columns=[0, 0, 1], signs=[1, -1, 1], bias=[2.0, 0.0, 1.0], half_range=[3.0, 1.0, 0.0])
    regressor.fit(X)
    # The 1-99 % range of the first feature is 0.1 to 9.9.
    latents = regressor.predict(np.array([[0.1, 0.0], [5.0, 0.0], [9.9, 0.0]]))
    np.testing.assert_allclose(latents, [[-1.0, 1.0, 1.0], [2.0, 0.0, 1.0], [5.0, -1.0, 1.0]], atol=1e-12)


def test_without_examples_latents_take_the_features_in_turn() -> None:
    regressor = LinearMap(bias=[0.0] * 5, half_range=[1.0] * 5).fit(X)
    assert regressor.columns_.tolist() == [0, 1, 0, 1, 0]


def test_an_exact_line_is_found() -> None:
    y = np.stack([4.0 - 2.0 * X[:, 0], 0.01 * X[:, 1]], axis=1)
    regressor = LinearMap().fit(X, y)
    assert regressor.columns_.tolist() == [0, 1]
    assert regressor.signs_.tolist() == [-1.0, 1.0]
    np.testing.assert_allclose(regressor.predict(X), y, atol=1e-9)


def test_full_gain_covers_the_range_however_weak_the_relation() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 1))
    y = 0.2 * x + rng.normal(size=(2000, 1))
    assert LinearMap(gain="fit").fit(x, y).predict(x).std() < 0.3 * y.std()
    full = LinearMap(gain="full").fit(x, y).predict(x)
    np.testing.assert_allclose(np.quantile(full, (0.01, 0.99)), np.quantile(y, (0.01, 0.99)), rtol=1e-6)


def test_columns_by_name_and_a_minus_turns_around() -> None:
    settings = LinearMapSettings(columns=("left_y", "-left_x"), bias=(0.0, 0.0), half_range=(1.0, 1.0))
    regressor = make_regressor("linear_map", settings, 2, 2, feature_names=("left_x", "left_y")).fit(X)
    assert regressor.columns_.tolist() == [1, 0]
    assert regressor.signs_.tolist() == [1.0, -1.0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (LinearMapSettings(columns=("left_z", "left_x")), "no feature 'left_z'; there are: left_x, left_y"),
        (LinearMapSettings(columns=("left_x",)), "columns: 1 found, one for each of 2 latents"),
        (LinearMapSettings(bias=(0.0, 1.0, 2.0)), "bias: 3 found, one for each of 2 latents"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: LinearMapSettings, message: str) -> None:
    with pytest.raises(MappingError, match=message):
        make_regressor("linear_map", settings, 2, 2, feature_names=("left_x", "left_y"))


def test_no_examples_and_no_range_is_refused() -> None:
    with pytest.raises(MappingError, match="give bias and half_range"):
        LinearMap().fit(X)

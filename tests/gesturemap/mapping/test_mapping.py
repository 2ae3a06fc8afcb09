"""What a mapping does with features, takes, lost hands and other models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from audiovae.latent_space import LatentSpace
from gesturemap.errors import WrongModelError
from gesturemap.features import SmoothingSettings, extract_features
from gesturemap.mapping import Mapping, OutputSettings, fill_absent
from gesturemap.recording import Recording

RATE = 60.0


def test_rows_without_a_gesture_stay_without_latents(mapping: Mapping) -> None:
    features = np.array([[0.0, 0.0, 0.0], [np.nan, 0.0, 0.0], [30.0, 1.0, 2.0]])
    latents = mapping.predict(features)
    assert np.isnan(latents).all(axis=1).tolist() == [False, True, False]
    np.testing.assert_array_equal(latents[[0, 2]], mapping.predict(features[[0, 2]]))
    assert np.isnan(mapping.predict(np.full((4, 3), np.nan))).all()


def test_latents_stay_in_the_range_of_the_model(mapping: Mapping, play_space: LatentSpace) -> None:
    wild = np.random.default_rng(0).uniform(-1e4, 1e4, (500, 3))
    latents = mapping.predict(wild)
    assert (latents >= play_space.quantile(0.01)).all()
    assert (latents <= play_space.quantile(0.99)).all()


def test_clipping_is_that_of_the_quantiles(mapping: Mapping) -> None:
    class Shouting:
        def predict(self, features: np.ndarray) -> np.ndarray:
            return np.array([[1e9] * 4, [-1e9] * 4])

    latents = replace(mapping, regressor=Shouting()).predict(np.zeros((2, 3)))
    np.testing.assert_array_equal(latents, [mapping.high, mapping.low])


def test_a_take_is_features_regressor_and_clipping(mapping: Mapping, make_recording: Callable[..., Recording]) -> None:
    take = make_recording(1, seed=9).takes[0]
    features = extract_features(mapping.features, mapping.layout, take.time_s, take.values)
    np.testing.assert_array_equal(mapping.map_take(take.time_s, take.values), mapping.predict(features))


def test_it_answers_a_take_it_has_not_heard(mapping: Mapping, make_recording: Callable[..., Recording]) -> None:
    take = make_recording(1, seed=9).takes[0]
    error = mapping.map_take(take.time_s, take.values) - take.latents
    assert (np.sqrt((error**2).mean(axis=0)) < 0.5 * np.std(take.latents, axis=0)).all()


def test_exponential_smoothing_of_the_latents(mapping: Mapping) -> None:
    """A step of the hand becomes the exponential step response of the latents."""
    time_s = np.arange(60) / RATE
    values = np.where(time_s[:, None] < 0.5, [[-30.0, -30.0, 0.0]], [[30.0, 30.0, 0.0]])
    smoothing = SmoothingSettings(method="exponential", time_constant_s=0.1)
    smooth = replace(mapping, output=OutputSettings(smoothing=smoothing))
    before, after = mapping.map_take(time_s, values)[[0, -1]]
    share = np.exp(-(time_s[time_s >= 0.5] - 0.5 + 1 / RATE) / 0.1)[:, None]
    np.testing.assert_allclose(smooth.map_take(time_s, values)[time_s >= 0.5], after + share * (before - after))


def test_lost_hand_is_nan_or_filled(mapping: Mapping) -> None:
    time_s = np.arange(240) / RATE
    values = np.tile([[20.0, 0.0, 0.0]], (240, 1))
    values[60:] = np.nan
    bare, filled = mapping.map_take(time_s, values), mapping.map_take(time_s, values, fill=True)
    assert np.isnan(bare[60:]).all()
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[:60], bare[:60])
    np.testing.assert_array_equal(filled[60:89], np.tile(bare[59], (29, 1)))  # 0.5 s after 59 / 60 s
    np.testing.assert_allclose(filled[-1], mapping.rest)


def test_absent_rows_hold_then_fade_then_rest() -> None:
    time_s = np.arange(12.0)
    latents = np.full((12, 1), np.nan)
    latents[2], latents[11] = 8.0, 5.0
    filled = fill_absent(latents, time_s, hold_s=2.0, fade_s=4.0, rest=np.array([0.0]))
    assert filled[:, 0].tolist() == [0.0, 0.0, 8.0, 8.0, 8.0, 6.0, 4.0, 2.0, 0.0, 0.0, 0.0, 5.0]


def test_absent_rows_at_once_or_never_present() -> None:
    rest = np.array([1.0, 2.0])
    latents = np.array([[9.0, 9.0], [np.nan, 9.0], [np.nan, np.nan]])
    filled = fill_absent(latents, np.arange(3.0), hold_s=0.0, fade_s=0.0, rest=rest)
    np.testing.assert_array_equal(filled, [[9.0, 9.0], rest, rest])
    np.testing.assert_array_equal(fill_absent(latents[1:], np.arange(2.0), 1.0, 1.0, rest), [rest, rest])
    assert fill_absent(np.empty((0, 2)), np.empty(0), 1.0, 1.0, rest).shape == (0, 2)


def test_another_model_is_refused_by_name(mapping: Mapping, play_space: LatentSpace) -> None:
    mapping.check_model(play_space)
    other = replace(play_space, model_id="d2" * 32, model_name="voices")
    with pytest.raises(WrongModelError, match=r"'loops' \(c1c1c1c1c1c1, 4 latents\), this is 'voices' \(d2d2d2d2d2d2"):
        mapping.check_model(other)
    mapping.check_model(other, force=True)
    with pytest.raises(WrongModelError, match="not even --force"):
        mapping.check_model(replace(other, latent_size=7), force=True)


def test_label_reads_in_the_way_of_the_data(mapping: Mapping) -> None:
    assert str(mapping.label) == "synthetic -> position -> kernel_ridge -> loops"

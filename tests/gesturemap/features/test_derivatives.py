"""Derivatives: closed form, other people's code as oracle, gaps and starts."""

import numpy as np
import pytest
from scipy.signal import savgol_coeffs

from audiovae.errors import SettingsError
from gesturemap.features import DerivativeSettings, load_features
from gesturemap.features.derivatives import Derivatives, derivative_weights

BOTH = [
    DerivativeSettings(),
    DerivativeSettings(window_s=0.0, window_frames=7, degree=3),
    DerivativeSettings(method="difference", velocity_frames=3, acceleration_frames=2),
]


def irregular_times(n_frames: int, seed: int = 0) -> np.ndarray:
    return 100.0 + np.random.default_rng(seed).uniform(0.004, 0.03, n_frames).cumsum()


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("window", [{"window_s": 0.0, "window_frames": 8}, {"window_s": 0.15}])
def test_a_polynomial_of_the_degree_is_differentiated_exactly(degree: int, window: dict[str, float]) -> None:
    time_s = irregular_times(80)
    t = time_s - time_s[40]
    polynomial = np.polynomial.Polynomial([500.0, -300.0, 120.0, 90.0][: degree + 1])
    settings = DerivativeSettings(degree=degree, **window)
    found = Derivatives(settings, 1, order=degree).process(time_s, polynomial(t)[:, None])[..., 0]
    for order in range(1, degree + 1):
        np.testing.assert_allclose(found[order - 1, degree:], polynomial.deriv(order)(t)[degree:], rtol=1e-6, atol=1e-6)


def test_the_velocity_of_a_sine_is_a_cosine() -> None:
    time_s = np.arange(2000) / 1000.0
    turn = 2.0 * np.pi * time_s
    velocity, acceleration = Derivatives(DerivativeSettings(window_s=0.004, degree=3), 1, 2).process(
        time_s, np.sin(turn)[:, None]
    )[..., 0]
    assert np.abs(velocity - 2.0 * np.pi * np.cos(turn))[4:].max() < 1e-5
    assert np.abs(acceleration + 4.0 * np.pi**2 * np.sin(turn))[4:].max() < 1e-2


@pytest.mark.parametrize("settings", BOTH)
def test_a_still_hand_has_derivatives_of_exactly_zero(settings: DerivativeSettings) -> None:
    found = Derivatives(settings, 2, 2).process(irregular_times(50), np.full((50, 2), 1234.567))
    assert not found.any()


def test_weights_are_those_of_savitzky_and_golay_at_even_times() -> None:
    ages_s = (-np.arange(9) / 60.0).tolist()
    for degree in (1, 2, 3):
        weights = derivative_weights(ages_s, degree, order=degree)
        for order in range(1, degree + 1):
            expected = savgol_coeffs(9, degree, deriv=order, delta=1 / 60, pos=8, use="dot")[::-1]
            np.testing.assert_allclose(weights[order - 1], expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def test_weights_of_one_window_and_of_many_are_the_same_bits() -> None:
    windows = [(irregular_times(9, seed) - irregular_times(9, seed)[-1]).tolist() for seed in range(5)]
    many = derivative_weights(list(np.array(windows).T), degree=3, order=3)
    for index, ages_s in enumerate(windows):
        one = derivative_weights(ages_s, degree=3, order=3)
        np.testing.assert_array_equal(np.array(many)[..., index], one)


def test_times_closer_than_numbers_can_tell_do_not_stop_a_stream() -> None:
    """Their squares are 0: no number comes out, no error, and the next frame is right again."""
    time_s = np.array([0.0, 1e-200, 2e-200, 1.0, 1.01, 1.02, 1.03])
    derivatives = Derivatives(DerivativeSettings(window_s=0.05), 1, 2)
    with np.errstate(all="ignore"):
        found = [derivatives.process(time_s[i : i + 1], 3.0 * time_s[i : i + 1, None]) for i in range(len(time_s))]
    np.testing.assert_allclose(found[-1][:, 0, 0], [3.0, 0.0], atol=1e-9)


def test_noise_is_fitted_like_polyfit_at_uneven_times() -> None:
    time_s, values = irregular_times(40), np.random.default_rng(2).normal(size=(40, 1))
    settings = DerivativeSettings(window_s=0.0, window_frames=10, degree=3)
    found = Derivatives(settings, 1, 3).process(time_s, values)[..., 0]
    for frame in range(9, 40):
        window = slice(frame - 9, frame + 1)
        fit = np.polynomial.Polynomial.fit(time_s[window] - time_s[frame], values[window, 0], 3)
        np.testing.assert_allclose(found[:, frame], [fit.deriv(k)(0.0) for k in (1, 2, 3)], rtol=1e-7, atol=1e-6)


def test_difference_is_the_change_over_n_frames_by_its_time() -> None:
    time_s, values = irregular_times(30), np.random.default_rng(3).normal(size=(30, 2))
    settings = DerivativeSettings(method="difference", velocity_frames=3, acceleration_frames=2, jerk_frames=1)
    velocity, acceleration, jerk = Derivatives(settings, 2, 3).process(time_s, values)
    expected = (values[3:] - values[:-3]) / (time_s[3:] - time_s[:-3])[:, None]
    np.testing.assert_array_equal(velocity[3:], expected)
    expected = (velocity[5:] - velocity[3:-2]) / (time_s[5:] - time_s[3:-2])[:, None]
    np.testing.assert_array_equal(acceleration[5:], expected)
    np.testing.assert_array_equal(
        jerk[6:], (acceleration[6:] - acceleration[5:-1]) / (time_s[6:] - time_s[5:-1])[:, None]
    )


@pytest.mark.parametrize("settings", BOTH)
@pytest.mark.parametrize("broken", ["start", "gap", "pause"])
def test_after_a_break_derivatives_come_in_one_by_one(settings: DerivativeSettings, broken: str) -> None:
    """A steady motion: velocity 0 at the first frame, right from the second; acceleration never made up."""
    time_s = np.arange(40) / 50.0
    if broken == "pause":
        time_s[20:] += 3.0
    values = 300.0 * time_s[:, None] + 50.0
    if broken == "gap":
        values[17:20] = np.nan
        values[20:] += 5000.0  # a jump that must leave no trace
    first = 0 if broken == "start" else 20
    velocity, acceleration = Derivatives(settings, 1, 2).process(time_s, values)[..., 0]
    assert velocity[first] == 0.0
    np.testing.assert_allclose(velocity[first + 1 :], 300.0, rtol=1e-9)
    np.testing.assert_allclose(acceleration[first:], 0.0, atol=1e-6)
    np.testing.assert_array_equal(np.isnan(velocity), np.isnan(values[:, 0]))


@pytest.mark.parametrize("settings", BOTH)
def test_channels_are_lost_one_by_one(settings: DerivativeSettings) -> None:
    rng = np.random.default_rng(4)
    time_s, values = irregular_times(200), rng.normal(size=(200, 3))
    values[rng.random(values.shape) < 0.1] = np.nan
    together = Derivatives(settings, 3, 2).process(time_s, values)
    for channel in range(3):
        alone = Derivatives(settings, 1, 2).process(time_s, values[:, channel : channel + 1])
        np.testing.assert_array_equal(together[..., channel : channel + 1], alone)


def test_a_window_in_seconds_never_holds_too_few_frames() -> None:
    time_s = np.arange(20) * 0.2  # slower than the window is long
    acceleration = Derivatives(DerivativeSettings(window_s=0.1), 1, 2).process(time_s, time_s[:, None] ** 2)[1, :, 0]
    np.testing.assert_allclose(acceleration[2:], 2.0, rtol=1e-9)


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(SettingsError, match="too short for degree 2: at least 3"):
        load_features("motion", ["derivative.window_s=0", "derivative.window_frames=2"])
    with pytest.raises(SettingsError, match=r"window_s 0\.1 and window_frames 9: one of them"):
        load_features("motion", ["derivative.window_frames=9"])
    with pytest.raises(SettingsError, match=r"set derivative\.degree=3"):
        load_features("motion", ['motion=["jerk"]'])
    with pytest.raises(SettingsError, match="did you mean 'window_frames'"):
        load_features("motion", ["derivative.window_frame=5"])

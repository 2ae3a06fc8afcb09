"""Windows, series and differences: the numbers of NumPy, and what holds at a start and after a gap."""

from __future__ import annotations

import numpy as np
import pytest

from audiovae.errors import SettingsError
from gesturemap import Channel, Layout
from gesturemap.features import FeatureExtractor, extract_features, load_features
from gesturemap.features.windows import History, Windows, WindowSettings
from gesturemap.frame import Array

LAYOUT = Layout((Channel("a", "mm", -1.0, 1.0), Channel("b", "mm", -1.0, 1.0)))


def give(values: Array, *overrides: str) -> Array:
    settings = load_features("position", overrides)
    return extract_features(settings, LAYOUT, np.arange(len(values)) / 50.0, values)


@pytest.mark.parametrize(
    ("kind", "reduce"), [("min", np.min), ("max", np.max), ("mean", np.mean), ("deviation", np.std)]
)
def test_a_full_window_is_numpys(kind: str, reduce: object) -> None:
    values = np.random.default_rng(0).normal(size=(60, 2)) + 1e3
    given = give(values, f'window={{frames=7, give=["{kind}"]}}')
    windows = np.lib.stride_tricks.sliding_window_view(values, 7, axis=0)
    np.testing.assert_allclose(given[6:], reduce(windows, axis=2), rtol=1e-12)  # type: ignore[operator]
    # At the start over the frames there are, not over zeros as WekiInputHelper's.
    np.testing.assert_allclose(given[3], reduce(values[:4], axis=0), rtol=1e-12)  # type: ignore[operator]


def test_a_series_is_oldest_first() -> None:
    values = np.arange(20.0).reshape(10, 2)
    given = give(values, 'window={frames=3, give=["series"]}')
    np.testing.assert_array_equal(given[5], [6, 7, 8, 9, 10, 11])
    np.testing.assert_array_equal(given[0], [0, 1, 0, 1, 0, 1])  # it was where it is now
    extractor = FeatureExtractor(load_features("position", ['window={frames=3, give=["series"]}']), LAYOUT)
    assert extractor.names == ("a_2_ago", "b_2_ago", "a_1_ago", "b_1_ago", "a_0_ago", "b_0_ago")


def test_differences_are_wekinators() -> None:
    """x[n] - x[n-1] and x[n] - 2 x[n-1] + x[n-2], and their window gives a negative greatest one too."""
    values = -(np.arange(30.0)[:, None] ** 2) * [1.0, 2.0]
    given = give(values, 'motion=["difference","second_difference"]')
    np.testing.assert_allclose(given[2:, :2], np.diff(values, axis=0)[1:])
    np.testing.assert_allclose(given[2:, 2:], [[-2.0, -4.0]] * 28)
    greatest = give(values, 'motion=["difference"]', 'window={frames=4, give=["max"]}')
    np.testing.assert_allclose(greatest[10], np.diff(values, axis=0)[6])
    assert (greatest[10] < 0).all()


def test_nothing_is_carried_over_a_gap() -> None:
    values = np.arange(24.0).reshape(12, 2)
    values[5, 0] = np.nan
    given = give(values, 'window={frames=4, give=["mean", "series"]}')
    assert np.isnan(given[5, [0, 2, 4, 6, 8]]).all()
    assert np.isfinite(given[5, 1::2]).all()
    assert given[6, 0] == values[6, 0]  # the first after the gap
    assert given[7, 0] == (values[6, 0] + values[7, 0]) / 2
    assert given[7, 1] == values[4:8, 1].mean()


def test_a_long_take_in_pieces_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).normal(size=(500, 2))
    settings = WindowSettings(frames=9, give=("mean", "deviation", "series"))
    whole = Windows(settings, ("a", "b"), ("", "")).process(values)
    monkeypatch.setattr("gesturemap.features.windows._LARGEST", 50)
    np.testing.assert_array_equal(Windows(settings, ("a", "b"), ("", "")).process(values), whole)


def test_history_counts_from_the_last_absence() -> None:
    history = History(2, 1)
    lagged, runs = history.process(np.array([[1.0], [2.0], [np.nan], [4.0]]))
    np.testing.assert_array_equal(runs[:, 0], [1, 2, 0, 1])
    np.testing.assert_array_equal(lagged[:, 3, 0], [4, 4, 4])
    lagged, runs = history.process(np.array([[5.0], [6.0]]))
    np.testing.assert_array_equal(lagged[:, 1, 0], [6, 5, 4])
    history.reset()
    assert history.process(np.array([[7.0]]))[0].ravel().tolist() == [7, 7, 7]


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ("window.frames=0", "window.frames"),
        ('window={frames=3, give=["median"]}', "window.give"),
        ('window={frames=3, give=["min", "min"]}', "named twice"),
        ('window.give=["min"]', "a window of 1 frame"),
        ("window.size=3", "unknown key 'window.size'"),
    ],
)
def test_windows_that_make_no_sense_are_refused(window: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_features("position", [window])

"""From counts to millimetres."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gesturemap.errors import TrackerError
from gesturemap.trackers.gametrak_calibration import HALF_ANGLE_DEG, Calibration, gametrak_layout, gametrak_values

MIDDLE = 2048.0
HEADS_MM = np.array([-65.0, 65.0])


def test_straight_up() -> None:
    """Both joysticks upright: each hand above its own head, by the length of its tether."""
    places = Calibration().positions(np.array([MIDDLE, MIDDLE, 2048.0, MIDDLE, MIDDLE, 0.0]))
    np.testing.assert_allclose(places, [-65.0, 3065 / 2, 0.0, 65.0, 3065.0, 0.0], atol=1e-12)


def test_ends_of_the_travel() -> None:
    """Fully right leans by the half angle; fully away leans back, which is minus z."""
    raw = np.array([4096.0, MIDDLE, 0.0, MIDDLE, 4096.0, 0.0])
    angle = np.deg2rad(HALF_ANGLE_DEG)
    sine, cosine = 3065 * np.sin(angle), 3065 * np.cos(angle)
    np.testing.assert_allclose(Calibration().positions(raw), [sine - 65, cosine, 0.0, 65.0, cosine, -sine])


def test_hand_is_a_tether_away_from_its_head() -> None:
    """Whatever the angles."""
    raw = np.random.default_rng(0).uniform(0, 4095, (100, 6))
    places = Calibration().positions(raw).reshape(100, 2, 3)
    places[..., 0] -= HEADS_MM
    np.testing.assert_allclose(np.linalg.norm(places, axis=-1), 3065 * (1 - raw[:, [2, 5]] / 4096))


def test_mirror_image() -> None:
    """Exchanging the hands and turning both x axes round mirrors the places: the heads are alike."""
    raw = np.random.default_rng(1).uniform(0, 4095, (20, 6))
    mirrored = raw[:, [3, 4, 5, 0, 1, 2]]
    mirrored[:, [0, 3]] = 4096 - mirrored[:, [0, 3]]
    places = Calibration().positions(raw)[:, [3, 4, 5, 0, 1, 2]] * [-1, 1, 1, -1, 1, 1]
    np.testing.assert_allclose(Calibration().positions(mirrored), places, atol=1e-9)


def test_ranges_of_a_capture_become_the_ends_of_the_travel() -> None:
    """The extremes of the axes give the half angle, the retracted tether length 0."""
    low, high = [100.0, 200.0, 1000.0, 50.0, 60.0, 900.0], [4000.0, 3900.0, 4080.0, 4010.0, 4020.0, 4090.0]
    calibration = Calibration.from_ranges(np.array([low, high]))
    assert (calibration.low, calibration.high) == (tuple(low), tuple(high))
    np.testing.assert_allclose(calibration.positions(np.array(high))[[1, 4]], 0.0)
    upright = (np.array(low) + high) / 2
    np.testing.assert_allclose(calibration.positions(upright)[[0, 2, 3, 5]], [-65.0, 0.0, 65.0, 0.0], atol=1e-9)


def test_exchanged_ends_turn_an_axis_round() -> None:
    """As its docstring promises to whoever has a unit wired the other way."""
    turned = Calibration(low=(4096.0, *[0.0] * 5), high=(0.0, *[4096.0] * 5))
    raw = np.array([3000.0, 1000.0, 500.0, 3000.0, 1000.0, 500.0])
    x, other_x = Calibration().positions(raw)[0] + 65, turned.positions(raw)[0] + 65
    assert other_x == pytest.approx(-x)


def test_toml_round_trip(tmp_path: Path) -> None:
    """Saved and loaded, the same calibration."""
    calibration = Calibration((1.5, 2, 3, 4, 5, 6), (4001, 4002, 4003, 4004, 4005, 4006.25), 30.0, 1.333, 35.0)
    calibration.save(tmp_path / "mine.toml")
    assert Calibration.load(tmp_path / "mine.toml") == calibration
    assert list(tmp_path.iterdir()) == [tmp_path / "mine.toml"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("low = [1, 2]", "6 counts each"),
        ("high = [0, 1, 2, 3, 4, 5]", "left_x never moved"),
        ("lows = 3", "lows"),
        ("low = 'abc'", "not a Gametrak calibration"),
        ("low = [", "not a Gametrak calibration"),
        ("low = 3", "not a Gametrak calibration"),
    ],
)
def test_bad_calibrations_are_refused(text: str, message: str, tmp_path: Path) -> None:
    """With the reason."""
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(TrackerError, match=message):
        Calibration.load(path)


def test_absent_calibration_and_empty_capture_are_refused(tmp_path: Path) -> None:
    """Named."""
    with pytest.raises(TrackerError, match="none.toml"):
        Calibration.load(tmp_path / "none.toml")
    with pytest.raises(TrackerError, match="no usable report"):
        Calibration.from_ranges(np.empty((0, 6)))


@pytest.mark.parametrize("channels", ["all", "raw", "position"])
def test_values_fit_the_layout(channels: str) -> None:
    """As many values as channels, in range."""
    raw = np.random.default_rng(2).integers(0, 4096, (50, 6)).astype(float)
    layout = gametrak_layout(channels)
    values = gametrak_values(raw, np.zeros(50), Calibration(), channels)
    assert values.shape == (50, len(layout))
    assert (values >= [channel.low for channel in layout.channels]).all()
    assert (values <= [channel.high for channel in layout.channels]).all()


def test_unknown_channel_set_is_refused() -> None:
    """With the ones there are."""
    with pytest.raises(TrackerError, match="all, raw, position"):
        gametrak_layout("counts")

"""Made-up motion."""

from __future__ import annotations

import numpy as np
import pytest

from gesturemap.clock import ManualClock
from gesturemap.errors import TrackerError
from gesturemap.frame import Array
from gesturemap.trackers import read_all
from gesturemap.trackers.gametrak_calibration import gametrak_layout
from gesturemap.trackers.hand_layout import LANDMARKS, hand_block, hand_layout
from gesturemap.trackers.synthetic import SyntheticTracker
from gesturemap.trackers.synthetic_motion import MAX_FREQUENCY_HZ, SmoothMotion, hand_shape


def test_motion_is_band_limited() -> None:
    """Less than a ten-thousandth of its power above 2 Hz, and never outside -1..1."""
    rate, seconds = 50, 200
    motion = SmoothMotion(7, 6)
    values = np.array([motion.at(index / rate) for index in range(rate * seconds)])
    assert np.abs(values).max() <= 1.0
    power = np.abs(np.fft.rfft(values * np.hanning(len(values))[:, None], axis=0)) ** 2
    frequency_hz = np.fft.rfftfreq(len(values), 1 / rate)
    assert power[frequency_hz > MAX_FREQUENCY_HZ + 0.05].sum() < 1e-4 * power.sum()


def test_seed_decides() -> None:
    """Same seed, same numbers; another seed, others."""
    first, same, other = (read_all(SyntheticTracker(seed=seed, seconds=1.0))[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first[:, :6] != other[:, :6]).any(axis=0).all()


def test_length_and_longer_take_begins_alike() -> None:
    """Frames at k / rate; a longer take continues a shorter one."""
    time_s, short = read_all(SyntheticTracker(seconds=0.5))
    _, long = read_all(SyntheticTracker(seconds=2.0))
    np.testing.assert_array_equal(time_s, np.arange(40) / 80)
    np.testing.assert_array_equal(long[:40], short)


def test_kinds_have_the_layouts_of_the_devices() -> None:
    """So that a mapping for one can be tried with the other."""
    assert SyntheticTracker().layout == gametrak_layout()
    assert SyntheticTracker(kind="hands").layout == hand_layout()
    raw = read_all(SyntheticTracker(seconds=1.0))[1][:, :6]
    np.testing.assert_array_equal(raw, np.rint(raw))


def test_hands_come_and_go() -> None:
    """Each away for half a second now and then, also within the ten seconds of the default."""
    _, values = read_all(SyntheticTracker(kind="hands", seed=4))
    for side in (0, 1):
        present = values[:, hand_block(side)][:, 0]
        assert 0.8 < present.mean() < 1.0
        away = np.flatnonzero(np.diff(np.flatnonzero(present)) > 1)
        assert len(away) >= 1


def _world(values: Array, side: int) -> Array:
    hand = values[:, hand_block(side)]
    return hand[hand[:, 0] == 1.0, 64:].reshape(-1, 21, 3)


def test_bones_keep_their_length() -> None:
    """However the hand turns and bends, neighbours on a finger stay as far apart, and the shape is centred."""
    _, values = read_all(SyntheticTracker(kind="hands", seed=5))
    for side in (0, 1):
        world = _world(values, side)
        np.testing.assert_allclose(world.mean(axis=1), 0.0, atol=1e-12)
        for tip in (4, 8, 12, 16, 20):
            bones = np.linalg.norm(np.diff(world[:, tip - 3 : tip + 1], axis=1), axis=-1)
            np.testing.assert_allclose(bones, np.broadcast_to(bones[0], bones.shape))


def test_curl_closes_the_hand() -> None:
    """Tips near the palm when curled, far from the wrist when straight; left is the mirror image of right."""
    straight, fist = (hand_shape(np.full(5, curl), 0.0, mirrored=False) for curl in (0.0, 1.0))
    tip = LANDMARKS.index("middle_finger_tip")
    assert np.linalg.norm(straight[tip]) > 0.17
    assert np.linalg.norm(fist[tip]) < 0.11
    np.testing.assert_array_equal(hand_shape(np.ones(5), 0.3, True), hand_shape(np.ones(5), 0.3, False) * [-1, 1, 1])


def test_live_frames_fall_due_on_the_clock() -> None:
    """None before they are due, in order after, and as many as the seconds hold."""
    clock = ManualClock(50.0)
    with SyntheticTracker(seconds=1.0, frame_rate=10.0, live=True, clock=clock) as tracker:
        first = tracker.read()
        assert first is not None
        assert first.time_s == 50.0
        assert tracker.read(0.05) is None
        assert clock.now_s() == pytest.approx(50.05)
        frame = tracker.read(0.2)
        assert frame is not None
        assert frame.time_s == clock.now_s() == pytest.approx(50.1)
        clock.sleep_s(10.0)
        late = list(iter(tracker.read, None))
        assert len(late) == 8
        assert tracker.finished


@pytest.mark.parametrize(
    "options",
    [{"kind": "feet"}, {"seconds": 0.0}, {"seconds": -1.0}, {"frame_rate": 0.0}, {"seconds": np.nan}, {"seed": -1}],
)
def test_bad_options_are_refused(options: dict[str, object]) -> None:
    """With the value found."""
    with pytest.raises(TrackerError, match=next(iter(options))):
        SyntheticTracker(**options)  # type: ignore[arg-type]


def test_endless_only_when_live() -> None:
    """A take without end that is read as fast as it goes would fill the memory."""
    with pytest.raises(TrackerError, match="seconds"):
        SyntheticTracker(seconds=np.inf)

"""What every tracker must do, whatever it tracks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from mido.ports import EchoPort

from gesturemap.clock import ManualClock
from gesturemap.errors import TrackerError
from gesturemap.frame import Array
from gesturemap.osc.codec import encode_floats
from gesturemap.trackers import Tracker, open_tracker, read_all
from gesturemap.trackers.desktop import GamepadState, MouseState
from gesturemap.trackers.gamepad import GamepadTracker
from gesturemap.trackers.gametrak import GametrakTracker
from gesturemap.trackers.hand_layout import hand_block, hand_layout
from gesturemap.trackers.lsl import LslTracker, open_inlet
from gesturemap.trackers.midi import MidiTracker
from gesturemap.trackers.mouse import MouseTracker
from gesturemap.trackers.osc import OscTracker

STORED = ("hands", "gametrak", "midi_file", "replay", "synthetic", "synthetic_hands")
LIVE = ("gametrak_device", "osc", "midi", "lsl", "gamepad", "mouse", "synthetic_live")
MAX_FRAMES = 1000


def _make(name: str, request: pytest.FixtureRequest) -> Tracker:
    if name == "hands":
        clip, model = request.getfixturevalue("asl_clip"), request.getfixturevalue("hand_model")
        return open_tracker(f"hands:{clip}", hand_model=model)
    if name == "gametrak":
        return open_tracker(f"gametrak:{request.getfixturevalue('gametrak_capture')}")
    if name == "midi_file":
        return open_tracker(f"midi:{request.getfixturevalue('midi_file')}?channels=cc1,bend,velocity")
    if name == "replay":
        return open_tracker(f"replay:{request.getfixturevalue('recording')}")
    if name == "synthetic":
        return open_tracker("synthetic:seed=3,seconds=4")
    if name == "synthetic_hands":
        return open_tracker("synthetic:seed=3,kind=hands,seconds=20")
    clock: ManualClock = request.getfixturevalue("clock")
    if name == "synthetic_live":
        return open_tracker("synthetic:seconds=3,live=true", clock=clock)
    if name == "midi":
        port = lambda source: EchoPort("knobs")  # noqa: E731
        return MidiTracker("", "bend,pressure,key60", clock=clock, opener=port, list_ports=lambda: ["knobs"])
    if name == "gamepad":
        state = GamepadState((0, -32768, 32767, 100, 0, 32767), (True, False) * 7 + (True,))
        return GamepadTracker(clock=clock, opener=lambda source: lambda: state)
    if name == "mouse":
        pointer = MouseState(639, 0, 640, 480, (True, False, False))
        return MouseTracker(clock=clock, opener=lambda: lambda: pointer)
    if name == "lsl":
        return _lsl_tracker(request.getfixturevalue("lsl_outlet"), clock)
    if name == "osc":
        packets = [encode_floats("/hand", [index / 200, 0.5]) for index in range(200)]
        receiver = request.getfixturevalue("paced_receiver")
        return OscTracker("7400/hand(x,y)", clock=clock, open_receiver=lambda port, host: receiver(packets))
    reports = [bytes([0, 1, 2, 3] * 4), bytes([4, 5, 6, 7] * 4)] * 100
    fake_hid = request.getfixturevalue("fake_hid")
    return GametrakTracker(clock=clock, open_device=lambda: fake_hid(reports))


def _lsl_tracker(outlet: Any, clock: ManualClock) -> Tracker:
    """Half a second of samples is sent once it listens."""

    def listen(info: Any) -> Any:
        inlet = open_inlet(info)
        assert outlet.wait_for_consumers(10.0)
        start_s = pylsl.local_clock()
        for index in range(50):
            outlet.push_sample([index / 50, 0.5, -0.5], start_s + index / 100)
        return inlet

    import pylsl

    return LslTracker(outlet.get_info().name(), clock=clock, opener=listen)


@pytest.fixture(params=STORED + LIVE)
def tracker(request: pytest.FixtureRequest) -> Iterator[Tracker]:
    """Each tracker, not yet open."""
    made = _make(request.param, request)
    yield made
    made.close()


@pytest.fixture(params=STORED)
def stored(request: pytest.FixtureRequest) -> Iterator[Tracker]:
    """Each tracker that ends by itself, not yet open."""
    made = _make(request.param, request)
    yield made
    made.close()


def _read(tracker: Tracker, max_frames: int = MAX_FRAMES) -> tuple[Array, Array]:
    """Frames until there are no more for 0.1 s."""
    frames = []
    for frame in itertools.islice(iter(lambda: tracker.read(0.1), None), max_frames):
        assert frame is not None
        assert frame.values.dtype == np.float64
        assert frame.values.shape == (len(tracker.layout),)
        frames.append(frame)
    return np.array([frame.time_s for frame in frames]), np.array([frame.values for frame in frames])


def test_frames_fit_the_layout_and_time_increases(tracker: Tracker) -> None:
    """Times finite and strictly increasing, values in their channel's range or absent."""
    with tracker:
        time_s, values = _read(tracker)
    assert len(time_s) >= 20
    assert np.isfinite(time_s).all()
    assert (np.diff(time_s) > 0).all()
    low = np.array([channel.low for channel in tracker.layout.channels])
    high = np.array([channel.high for channel in tracker.layout.channels])
    outside = (values < low) | (values > high)
    assert not outside.any(), [tracker.layout.names[i] for i in np.flatnonzero(outside.any(axis=0))]


def test_frame_rate_is_the_mean_rate(tracker: Tracker) -> None:
    """Within a fifth. The mean, because a Gametrak sends after 8 or 16 ms and seldom after 12.5."""
    with tracker:
        time_s, _ = _read(tracker)
        measured = (len(time_s) - 1) / (time_s[-1] - time_s[0])
        assert tracker.frame_rate == pytest.approx(measured, rel=0.2)


def test_a_hand_is_nan_exactly_when_it_is_absent(tracker: Tracker) -> None:
    """Absent: flag 0 and every other channel NaN. Present: flag 1 and no NaN. Other trackers have no NaN."""
    with tracker:
        _, values = _read(tracker)
    if tracker.layout != hand_layout():
        assert np.isfinite(values).all()
        return
    for side in (0, 1):
        hand = values[:, hand_block(side)]
        assert set(hand[:, 0]) <= {0.0, 1.0}
        np.testing.assert_array_equal(np.isnan(hand[:, 1:]).all(axis=1), hand[:, 0] == 0.0)
        np.testing.assert_array_equal(np.isfinite(hand[:, 1:]).all(axis=1), hand[:, 0] == 1.0)


def test_two_openings_give_the_same_numbers(stored: Tracker) -> None:
    """Bit for bit, also after stopping half way."""
    time_s, values = read_all(stored)
    with stored:
        _read(stored, 5)
    again_s, again = read_all(stored)
    np.testing.assert_array_equal(time_s, again_s)
    np.testing.assert_array_equal(values, again)


def test_frames_are_the_readers_own(stored: Tracker) -> None:
    """Writing into a frame does not change what the next reader gets."""
    with stored:
        frame = stored.read()
        assert frame is not None
        kept = frame.values.copy()
        frame.values[:] = -1.0
    with stored:
        frame = stored.read()
        assert frame is not None
        np.testing.assert_array_equal(frame.values, kept)


def test_the_end_stays_the_end(stored: Tracker) -> None:
    """After the last frame None, again and again, and finished."""
    with stored:
        while not stored.finished:
            stored.read()
        assert [stored.read(), stored.read(0.1)] == [None, None]
        assert stored.finished


def test_open_starts_again(stored: Tracker) -> None:
    """Opening an open tracker goes back to the first frame."""
    with stored:
        first, _ = stored.read(), stored.read()
        stored.open()
        again = stored.read()
        assert first is not None
        assert again is not None
        assert again.time_s == first.time_s
        assert not stored.finished


def test_reading_a_closed_tracker_is_refused(tracker: Tracker) -> None:
    """Before `open` and after `close`, which may come twice."""
    with pytest.raises(TrackerError, match="not open"):
        tracker.read()
    assert not tracker.finished
    tracker.open()
    assert not tracker.finished
    tracker.close()
    tracker.close()
    assert tracker.finished
    with pytest.raises(TrackerError, match="not open"):
        tracker.read()


def test_a_closed_tracker_opens_again(tracker: Tracker) -> None:
    """And gives frames."""
    for _ in range(2):
        with tracker:
            assert tracker.read(0.1) is not None
            assert not tracker.finished


@pytest.mark.parametrize("name", LIVE)
def test_live_trackers_have_no_end_to_read_to(name: str, request: pytest.FixtureRequest) -> None:
    """`read_all` says so instead of hanging."""
    live = _make(name, request)
    with pytest.raises(TrackerError, match="live"):
        read_all(live)

"""Numbers by OSC: which become channels, what is too old, and what is counted and left."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from gesturemap.clock import ManualClock
from gesturemap.errors import LayoutError, TrackerError
from gesturemap.frame import Frame
from gesturemap.osc.codec import encode, encode_bundle, encode_floats
from gesturemap.osc.udp import UdpReceiver, UdpSender
from gesturemap.trackers import open_tracker
from gesturemap.trackers.osc import OscTracker

Receive = Callable[..., Any]


@pytest.fixture
def listen(clock: ManualClock, paced_receiver: Receive) -> Callable[..., Any]:
    """``listen(packets, source, **options)``: a tracker whose packets come 10 ms apart."""

    @contextmanager
    def make(packets: Sequence[bytes], source: str = "7400/hand(x,y);/pedal", **options: Any) -> Iterator[OscTracker]:
        receiver = paced_receiver(packets)
        with OscTracker(source, clock=clock, open_receiver=lambda port, host: receiver, **options) as tracker:
            yield tracker

    return make


def _read(tracker: OscTracker) -> list[Frame]:
    return [frame for frame in iter(lambda: tracker.read(0.1), None) if frame is not None]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("7400/wek/inputs(3)", ("inputs_1", "inputs_2", "inputs_3")),
        ("7400/hand(x,y,z);/pedal", ("x", "y", "z", "pedal")),
        ("0.0.0.0:7400/wii/2/accel(_,x,_,z)", ("x", "z")),
        ("localhost:6448/1/fader-1", ("fader_1",)),
    ],
)
def test_channels_of_a_source(source: str, names: tuple[str, ...]) -> None:
    """As the grammar has it."""
    assert open_tracker(f"osc:{source}").layout.names == names


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "names no message"),
        ("7400", "names no message"),
        ("/hand(x)", "HOST:PORT"),
        ("99999/hand(x)", "port 99999 found in '99999'; ports go from 1 to 65535"),
        ("7400/hand(x", "expected an address with its arguments"),
        ("7400/hand*(x)", "expected an address with its arguments"),
        ("7400/hand()", "a name for each"),
        ("7400/hand(0)", "a name for each"),
        ("7400/hand(x,)", "a name for each"),
        ("7400/hand(_)", "a name for each"),
        ("7400/hand(x);/hand(y)", "given twice"),
        ("7400/hand(x)?timeout_s=-1", "above 0"),
    ],
)
def test_sources_that_are_none(source: str, message: str) -> None:
    """Refused with an example."""
    with pytest.raises(TrackerError, match=message):
        open_tracker(f"osc:{source}")


def test_names_used_twice() -> None:
    """Two hands both called x."""
    with pytest.raises(LayoutError, match="twice: x"):
        open_tracker("osc:7400/left(x);/right(x)")


def test_several_senders_are_merged(clock: ManualClock) -> None:
    """Through a real port: each packet is a frame with the newest value of everybody; nobody heard yet is NaN."""

    def free_port(port: int, host: str) -> UdpReceiver:
        return UdpReceiver(0, host)

    with OscTracker("7400/hand(x,y);/pedal", clock=clock, open_receiver=free_port) as tracker:
        hand, foot = UdpSender("127.0.0.1", tracker.port), UdpSender("127.0.0.1", tracker.port)
        frames = []
        for sender, packet in (
            (hand, encode_floats("/hand", [0.25, 0.5])),
            (foot, encode("/pedal", [1])),
            (hand, encode("/hand", [0.75, True])),
        ):
            sender.send(packet)
            frames.append(tracker.read(10.0))
        hand.close()
        foot.close()
    values = np.array([frame.values for frame in frames if frame])
    np.testing.assert_array_equal(values, [[0.25, 0.5, np.nan], [0.25, 0.5, 1.0], [0.75, 1.0, 1.0]])


def test_a_bundle_is_one_frame(listen: Callable[..., Any]) -> None:
    """Whatever it holds."""
    packet = encode_bundle([encode_floats("/hand", [1.0, 2.0]), encode("/other"), encode("/pedal", [3.0])])
    with listen([packet]) as tracker:
        (frame,) = _read(tracker)
        assert frame.values.tolist() == [1.0, 2.0, 3.0]
        assert (tracker.malformed, tracker.unexpected, tracker.dropped) == (0, 1, 1)


def test_an_old_value_is_never_repeated(listen: Callable[..., Any]) -> None:
    """The pedal is silent for 0.3 s while the hand goes on: NaN; then it is heard again."""
    hand, pedal = encode_floats("/hand", [0.5, 0.5]), encode("/pedal", [1.0])
    with listen([pedal, *[hand] * 40, pedal], timeout_s=0.305) as tracker:
        values = np.array([frame.values for frame in _read(tracker)[:42]])
    assert np.isfinite(values[1:31, 2]).all()
    assert np.isnan(values[31:41, 2]).all()
    assert values[41].tolist() == [0.5, 0.5, 1.0]


def test_silence_of_all_is_frames_of_nan(clock: ManualClock, listen: Callable[..., Any]) -> None:
    """From the timeout on, at the nominal rate, until somebody is heard: one loss."""
    with listen([encode("/pedal", [1.0])], timeout_s=0.5, frame_rate=50.0) as tracker:
        first = tracker.read()
        assert first is not None
        assert tracker.read(0.4) is None
        silent = [tracker.read(0.2) for _ in range(10)]
        assert all(frame is not None and np.isnan(frame.values).all() for frame in silent)
        times = np.array([frame.time_s for frame in silent if frame])
        assert times[0] - first.time_s == pytest.approx(0.5)
        assert np.diff(times) == pytest.approx(0.02)
        sender = UdpSender("127.0.0.1", tracker.port)
        sender.send(encode("/pedal", [0.25]))
        sender.close()
        back = [frame for _ in range(5) if (frame := tracker.read(0.1))]
        assert 0.25 in [frame.values[2] for frame in back]
        assert tracker.lost == 1


def test_faders_keep_their_value(clock: ManualClock, listen: Callable[..., Any]) -> None:
    """With an endless timeout an hour of silence changes nothing."""
    with listen([encode("/pedal", [1.0])], timeout_s=float("inf")) as tracker:
        assert tracker.read() is not None
        clock.sleep_s(3600.0)
        assert tracker.read(1.0) is None
        assert tracker.lost == 0


@pytest.mark.parametrize(
    "arguments", [[], [0.5], [0.5, 0.5, 0.5], [0.5, "high"], [b"12", 0.5], ["", ""]], ids=lambda value: repr(value)
)
def test_other_arguments_are_counted(arguments: list[Any], listen: Callable[..., Any]) -> None:
    """More, fewer, no numbers: none is half taken."""
    with listen([encode("/hand", arguments), encode("/hand", [1, 2])]) as tracker:
        (frame,) = _read(tracker)
        assert frame.values[:2].tolist() == [1.0, 2.0]
        assert tracker.unexpected == 1


def test_infinity_is_absent(listen: Callable[..., Any]) -> None:
    """Nothing infinite goes on to a regressor."""
    with listen([encode_floats("/hand", [float("inf"), float("nan")])]) as tracker:
        (frame,) = _read(tracker)
    assert np.isnan(frame.values).all()


def test_rubbish_never_ends_reception(listen: Callable[..., Any]) -> None:
    """Random bytes, good packets cut off and with bytes exchanged, among good ones: all good ones arrive."""
    rng = random.Random(4)
    good = encode_floats("/hand", [0.5, 0.25])
    packets = []
    for _ in range(300):
        mutated = bytearray(good[: rng.randrange(1, len(good))])
        mutated[rng.randrange(len(mutated))] = rng.randrange(256)
        packets += [rng.randbytes(rng.randrange(1, 60)), bytes(mutated), encode("/hand", [1, 0])]
    with listen(packets) as tracker:
        frames = _read(tracker)
        assert sum(frame.values[0] == 1.0 for frame in frames) == 300
        assert tracker.malformed > 300
        assert len(frames) + tracker.dropped == 900


def test_a_port_that_is_taken() -> None:
    """An error of the tracker, with what to do."""
    holder = UdpReceiver(0)
    with pytest.raises(TrackerError, match="choose another"):
        OscTracker(f"{holder.port}/hand(x)").open()
    holder.close()

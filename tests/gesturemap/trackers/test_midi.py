"""A MIDI controller through mido's own port, and MIDI files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mido.ports import EchoPort

from gesturemap.clock import ManualClock
from gesturemap.errors import MissingExtraError, TrackerError
from gesturemap.frame import Array
from gesturemap.trackers import midi as midi_module
from gesturemap.trackers import open_tracker, read_all
from gesturemap.trackers.midi import MidiFile, MidiTracker, open_port
from gesturemap.trackers.midi_channels import MidiState

Play = Callable[..., Array]


@pytest.fixture
def play(clock: ManualClock) -> Play:
    """``play(channels, *messages)``: values of a frame before the messages and of one after each."""

    def run(channels: str, *messages: mido.Message) -> Array:
        port = EchoPort()
        with MidiTracker(
            "", channels, clock=clock, opener=lambda name: port, list_ports=lambda: [port.name]
        ) as tracker:
            frames = [tracker.read(0.02)]
            for message in messages:
                port.send(message)
                frames.append(tracker.read(0.02))
        return np.array([frame.values for frame in frames if frame])

    return run


def test_knobs_wheel_and_pressure(play: Play) -> None:
    """A knob is unknown until it is moved, the others rest at 0; a state that nobody changes stays."""
    values = play(
        "cc1,cc74,bend,pressure",
        mido.Message("control_change", control=74, value=127),
        mido.Message("pitchwheel", pitch=8191),
        mido.Message("pitchwheel", pitch=-8192),
        mido.Message("aftertouch", value=127),
        mido.Message("clock"),
    )
    nan = np.nan
    expected = [[nan, nan, 0, 0], [nan, 1, 0, 0], [nan, 1, 1, 0], [nan, 1, -1, 0], [nan, 1, -1, 1], [nan, 1, -1, 1]]
    np.testing.assert_array_equal(values, expected)


def test_keys(play: Play) -> None:
    """The newest key that is down speaks; when it goes up the one before does; velocity 0 is up too."""
    values = play(
        "note,velocity,key60,touch60",
        mido.Message("note_on", note=60, velocity=127),
        mido.Message("note_on", note=127, velocity=127),
        mido.Message("polytouch", note=60, value=127),
        mido.Message("note_off", note=127),
        mido.Message("note_on", note=60, velocity=0),
    )
    low, nan = 60 / 127, np.nan
    expected = [[nan, 0, 0, 0], [low, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 1], [low, 1, 1, 1], [nan, 0, 0, 1]]
    np.testing.assert_array_equal(values, expected)


def test_one_midi_channel_only(play: Play) -> None:
    """Of two controllers that send the same knob."""
    assert MidiState("cc1@2,bend").layout.names == ("cc1_ch2", "bend")
    values = play(
        "cc1@2,cc1@1",
        mido.Message("control_change", channel=0, control=1, value=0),
        mido.Message("control_change", channel=1, control=1, value=127),
    )
    np.testing.assert_array_equal(values[-1], [1, 0])


def cc(control: int, value: int, channel: int = 0) -> mido.Message:
    return mido.Message("control_change", control=control, value=value, channel=channel)


def nrpn(number: int, value: int) -> list[mido.Message]:
    """The four messages of a non-registered parameter."""
    pairs = ((99, number // 128), (98, number % 128), (6, value // 128), (38, value % 128))
    return [cc(control, byte) for control, byte in pairs]


@given(st.lists(st.integers(0, 16383), min_size=1, max_size=8), st.integers(0, 31))
def test_a_knob_of_14_bits_is_where_its_two_bytes_say(places: list[int], control: int) -> None:
    state = MidiState(f"cc{control}:14bit,cc{control}")
    for place in places:
        state.update(cc(control, place // 128))
        state.update(cc(control + 32, place % 128))
        np.testing.assert_array_equal(state.values(), [place / 16383, (place // 128) / 127])


def test_between_its_two_bytes_a_knob_is_where_it_was() -> None:
    """From 63 127 to 64 0: at no frame 64 127 or 63 0. A coarse byte whose fine one never comes counts one later."""
    state = MidiState("cc1:14bit")
    state.update(cc(33, 5))
    assert np.isnan(state.values()[0])  # half a number
    before, after = 64 * 128 - 1, 64 * 128
    seen = []
    for message in (cc(1, 63), cc(33, 127), cc(1, 64), cc(33, 0), cc(1, 63), cc(33, 127), cc(1, 100), None):
        if message:
            state.update(message)
        seen.append(state.values()[0] * 16383)
    expected = [before, before, after, after, before, before, 100 * 128]
    np.testing.assert_allclose(seen[1:], expected, rtol=1e-12)


def test_a_knob_without_a_fine_byte_reaches_its_end() -> None:
    state = MidiState("cc1:14bit")
    for value, expected in ((127, 1.0), (0, 0.0)):
        state.update(cc(1, value))
        assert state.values()[0] == expected


def test_nrpn(play: Play) -> None:
    """Each number is its own knob; a registered parameter and the null number are none; the other MIDI channel too."""
    assert MidiState("nrpn300:14bit@2").layout.names == ("nrpn300_14bit_ch2",)
    messages = [
        *nrpn(300, 16383),
        *nrpn(5, 8192),
        cc(38, 1),  # a fine move of the number chosen last
        *[cc(99, 127), cc(98, 127), cc(6, 0)],  # null
        *[cc(99, 0), cc(98, 5), cc(101, 0), cc(100, 0), cc(6, 0), cc(38, 0)],  # registered parameter 0
        *[cc(99, 0, 1), cc(98, 5, 1), cc(6, 127, 1)],
    ]
    values = play("nrpn300:14bit,nrpn5:14bit@1,nrpn5@2", *messages)
    nan = np.nan
    np.testing.assert_allclose(values[0], [nan, nan, nan])
    np.testing.assert_allclose(values[4], [1.0, nan, nan])
    np.testing.assert_allclose(values[9], [1.0, 8193 / 16383, nan])
    np.testing.assert_allclose(values[-2], [1.0, 8193 / 16383, nan])
    np.testing.assert_allclose(values[-1], [1.0, 8193 / 16383, 1.0])


def test_a_file_of_14_bits(tmp_path: Path) -> None:
    """A fader that rises by 100 of 16384 every 10 ms, and an NRPN half way: read by the words behind the source."""
    file = mido.MidiFile(ticks_per_beat=500)  # 1 tick is 1 ms
    track = mido.MidiTrack()
    for step in range(101):
        place = 100 * step
        track += [cc(2, place // 128).copy(time=10 if step else 0), cc(34, place % 128)]
        track += nrpn(1000, 12345) if step == 50 else []
    file.tracks.append(track)
    file.save(tmp_path / "fader.mid")
    tracker = open_tracker(f"midi:{tmp_path / 'fader.mid'}?channels=cc2:14bit,nrpn1000:14bit")
    time_s, values = read_all(tracker)
    assert tracker.layout.names == ("cc2_14bit", "nrpn1000_14bit")
    np.testing.assert_allclose(values[:, 0] * 16383, 100 * np.floor(100 * time_s + 1e-6), atol=100.1)
    assert values[-1, 0] == 10000 / 16383
    assert np.isnan(values[:50, 1]).all()
    assert values[52, 1] == 12345 / 16383


WRONG = ["cc128", "volume", "cc1@0", "cc1@17", "bend3", "cc32:14bit", "key60:14bit", "nrpn16383", "cc1:12bit", "nrpn@1"]


@pytest.mark.parametrize("channels", ["", "cc", "cc1,,cc2", *WRONG])
def test_channels_that_are_none(channels: str) -> None:
    """Refused with those that are."""
    with pytest.raises(TrackerError, match="expected cc1 to cc127, bend"):
        open_tracker("midi", channels=channels)


def test_frames_come_at_the_rate_however_many_messages(clock: ManualClock) -> None:
    """A thousand messages at once are one frame; a reader who paused gets the newest frame, and the count."""
    port = EchoPort()
    with MidiTracker(
        "", "cc1", frame_rate=50.0, clock=clock, opener=lambda name: port, list_ports=lambda: [port.name]
    ) as tracker:
        for step in range(1000):
            port.send(mido.Message("control_change", control=1, value=step % 128))
        first, none, second = tracker.read(), tracker.read(0.01), tracker.read(0.02)
        assert first is not None
        assert none is None
        assert second is not None
        assert (first.values[0], second.time_s - first.time_s) == (103 / 127, pytest.approx(0.02))
        clock.sleep_s(0.1)
        third = tracker.read()
        assert third is not None
        assert third.time_s - second.time_s == pytest.approx(0.1)
        assert tracker.dropped == 4


@pytest.mark.parametrize("how", ["closed", "gone from the list"])
def test_an_unplugged_controller_is_absent_until_it_is_back(how: str, clock: ManualClock) -> None:
    """Lost once; looked for every second; what was turned before is forgotten."""
    names = ["knobs"]
    ports = [EchoPort("knobs"), EchoPort("knobs")]
    left = iter(ports)

    def plug(name: str) -> EchoPort:
        if not names:
            raise TrackerError("0 MIDI inputs")
        return next(left)

    with MidiTracker("", "bend", clock=clock, opener=plug, list_ports=lambda: names) as tracker:
        ports[0].send(mido.Message("pitchwheel", pitch=8191))
        assert tracker.read() is not None
        if how == "closed":
            ports[0].close()
        names.clear()
        away = [frame.values[0] for _ in range(250) if (frame := tracker.read(0.1))]
        names.append("knobs")
        back = [frame.values[0] for _ in range(150) if (frame := tracker.read(0.1))]
        assert tracker.lost == 1
    assert np.isnan(away[-1])
    assert np.isnan(away).sum() >= 145
    assert back[-1] == 0.0


def test_a_file(midi_file: Path) -> None:
    """Tempo and tracks as written: the knob turns 120 steps in 1 s, the key is down from 0.5 to 1 s."""
    time_s, values = read_all(MidiFile(midi_file, "cc1,note,velocity"))
    np.testing.assert_allclose(time_s, np.arange(101) / 100)
    np.testing.assert_allclose(values[:, 0], np.floor(time_s * 120 + 1e-9) / 127, atol=1.1 / 127)
    down = ~np.isnan(values[:, 1])
    np.testing.assert_array_equal(down, values[:, 2] > 0)
    assert time_s[down][[0, -1]] == pytest.approx([0.5, 0.99], abs=0.011)


def test_files_that_are_none(tmp_path: Path, midi_file: Path) -> None:
    """Absent, text, cut off, silent."""
    cases = {"text.mid": b"no midi" * 9, "empty.mid": b"", "cut.mid": midi_file.read_bytes()[:100]}
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(TrackerError, match=name):
            MidiFile(tmp_path / name).open()
    with pytest.raises(TrackerError, match="none.mid"):
        MidiFile(tmp_path / "none.mid").open()
    mido.MidiFile().save(tmp_path / "silent.mid")
    with pytest.raises(TrackerError, match="0 messages"):
        MidiFile(tmp_path / "silent.mid").open()


def test_ports_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the name will do if it is one port's alone; otherwise the names there are."""
    pytest.importorskip("rtmidi")

    class Backend:
        opened: list[str] = []

        def get_input_names(self) -> list[str]:
            return ["Midi Through", "nanoKONTROL2 MIDI 1", "nanoKEY MIDI 1"]

        def open_input(self, name: str) -> Any:
            self.opened.append(name)
            return EchoPort()

    monkeypatch.setattr(mido, "Backend", lambda name: Backend())
    open_port("nanokontrol")
    open_port("")
    assert Backend.opened == ["nanoKONTROL2 MIDI 1", "Midi Through"]
    with pytest.raises(TrackerError, match="2 MIDI inputs are called 'nano'; there are: Midi Through, nanoKONTROL2"):
        open_port("nano")
    with pytest.raises(TrackerError, match="0 MIDI inputs are called 'faderfox'"):
        open_tracker("midi:faderfox").open()


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra, and what works without."""
    monkeypatch.setitem(sys.modules, "rtmidi", None)
    with pytest.raises(MissingExtraError, match=r"gesturemap\[midi\].*midi:FILE.mid"):
        midi_module.find_ports()


def test_a_system_without_midi() -> None:
    """The real library, on whatever this machine has: names of ports, or an error that says so."""
    pytest.importorskip("rtmidi")
    try:
        names = midi_module.find_ports()
    except TrackerError as error:
        names = [str(error)]
    assert all(isinstance(name, str) for name in names)


def test_paths_that_are_no_midi_files(tmp_path: Path) -> None:
    """A file that is absent, and one that is another kind of file: neither is a system's error or a port."""
    with pytest.raises(TrackerError, match="no MIDI file .*none.mid: give the path"):
        open_tracker(f"midi:{tmp_path / 'none.mid'}").open()
    (tmp_path / "notes.py").write_text("")
    with pytest.raises(TrackerError, match="notes.py is a file, but no MIDI file by its name: those end with .mid"):
        open_tracker(f"midi:{tmp_path / 'notes.py'}").open()

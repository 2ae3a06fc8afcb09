"""Hands-free actions: presses, tables, files, poses, and learning, on events and frames that a test makes."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from audiovae.errors import SettingsError
from gesturemap.clock import ManualClock
from gesturemap.errors import LayoutError, RecordingError, TrackerError
from gesturemap.frame import Channel, Frame, Layout
from gesturemap.osc.codec import encode
from gesturemap.osc.udp import UdpReceiver
from gesturemap.recording.hands_free import Triggers, learn
from gesturemap.recording.held_pose import FrameEvents, learn_pose
from gesturemap.recording.trigger_sources import KeySource, MidiSource, OscSource, open_sources
from gesturemap.recording.triggers import (
    ADDRESSES,
    Action,
    Event,
    Pose,
    TriggerSettings,
    TriggerTable,
    bind,
    load_triggers,
    save_triggers,
)
from gesturemap.trackers import open_tracker

LAYOUT = Layout(
    (
        Channel("x", "mm", 0.0, 100.0),
        Channel("y", "mm", 0.0, 100.0),
        Channel("present", "bool", 0.0, 1.0),
        Channel("footswitch", "bool", 0.0, 1.0),
    )
)
PEDAL = TriggerSettings(triggers={Action.TOGGLE: ("midi:cc 64", "switch:footswitch"), Action.UNDO: ("key:u",)})


class Said:
    """A source that says what it is told, one list a poll."""

    def __init__(self, *polls: list[Event]) -> None:
        self._polls, self.closed = list(polls), False

    def poll(self) -> list[Event]:
        return self._polls.pop(0) if self._polls else []

    def close(self) -> None:
        self.closed = True


def test_a_press_is_the_way_down_once() -> None:
    table = TriggerTable(PEDAL)
    values = [0.0, 0.3, 0.6, 1.0, 0.8, 0.2, 0.7]
    asked = [table.actions([Event("midi:cc 64", float(i), value)]) for i, value in enumerate(values)]
    assert [bool(actions) for actions in asked] == [False, False, True, False, False, False, True]
    assert table.actions([Event("key:u", 1.0), Event("key:x", 1.0), Event("key:u", 2.0)]) == [Action.UNDO] * 2


def test_a_bouncing_contact_is_one_press() -> None:
    table = TriggerTable(PEDAL)
    bounces = [Event("midi:cc 64", 0.004 * i, float(i % 2)) for i in range(10)]
    assert table.actions(bounces) == [Action.TOGGLE]
    assert table.actions([Event("midi:cc 64", 0.5, 0.0), Event("midi:cc 64", 0.6, 1.0)]) == [Action.TOGGLE]


@pytest.mark.parametrize(("address", "action"), ADDRESSES.items())
def test_the_addresses_need_no_file(address: str, action: Action) -> None:
    receiver = UdpReceiver(0)
    source = OscSource(receiver, ManualClock(3.0))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        for packet in (
            encode(address),
            encode(address, [1]),
            encode(address, [0]),
            b"\xff" * 7,
            encode("/other", [0.7]),
        ):
            sender.sendto(packet, ("127.0.0.1", receiver.port))
        events = source.poll()
    finally:
        sender.close()
        source.close()
    # A command with a number is a command, whatever came before; one with 0 is the release of its button.
    assert events == [Event(f"osc:{address}", 3.0)] * 2 + [Event("osc:/other", 3.0, pytest.approx(0.7))]
    assert source.n_broken == 1
    assert TriggerTable(TriggerSettings()).actions(events[:1]) == [action]


def test_midi_is_notes_controllers_programs() -> None:
    def message(type: str, **fields: int) -> SimpleNamespace:
        return SimpleNamespace(type=type, **fields)

    said = [
        message("note_on", note=60, velocity=3),
        message("note_on", note=60, velocity=0),
        message("note_off", note=61, velocity=64),
        message("control_change", control=64, value=127),
        message("program_change", program=5),
        message("clock"),
    ]
    port = SimpleNamespace(iter_pending=lambda: said, close=said.clear)
    source = MidiSource(port, ManualClock(1.0))
    assert source.poll() == [
        Event("midi:note 60", 1.0, 1.0),
        Event("midi:note 60", 1.0, 0.0),
        Event("midi:note 61", 1.0, 0.0),
        Event("midi:cc 64", 1.0, 1.0),
        Event("midi:program 5", 1.0),
    ]
    source.close()
    assert said == []


@pytest.mark.skipif(os.name != "posix", reason="terminals of Unix")
def test_keys_of_a_terminal_are_read_as_pressed() -> None:
    import termios

    master, terminal = os.openpty()
    try:
        before = termios.tcgetattr(terminal)
        source = KeySource(terminal, ManualClock(2.0))
        assert source.poll() == []
        os.write(master, b"r \n\x01")
        assert [event.control for event in source.poll()] == ["key:r", "key:space", "key:enter"]
        source.close()
        assert termios.tcgetattr(terminal) == before
    finally:
        os.close(master)
        os.close(terminal)


def frames(x: list[float], foot: list[float] | None = None) -> list[Frame]:
    foot = foot or [0.0] * len(x)
    return [Frame(0.1 * i, np.array([x[i], 50.0, 1.0, foot[i]])) for i in range(len(x))]


def test_a_foot_switch_of_the_tracker_is_a_trigger() -> None:
    triggers = Triggers(PEDAL, LAYOUT)
    asked = [triggers.asked(frame) for frame in frames([0.0] * 6, [0, 1, 1, 0, np.nan, 1])]
    assert [bool(actions) for actions in asked] == [False, True, False, False, False, True]


def test_a_held_pose_is_a_trigger_once_until_it_is_left() -> None:
    pose = Pose(channels=("x", "y"), centre=(20.0, 50.0), radius=0.05, hold_s=0.3)
    triggers = Triggers(TriggerSettings(triggers={Action.RECORD: ("pose:low",)}, poses={"low": pose}), LAYOUT)
    # At the edge of the radius (25) it stays held up to 27.5; held from 0.1 s on, it counts at 0.4 s.
    x = [40, 22, 18, 26, 27, 24, 40, 20, 20, np.nan, 20, 20, 20, 20]
    asked = [index for index, frame in enumerate(frames([float(v) for v in x])) if triggers.asked(frame)]
    assert asked == [4, 13]
    with pytest.raises(LayoutError, match="no switch 'pedal' on this tracker; there are: footswitch"):
        Triggers(TriggerSettings(triggers={Action.STOP: ("switch:pedal",)}), LAYOUT)
    with pytest.raises(LayoutError, match="no channel 'z'"):
        FrameEvents(LAYOUT, TriggerSettings(poses={"p": Pose(channels=("z",), centre=(0.0,))}))


def test_a_pose_is_learned_from_what_is_seen_throughout() -> None:
    rng = np.random.default_rng(0)
    values = np.stack([20 + rng.normal(size=80), np.full(80, np.nan), np.ones(80), np.zeros(80)], axis=1)
    pose = learn_pose(LAYOUT, values)
    assert pose.channels == ("x",)
    assert pose.centre[0] == pytest.approx(20.0, abs=0.5)
    assert pose.radius == pytest.approx(0.03, rel=0.2)
    with pytest.raises(TrackerError, match="no pose was seen"):
        learn_pose(LAYOUT, np.full((5, 4), np.nan))
    with pytest.raises(TrackerError, match="no pose was seen"):
        learn_pose(LAYOUT, np.empty((0, 4)))


def test_what_is_learned_is_kept(tmp_path: Path) -> None:
    path, clock = tmp_path / "pedals.toml", ManualClock()
    source = Said([], [Event("midi:cc 7", 0.0, 0.2)], [Event("midi:cc 7", 0.1, 0.9)])
    assert learn(Action.RECORD, path, None, clock, sources=[source], osc_port=9000) == "midi:cc 7"
    assert source.closed
    assert learn(Action.STOP, path, None, clock, sources=[Said([Event("key:s", 1.0)])]) == "key:s"
    settings = load_triggers(path)
    assert settings.triggers == {Action.RECORD: ("midi:cc 7",), Action.STOP: ("key:s",)}
    assert settings.osc_port == 9000
    # The same thing for another action: it does the new one alone.
    learn(Action.UNDO, path, None, clock, sources=[Said([Event("midi:cc 7", 0.0, 1.0)])])
    assert load_triggers(path).triggers == {Action.STOP: ("key:s",), Action.UNDO: ("midi:cc 7",)}


def test_a_pose_is_learned_with_a_tracker(tmp_path: Path) -> None:
    path, clock = tmp_path / "pose.toml", ManualClock()
    tracker = open_tracker("synthetic:live=true", clock=clock)
    assert learn(Action.RUN, path, tracker, clock, pose="rest", sources=[]) == "pose:rest"
    pose = load_triggers(path).poses["rest"]
    assert set(pose.channels) < set(tracker.layout.names)
    assert clock.now_s() == pytest.approx(1.0, abs=0.05)
    with pytest.raises(RecordingError, match="add --tracker"):
        learn(Action.RUN, path, None, clock, pose="rest")


def test_nothing_pressed_says_what_to_do_and_changes_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    with pytest.raises(RecordingError, match="nothing was pressed within 2 s"):
        learn(Action.RECORD, tmp_path / "t.toml", None, clock, sources=[Said()], timeout_s=2.0)
    assert clock.now_s() == pytest.approx(2.0, abs=0.1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[triggers]\nrecord = ["foot:1"]', "KIND one of osc, midi, key, switch, pose"),
        ('[triggers]\nrecord = ["pose:fist"]', "no pose 'fist': `gesturemap learn record --pose fist`"),
        ('[triggers]\nrecord = ["key:a"]\nstop = ["key:a"]', "'key:a' is to record and to stop"),
        ('[triggers]\nrekord = ["key:a"]', "triggers.rekord"),
        ("osc_prot = 3", "did you mean 'osc_port'"),
        ("osc_port = 70000", "osc_port"),
        ('[poses.a]\nchannels = ["x"]\ncentre = [1, 2]', "2 values found, 1 channels"),
        ("not toml", "not a trigger file"),
    ],
)
def test_a_wrong_trigger_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "t.toml").write_text(text)
    with pytest.raises(SettingsError, match=message):
        load_triggers(tmp_path / "t.toml")
    with pytest.raises(SettingsError, match="no such trigger file"):
        load_triggers(tmp_path / "absent.toml")


def test_a_file_says_what_was_saved(tmp_path: Path) -> None:
    settings = bind(PEDAL, Action.RECORD, "pose:up", Pose(channels=("x",), centre=(1.0,)))
    save_triggers(settings, tmp_path / "t.toml")
    assert load_triggers(tmp_path / "t.toml") == settings


def test_sources_are_closed_when_one_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise TrackerError(f"no MIDI input called {name!r}")

    monkeypatch.setattr("gesturemap.recording.trigger_sources._open_midi", absent)
    receiver = UdpReceiver(0)
    port = receiver.port
    receiver.close()
    with pytest.raises(TrackerError, match="no MIDI input"):
        open_sources(TriggerSettings(osc_port=port, midi_port="nano"), ManualClock())
    UdpReceiver(port).close()  # the port is free again

"""Without hands: what keys, pedals and messages ask of a session, and of a bridge on the network."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from audiovae.errors import SettingsError
from audiovae.latent_space import LatentSpace
from gesturemap.bridge.actions import ACTIONS, Pedals, open_pedals
from gesturemap.bridge.server import make_settings
from gesturemap.clock import ManualClock
from gesturemap.osc.codec import Message, encode, encode_floats
from gesturemap.osc.udp import UdpReceiver
from gesturemap.recording.trigger_sources import MidiSource, OscSource
from gesturemap.recording.triggers import Action, Event, Pose, TriggerSettings, TriggerTable, save_triggers

PEDALS = TriggerSettings(
    triggers={
        Action.TOGGLE: ("midi:cc 64",),
        Action.TRAIN: ("key:t",),
        Action.RUN: ("key:r",),
        Action.STOP: ("key:s",),
        Action.NEXT_SNAPSHOT: ("midi:note 60",),
        Action.UNDO: ("key:u",),
        Action.REDO: ("key:i",),
        Action.PANIC: ("osc:/panic",),
    }
)


class Said:
    """A source that says what it was told since the last poll."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.closed = False

    def press(self, control: str, time_s: float) -> None:
        self.events += [Event(control, time_s, 1.0), Event(control, time_s, 0.0)]

    def poll(self) -> list[Event]:
        events, self.events = self.events, []
        return events

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def press(bridge) -> Callable[[str], list[Message]]:
    """Press a control; what the bridge says to it."""
    source = Said()
    pedals = Pedals(TriggerTable(PEDALS), [source])

    def do(control: str) -> list[Message]:
        bridge.clock.sleep_s(1.0)
        bridge.sent.clear()
        source.press(control, bridge.clock.now_s())
        pedals.act(bridge.session)
        return list(bridge.sent)

    return do


def test_every_action_is_there() -> None:
    assert set(ACTIONS) == set(Action)


def test_a_performance_without_hands(bridge, press: Callable) -> None:
    bridge.control("outputs", 1.0, -1.0)
    assert press("midi:cc 64") == [Message("/gesturemap/done", ("toggle", "not_ready", 1))]
    for a in np.linspace(0, 1, 8).tolist():
        assert bridge.inputs(a, a) == []
    assert press("midi:cc 64") == [Message("/gesturemap/done", ("toggle", "ready_to_train", 0))]
    assert bridge.inputs(0.5, 0.5) == []
    assert bridge.state()["examples"] == 8
    press("key:u")
    assert bridge.state()["examples"] == 0
    press("key:i")
    assert bridge.state()["examples"] == 8
    press("key:t")
    assert bridge.work()[-1].address == "/wekinator/status/done-training"
    press("key:r")
    (answer,) = bridge.inputs(0.5, 0.5)
    np.testing.assert_allclose(answer.arguments, (1.0, -1.0), atol=1e-6)
    press("key:s")
    assert bridge.inputs(0.5, 0.5) == []


def test_what_cannot_be_done_is_counted_and_told(bridge, press: Callable) -> None:
    press("key:u")
    assert bridge.state()["refusal"] == "nothing to undo"
    press("midi:note 60")
    assert "no snapshots yet" in bridge.state()["refusal"]
    assert bridge.state()["ignored"] == 2


def test_snapshots_one_after_the_other(bridge, press: Callable) -> None:
    for name, values in (("a", (0.0, 1.0)), ("b", (1.0, 0.0)), ("c", (0.5, 0.25))):
        bridge.control("outputs", *values)
        bridge.say("/gesturemap/snapshot/store", name)
    heard = [press("midi:note 60")[0].arguments for _ in range(4)]
    assert heard == [(0.0, 1.0), (1.0, 0.0), (0.5, 0.25), (0.0, 1.0)], "the last was stored last, so the first follows"
    bridge.say("/gesturemap/snapshot/recall", "b")
    (heard, _) = press("midi:note 60")
    assert heard.arguments == (0.5, 0.25)
    bridge.say("/gesturemap/snapshot/forget", "c")
    assert press("midi:note 60")[0].arguments == (0.0, 1.0)


def test_panic_rests_and_holds_until_run(bridge, press: Callable) -> None:
    bridge.train()
    assert len(bridge.inputs(0.5, 0.9)) == 1
    silence, done = press("osc:/panic")
    assert silence == Message("/wek/outputs", (0.0, 0.0))
    assert done.arguments[0] == "panic"
    assert bridge.inputs(0.5, 0.9) == []
    press("key:r")
    assert len(bridge.inputs(0.5, 0.9)) == 1
    bridge.control("outputs", 0.25, 0.5)
    bridge.say("/gesturemap/snapshot/store", "rest")
    bridge.say("/gesturemap/trainAndRun")
    assert bridge.say("/gesturemap/panic") == [Message("/wek/outputs", (0.25, 0.5))]
    bridge.work()
    assert bridge.inputs(0.5, 0.9) == [], "a training that was to run does not take panic back"


def test_panic_of_a_model_is_its_mean(play_space: LatentSpace, make_bridge: Callable, tmp_path: Path) -> None:
    play_space.save(tmp_path)
    bridge = make_bridge(**vars(make_settings(None, None, [], "ridge", [], tmp_path, folder=tmp_path / "s")))
    (rest,) = bridge.say("/gesturemap/panic")
    np.testing.assert_allclose(rest.arguments, play_space.mean, rtol=1e-6)


@pytest.mark.parametrize("control", ["pose:fist", "switch:footswitch"])
def test_what_only_a_tracker_sees_is_refused(tmp_path: Path, control: str) -> None:
    fist = Pose(channels=("x",), centre=(0.0,))
    save_triggers(TriggerSettings(triggers={Action.RECORD: (control,)}, poses={"fist": fist}), tmp_path / "t.toml")
    with pytest.raises(SettingsError, match=f"'{control}' is to record.*a bridge has no tracker.*gesturemap learn"):
        open_pedals(tmp_path / "t.toml", ManualClock())


def test_sources_are_closed_with_it() -> None:
    source = Said()
    Pedals(TriggerTable(PEDALS), [source]).close()
    assert source.closed


def test_midi_and_osc_reach_the_session(bridge, foot: socket.socket) -> None:
    receiver = UdpReceiver(0)
    pressed = [SimpleNamespace(type="control_change", control=64, value=127)]
    midi = SimpleNamespace(iter_pending=lambda: pressed, close=pressed.clear)
    pedals = Pedals(TriggerTable(PEDALS), [OscSource(receiver, bridge.clock), MidiSource(midi, bridge.clock)])
    for packet in (encode("/panic", [1.0]), b"\xff" * 5):
        foot.sendto(packet, ("127.0.0.1", receiver.port))
    pedals.act(bridge.session)
    pedals.close()
    assert [message.arguments[0] for message in bridge.sent if message.address.endswith("done")] == ["panic", "toggle"]
    assert bridge.session.recording
    assert pressed == []


@pytest.fixture
def foot() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        yield sender


def test_a_foot_switch_over_the_network_records_trains_and_runs(start, tmp_path: Path, foot: socket.socket) -> None:
    free = UdpReceiver(0)
    port = free.port
    free.close()  # the bridge takes it
    save_triggers(TriggerSettings(osc_port=port, keys=False), tmp_path / "pedals.toml")
    client = start("--triggers", str(tmp_path / "pedals.toml"))

    def press(action: str) -> tuple[object, ...]:
        foot.sendto(encode(f"/gesturemap/{action}"), ("127.0.0.1", port))
        return client.wait_for("/gesturemap/done")

    rows = np.random.default_rng(0).uniform(size=(30, 2))
    client.send(encode_floats("/wekinator/control/outputs", [0.0]))
    assert press("record") == ("record", "not_ready", 1)
    for a, b in rows.tolist():
        client.send(encode_floats("/wekinator/control/outputs", [a + b]), encode_floats("/wek/inputs", [a, b]))
    assert client.state()["examples"] == 30
    assert press("stop") == ("stop", "ready_to_train", 0)
    assert press("train") == ("train", "training", 0)
    client.wait_for("/wekinator/status/done-training")
    press("run")
    client.send(encode_floats("/wek/inputs", [0.25, 0.5]))
    assert client.wait_for("/wek/outputs")[0] == pytest.approx(0.75, abs=0.05)
    press("panic")
    assert client.state()["running"] == 0
    client.process.send_signal(signal.SIGTERM)
    said, _ = client.process.communicate(timeout=30.0)
    assert json.loads(said)["answered"] == 1

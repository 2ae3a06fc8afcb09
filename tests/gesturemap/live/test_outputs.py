"""OSC out, and requests from the network, over real sockets on this machine."""

from __future__ import annotations

import numpy as np
import pytest

from gesturemap.live.controls import Controls, OscControl, press
from gesturemap.live.osc_output import LatentDescription, OscOutput
from gesturemap.osc.codec import Message, decode, encode, encode_floats
from gesturemap.osc.udp import UdpReceiver, UdpSender

DESCRIPTION = LatentDescription(
    ("latent_0", "latent_1"), np.array([-1.0, -2.0]), np.array([1.0, 2.0]), 60.0, "c1" * 32, "loops"
)


def read_all(receiver: UdpReceiver, count: int) -> list[Message]:
    found: list[Message] = []
    while len(found) < count:
        received = receiver.receive(5.0)
        assert received is not None, f"{count - len(found)} of {count} messages never came"
        found += decode(received[0])
    return found


def test_every_receiver_gets_the_meaning_then_one_message_a_frame() -> None:
    receivers = [UdpReceiver(0), UdpReceiver(0)]
    output = OscOutput([("127.0.0.1", receiver.port) for receiver in receivers], DESCRIPTION)
    output.start()
    output.write(0.0, np.array([0.5, 1.25]))
    output.write(0.01, np.array([0.25, 1.5]))
    output.close()
    for receiver in receivers:
        messages = [message[:2] for message in read_all(receiver, 9)]
        assert messages == [
            ("/gesturemap/latent/labels", ("latent_0", "latent_1")),
            ("/gesturemap/latent/ranges", (-1.0, 1.0, -2.0, 2.0)),
            ("/gesturemap/latent/rate", (60.0,)),
            ("/gesturemap/latent/mode", ("replace",)),
            ("/gesturemap/model", ("c1" * 32, "loops")),
            ("/gesturemap/playing", (1.0,)),
            ("/latent", (0.5, 1.25)),
            ("/latent", (0.25, 1.5)),
            ("/gesturemap/playing", (0.0,)),
        ]
        receiver.close()
    assert (output.summary()["sent"], output.summary()["dropped_by_system"]) == (2, 0)


def test_the_rate_limit_leaves_frames_out_and_counts_them() -> None:
    receiver = UdpReceiver(0)
    output = OscOutput([("127.0.0.1", receiver.port)], DESCRIPTION, max_rate_hz=50.0)
    for index in range(100):
        output.write(index / 200.0, np.zeros(2))
    assert (output.sent, output.skipped) == (25, 75)
    output.close()
    receiver.close()


def test_what_the_system_does_not_take_is_counted() -> None:
    output = OscOutput([("127.0.0.1", 9)], DESCRIPTION)
    output.close()
    output.write(0.0, np.zeros(2))
    assert output.summary()["dropped_by_system"] >= 1


def test_requests_from_the_network() -> None:
    controls = Controls()
    control = OscControl(controls, 0)
    sender = UdpSender("127.0.0.1", control.port)

    def ask(packet: bytes) -> None:
        sender.send(packet)
        control.poll()

    ask(encode("/gesturemap/panic"))
    assert controls.panic
    ask(encode_floats("/gesturemap/panic", [0.0]))
    assert not controls.panic
    ask(encode("/gesturemap/panic", ["now!"]))
    assert controls.panic
    ask(encode("/gesturemap/resume"))
    assert not controls.panic
    ask(encode("/gesturemap/query"))
    ask(b"\xff\x00 no osc")
    ask(encode("/other"))
    for name in ("next_snapshot", "record", "stop", "train", "run", "undo", "redo"):
        ask(encode(f"/gesturemap/{name}"))
    assert list(controls.asked) == ["next_snapshot", "record", "stop", "train", "run", "undo", "redo"]
    assert (controls.describe, control.ignored) == (True, 2)
    sender.close()
    control.close()


@pytest.mark.parametrize(("key", "panic", "stop"), [("p", True, False), ("r", False, False), ("q", False, True)])
def test_keys(key: str, panic: bool, stop: bool) -> None:
    controls = Controls()
    press(controls, key)
    assert (controls.panic, controls.stop) == (panic, stop)

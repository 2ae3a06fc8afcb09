"""OSC packets: what others send is read, what we send others read, and nothing broken gets further than an OscError."""

from __future__ import annotations

import random
import struct

import pytest
from pythonosc.osc_message import OscMessage

from gesturemap.errors import OscError
from gesturemap.osc.codec import Message, decode, encode, encode_bundle, encode_floats


def test_floats_are_the_bytes_of_the_specification() -> None:
    expected = b"/oscillator/4/frequency\0,f\0\0" + struct.pack(">f", 440.0)  # its own example
    assert encode_floats("/oscillator/4/frequency", [440.0]) == encode("/oscillator/4/frequency", [440.0]) == expected


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 8, 63])
def test_floats_come_back_by_either_way(count: int) -> None:
    values = [index / 4 for index in range(count)]
    packet = encode_floats("/latent", values)
    assert OscMessage(packet).params == values
    for _ in range(3):  # the first time it is not yet known
        assert decode(packet) == [Message("/latent", tuple(values))]


def test_every_type_comes_back() -> None:
    arguments = [1, -7, 1.5, "text", b"blob", True, False]
    assert decode(encode("/all", arguments)) == [Message("/all", tuple(arguments))]
    assert decode(b"/d\0\0,d\0\0" + struct.pack(">d", 0.1)) == [Message("/d", (0.1,))]
    assert decode(b"/h\0\0,h\0\0" + struct.pack(">q", 2**40)) == [Message("/h", (2**40,))]
    with pytest.raises(OscError, match="/all: arguments"):
        encode("/all", [object()])


def test_a_bundle_is_its_messages_in_their_order() -> None:
    first, second = encode_floats("/a", [1.0]), encode("/b", ["x"])
    messages = decode(encode_bundle([first, encode_bundle([second]), first]))
    assert [(message.address, message.arguments) for message in messages] == [
        ("/a", (1.0,)),
        ("/b", ("x",)),
        ("/a", (1.0,)),
    ]


def test_a_time_tag_in_the_future_holds_nothing_back() -> None:
    tag = struct.pack(">II", 4_000_000_000, 1 << 31)
    packet = encode_floats("/a", [1.0])
    assert decode(b"#bundle\0" + tag + struct.pack(">i", len(packet)) + packet) == [Message("/a", (1.0,))]


def test_broken_packets_raise_nothing_else() -> None:
    rng = random.Random(0)
    good = [encode_floats("/wek/inputs", [0.5] * 6), encode("/b", ["x", 3, b"12"])]
    good.append(encode_bundle(good))
    refused = 0
    for _ in range(3000):
        packet = bytearray(rng.choice(good))
        for _ in range(rng.randint(1, 4)):
            packet[rng.randrange(len(packet))] = rng.randrange(256)
        del packet[rng.randint(1, len(packet)) :]
        try:
            decode(bytes(packet))
        except OscError:
            refused += 1
    assert refused > 1000


def test_odd_packets_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert decode(b"/a\0\0,q\0\0") == [Message("/a", ())]
    assert not caplog.records

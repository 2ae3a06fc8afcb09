"""Whatever arrives, nothing is raised, and good packets are answered as if nothing had been."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gesturemap.bridge.protocol import COMMANDS
from gesturemap.errors import OscError
from gesturemap.osc.codec import decode, encode, encode_bundle, encode_floats

# Those that read or write files where the arguments say.
FILES = ("File", "Project", "save", "load", "bundle", "Project")
SAFE = [address for address in COMMANDS if not any(word in address for word in FILES)]
TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
ADDRESSES = st.one_of(st.sampled_from([*SAFE, "/wek/inputs", "/*", "/wek/?nputs"]), TEXTS.map("/".__add__))
ARGUMENTS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 4),
    st.floats(width=32),
    st.booleans(),
    st.sampled_from(["a", "ridge", "knn", "number", "class:2", "dtw:1"]),
    TEXTS,
    st.binary(min_size=1, max_size=9),
)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    return encode(draw(ADDRESSES), draw(st.lists(ARGUMENTS, max_size=5)))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    packet = bytearray(draw(messages()))
    for _ in range(draw(st.integers(1, 3))):
        packet[draw(st.integers(0, len(packet) - 1))] = draw(st.integers(0, 255))
    return bytes(packet[: draw(st.integers(0, len(packet)))])


BUNDLES = st.lists(st.one_of(messages(), mutated()), max_size=3).map(encode_bundle)
PACKETS = st.one_of(
    messages(), mutated(), BUNDLES, st.binary(max_size=64), st.binary(max_size=40).map(b"#bundle\0".__add__)
)
DOUBLES = st.lists(st.floats(), max_size=4).map(
    lambda values: b"/wek/inputs\0" + _tags("d" * len(values)) + struct.pack(f">{len(values)}d", *values)
)


def _tags(kinds: str) -> bytes:
    text = b"," + kinds.encode()
    return text + b"\0" * (4 - len(text) % 4)


@given(PACKETS)
@settings(max_examples=300, deadline=None)
def test_the_decoder_raises_nothing_but_osc_errors(packet: bytes) -> None:
    try:
        found = decode(packet)
    except OscError:
        return
    assert all(isinstance(message.address, str) for message in found)


@pytest.mark.parametrize("strict", [False, True])
@given(packets=st.lists(st.one_of(PACKETS, DOUBLES), max_size=12), work=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_session_survives_everything(make_bridge: Any, strict: bool, packets: list[bytes], work: bool) -> None:
    bridge = make_bridge(strict=strict)
    bridge.record(6)
    bridge.give(*packets)
    if work:
        bridge.work()
    for packet in packets:
        bridge.give(packet)
    bridge.work()
    counts = bridge.session.counts
    assert counts.malformed + counts.ignored <= 4 * counts.packets
    assert bridge.say("/gesturemap/state")[0].address == "/gesturemap/state"


@given(st.lists(st.one_of(mutated(), st.binary(max_size=64)), max_size=20))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_good_packet_is_lost_among_broken_ones(make_bridge: Any, broken: list[bytes]) -> None:
    bridge = make_bridge()
    bridge.train()
    good = encode_floats("/wek/inputs", [0.5, 0.25])
    start = encode("/wekinator/control/startRunning")
    for packet in broken:
        if any(message.address in COMMANDS for message in _readable(packet)):
            continue  # a mutation that is still a command does what it says
        answers = [m for m in bridge.give(start, good, packet, good) if m.address == "/wek/outputs"]
        assert len(answers) >= 2


def _readable(packet: bytes) -> list[Any]:
    try:
        return decode(packet)
    except OscError:
        return []

"""From packets to what they ask for. Whatever comes, reception goes on: what cannot be read is counted."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from audiovae.errors import AudioVAEError
from gesturemap.bridge.outputs import as_numbers
from gesturemap.bridge.protocol import COMMANDS, read_arguments
from gesturemap.bridge.session import Session
from gesturemap.errors import GestureMapError, OscError
from gesturemap.frame import Array
from gesturemap.osc.codec import Message, decode, encode, encode_floats

_FLOATS = {float}


def receive(session: Session, packets: Sequence[bytes]) -> None:
    """Do what packets ask, in their order; inputs that follow each other are answered in one go."""
    session.counts.packets += len(packets)
    waiting: list[tuple[float, ...]] = []
    strict, address_of_inputs = session.settings.strict, session.settings.input_address
    for packet in packets:
        try:
            messages = _decode_strictly(packet) if strict else decode(packet)
        except OscError:
            session.counts.malformed += 1
            continue
        for message in messages:
            if message.address == address_of_inputs:
                _take_inputs(session, message.arguments, waiting)
                continue
            if waiting:
                _attempt(session, lambda: answer(session, waiting))
            _command(session, message, packet[8:16] if packet.startswith(b"#bundle\0") else None)
    if waiting:
        _attempt(session, lambda: answer(session, waiting))


def answer(session: Session, waiting: list[tuple[float, ...]]) -> None:
    """One output message for each row of inputs that waits, in their order."""
    rows = np.array(waiting, np.float64)
    waiting.clear()
    session.counts.answered += len(rows)
    if session.gestures is not None:
        _answer_gestures(session, rows)
        return
    plan, send, address = session.plan, session.send, session.settings.output_address
    with np.errstate(all="ignore"):
        outputs = plan.predict(rows, session.values).astype(np.float32).tolist()
    for i, values in enumerate(outputs):
        send(encode_floats(address, values))
        for output, learned in plan.distributions:
            shares = learned.distribution(rows[i : i + 1])[0].tolist()
            send(encode_floats(f"/{session.slots[output].name}", shares))
        if session.confidence:
            send(encode_floats("/gesturemap/confidence", [plan.confidence(rows[i : i + 1])]))
    session.hold(outputs[-1])


def _answer_gestures(session: Session, rows: Array) -> None:
    """Distances at every frame that is not thinned out; a message of its own when the recognised gesture changes."""
    gestures = session.gestures
    assert gestures is not None
    for row in np.nan_to_num(rows):
        before = gestures.match
        distances = gestures.process(row)
        if distances is None:
            continue
        session.send(encode_floats(session.settings.output_address, distances.tolist()))
        if gestures.match not in (0, before):
            session.send(encode(f"/{session.slots[0].name}_{gestures.match}"))


def _take_inputs(session: Session, arguments: tuple[Any, ...], waiting: list[tuple[float, ...]]) -> None:
    """Inputs wait to be answered, become an example, or are only remembered."""
    if set(map(type, arguments)) == _FLOATS:
        row = arguments
    elif session.settings.strict:
        row = tuple(argument if isinstance(argument, float) else 0.0 for argument in arguments)
    else:
        row = tuple(as_numbers(arguments) or ())
    if not session.expect_inputs(len(row)):
        session.counts.ignored += 1
        return
    session.recent.append(row)
    if session.running:
        waiting.append(row)
    elif session.recording:
        _attempt(session, lambda: session.record(row))


def _command(session: Session, message: Message, time_tag: bytes | None) -> None:
    command = COMMANDS.get(message.address)
    if command is None:
        session.counts.ignored += 1
        return

    def run() -> None:
        arguments = read_arguments(command.arguments, message.arguments, time_tag, strict=session.settings.strict)
        command.handler(session, *arguments)

    _attempt(session, run)


def _attempt(session: Session, action: Callable[[], None]) -> None:
    """Do it; what cannot be done is counted, and its reason kept for whoever asks for the state."""
    try:
        action()
    except (GestureMapError, AudioVAEError, OSError, ValueError) as error:
        session.counts.ignored += 1
        session.refusal = str(error).split("\n")[0][:500]


def _decode_strictly(packet: bytes) -> list[Message]:
    """`decode`, with every number that is no float32 given as the original reads it.

    It takes doubles, 64 bit integers and booleans for 0.0 wherever it wants a number.
    """
    if packet.startswith(b"#bundle\0"):
        messages, at = [], 16
        while at + 4 <= len(packet):
            (size,) = struct.unpack_from(">i", packet, at)
            if size <= 0 or at + 4 + size > len(packet):
                raise OscError("a bundle whose sizes do not fit")
            messages += _decode_strictly(packet[at + 4 : at + 4 + size])
            at += 4 + size
        return messages
    (message,) = decode(packet) or (None,)
    if message is None:
        return []
    start = packet.find(b",")
    tags = packet[start + 1 : packet.find(b"\0", start)].decode("ascii", "replace") if start > 0 else ""
    if len(tags) != len(message.arguments):
        return [message]
    read = [0.0 if tag in "dhTF" else value for tag, value in zip(tags, message.arguments, strict=True)]
    return [message._replace(arguments=tuple(read))]

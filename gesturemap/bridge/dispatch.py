"""From packets to what they ask for. Whatever comes, reception goes on: what cannot be read is counted."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any

import numpy as np

from gesturemap.bridge.outputs import as_numbers
from gesturemap.bridge.protocol import COMMANDS, read_arguments
from gesturemap.bridge.session import REFUSED, Session
from gesturemap.errors import OscError
from gesturemap.osc.codec import Message, decode, encode, encode_floats

_FLOATS = {float}


def receive(session: Session, packet: bytes) -> None:
    """Do what a packet asks, its messages in their order; numpy's warnings are the caller's to switch off."""
    session.counts.packets += 1
    try:
        messages = _decode_strictly(packet) if session.settings.strict else decode(packet)
    except OscError:
        session.counts.malformed += 1
        return
    for message in messages:
        try:
            if message.address == session.settings.input_address:
                _take_inputs(session, message.arguments)
            else:
                _command(session, message, packet[8:16] if packet.startswith(b"#bundle\0") else None)
        except REFUSED as error:
            session.refuse(error)


def rehearse(session: Session) -> None:
    """Do all that an answer takes but send it, with the last inputs: the next ones find everything in the caches."""
    if not session.recent or session.gestures is not None:
        return
    with suppress(*REFUSED):  # the answer itself will say so
        (message,) = decode(encode_floats(session.settings.input_address, session.recent[-1]))
        encode_floats(session.settings.output_address, session.plan.answer(message.arguments, session.values))


def _take_inputs(session: Session, arguments: tuple[Any, ...]) -> None:
    """Inputs are answered, become an example, or are only remembered."""
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
        session.counts.answered += 1
        (_answer if session.gestures is None else _answer_gesture)(session, row)
    elif session.recording:
        session.record(row)


def _answer(session: Session, row: tuple[float, ...]) -> None:
    """One message of outputs, then what was asked for beside it."""
    plan = session.plan
    session.values = plan.answer(row, session.values)
    session.send(encode_floats(session.settings.output_address, session.values))
    for output, learned in plan.distributions:
        shares = learned.distribution(np.array([row]))[0].tolist()
        session.send(encode_floats(f"/{session.slots[output].name}", shares))
    if session.confidence:
        session.send(encode_floats("/gesturemap/confidence", [plan.confidence(row)]))


def _answer_gesture(session: Session, row: tuple[float, ...]) -> None:
    """Distances at every frame that is not thinned out; a message of its own when the recognised gesture changes."""
    gestures = session.gestures
    assert gestures is not None
    before = gestures.match
    distances = gestures.process(np.nan_to_num(np.array(row)))
    if distances is None:
        return
    session.send(encode_floats(session.settings.output_address, distances.tolist()))
    if gestures.match not in (0, before):
        session.send(encode(f"/{session.slots[0].name}_{gestures.match}"))


def _command(session: Session, message: Message, time_tag: bytes | None) -> None:
    command = COMMANDS.get(message.address)
    if command is None:
        session.counts.ignored += 1
        return
    arguments = read_arguments(command.arguments, message.arguments, time_tag, strict=session.settings.strict)
    command.handler(session, *arguments)


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

"""OSC packets to messages and back.

Lists of float32, which is what streams, go through `struct` by a table of headers seen before; everything else goes
through python-osc. Source: Wright and Freed 2002, The Open Sound Control 1.0 specification.
"""

from __future__ import annotations

import functools
import logging
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from gesturemap.errors import OscError

_IMMEDIATELY = struct.pack(">Q", 1)
LARGEST = 3.4e38  # a float32 holds hardly more
_HEADERS = 256  # of float lists remembered; a sender that makes up addresses only makes itself slow
_floats: dict[int, list[tuple[bytes, str, struct.Struct]]] = {}  # by the length of the packet


class Message(NamedTuple):
    """One OSC message.

    Attributes
    ----------
    address : begins with ``/``.
    arguments : floats, ints, strings, bytes, bools, None; float and double, int32 and int64 are not told apart.
    """

    address: str
    arguments: tuple[Any, ...]


def encode_floats(address: str, values: Sequence[float]) -> bytes:
    """A message of float32 alone; what is beyond their range becomes the largest there is."""
    header, layout = _float_header(address, len(values))
    try:
        return header + layout.pack(*values)
    except OverflowError:
        return header + layout.pack(*[min(max(value, -LARGEST), LARGEST) for value in values])


def encode(address: str, arguments: Sequence[Any] = ()) -> bytes:
    """A message of floats, ints, strings, bytes, bools, each by its Python type.

    Raises
    ------
    OscError
        If an argument is of another type, or an int beyond 64 bits.
    """
    from pythonosc.osc_message_builder import BuildError, OscMessageBuilder

    builder = OscMessageBuilder(address)
    try:
        for argument in arguments:
            builder.add_arg(argument)
        packet: bytes = builder.build().dgram
    except (BuildError, ValueError, TypeError) as error:
        raise OscError(f"{address}: arguments {list(arguments)!r} cannot be sent ({error})") from None
    return packet


def encode_bundle(packets: Sequence[bytes], time_tag: bytes = _IMMEDIATELY) -> bytes:
    """A bundle of encoded messages, to be done at once, or at `time_tag`: 8 bytes as in the bundle it answers."""
    parts = [part for packet in packets for part in (struct.pack(">i", len(packet)), packet)]
    return b"#bundle\0" + time_tag + b"".join(parts)


def decode(packet: bytes) -> list[Message]:
    """Messages of a packet in their order, those of bundles too; time tags are passed over, none is waited for.

    Raises
    ------
    OscError
        If the packet is no OSC.
    """
    for header, address, layout in _floats.get(len(packet), ()):
        if packet.startswith(header):
            return [Message(address, layout.unpack_from(packet, len(header)))]
    messages = _decode_any(packet)
    if len(messages) == 1:
        _remember_floats(packet, *messages[0])
    return messages


def _remember_floats(packet: bytes, address: str, arguments: tuple[Any, ...]) -> None:
    """The header of `packet`, if it is a list of float32."""
    header, layout = _float_header(address, len(arguments))
    known = sum(map(len, _floats.values()))
    if packet.startswith(header) and len(packet) == len(header) + layout.size and known < _HEADERS:
        _floats.setdefault(len(packet), []).append((header, address, layout))


def _decode_any(packet: bytes) -> list[Message]:
    try:
        entries = _parser()(packet).messages
        return [Message(entry.message.address, tuple(entry.message.params)) for entry in entries]
    except Exception as error:  # its parser lets through what struct, str and list raise on broken packets
        raise OscError(f"{len(packet)} bytes that are no OSC packet ({error})") from None


@functools.cache
def _parser() -> Any:
    """python-osc's, silenced: it logs odd packets, one line each, and a flood of those would hold up the receiver."""
    from pythonosc.osc_packet import OscPacket

    logging.getLogger().addFilter(lambda record: record.module not in ("osc_message", "osc_bundle"))
    return OscPacket


@functools.lru_cache(maxsize=_HEADERS)
def _float_header(address: str, count: int) -> tuple[bytes, struct.Struct]:
    def pad(text: bytes) -> bytes:
        return text + b"\0" * (4 - len(text) % 4)

    return pad(address.encode()) + pad(b"," + b"f" * count), struct.Struct(f">{count}f")

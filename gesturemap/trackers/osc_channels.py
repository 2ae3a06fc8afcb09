"""Which arguments of which OSC messages are which channels: the grammar of the tracker `osc`.

::

    /wek/inputs(6)               six numbers of one message: inputs_1 to inputs_6
    /hand(x,y,z)                 three numbers, named
    /wii/2/accel(_,x,y,z)        the first argument, whatever it is, is left out
    /pedal                       one number, called pedal
    /hand(x,y,z);/pedal          messages of several addresses, from one sender or from several
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gesturemap.errors import TrackerError
from gesturemap.frame import Channel, Layout

SKIPPED = "_"
_ADDRESS = re.compile(r"(/[^\s#*,?\[\]{}();]+)(?:\(([^()]*)\))?")
_MAX_CHANNELS = 1000


@dataclass(frozen=True)
class OscInput:
    """The messages of one address.

    Parameters
    ----------
    address : of the messages.
    names : of their arguments; `SKIPPED` for one that is no channel.
    first : column of the first channel.
    """

    address: str
    names: tuple[str, ...]
    first: int

    @property
    def channels(self) -> tuple[str, ...]:
        """The arguments that are channels."""
        return tuple(name for name in self.names if name != SKIPPED)

    @property
    def columns(self) -> slice:
        """Where the values go."""
        return slice(self.first, self.first + len(self.channels))

    def read(self, arguments: Sequence[Any]) -> list[float] | None:
        """A value per channel, NaN for infinities; None if the arguments are not as many, or no numbers."""
        if len(arguments) != len(self.names):
            return None
        given = [value for name, value in zip(self.names, arguments, strict=True) if name != SKIPPED]
        if not all(isinstance(value, (int, float)) for value in given):  # a bool is an int
            return None
        return [float(value) if math.isfinite(value) else math.nan for value in given]


def parse_inputs(text: str) -> tuple[OscInput, ...]:
    """The inputs that `text` describes, see the grammar above.

    Raises
    ------
    TrackerError
        If it does not follow the grammar, or has an address twice.
    """
    inputs: list[OscInput] = []
    for part in text.split(";"):
        found = _ADDRESS.fullmatch(part)
        if found is None:
            raise TrackerError(
                f"OSC input {part!r} found; expected an address with its arguments, as /wek/inputs(6), /hand(x,y,z) or "
                "/hand(x,y,z);/pedal"
            )
        first = inputs[-1].columns.stop if inputs else 0
        inputs.append(OscInput(found[1], _names(found[1], found[2]), first))
    addresses = [item.address for item in inputs]
    twice = sorted({address for address in addresses if addresses.count(address) > 1})
    if twice:
        raise TrackerError(f"OSC address {twice[0]} given twice: list all its arguments in one pair of brackets")
    return tuple(inputs)


def osc_layout(inputs: Sequence[OscInput], low: float, high: float) -> Layout:
    """A channel per argument, all of one range. Errors: `LayoutError` for a name used twice."""
    return Layout(tuple(Channel(name, "norm", low, high) for item in inputs for name in item.channels))


def _names(address: str, arguments: str | None) -> tuple[str, ...]:
    last = re.sub(r"\W", "_", address.rpartition("/")[2]) or "value"
    if arguments is None:
        return (last,)
    if arguments.isdecimal() and 0 < int(arguments) <= _MAX_CHANNELS:
        return tuple(f"{last}_{number}" for number in range(1, int(arguments) + 1))
    names = tuple(name.strip() for name in arguments.split(","))
    if not all(name.isidentifier() for name in names) or set(names) == {SKIPPED}:
        raise TrackerError(
            f"OSC input {address}({arguments}): expected a number of arguments up to {_MAX_CHANNELS}, or a name for "
            f"each with {SKIPPED} for those that are no channel"
        )
    return names

"""Numbers of 14 bits that MIDI sends as two of 7: a control change and its partner 32 higher, or an NRPN's data.

Source: MIDI 1.0 Detailed Specification 4.2, control changes (pages 11 to 18): the coarse byte comes first and sets the
fine one to 0; controllers 99 and 98 choose a non-registered parameter, 101 and 100 a registered one, 127 in both none,
and 6 and 38 are its data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Key = tuple[str, int, int]  # kind, number and MIDI channel
Reading = tuple[str, int, int, float]  # the same, and the position from 0 to 1

LARGEST = 2**14 - 1
NULL = 127 * 128 + 127
N_PAIRED = 32  # controllers 0 to 31 have a fine partner
DATA, FINE = 6, 32


@dataclass
class _Pair:
    """What is known of a number: `two` once a fine byte ever came, `waits` for how many frames one is missing."""

    coarse: int
    two: bool = False
    waits: int | None = None


class BytePairs:
    """Control changes put together to numbers of 14 bits.

    A coarse byte alone is a position too, since many controllers send nothing else. Of a controller that has ever sent
    a fine one it waits for that, at most one frame: the place between the two bytes is nowhere the knob has been.
    """

    def __init__(self) -> None:
        self._pairs: dict[Key, _Pair] = {}
        self._chosen: dict[int, list[int | None]] = {}  # MIDI channel to the two bytes of an NRPN's number

    def update(self, channel: int, control: int, value: int) -> Iterator[Reading]:
        """Positions that a control change makes known: of ``nrpn`` (7 bits), ``cc14`` and ``nrpn14``."""
        if control in (98, 99):
            self._chosen.setdefault(channel, [None, None])[99 - control] = value
        elif control in (100, 101):
            self._chosen.pop(channel, None)  # what follows is for a registered parameter
        if control < N_PAIRED:
            yield from self._coarse(("cc14", control, channel), value)
        elif control < 2 * N_PAIRED:
            yield from self._fine(("cc14", control - FINE, channel), value)
        number = self._number(channel)
        if number is not None and control == DATA:
            yield "nrpn", number, channel, value / 127
            yield from self._coarse(("nrpn14", number, channel), value)
        elif number is not None and control == DATA + FINE:
            yield from self._fine(("nrpn14", number, channel), value)

    def end_frame(self) -> Iterator[Reading]:
        """Positions of which the fine byte did not come since the frame before."""
        for key, pair in self._pairs.items():
            if pair.waits is not None:
                pair.waits += 1
                if pair.waits > 1:
                    pair.waits = None
                    yield *key, pair.coarse * 128 / LARGEST

    def _number(self, channel: int) -> int | None:
        high, low = self._chosen.get(channel, (None, None))
        if high is None or low is None or high * 128 + low == NULL:
            return None
        return high * 128 + low

    def _coarse(self, key: Key, value: int) -> Iterator[Reading]:
        pair = self._pairs.setdefault(key, _Pair(value))
        pair.coarse = value
        if pair.two:
            pair.waits = 0
        else:
            # All of its range, as far as 7 bits reach.
            yield *key, value / 127

    def _fine(self, key: Key, value: int) -> Iterator[Reading]:
        pair = self._pairs.get(key)
        if pair is None:
            return  # half of a position that is not known
        pair.two, pair.waits = True, None
        yield *key, (pair.coarse * 128 + value) / LARGEST

"""Which MIDI messages are which channels, and the state of a controller after any number of them."""

from __future__ import annotations

import re
from typing import Protocol

import numpy as np

from gesturemap.errors import TrackerError
from gesturemap.frame import Array, Channel, Layout

WHOLE = -1  # in place of the number of a knob or key: what the whole controller has once
DEFAULT_CHANNELS = "cc1,bend,pressure,note,velocity"

_WORD = re.compile(r"(?:(cc|key|touch)(\d{1,3})|(bend|pressure|note|velocity))(?:@(\d{1,2}))?")


class MidiMessage(Protocol):
    """The part of mido's message that is used here; each type has its own further attributes."""

    type: str


class MidiState:
    """Where the knobs, wheels and keys of a controller are.

    Parameters
    ----------
    channels : words with commas between them, each with ``@1`` to ``@16`` for one MIDI channel only:

        - ``cc1`` to ``cc127``: a control change, 0 to 1. NaN until it is moved, because nobody knows where it is;
        - ``bend``: the pitch wheel, -1 to 1, 0 until it is moved;
        - ``pressure``: channel aftertouch, 0 to 1;
        - ``note``: the newest key that is down, 0 to 1 for 0 to 127; NaN while none is;
        - ``velocity``: that of the same key; 0 while none is down;
        - ``key60``: velocity of one key, 0 while it is up; ``touch60``: its own aftertouch.

    Raises
    ------
    TrackerError
        For any other word.
    """

    def __init__(self, channels: str = DEFAULT_CHANNELS) -> None:
        words = [word.strip() for word in channels.split(",")]
        self._wanted = [_parse_word(word) for word in words]
        self.layout = Layout(
            tuple(Channel(_channel_name(word), "norm", -1.0 if word.startswith("bend") else 0.0, 1.0) for word in words)
        )
        self.reset()

    def reset(self) -> None:
        """As before the first message."""
        unknown = {"cc": np.nan, "note": np.nan}
        self._values = np.array([unknown.get(kind, 0.0) for kind, _, _ in self._wanted])
        self._down: list[tuple[int, int, float]] = []  # MIDI channel, note, velocity, in the order they went down

    def values(self) -> Array:
        """(n_channels,) now."""
        return self._values.copy()

    def update(self, message: MidiMessage) -> bool:
        """Take a message; whether any channel depends on it."""
        found = _reading(message)
        if found is None:
            return False
        kind, number, value = found
        channel: int = message.channel + 1  # type: ignore[attr-defined]
        if kind == "key":
            self._down = [key for key in self._down if key[:2] != (channel, number)]
            self._down += [(channel, number, value)] if value else []
        used = False
        for column, (wanted, wanted_number, only) in enumerate(self._wanted):
            if only not in (None, channel):
                continue
            if kind == "key" and wanted in ("note", "velocity"):
                self._values[column] = self._newest_key(wanted, only)
                used = True
            elif (wanted, wanted_number) == (kind, number):
                self._values[column] = value
                used = True
        return used

    def _newest_key(self, wanted: str, only: int | None) -> float:
        down = [key for key in self._down if only in (None, key[0])]
        if not down:
            return np.nan if wanted == "note" else 0.0
        return down[-1][1] / 127 if wanted == "note" else down[-1][2]


def _reading(message: MidiMessage) -> tuple[str, int, float] | None:
    """Kind, number and value of a message; None for those that are no position of anything."""
    match message.type:
        case "control_change":
            return "cc", message.control, message.value / 127  # type: ignore[attr-defined]
        case "pitchwheel":
            pitch: int = message.pitch  # type: ignore[attr-defined]
            return "bend", WHOLE, pitch / (8191 if pitch > 0 else 8192)
        case "aftertouch":
            return "pressure", WHOLE, message.value / 127  # type: ignore[attr-defined]
        case "polytouch":
            return "touch", message.note, message.value / 127  # type: ignore[attr-defined]
        case "note_on":
            return "key", message.note, message.velocity / 127  # type: ignore[attr-defined]
        case "note_off":
            return "key", message.note, 0.0  # type: ignore[attr-defined]
    return None


def _parse_word(word: str) -> tuple[str, int, int | None]:
    """Kind, number and the only MIDI channel of ``cc74@2``."""
    found = _WORD.fullmatch(word)
    number = int(found[2]) if found and found[2] else WHOLE
    only = int(found[4]) if found and found[4] else None
    if found is None or number > 127 or only == 0 or (only or 1) > 16:
        raise TrackerError(
            f"MIDI channel {word!r} found; expected cc1 to cc127, bend, pressure, note, velocity, key0 to key127 or "
            "touch0 to touch127, each with @1 to @16 for one MIDI channel only"
        )
    return found[1] or found[3], number, only


def _channel_name(word: str) -> str:
    return word.replace("@", "_ch")

"""Which MIDI messages are which channels, and the state of a controller after any number of them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from gesturemap.errors import TrackerError
from gesturemap.frame import Array, Channel, Layout
from gesturemap.trackers.midi_pairs import N_PAIRED, NULL, BytePairs, Reading

WHOLE = -1  # in place of the number of a knob or key: what the whole controller has once
DEFAULT_CHANNELS = "cc1,bend,pressure,note,velocity"

_WORD = re.compile(r"(?:(cc|nrpn|key|touch)(\d{1,5})(:14bit)?|(bend|pressure|note|velocity))(?:@(\d{1,2}))?")
_HIGHEST = {"cc": 127, "cc14": N_PAIRED - 1, "nrpn": NULL - 1, "nrpn14": NULL - 1, "key": 127, "touch": 127}


class MidiState:
    """Where the knobs, wheels and keys of a controller are.

    Parameters
    ----------
    channels : words with commas between them, each with ``@1`` to ``@16`` for one MIDI channel only:

        - ``cc1`` to ``cc127``: a control change, 0 to 1. NaN until it is moved, because nobody knows where it is;
        - ``cc1:14bit`` to ``cc31:14bit``: the same with its fine partner, controller 33 to 63;
        - ``nrpn0`` to ``nrpn16382``: a non-registered parameter, ``nrpn300:14bit`` with the fine byte of its data;
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
        unknown = dict.fromkeys(("cc", "cc14", "nrpn", "nrpn14", "note"), np.nan)
        self._values = np.array([unknown.get(kind, 0.0) for kind, _, _ in self._wanted])
        self._down: list[tuple[int, int, float]] = []  # MIDI channel, note, velocity, in the order they went down
        self._pairs = BytePairs()

    def values(self) -> Array:
        """(n_channels,) of the frame that ends now."""
        for reading in self._pairs.end_frame():
            self._take(*reading)
        return self._values.copy()

    def update(self, message: Any) -> None:
        """Take a message of mido's."""
        found = _reading(message)
        if found is None:
            return
        self._take(*found)
        if found[0] == "cc":
            _, number, channel, _ = found
            for reading in self._pairs.update(channel, number, message.value):
                self._take(*reading)

    def _take(self, kind: str, number: int, channel: int, value: float) -> None:
        if kind == "key":
            self._down = [key for key in self._down if key[:2] != (channel, number)]
            self._down += [(channel, number, value)] if value else []
        for column, (wanted, wanted_number, only) in enumerate(self._wanted):
            if only not in (None, channel):
                continue
            if kind == "key" and wanted in ("note", "velocity"):
                self._values[column] = self._newest_key(wanted, only)
            elif (wanted, wanted_number) == (kind, number):
                self._values[column] = value

    def _newest_key(self, wanted: str, only: int | None) -> float:
        down = [key for key in self._down if only in (None, key[0])]
        if not down:
            return np.nan if wanted == "note" else 0.0
        return down[-1][1] / 127 if wanted == "note" else down[-1][2]


def _reading(message: Any) -> Reading | None:
    """Kind, number, MIDI channel and value of a message of mido's; None for those that are no position of anything."""
    match message.type:
        case "control_change":
            return "cc", message.control, message.channel + 1, message.value / 127
        case "pitchwheel":
            return "bend", WHOLE, message.channel + 1, message.pitch / (8191 if message.pitch > 0 else 8192)
        case "aftertouch":
            return "pressure", WHOLE, message.channel + 1, message.value / 127
        case "polytouch":
            return "touch", message.note, message.channel + 1, message.value / 127
        case "note_on":
            return "key", message.note, message.channel + 1, message.velocity / 127
        case "note_off":
            return "key", message.note, message.channel + 1, 0.0
    return None


def _parse_word(word: str) -> tuple[str, int, int | None]:
    """Kind, number and the only MIDI channel of ``cc74@2``; the kind of ``cc1:14bit`` is ``cc14``."""
    found = _WORD.fullmatch(word)
    kind = "" if found is None else found[4] or found[1] + ("14" if found[3] else "")
    number = int(found[2]) if found and found[2] else WHOLE
    only = int(found[5]) if found and found[5] else None
    if found is None or number > _HIGHEST.get(kind, WHOLE) or only == 0 or (only or 1) > 16:
        raise TrackerError(
            f"MIDI channel {word!r} found; expected cc1 to cc127, bend, pressure, note, velocity, key0 to key127, "
            f"touch0 to touch127 or nrpn0 to nrpn{NULL - 1}, cc1 to cc{N_PAIRED - 1} and nrpn also with :14bit, each "
            "with @1 to @16 for one MIDI channel only"
        )
    return kind, number, only


def _channel_name(word: str) -> str:
    return word.replace("@", "_ch").replace(":", "_")

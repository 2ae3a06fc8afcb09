"""Where events come from: OSC, MIDI, the keys of the terminal. Each is opened here, and polled; none waits."""

from __future__ import annotations

import math
import os
import select
import sys
from typing import Any, Protocol

from gesturemap.clock import Clock
from gesturemap.errors import MissingExtraError, OscError, TrackerError
from gesturemap.osc.codec import decode
from gesturemap.osc.udp import UdpReceiver
from gesturemap.recording.triggers import ADDRESSES, Event, TriggerSettings

MAX_EVENTS = 256  # of one poll: a flood shall not hold up the tracker
_KEY_NAMES = {" ": "space", "\n": "enter", "\r": "enter", "\t": "tab", "\x7f": "backspace", "\x08": "backspace"}


class TriggerSource(Protocol):
    """Anything that yields events."""

    def poll(self) -> list[Event]:
        """What happened since the last poll; never waits."""

    def close(self) -> None:
        """Let go of it."""


class OscSource:
    """OSC messages; the first number of each is the value of its address.

    Attributes
    ----------
    n_broken : packets that were no OSC.
    """

    def __init__(self, receiver: UdpReceiver, clock: Clock) -> None:
        self.n_broken = 0
        self._receiver, self._clock = receiver, clock

    def poll(self) -> list[Event]:
        """See `TriggerSource`."""
        events: list[Event] = []
        while len(events) < MAX_EVENTS and (packet := self._receiver.receive()) is not None:
            try:
                messages = decode(packet[0])
            except OscError:
                self.n_broken += 1
                continue
            for message in messages:
                value = _first_number(message.arguments)
                # A command's number is no place of a fader: a patch may send `startRecording 1` again and again.
                if message.address in ADDRESSES:
                    if value == 0.0:
                        continue
                    value = None
                events.append(Event(f"osc:{message.address}", self._clock.now_s(), value))
        return events

    def close(self) -> None:
        """See `TriggerSource`."""
        self._receiver.close()


class MidiSource:
    """Notes, controllers and programs of a MIDI input, whatever the channel.

    Parameters
    ----------
    port : of mido: gives messages with `iter_pending`.
    """

    def __init__(self, port: Any, clock: Clock) -> None:
        self._port, self._clock = port, clock

    def poll(self) -> list[Event]:
        """See `TriggerSource`."""
        events = []
        for message in self._port.iter_pending():
            now_s = self._clock.now_s()
            if message.type in ("note_on", "note_off"):
                down = message.type == "note_on" and message.velocity > 0
                events.append(Event(f"midi:note {message.note}", now_s, float(down)))
            elif message.type == "control_change":
                events.append(Event(f"midi:cc {message.control}", now_s, message.value / 127.0))
            elif message.type == "program_change":
                events.append(Event(f"midi:program {message.program}", now_s))
        return events

    def close(self) -> None:
        """See `TriggerSource`."""
        self._port.close()


class KeySource:
    """Keys of a terminal, as they are pressed; it goes on echoing nothing until `close`.

    Parameters
    ----------
    terminal : file descriptor of the terminal.
    """

    def __init__(self, terminal: int, clock: Clock) -> None:
        import termios
        import tty

        self._terminal, self._clock = terminal, clock
        self._before = termios.tcgetattr(terminal)
        tty.setcbreak(terminal)

    def poll(self) -> list[Event]:
        """See `TriggerSource`."""
        if not select.select([self._terminal], [], [], 0)[0]:
            return []
        typed = os.read(self._terminal, MAX_EVENTS).decode(errors="ignore")
        now_s = self._clock.now_s()
        return [
            Event(f"key:{_KEY_NAMES.get(key, key)}", now_s) for key in typed if key.isprintable() or key in _KEY_NAMES
        ]

    def close(self) -> None:
        """See `TriggerSource`."""
        import termios

        termios.tcsetattr(self._terminal, termios.TCSADRAIN, self._before)


def open_sources(settings: TriggerSettings, clock: Clock) -> list[TriggerSource]:
    """The sources that `settings` ask for; keys only where there is a terminal.

    Raises
    ------
    OscError, TrackerError
        If the port is taken, or there is no such MIDI input.
    """
    sources: list[TriggerSource] = []
    try:
        if settings.osc_port is not None:
            sources.append(OscSource(UdpReceiver(settings.osc_port, settings.osc_host), clock))
        if settings.midi_port is not None:
            sources.append(MidiSource(_open_midi(settings.midi_port), clock))
        if settings.keys and os.name == "posix" and sys.stdin is not None and sys.stdin.isatty():
            sources.append(KeySource(sys.stdin.fileno(), clock))
    except Exception:
        for source in sources:
            source.close()
        raise
    return sources


def _open_midi(name: str) -> Any:
    try:
        import mido
    except ImportError:
        raise MissingExtraError("mido", "midi") from None
    try:
        there = mido.get_input_names()
        found = [known for known in there if name.lower() in known.lower()]
        if found:
            return mido.open_input(found[0])
    except (ImportError, SystemError, OSError) as error:  # rtmidi is absent, or has no sequencer to ask
        raise TrackerError(
            f"no MIDI on this machine ({error}): pip install python-rtmidi, connect the device"
        ) from None
    raise TrackerError(f"no MIDI input called {name!r}; there are: {', '.join(there) or 'none'}")


def _first_number(arguments: tuple[Any, ...]) -> float | None:
    """The first argument as a finite number, if it is one."""
    if not arguments or not isinstance(arguments[0], (bool, int, float)):
        return None
    number = float(arguments[0])
    return number if math.isfinite(number) else None

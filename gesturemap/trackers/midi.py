"""A MIDI controller, or a MIDI file, as knobs, wheels and keys; the only file here that knows mido.

mido reads files and messages by itself; ports need python-rtmidi, which the extra brings along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from gesturemap.clock import Clock
from gesturemap.errors import MissingExtraError, TrackerError
from gesturemap.frame import Array
from gesturemap.trackers.midi_channels import DEFAULT_CHANNELS, MidiState
from gesturemap.trackers.outage import RETRY_S
from gesturemap.trackers.quiet import quiet_stderr
from gesturemap.trackers.sampled import DEFAULT_RATE, SampledTracker
from gesturemap.trackers.stored import StoredTracker

FILE_SUFFIXES = (".mid", ".midi")
MAX_FILE_S = 3600.0


class MidiPort(Protocol):
    """The part of a mido input port that is used here."""

    name: str
    closed: bool

    def iter_pending(self) -> Iterable[Any]:
        """Messages of mido's that came since it was last asked."""

    def close(self) -> None:
        """Let go of it."""


def find_ports() -> list[str]:
    """Names of the MIDI inputs. Errors: `TrackerError` where the system has no MIDI, `MissingExtraError`."""
    try:
        with quiet_stderr():
            return list(_rtmidi_backend().get_input_names())
    except (SystemError, OSError) as error:  # ALSA without its sequencer
        raise TrackerError(f"this system has no MIDI ({error}): on Linux  sudo modprobe snd-seq") from None


def open_port(name: str) -> MidiPort:
    """The input whose name is `name`, or the only one whose name holds it; the first one if it is empty.

    Raises
    ------
    TrackerError
        If there is none, several hold it, or it is a file's. `MissingExtraError` if mido or python-rtmidi is not
        installed.
    """
    if Path(name).is_file():
        endings = " or ".join(FILE_SUFFIXES)
        raise TrackerError(f"{name} is a file, but no MIDI file by its name: those end with {endings}")
    ports = find_ports()
    found = [port for port in ports if port == name] or [port for port in ports if name.lower() in port.lower()]
    if not found or (name and len(found) > 1):
        raise TrackerError(
            f"{len(found)} MIDI inputs are called {name!r}; there are: {', '.join(ports) or 'none, plug one in'}"
        )
    try:
        port: MidiPort = _rtmidi_backend().open_input(found[0])
    except (SystemError, OSError) as error:
        raise TrackerError(f"MIDI input {found[0]!r} cannot be opened ({error}): close programs that use it") from None
    return port


def _rtmidi_backend() -> Any:
    try:
        import mido
        import rtmidi  # noqa: F401  # mido would load it at first use only
    except ImportError:
        raise MissingExtraError("python-rtmidi", "midi", "replay a file with midi:FILE.mid") from None
    return mido.Backend("mido.backends.rtmidi")


class MidiTracker(SampledTracker):
    """A MIDI controller.

    Whether it is still plugged in is looked up every second, since MIDI does not say; its knobs are unknown again when
    it is back.

    Parameters
    ----------
    source : name of the port or a part of it that no other has; empty for the first one.
    channels : see `MidiState`.
    frame_rate : Hz at which the state is looked at.
    clock : gives the frames their time; None for the machine's.
    opener, list_ports : the seam for tests.
    """

    name = "midi"

    def __init__(
        self,
        source: str = "",
        channels: str = DEFAULT_CHANNELS,
        frame_rate: float = DEFAULT_RATE,
        clock: Clock | None = None,
        opener: Callable[[str], MidiPort] = open_port,
        list_ports: Callable[[], list[str]] = find_ports,
    ) -> None:
        super().__init__(frame_rate, clock)
        self.source = source
        self._state = MidiState(channels)
        self.layout = self._state.layout
        self._opener, self._list_ports = opener, list_ports
        self._port: MidiPort | None = None

    def connect(self) -> None:
        """Open the port."""
        self._port = self._opener(self.source)
        self._look_s = self._clock.now_s() + RETRY_S
        self._state.reset()

    def sample(self) -> Array | None:
        """Take what came."""
        if self._port is None:
            return None
        if self._is_unplugged(self._port):
            self.disconnect()
            return None
        for message in self._port.iter_pending():
            self._state.update(message)
        return self._state.values()

    def disconnect(self) -> None:
        """Close the port."""
        if self._port is not None:
            self._port.close()
        self._port = None

    def _is_unplugged(self, port: MidiPort) -> bool:
        now_s = self._clock.now_s()
        if port.closed or now_s < self._look_s:
            return port.closed
        self._look_s = now_s + RETRY_S
        try:
            return port.name not in self._list_ports()
        except TrackerError:  # the system's MIDI itself went away
            return True


class MidiFile(StoredTracker):
    """A standard MIDI file, its messages taken as if they came from a controller.

    Parameters
    ----------
    source : path of the file.
    channels : see `MidiState`.
    frame_rate : Hz at which the state is looked at.
    """

    name = "midi"

    def __init__(self, source: str | Path, channels: str = DEFAULT_CHANNELS, frame_rate: float = DEFAULT_RATE) -> None:
        if not 0 < frame_rate <= 1000:
            raise TrackerError(f"midi: {frame_rate=}: expected 1 to 1000 Hz")
        self.source = str(source)
        self.frame_rate = frame_rate
        self._state = MidiState(channels)
        self.layout = self._state.layout

    def load(self) -> tuple[Array, Array]:
        """States from 0 s to the last message."""
        timed = _read_file(self.source)
        n_frames = 1 + int(np.ceil(timed[-1][0] * self.frame_rate)) if timed else 0
        if not timed or timed[-1][0] > MAX_FILE_S:
            raise TrackerError(f"{self.source}: {len(timed)} messages found; expected some, all within an hour")
        self._state.reset()
        time_s = np.arange(n_frames) / self.frame_rate
        values = np.empty((n_frames, len(self.layout)))
        used = 0
        for row, at_s in enumerate(time_s):
            while used < len(timed) and timed[used][0] <= at_s:
                self._state.update(timed[used][1])
                used += 1
            values[row] = self._state.values()
        return time_s, values


def _read_file(path: str) -> list[tuple[float, Any]]:
    """Seconds from the start and message, of all tracks."""
    try:
        import mido
    except ImportError:
        raise MissingExtraError("mido", "midi") from None
    if not Path(path).is_file():
        raise TrackerError(f"no MIDI file {path}: give the path of one, or the name of a port")
    try:
        timed, at_s = [], 0.0
        for message in mido.MidiFile(path):
            at_s += message.time
            if not message.is_meta:
                timed.append((at_s, message))
    except (OSError, EOFError, ValueError, IndexError, KeyError, TypeError) as error:  # what mido's parser lets through
        raise TrackerError(f"{path}: not a MIDI file that can be read ({error or type(error).__name__})") from None
    return timed

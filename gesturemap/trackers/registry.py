"""The closed table of trackers, and one of them made from its name on a command line."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from gesturemap.clock import Clock
from gesturemap.errors import TrackerError
from gesturemap.trackers.base import Tracker
from gesturemap.trackers.options import OPTION_TYPES, pairs, split_options, typed_options


@dataclass(frozen=True)
class TrackerInfo:
    """A tracker as `gesturemap trackers` shows it.

    Parameters
    ----------
    name, description : what it is.
    sources : what may follow its name and a colon, and after a ``?`` the options used most.
    needs : the Python module and the extra it comes with; empty if none.
    available : whether that is installed. A device may still be missing: `gesturemap doctor` looks.
    hint : what to do if it is not.
    """

    name: str
    description: str
    sources: str
    needs: tuple[str, ...]
    available: bool
    hint: str


def open_tracker(spec: str, clock: Clock | None = None, **options: Any) -> Tracker:
    """A tracker that is ready to be opened (with `open`, or as a context manager).

    Parameters
    ----------
    spec : ``NAME``, ``NAME:SOURCE`` or ``NAME:SOURCE?key=value&key=value``: ``hands:video.mp4``,
        ``hands:0?num_hands=1&preview=true``, ``gametrak``, ``gametrak:capture.jsonl``, ``replay:take.rec``,
        ``synthetic:seed=3,kind=hands,seconds=20``, ``osc:7400/hand(x,y,z)``.
    clock : gives live frames their time; None for the machine's.
    options : the same as those after the ``?``, over which they win; parameters of the tracker's class.

    Raises
    ------
    TrackerError
        If there is no such tracker (names the nearest), source or option.
    """
    plain, given = split_options(spec)
    name, _, source = plain.partition(":")
    if name not in _TABLE:
        near = difflib.get_close_matches(name, _TABLE, n=1)
        guess = f" (did you mean {near[0]!r}?)" if near else ""
        raise TrackerError(f"no tracker {name!r}{guess}; there are: {', '.join(_TABLE)}")
    return _TABLE[name].build(source, clock, given | options)


def list_trackers() -> list[TrackerInfo]:
    """Every tracker there is."""
    return [_info(name, row) for name, row in _TABLE.items()]


def _hands(source: str, clock: Clock | None, options: dict[str, Any]) -> Tracker:
    from gesturemap.trackers.hands import HandsTracker

    return _make(HandsTracker, "hands", options, source=source or "0", clock=clock)


def _gametrak(source: str, clock: Clock | None, options: dict[str, Any]) -> Tracker:
    if source:
        from gesturemap.trackers.gametrak_capture import GametrakCapture

        return _make(GametrakCapture, "gametrak", options, source=source)
    from gesturemap.trackers.gametrak import GametrakTracker

    return _make(GametrakTracker, "gametrak", options, clock=clock)


def _replay(source: str, clock: Clock | None, options: dict[str, Any]) -> Tracker:
    from gesturemap.trackers.replay import ReplayTracker

    if not source:
        raise TrackerError("replay needs a recording: replay:NAME.rec, or replay:NAME.rec/take-002.arrows for one take")
    return _make(ReplayTracker, "replay", options, source=source)


def _synthetic(source: str, clock: Clock | None, options: dict[str, Any]) -> Tracker:
    from gesturemap.trackers.synthetic import SyntheticTracker

    return _make(SyntheticTracker, "synthetic", pairs(source, ",") | options, clock=clock)


def _osc(source: str, clock: Clock | None, options: dict[str, Any]) -> Tracker:
    from gesturemap.trackers.osc import OscTracker

    return _make(OscTracker, "osc", options, source=source, clock=clock)


def _midi(source: str, clock: Clock | None, options: dict[str, Any]) -> Tracker:
    from gesturemap.trackers.midi import FILE_SUFFIXES, MidiFile, MidiTracker

    if source.lower().endswith(FILE_SUFFIXES):
        return _make(MidiFile, "midi", options, source=source)
    return _make(MidiTracker, "midi", options, source=source, clock=clock)


def _lsl(source: str, clock: Clock | None, options: dict[str, Any]) -> Tracker:
    if source.lower().endswith(".xdf"):
        from gesturemap.trackers.xdf import XdfFile

        return _make(XdfFile, "lsl", options, source=source)
    from gesturemap.trackers.lsl import LslTracker

    return _make(LslTracker, "lsl", options, source=source, clock=clock)


def _gamepad(source: str, clock: Clock | None, options: dict[str, Any]) -> Tracker:
    from gesturemap.trackers.gamepad import GamepadTracker

    return _make(GamepadTracker, "gamepad", options, source=source, clock=clock)


def _mouse(source: str, clock: Clock | None, options: dict[str, Any]) -> Tracker:
    from gesturemap.trackers.mouse import MouseTracker

    if source:
        raise TrackerError(f"mouse:{source}: there is one mouse pointer, expected plain mouse")
    return _make(MouseTracker, "mouse", options, clock=clock)


def _make(make: Callable[..., Tracker], name: str, options: dict[str, Any], **fixed: Any) -> Tracker:
    known = [key for key in inspect.signature(make).parameters if key in OPTION_TYPES and key not in fixed]
    unknown = [key for key in options if key not in known]
    if unknown:
        raise TrackerError(
            f"tracker {name!r} takes no option {', '.join(unknown)} here; it takes: {', '.join(known) or 'none'}"
        )
    return make(**fixed, **typed_options(options))


def _info(name: str, row: _Row) -> TrackerInfo:
    available = not row.needs or importlib.util.find_spec(row.needs[0]) is not None
    return TrackerInfo(name, row.description, row.sources, row.needs, available, "" if available else row.hint)


class _Row(NamedTuple):
    build: Callable[[str, Clock | None, dict[str, Any]], Tracker]
    description: str
    sources: str
    needs: tuple[str, ...] = ()
    hint: str = ""


_TABLE: dict[str, _Row] = {
    "hands": _Row(
        _hands,
        "both hands in front of a camera or in a video, 21 landmarks each",
        "camera number (default 0) | video file; ?num_hands=1&mirror=true&preview=true",
        ("mediapipe", "camera"),
        "pip install 'gesturemap[camera]'",
    ),
    "gametrak": _Row(
        _gametrak,
        "two tethered hands: six axes, and places in millimetres",
        "none for the device | capture.jsonl; ?channels=raw|position&calibration=FILE.toml",
        ("hid", "gametrak"),
        "pip install 'gesturemap[gametrak]' for the device; captures need nothing",
    ),
    "osc": _Row(
        _osc,
        "numbers that any program or phone sends by OSC, of one sender or several",
        "PORT/ADDRESS(6) | PORT/hand(x,y,z);/pedal | HOST:PORT/...; ?timeout_s=inf&low=-1",
    ),
    "midi": _Row(
        _midi,
        "knobs, wheels, pressure and keys of a MIDI controller",
        "none for the first port | PORT NAME or a part of it | FILE.mid; ?channels=cc1,cc74@2,bend,pressure,note,key60",
        ("rtmidi", "midi"),
        "pip install 'gesturemap[midi]'",
    ),
    "lsl": _Row(
        _lsl,
        "a stream of the lab streaming layer, or one that LabRecorder kept",
        "NAME | type=TYPE | FILE.xdf, with ?stream=NAME if it holds several",
        ("pylsl", "lsl"),
        "pip install 'gesturemap[lsl]'",
    ),
    "gamepad": _Row(
        _gamepad,
        "a game controller: two sticks, two triggers, buttons",
        "none for the first one | number | a part of its name; ?frame_rate=HZ",
        ("pygame", "desktop"),
        "pip install 'gesturemap[desktop]'",
    ),
    "mouse": _Row(
        _mouse,
        "the mouse pointer and its buttons",
        "none; ?frame_rate=HZ",
        ("pygame", "desktop"),
        "pip install 'gesturemap[desktop]'",
    ),
    "replay": _Row(
        _replay,
        "a recording, of any tracker, played again",
        "NAME.rec for its first take | NAME.rec/take-002.arrows",
    ),
    "synthetic": _Row(
        _synthetic,
        "seeded smooth motion that needs no device",
        "none | seed=N,seconds=S,frame_rate=HZ,kind=gametrak|hands,live=true|false",
    ),
}

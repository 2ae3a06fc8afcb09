"""Trackers by name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gesturemap.clock import ManualClock
from gesturemap.errors import TrackerError
from gesturemap.trackers import list_trackers, open_tracker
from gesturemap.trackers.gametrak import GametrakTracker
from gesturemap.trackers.gametrak_capture import GametrakCapture
from gesturemap.trackers.hands import HandsTracker

NAMES = ["hands", "gametrak", "osc", "midi", "lsl", "gamepad", "mouse", "replay", "synthetic"]


def test_specs_become_trackers() -> None:
    """Name, source and liveness; a colon in the source stays there."""
    cases = {
        "hands": (HandsTracker, "0", True),
        "hands:1": (HandsTracker, "1", True),
        "hands:C:\\films\\hand.mp4": (HandsTracker, "C:\\films\\hand.mp4", False),
        "gametrak": (GametrakTracker, "device", True),
        "gametrak:capture.jsonl": (GametrakCapture, "capture.jsonl", False),
    }
    for spec, (kind, source, live) in cases.items():
        tracker = open_tracker(spec)
        assert (type(tracker), tracker.source, tracker.live) == (kind, source, live)
        assert tracker.name == spec.partition(":")[0]


def test_synthetic_options_in_the_spec() -> None:
    """Typed, and overridden by keyword."""
    tracker = open_tracker("synthetic:seed=3,kind=hands,frame_rate=50,seconds=2", ManualClock(), seed=9)
    assert (tracker.source, tracker.frame_rate, len(tracker.layout)) == ("seed=9,kind=hands", 50.0, 254)
    assert open_tracker("synthetic:live=true").live


def test_options_behind_the_source() -> None:
    """Typed, for every tracker; a file name may hold a question mark, and keywords win."""
    assert open_tracker("synthetic:?seed=3&live=true", seed=4).source == "seed=4,kind=gametrak"
    assert len(open_tracker("gametrak:why?.jsonl?channels=raw").layout) == 6
    assert open_tracker("gametrak:why?.jsonl").source == "why?.jsonl"
    with pytest.raises(TrackerError, match="num_hands=3"):
        open_tracker("hands:0?num_hands=3")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mouse:left", "one mouse pointer"),
        ("handz", "did you mean 'hands'"),
        ("gametrack:x.jsonl", "did you mean 'gametrak'"),
        ("", "there are: hands, gametrak, osc, "),
        ("synthetic:seed", "option 'seed' found; expected key=value"),
        ("synthetic:speed=3", "takes no option speed here; it takes: seed, seconds, frame_rate, kind, live$"),
        ("synthetic:seed=three", "'three' is no value for seed"),
        ("hands:0?mirror=perhaps", "'perhaps' is no value for mirror"),
        ("replay:a.rec?speed=2", "takes no option speed here; it takes: take$"),
        ("synthetic:live=maybe", "'maybe' is no value for live"),
    ],
)
def test_bad_specs_are_refused(spec: str, message: str) -> None:
    """Naming the nearest, or all there are."""
    with pytest.raises(TrackerError, match=message):
        open_tracker(spec)


def test_unknown_options_are_refused() -> None:
    """With the ones this source takes: a capture has no clock, a device no hand model."""
    with pytest.raises(TrackerError, match="no option hand_model here; it takes: channels, calibration"):
        open_tracker("gametrak:capture.jsonl", hand_model="x")
    with pytest.raises(TrackerError, match="no option color.*hand_model, num_hands, mirror"):
        open_tracker("hands:0", color="red")


def test_the_list_is_complete() -> None:
    """Every row of the list makes a tracker, and says what it needs."""
    trackers = {info.name: info for info in list_trackers()}
    assert list(trackers) == NAMES
    assert trackers["synthetic"].available
    for info in trackers.values():
        assert info.available == (not info.hint)
        assert info.description
        assert info.sources


def test_missing_library_shows_in_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """As not available, with the command that installs it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    hands = next(info for info in list_trackers() if info.name == "hands")
    assert not hands.available
    assert hands.hint == "pip install 'gesturemap[camera]'"


def test_importing_loads_no_device_library() -> None:
    """Not even every module of the room."""
    code = (
        "import sys, pkgutil, importlib, gesturemap.trackers, gesturemap.doctor\n"
        "for room in pkgutil.iter_modules(gesturemap.trackers.__path__):\n"
        "    importlib.import_module('gesturemap.trackers.' + room.name)\n"
        "devices = {'mediapipe', 'cv2', 'hid', 'hidraw', 'mido', 'rtmidi', 'pylsl', 'pyxdf', 'pygame', 'sounddevice'}\n"
        "print(sorted((devices | {'pyarrow', 'torch'}) & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"

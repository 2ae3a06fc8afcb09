"""The doctor on a machine that lacks things."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gesturemap import doctor
from gesturemap.doctor import Check, examine
from gesturemap.errors import TrackerError
from gesturemap.osc.udp import UdpReceiver

NAMES = [
    "camera: mediapipe",
    "camera: hand model",
    "camera: device",
    "gametrak: library",
    "gametrak: device",
    "audio: outputs",
    "osc: ports",
    "midi",
    "lsl",
    "gamepad",
    "training",
]


@pytest.fixture(autouse=True)
def cameras(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Camera files of a Linux machine without a camera; a test may add some. None is really opened.

    Nor is the network asked for LSL streams.
    """
    files: list[str] = []
    monkeypatch.setattr("gesturemap.trackers.lsl.find_streams", list)
    monkeypatch.setattr(doctor.sys, "platform", "linux")
    monkeypatch.setattr(doctor, "glob", lambda pattern: files)
    return files


def by_name(checks: list[Check]) -> dict[str, Check]:
    """Checks by what they look at."""
    return {check.name: check for check in checks}


def versions(monkeypatch: pytest.MonkeyPatch, **installed: tuple[int, ...] | None) -> None:
    """Pretend that these versions are installed, and nothing else."""
    monkeypatch.setattr(doctor, "_version", lambda name: installed.get(name.replace("-", "_")))


def test_every_check_is_made_on_this_machine() -> None:
    """Whatever it has: eleven findings, and something to do exactly where something is missing."""
    checks = examine()
    assert [check.name for check in checks] == NAMES
    for check in checks:
        assert check.found
        assert bool(check.fix) != check.ok


def test_hand_model_is_found(shared: Path) -> None:
    """Where it is pointed to; without one the fix has the three ways."""
    assert by_name(examine(shared / "data" / "models" / "hand_landmarker.task"))["camera: hand model"].ok
    missing = by_name(examine("/none.task"))["camera: hand model"]
    assert missing.found == "no hand model at /none.task"
    assert missing.fix.startswith("Three ways")


def test_bare_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each missing library is named with the extra that brings it."""
    versions(monkeypatch)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    checks = by_name(examine())
    assert "gesturemap[camera]" in checks["camera: mediapipe"].fix
    assert "gesturemap[gametrak]" in checks["gametrak: library"].fix
    assert "gesturemap[gametrak]" in checks["gametrak: device"].fix
    assert "gesturemap[audio]" in checks["audio: outputs"].fix
    assert "gesturemap[train]" in checks["training"].fix
    assert "gesturemap[lsl]" in checks["lsl"].fix
    assert "gesturemap[desktop]" in checks["gamepad"].fix
    assert "gesturemap[midi]" in checks["midi"].fix


@pytest.mark.parametrize(
    ("installed", "found"),
    [((0, 10, 35), "usage reports"), ((1, 2, 2), "usage reports"), ((0, 10, 21), "too old")],
)
def test_mediapipe_versions(installed: tuple[int, ...], found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the ones that neither lack the interface nor report home."""
    versions(monkeypatch, mediapipe=installed)
    check = by_name(examine())["camera: mediapipe"]
    assert not check.ok
    assert found in check.found
    assert "mediapipe==0.10.33" in check.fix


def test_torch_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds of the train extra."""
    for torch, ok in (((2, 7, 1), False), ((2, 8, 0), True), ((2, 13, 0), True), ((2, 14, 0), False)):
        versions(monkeypatch, torch=torch, lightning_fabric=(2, 6))
        assert by_name(examine())["training"].ok is ok


def test_gametrak_without_permission(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Plugged in but not allowed: the udev rule is the fix. Allowed: fine."""
    versions(monkeypatch, hidapi=(0, 15))
    monkeypatch.setattr("gesturemap.trackers.gametrak_hid.find_devices", lambda: [str(tmp_path)])
    assert by_name(examine())["gametrak: device"].ok
    monkeypatch.setattr("os.access", lambda path, mode: False)
    check = by_name(examine())["gametrak: device"]
    assert not check.ok
    assert 'ATTRS{idVendor}=="14b7"' in check.fix


def test_cameras(monkeypatch: pytest.MonkeyPatch, cameras: list[str], tmp_path: Path) -> None:
    """None, one that may not be opened, one that gives nothing, one that works."""
    assert "no camera" in by_name(examine())["camera: device"].found
    cameras.append(str(tmp_path / "video0"))
    assert "usermod" in by_name(examine())["camera: device"].fix
    (tmp_path / "video0").touch()
    answers = [(False, None), (True, np.zeros((480, 640, 3)))]
    capture = SimpleNamespace(read=lambda: answers.pop(0), release=lambda: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "cv2", SimpleNamespace(VideoCapture=lambda index: capture))
    assert "gives no picture" in by_name(examine())["camera: device"].found
    assert by_name(examine())["camera: device"] == Check("camera: device", True, "camera 0, 640x480", "")


def test_midi_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them, a system without MIDI, one."""
    versions(monkeypatch, mido=(1, 3, 3), python_rtmidi=(1, 5, 8))
    ports: list[str] = []
    monkeypatch.setattr("gesturemap.trackers.midi.find_ports", lambda: ports)
    assert "midi:FILE.mid" in by_name(examine())["midi"].fix
    ports.append("nanoKONTROL2")
    assert by_name(examine())["midi"] == Check("midi", True, "nanoKONTROL2", "")

    def no_sequencer() -> None:
        raise TrackerError("this system has no MIDI (initialize: no sequencer): on Linux  sudo modprobe snd-seq")

    monkeypatch.setattr("gesturemap.trackers.midi.find_ports", no_sequencer)
    found = by_name(examine())["midi"]
    assert found.found == "this system has no MIDI (initialize: no sequencer)"
    assert found.fix == "on Linux  sudo modprobe snd-seq"


def test_osc_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that another program holds is named, with what to do."""
    holder = UdpReceiver(0)
    monkeypatch.setattr(doctor, "OSC_PORTS", {holder.port: "the tracker osc"})
    held = by_name(examine())["osc: ports"]
    assert str(holder.port) in held.found
    assert held.fix.endswith("or give the tracker osc another")
    holder.close()
    assert by_name(examine())["osc: ports"].ok


def test_gamepads(monkeypatch: pytest.MonkeyPatch) -> None:
    """None; one."""
    versions(monkeypatch, pygame_ce=(2, 5, 8))
    monkeypatch.setattr("gesturemap.trackers.desktop.find_gamepads", dict)
    assert "--tracker mouse" in by_name(examine())["gamepad"].fix
    monkeypatch.setattr("gesturemap.trackers.desktop.find_gamepads", lambda: {0: "Xbox 360 Controller"})
    assert by_name(examine())["gamepad"] == Check("gamepad", True, "Xbox 360 Controller", "")


def test_sound_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs are listed, inputs are not; without any the fix is to do without."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    devices = [{"name": "Microphone", "max_output_channels": 0}, {"name": "Speakers", "max_output_channels": 2}]
    monkeypatch.setitem(sys.modules, "sounddevice", SimpleNamespace(query_devices=lambda: devices))
    assert by_name(examine())["audio: outputs"] == Check("audio: outputs", True, "Speakers", "")
    monkeypatch.setitem(sys.modules, "sounddevice", SimpleNamespace(query_devices=lambda: devices[:1]))
    assert "--silent" in by_name(examine())["audio: outputs"].fix


def test_a_driver_that_throws_or_hangs_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the other checks are still made."""
    hang = threading.Event()

    def throw() -> doctor.Finding:
        raise RuntimeError("driver on fire")

    def wait() -> doctor.Finding:
        hang.wait()
        return True, "late", ""

    monkeypatch.setattr(doctor, "TIMEOUT_S", 1.0)
    monkeypatch.setattr(doctor, "_midi", throw)
    monkeypatch.setattr(doctor, "_audio", wait)
    checks = by_name(examine())
    hang.set()
    assert checks["midi"].found == "RuntimeError: driver on fire"
    assert checks["audio: outputs"].found == "no answer in 1 s"
    assert list(checks) == NAMES

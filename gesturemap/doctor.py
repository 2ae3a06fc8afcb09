"""What this machine lacks for each device, sound, network and training, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

from gesturemap.errors import OscError, TrackerError

TIMEOUT_S = 10.0

CAMERA_FIX = "pip install 'gesturemap[camera]'"
GAMETRAK_FIX = "pip install 'gesturemap[gametrak]'"
AUDIO_FIX = "pip install 'gesturemap[audio]'"
DESKTOP_FIX = "pip install 'gesturemap[desktop]'"
LSL_FIX = "pip install 'gesturemap[lsl]'"
MIDI_FIX = "pip install 'gesturemap[midi]'"
TRAIN_FIX = "pip install 'gesturemap[train]'"

OSC_PORTS = {6448: "gesturemap bridge --in-port", 7400: "the tracker osc"}

Version = tuple[int, ...]
Finding = tuple[bool, str, str]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    name : what, such as ``camera: device``.
    ok : whether it is there and usable.
    found : what was found.
    fix : what to do; empty when `ok`.
    """

    name: str
    ok: bool
    found: str
    fix: str


def examine(hand_model: str | Path | None = None) -> list[Check]:
    """Everything a performer may miss. Never raises, plays and records nothing, and ends: see `TIMEOUT_S`.

    Parameters
    ----------
    hand_model : the model file, if it is not where `locate_hand_model` looks.
    """
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("camera: mediapipe", _mediapipe),
        ("camera: hand model", lambda: _hand_model(hand_model)),
        ("camera: device", _camera),
        ("gametrak: library", _hidapi),
        ("gametrak: device", _gametrak),
        ("audio: outputs", _audio),
        ("osc: ports", _osc),
        ("midi", _midi),
        ("lsl", _lsl),
        ("gamepad", _gamepad),
        ("training", _training),
    ]
    return [_run(name, check) for name, check in checks]


def _run(name: str, check: Callable[[], Finding]) -> Check:
    """A check in a thread of its own: a driver that hangs, or fails in a way of its own, must not stop the rest."""
    result: list[Finding] = []

    def look() -> None:
        try:
            result.append(check())
        except Exception as error:  # whatever a driver throws is what was found
            result.append((False, f"{type(error).__name__}: {error}", "see the message, and the driver's own tools"))

    thread = threading.Thread(target=look, name=f"doctor {name}", daemon=True)
    thread.start()
    thread.join(TIMEOUT_S)
    if not result:
        return Check(name, False, f"no answer in {TIMEOUT_S:g} s", "unplug the device or restart its service")
    return Check(name, *result[0])


def _mediapipe() -> Finding:
    version = _version("mediapipe")
    if version is None:
        return False, "mediapipe is not installed", CAMERA_FIX
    text = f"mediapipe {_text(version)}"
    if version > (0, 10, 33):
        return False, f"{text}, which sends usage reports over the network", "pip install 'mediapipe==0.10.33'"
    if version < (0, 10, 30):
        return False, f"{text}, which is too old", "pip install 'mediapipe==0.10.33'"
    import cv2

    if not hasattr(cv2, "VideoCapture"):
        return False, f"{text}, but its OpenCV is damaged", "pip install --force-reinstall opencv-contrib-python"
    return True, f"{text}, OpenCV {cv2.__version__}", ""


def _hand_model(path: str | Path | None) -> Finding:
    from gesturemap.trackers.hand_model import locate_hand_model

    try:
        return True, str(locate_hand_model(path)), ""
    except TrackerError as error:
        found, _, fix = str(error).partition(". ")
        return False, found, fix


def _camera() -> Finding:
    """On Linux the device files tell most of it; then the first camera is opened for one picture."""
    if sys.platform == "linux":
        devices = sorted(glob("/dev/video*"))
        if not devices:
            return False, "no camera (/dev/video*)", "plug one in, or use a video file: --tracker hands:VIDEO.mp4"
        if not any(os.access(device, os.R_OK | os.W_OK) for device in devices):
            return False, f"{', '.join(devices)}: not allowed", "sudo usermod -aG video $USER  and log in again"
    if importlib.util.find_spec("cv2") is None:
        return False, "cannot be opened without OpenCV", CAMERA_FIX
    import cv2

    capture = cv2.VideoCapture(0)
    found, picture = capture.read()
    capture.release()
    if not found:
        return False, "camera 0 gives no picture", "close programs that use it, allow this one to, or try hands:1"
    height, width = picture.shape[:2]
    return True, f"camera 0, {width}x{height}", ""


def _hidapi() -> Finding:
    version = _version("hidapi")
    if version is not None:
        return True, f"hidapi {_text(version)}", ""
    if importlib.util.find_spec("hid") is not None:
        return False, "another library called hid", f"pip uninstall hid  then  {GAMETRAK_FIX}"
    return False, "hidapi is not installed", GAMETRAK_FIX


def _gametrak() -> Finding:
    if _version("hidapi") is None:
        return False, "cannot be looked for without hidapi", GAMETRAK_FIX
    from gesturemap.trackers.gametrak_hid import UDEV_FIX, find_devices

    paths = find_devices()
    if not paths:
        return False, "no Gametrak on USB", "plug it in, or replay a capture: --tracker gametrak:CAPTURE.jsonl"
    if sys.platform == "linux" and not any(os.access(path, os.R_OK | os.W_OK) for path in paths):
        return False, f"{', '.join(paths)}: not allowed", UDEV_FIX
    return True, ", ".join(paths), ""


def _audio() -> Finding:
    if importlib.util.find_spec("sounddevice") is None:
        return False, "sounddevice is not installed", AUDIO_FIX
    try:
        import sounddevice

        devices: list[dict[str, Any]] = list(sounddevice.query_devices())
    except OSError as error:
        fix = "sudo apt install libportaudio2" if sys.platform == "linux" else f"reinstall it: {AUDIO_FIX}"
        return False, f"sounddevice without PortAudio ({error})", fix
    outputs = [device["name"] for device in devices if device["max_output_channels"] > 0]
    if not outputs:
        return False, "no sound output", "connect one, or record with --silent"
    return True, ", ".join(outputs), ""


def _midi() -> Finding:
    if _version("mido") is None or _version("python-rtmidi") is None:
        return False, "mido or python-rtmidi is not installed", MIDI_FIX
    from gesturemap.trackers.midi import find_ports

    try:
        ports = find_ports()
    except TrackerError as error:
        found, _, fix = str(error).rpartition(": ")  # what the driver says has colons of its own
        return False, found, fix
    if not ports:
        return False, "no MIDI input", "connect a controller, or replay a file: --tracker midi:FILE.mid"
    return True, ", ".join(ports), ""


def _osc() -> Finding:
    from gesturemap.osc.udp import UdpReceiver

    for port, what in OSC_PORTS.items():
        try:
            UdpReceiver(port).close()
        except OscError as error:
            return False, str(error), f"stop the program that holds it (on Linux: ss -ulpn), or give {what} another"
    return True, f"free: {', '.join(map(str, OSC_PORTS))}", ""


def _lsl() -> Finding:
    version = _version("pylsl")
    if version is None:
        return False, "pylsl is not installed", LSL_FIX
    from gesturemap.trackers.lsl import find_streams

    streams = ", ".join(find_streams()) or "no stream at present"
    return True, f"pylsl {_text(version)}, {streams}", ""


def _gamepad() -> Finding:
    if _version("pygame-ce") is None:
        return False, "pygame-ce is not installed", DESKTOP_FIX
    from gesturemap.trackers.desktop import find_gamepads

    found = find_gamepads()
    if not found:
        return False, "no game controller", "plug one in, or use the mouse: --tracker mouse"
    return True, ", ".join(found.values()), ""


def _training() -> Finding:
    torch, fabric = _version("torch"), _version("lightning-fabric") or _version("lightning")
    if torch is None or fabric is None:
        missing = "torch" if torch is None else "lightning-fabric"
        return False, f"{missing} is not installed (playing an exported model works without)", TRAIN_FIX
    if not (2, 8) <= torch < (2, 14):
        return False, f"torch {_text(torch)}, outside 2.8 to 2.13", TRAIN_FIX
    return True, f"torch {_text(torch)}, lightning-fabric {_text(fabric)}", ""


def _version(distribution: str) -> Version | None:
    """(0, 10, 33) of what pip installed; None if it is not."""
    try:
        text = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
    numbers = []
    for part in text.split("+")[0].split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)


def _text(version: Version) -> str:
    return ".".join(map(str, version))

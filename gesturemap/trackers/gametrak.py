"""The Gametrak: live through HID, or a recorded capture of its reports through the same parser."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from gesturemap.clock import Clock, MonotonicClock
from gesturemap.errors import MissingExtraError, TrackerError
from gesturemap.frame import Array, Frame
from gesturemap.trackers.base import Tracker, not_open
from gesturemap.trackers.gametrak_calibration import Calibration, gametrak_layout, gametrak_values
from gesturemap.trackers.gametrak_report import (
    FIRST_KEY,
    PRODUCT_ID,
    REPORT_SIZE,
    VENDOR_ID,
    WAKE_TEXT,
    good_reports,
    keep_packet,
    next_key,
    parse_report,
    read_capture,
    start_packet,
)
from gesturemap.trackers.stored import StoredTracker, mean_rate

FRAME_RATE = 80.0
SILENT_S = 0.5
LOST_S = 3.0
ECHO_TIMEOUT_MS = 10
REPORTS_PER_KEY = 100

UDEV_RULE = 'KERNEL=="hidraw*", ATTRS{idVendor}=="14b7", ATTRS{idProduct}=="0982", MODE="0660", TAG+="uaccess"'
UDEV_FIX = (
    f"write this line to /etc/udev/rules.d/70-gametrak.rules as root:  {UDEV_RULE}  "
    "then run  sudo udevadm control --reload  and plug the Gametrak in again"
)


class HidDevice(Protocol):
    """The part of hidapi's device that a Gametrak needs; a test gives its own."""

    def read(self, max_length: int, timeout_ms: int = 0) -> Sequence[int]:
        """Bytes of the next report, none if it did not come within `timeout_ms`. `OSError` if lost."""

    def write(self, data: bytes) -> int:
        """Send bytes."""

    def close(self) -> None:
        """Let go of the device."""


def find_devices() -> list[str]:
    """System paths of the Gametraks that are plugged in. Errors: `MissingExtraError`."""
    return [os.fsdecode(device["path"]) for device in _hidapi().enumerate(VENDOR_ID, PRODUCT_ID)]


def open_hid_device() -> HidDevice:
    """The first Gametrak that is plugged in.

    Raises
    ------
    TrackerError
        If there is none, or it may not be opened. `MissingExtraError` if hidapi is not installed.
    """
    if not find_devices():
        raise TrackerError(
            f"no Gametrak found (USB {VENDOR_ID:04x}:{PRODUCT_ID:04x}): plug it in, or replay a capture with "
            "gametrak:CAPTURE.jsonl"
        )
    device = _hidapi().device()
    try:
        device.open(VENDOR_ID, PRODUCT_ID)
    except OSError as error:
        fix = UDEV_FIX if sys.platform == "linux" else "close other programs that use it"
        raise TrackerError(f"the Gametrak cannot be opened ({error}): {fix}") from None
    device.set_nonblocking(True)
    return device  # type: ignore[no-any-return]


def _hidapi() -> Any:
    try:
        # On Linux the wheel's `hid` would have to take the device away from the kernel's driver.
        if sys.platform == "linux":
            import hidraw as hid
        else:
            import hid
    except ImportError:
        raise MissingExtraError("hidapi", "gametrak", "replay a capture with gametrak:CAPTURE.jsonl") from None
    return hid


class GametrakTracker(Tracker):
    """A Gametrak on USB.

    Parameters
    ----------
    channels : ``all``, ``raw`` or ``position``, see `gametrak_layout`.
    calibration : or the path of its TOML file; None for the nominal device.
    clock : gives the frames their time; None for the machine's.
    open_device : the seam for tests.

    Attributes
    ----------
    dropped : reports since `open` that were no measurement.
    """

    name = "gametrak"
    live = True
    frame_rate = FRAME_RATE
    source = "device"

    def __init__(
        self,
        channels: str = "all",
        calibration: Calibration | str | Path | None = None,
        clock: Clock | None = None,
        open_device: Callable[[], HidDevice] = open_hid_device,
    ) -> None:
        self.layout = gametrak_layout(channels)
        self.dropped = 0
        self._channels = channels
        self._calibration = _calibration(calibration)
        self._clock = clock if clock is not None else MonotonicClock()
        self._open_device = open_device
        self._device: HidDevice | None = None
        self._closed = False

    def open(self) -> None:
        """Open the device; it is woken by the first reads if it is silent."""
        self.close()
        self._device = self._open_device()
        self._closed = False
        self.dropped = 0
        self._silent_since_s: float | None = None
        self._last_s = self._woken_s = -np.inf
        self._key: int | None = None
        self._since_key = 0

    def read(self, timeout_s: float = 0.0) -> Frame | None:
        """The next measurement, with the time at which it was read."""
        if self._device is None:
            raise not_open(self)
        deadline_s = self._clock.now_s() + timeout_s
        while True:
            asked_s = self._clock.now_s()
            wait_s = min(max(0.0, deadline_s - asked_s), SILENT_S)
            data = self._receive(self._device, math.ceil(wait_s * 1000))
            now_s = self._clock.now_s()
            report = parse_report(data)
            if report is not None:
                self._heard(self._device, now_s)
                raw, footswitch = report.axes, np.array(float(report.footswitch))
                return Frame(self._last_s, gametrak_values(raw, footswitch, self._calibration, self._channels))
            self.dropped += bool(data)
            # Silence counts from when it was first listened to, not over a pause of the reader.
            if self._silent_since_s is None:
                self._silent_since_s = asked_s
            self._wake_if_silent(self._device, now_s, self._silent_since_s)
            if now_s >= deadline_s:
                return None

    @property
    def finished(self) -> bool:
        """True when closed, or closed by the loss of the device."""
        return self._closed

    def close(self) -> None:
        """Let go of the device."""
        if self._device is not None:
            self._device.close()
        self._device, self._closed = None, True

    def _receive(self, device: HidDevice, timeout_ms: int) -> bytes:
        try:
            return bytes(device.read(REPORT_SIZE, timeout_ms))
        except OSError as error:
            self.close()
            raise TrackerError(f"the Gametrak is lost ({error}): plug it in again and reopen it") from None

    def _heard(self, device: HidDevice, now_s: float) -> None:
        # Reports that were waiting are read faster than the clock ticks; times must still increase.
        self._last_s = max(now_s, float(np.nextafter(self._last_s, np.inf)))
        self._silent_since_s = None
        if self._key is None:
            return
        self._since_key += 1
        if self._since_key >= REPORTS_PER_KEY:
            device.write(keep_packet(self._key))
            self._key, self._since_key = next_key(self._key), 0

    def _wake_if_silent(self, device: HidDevice, now_s: float, since_s: float) -> None:
        """Some units send nothing until they are asked to; others are never written to."""
        if now_s - since_s >= LOST_S:
            self.close()
            raise TrackerError(
                f"the Gametrak has sent nothing for {LOST_S:g} s: plug it in again, or into another port"
            )
        if now_s - max(since_s, self._woken_s) < SILENT_S:
            return
        # Written without a report number in front: so it is proven on macOS (GameTrak-Liberation).
        device.write(WAKE_TEXT)
        self.dropped += bool(self._receive(device, ECHO_TIMEOUT_MS))
        device.write(start_packet())
        self._key, self._since_key = next_key(FIRST_KEY), 0
        self._woken_s = now_s


class GametrakCapture(StoredTracker):
    """A JSONL capture of raw reports, replayed with its own times, from 0 at its first good report.

    Parameters
    ----------
    source : path of the capture.
    channels : ``all``, ``raw`` or ``position``, see `gametrak_layout`.
    calibration : or the path of its TOML file, or ``capture`` for the ranges of this very capture; None for
        the nominal device.

    Attributes
    ----------
    frame_rate : of the capture once open, 80 before.
    dropped : reports that were no measurement, known once open.
    """

    name = "gametrak"
    frame_rate = FRAME_RATE

    def __init__(
        self, source: str | Path, channels: str = "all", calibration: Calibration | str | Path | None = None
    ) -> None:
        self.source = str(source)
        self.layout = gametrak_layout(channels)
        self.dropped = 0
        self._channels = channels
        self._from_capture = calibration == "capture"
        self._calibration = _calibration(None if self._from_capture else calibration)

    def load(self) -> tuple[Array, Array]:
        """Times and values of the good reports."""
        time_s, reports, self.dropped = good_reports(*read_capture(self.source))
        if not reports:
            raise TrackerError(f"{self.source}: none of {self.dropped} reports is a measurement of a Gametrak")
        self.frame_rate = mean_rate(time_s)
        raw = np.stack([report.axes for report in reports])
        footswitch = np.array([float(report.footswitch) for report in reports])
        calibration = Calibration.from_ranges(raw) if self._from_capture else self._calibration
        return time_s, gametrak_values(raw, footswitch, calibration, self._channels)


def _calibration(given: Calibration | str | Path | None) -> Calibration:
    if given is None:
        return Calibration()
    return given if isinstance(given, Calibration) else Calibration.load(given)

"""The Gametrak live on USB: woken, kept awake, and taken up again when its cable was pulled."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gesturemap.clock import Clock, MonotonicClock
from gesturemap.errors import TrackerError
from gesturemap.frame import Array, Frame
from gesturemap.trackers.base import Tracker, not_open, strictly_after
from gesturemap.trackers.gametrak_calibration import Calibration, gametrak_layout, gametrak_values
from gesturemap.trackers.gametrak_hid import HidDevice, open_hid_device
from gesturemap.trackers.gametrak_report import (
    FIRST_KEY,
    FRAME_RATE,
    REPORT_SIZE,
    WAKE_TEXT,
    Report,
    keep_packet,
    next_key,
    parse_report,
    start_packet,
)
from gesturemap.trackers.outage import Outage

SILENT_S = 0.5
LOST_S = 3.0
ECHO_TIMEOUT_S = 0.01
REPORTS_PER_KEY = 100


class GametrakTracker(Tracker):
    """A Gametrak on USB.

    When it is unplugged, or falls silent for `LOST_S`, frames of NaN come at its rate, and it is looked for every
    second until it is back.

    Parameters
    ----------
    channels : ``all``, ``raw`` or ``position``, see `gametrak_layout`.
    calibration : or the path of its TOML file; None for the nominal device.
    clock : gives the frames their time; None for the machine's.
    open_device : the seam for tests.

    Attributes
    ----------
    dropped : reports since `open` that were no measurement.
    lost : times since `open` that it went away.
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
        self._channels = channels
        self._calibration = Calibration.of(calibration)
        self._clock = clock if clock is not None else MonotonicClock()
        self._open_device = open_device
        self._device: HidDevice | None = None
        self._open = self._closed = False

    def open(self) -> None:
        """Open the device; it is woken by the first reads if it is silent."""
        self.close()
        self._connect()
        self._open, self._closed = True, False
        self.dropped = self.lost = 0
        self._outage = Outage(self._clock, self.layout, self.frame_rate)
        self._last_s = -np.inf

    def read(self, timeout_s: float = 0.0) -> Frame | None:
        """The next measurement, with the time at which it was read; one of NaN while the device is away.

        Raises
        ------
        TrackerError
            If it is not open, or the device has never sent anything for `LOST_S`.
        """
        if not self._open:
            raise not_open(self)
        deadline_s = self._clock.now_s() + timeout_s
        while True:
            self._reconnect_if_due()
            until_s = min(deadline_s, self._outage.due_s) if self._outage.active else deadline_s
            report = None if self._device is None else self._listen(self._device, until_s)
            now_s = self._clock.now_s()
            if report is not None:
                self._outage.end()
                return self._frame(report, now_s)
            if self._outage.active and (self._device is None or now_s >= self._outage.due_s):
                return self._absent(max(0.0, deadline_s - now_s))
            if now_s >= deadline_s:
                return None

    @property
    def finished(self) -> bool:
        """True when closed."""
        return self._closed

    def close(self) -> None:
        """Let go of the device."""
        self._disconnect()
        self._open, self._closed = False, True

    def _connect(self) -> None:
        self._device = self._open_device()
        self._silent_since_s: float | None = None
        self._woken_s = -np.inf
        self._key: int | None = None
        self._since_key = 0

    def _disconnect(self) -> None:
        if self._device is not None:
            self._device.close()
        self._device = None

    def _reconnect_if_due(self) -> None:
        if self._device is None and self._outage.retry_due():
            try:
                self._connect()
            except TrackerError:  # not back yet, or back and not yet allowed to be opened
                return

    def _lose(self, reason: str) -> None:
        """Take note that the device is away. One that has never been heard is an error instead."""
        self._disconnect()
        if self._last_s == -np.inf:
            self.close()
            raise TrackerError(f"the Gametrak {reason}: plug it in again, or into another port")
        if not self._outage.active:
            self._outage.begin()
            self.lost = self._outage.count

    def _listen(self, device: HidDevice, until_s: float) -> Report | None:
        """The next report, or None: none came until then or for `SILENT_S`, or the device was lost."""
        asked_s = self._clock.now_s()
        try:
            data = _receive(device, min(max(0.0, until_s - asked_s), SILENT_S))
            report = parse_report(data)
            if report is not None:
                self._keep_awake(device)
                return report
            self.dropped += bool(data)
            self._wake_if_silent(device, asked_s)
        except OSError as error:
            self._lose(f"is lost ({error})")
        return None

    def _keep_awake(self, device: HidDevice) -> None:
        self._silent_since_s = None
        if self._key is None:
            return
        self._since_key += 1
        if self._since_key >= REPORTS_PER_KEY:
            device.write(keep_packet(self._key))
            self._key, self._since_key = next_key(self._key), 0

    def _wake_if_silent(self, device: HidDevice, asked_s: float) -> None:
        """Some units send nothing until they are asked to; others are never written to."""
        now_s = self._clock.now_s()
        # Silence counts from when it was first listened to, not over a pause of the reader.
        if self._silent_since_s is None:
            self._silent_since_s = asked_s
        if now_s - self._silent_since_s >= LOST_S:
            self._lose(f"has sent nothing for {LOST_S:g} s")
            return
        if now_s - max(self._silent_since_s, self._woken_s) < SILENT_S:
            return
        # Written without a report number in front: so it is proven on macOS (GameTrak-Liberation).
        device.write(WAKE_TEXT)
        self.dropped += bool(_receive(device, ECHO_TIMEOUT_S))
        device.write(start_packet())
        self._key, self._since_key = next_key(FIRST_KEY), 0
        self._woken_s = now_s

    def _frame(self, report: Report, now_s: float) -> Frame:
        footswitch = np.array(float(report.footswitch))
        return self._stamp(now_s, gametrak_values(report.axes, footswitch, self._calibration, self._channels))

    def _absent(self, timeout_s: float) -> Frame | None:
        frame = self._outage.read(timeout_s)
        return frame and self._stamp(frame.time_s, frame.values)

    def _stamp(self, now_s: float, values: Array) -> Frame:
        self._last_s = strictly_after(self._last_s, now_s)
        return Frame(self._last_s, values)


def _receive(device: HidDevice, timeout_s: float) -> bytes:
    return bytes(device.read(REPORT_SIZE, math.ceil(timeout_s * 1000)))

"""A recorded capture of a Gametrak's reports, through the same parser as the device's."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gesturemap.errors import TrackerError
from gesturemap.frame import Array
from gesturemap.trackers.gametrak_calibration import Calibration, gametrak_layout, gametrak_values
from gesturemap.trackers.gametrak_report import FRAME_RATE, good_reports, read_capture
from gesturemap.trackers.stored import StoredTracker, mean_rate


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
        self._calibration = Calibration.of(None if self._from_capture else calibration)

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

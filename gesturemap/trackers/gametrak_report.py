"""The bytes of a Gametrak: its 16-byte report, what wakes it up, and a recorded file of reports.

Device and file go through the same `parse_report`.

Source: GameTrak-Liberation (Golan Levin, MIT), docs/protocol.md: report descriptor, sections 6 and 10.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gesturemap.errors import TrackerError
from gesturemap.frame import Array
from gesturemap.trackers.gametrak_calibration import MAX_COUNT

VENDOR_ID, PRODUCT_ID = 0x14B7, 0x0982
REPORT_SIZE = 16
FRAME_RATE = 80.0  # measured; 8 or 16 ms between reports

WAKE_TEXT = b"Gametrak"
FIRST_KEY = 0x23
_START, _KEEP = 0x45, 0x46


@dataclass(frozen=True)
class Report:
    """One measurement.

    Parameters
    ----------
    axes : (6,) counts, 0..4095: left_x, left_y, left_r, right_x, right_y, right_r. ``x`` low = left, ``y``
        low = near, ``r`` high = retracted.
    buttons : 12 bits.
    footswitch : whether the foot switch is down: button 1 on the original (libgametrak: byte 12 == 16), the lowest bit
        of the hat with PicTrak firmware (byte 12 == 1). No published capture has one.
    """

    axes: Array
    buttons: int
    footswitch: bool


def parse_report(data: bytes) -> Report | None:
    """The measurement in a report, or None for what is not one.

    Six little-endian uint16 axes, then a hat in the low nibble of byte 12 and 12 buttons above it. Bytes 14
    and 15 repeat right_r and are ignored. Not a measurement are: another length, an axis above 4095, and so
    the echo of the wake-up text that some units send first.
    """
    if len(data) != REPORT_SIZE:
        return None
    *axes, tail = struct.unpack_from("<7H", data)
    if max(axes) > MAX_COUNT:
        return None
    return Report(np.array(axes, dtype=np.float64), tail >> 4, bool(tail & 0x10) or data[12] == 1)


def next_key(key: int) -> int:
    """The key after `key` in the sequence that keeps the device awake; its low byte is what is sent.

    From `FIRST_KEY` the bytes are 8D 35 DD 15.
    """
    mixed = (key & 0x000001) | (0x000002 & ((key >> 15) ^ (key >> 16)))
    return mixed | (0x0000FC & ((key << 2) ^ (key >> 16))) | (0xFFFF00 & (key << 7))


def start_packet() -> bytes:
    """What starts the stream of reports, after `WAKE_TEXT`."""
    return bytes((_START, FIRST_KEY))


def keep_packet(key: int) -> bytes:
    """What keeps the stream going; one every hundred reports."""
    return bytes((_KEEP, key & 0xFF))


def read_capture(path: str | Path) -> tuple[Array, list[bytes]]:
    """The reports of a JSONL capture as GameTrak-Liberation's recorder writes it.

    Each line is an object; those of type ``report`` have ``time_ns`` (monotonic) and ``raw_bytes_hex``.

    Returns
    -------
    time_s : (n_reports,) seconds of the recording machine's monotonic clock.
    reports : the raw bytes of each, good or not.

    Raises
    ------
    TrackerError
        If the file is absent, is empty, or has a line that is no such object (named by its number).
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", "not UTF-8 text")
        raise TrackerError(
            f"Gametrak capture {path} cannot be read ({reason}): give the path of a JSONL capture, or plain gametrak "
            "for the device"
        ) from None
    time_s: list[float] = []
    reports: list[bytes] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if row["type"] == "report":
                time_s.append(int(row["time_ns"]) / 1e9)
                reports.append(bytes.fromhex(row["raw_bytes_hex"]))
        except (ValueError, KeyError, TypeError) as error:
            raise TrackerError(
                f"{path}, line {number}: not a Gametrak report ({error!r}): expected a JSON object with "
                "type, time_ns and raw_bytes_hex. Delete the line if the recording was interrupted there"
            ) from None
    if not reports:
        raise TrackerError(f"{path} holds no Gametrak report: expected a capture in JSONL, one report a line")
    return np.array(time_s), reports


def good_reports(time_s: Array, reports: list[bytes]) -> tuple[Array, list[Report], int]:
    """The measurements among raw reports.

    Returns
    -------
    time_s : (n_good,) seconds from the first good one, strictly increasing.
    reports : as many.
    dropped : how many were not measurements, or out of order.
    """
    good_s: list[float] = []
    good: list[Report] = []
    for at_s, data in zip(time_s, reports, strict=True):
        report = parse_report(data)
        if report is not None and not (good_s and at_s <= good_s[-1]):
            good_s.append(float(at_s))
            good.append(report)
    return np.array(good_s) - (good_s[0] if good_s else 0.0), good, len(reports) - len(good)

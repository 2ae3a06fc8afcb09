"""The Gametrak's bytes, its wake-up, and a real capture."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gesturemap.clock import ManualClock
from gesturemap.errors import MissingExtraError, TrackerError
from gesturemap.trackers import read_all
from gesturemap.trackers.gametrak import GametrakTracker
from gesturemap.trackers.gametrak_capture import GametrakCapture
from gesturemap.trackers.gametrak_report import (
    FIRST_KEY,
    WAKE_TEXT,
    keep_packet,
    next_key,
    parse_report,
    read_capture,
    start_packet,
)

REPORT = bytes.fromhex(
    "310f"  # left_x 3889
    "660d"  # left_y 3430
    "d90f"  # left_r 4057
    "d101"  # right_x 465
    "f201"  # right_y 498
    "d80f"  # right_r 4056
    "00"  # hat, buttons 1 to 4
    "00"  # buttons 5 to 12
    "4e00"  # padding
)
ECHO = bytes.fromhex("47616d657472616bda02d40f00005100")
AXES = [3889, 3430, 4057, 465, 498, 4056]


def test_report_bytes() -> None:
    """Six little-endian counts; button 1 (bit 4 of byte 12) is the foot switch, or byte 12 alone is 1; a hat is not."""
    report = parse_report(REPORT)
    assert report is not None
    assert report.axes.tolist() == AXES
    assert not report.footswitch
    pressed = {}
    for byte in (0x10, 0x01, 0x0F, 0x20):
        report = parse_report(REPORT[:12] + bytes([byte]) + REPORT[13:])
        assert report is not None
        pressed[byte] = (report.footswitch, report.buttons)
    assert pressed == {0x10: (True, 1), 0x01: (True, 0), 0x0F: (False, 0), 0x20: (False, 2)}


@pytest.mark.parametrize("data", [ECHO, b"", REPORT[:15], REPORT + b"\0", b"\x00\x10" + REPORT[2:]])
def test_what_is_no_measurement(data: bytes) -> None:
    """The echo, other lengths, and 4096."""
    assert parse_report(data) is None


def test_key_sequence() -> None:
    """The published low bytes."""
    keys = [FIRST_KEY]
    for _ in range(4):
        keys.append(next_key(keys[-1]))
    assert bytes(key & 0xFF for key in keys) == bytes.fromhex("238d35dd15")


def test_real_capture(gametrak_capture: Path) -> None:
    """Its facts as published with it: 800 reports, an echo first, 80.0 Hz, ranges of every axis."""
    tracker = GametrakCapture(gametrak_capture)
    time_s, values = read_all(tracker)
    assert len(read_capture(gametrak_capture)[1]) == 800
    assert (len(time_s), tracker.dropped) == (799, 1)
    assert time_s[0] == 0.0
    assert (len(time_s) - 1) / time_s[-1] == pytest.approx(80.0, abs=0.05)
    assert values[:, :6].min(axis=0).tolist() == [161, 0, 2680, 10, 54, 2550]
    assert values[:, :6].max(axis=0).tolist() == [4047, 3861, 4080, 4085, 4095, 4093]
    assert not values[:, 12].any()


def test_real_capture_agrees_with_its_own_decoding(gametrak_capture: Path) -> None:
    """The recorder that made the file wrote its decoded axes beside the bytes."""
    rows = [json.loads(line) for line in gametrak_capture.read_text().splitlines()]
    expected = [row["raw"] for row in rows if row["type"] == "report" and row["descriptor_range_ok"]]
    _, values = read_all(GametrakCapture(gametrak_capture, channels="raw"))
    np.testing.assert_array_equal(values, expected)


def test_capture_calibrated_by_itself(gametrak_capture: Path) -> None:
    """The shortest tethers then have length 0, so that hand is at its head."""
    _, values = read_all(GametrakCapture(gametrak_capture, channels="position", calibration="capture"))
    assert values[:, 1].min() == pytest.approx(0.0, abs=1e-9)
    assert values[:, 4].min() == pytest.approx(0.0, abs=1e-9)


def test_device_and_capture_give_the_same_values(
    gametrak_capture: Path, clock: ManualClock, fake_hid: Callable[..., Any]
) -> None:
    """The very same parser: a device that sends the captured bytes gives the captured values."""
    _, reports = read_capture(gametrak_capture)
    device = fake_hid(reports)
    with GametrakTracker(clock=clock, open_device=lambda: device) as tracker:
        frames = list(iter(lambda: tracker.read(0.1), None))
        assert tracker.dropped == 1
    _, values = read_all(GametrakCapture(gametrak_capture))
    np.testing.assert_array_equal([frame.values for frame in frames if frame], values)
    assert device.written == []
    assert device.closed == 1


def test_silent_device_is_woken_and_kept_awake(clock: ManualClock, fake_hid: Callable[..., Any]) -> None:
    """Nothing is written for half a second; then text, echo, start; then a key every hundred reports."""
    device = fake_hid()
    device.answers = {WAKE_TEXT: [ECHO], start_packet(): [REPORT] * 250}
    with GametrakTracker(clock=clock, open_device=lambda: device) as tracker:
        assert tracker.read(0.4) is None
        assert device.written == []
        assert tracker.read(0.3) is None
        frames = list(iter(lambda: tracker.read(0.3), None))
        assert len(frames) == 250
        assert tracker.dropped == 1
    first = next_key(FIRST_KEY)
    keys = [keep_packet(first), keep_packet(next_key(first))]
    assert device.written[:4] == [WAKE_TEXT, start_packet(), *keys]


def test_long_wait_wakes_too(clock: ManualClock, fake_hid: Callable[..., Any]) -> None:
    """One read with a long timeout gets the first report of a silent device."""
    device = fake_hid()
    device.answers = {start_packet(): [REPORT]}
    with GametrakTracker(clock=clock, open_device=lambda: device) as tracker:
        frame = tracker.read(2.0)
    assert frame is not None
    assert frame.values[:6].tolist() == AXES


def test_a_pause_of_the_reader_is_no_silence(clock: ManualClock, fake_hid: Callable[..., Any]) -> None:
    """A minute without reading, in which the device fell asleep: it is woken, not given up."""
    device = fake_hid([REPORT])
    device.answers = {start_packet(): [REPORT]}
    with GametrakTracker(clock=clock, open_device=lambda: device) as tracker:
        assert tracker.read(0.1) is not None
        clock.sleep_s(60.0)
        assert tracker.read(1.0) is not None
        assert device.written == [WAKE_TEXT, start_packet()]


def test_waiting_reports_get_increasing_times(fake_hid: Callable[..., Any]) -> None:
    """Although the clock stands still while they are read."""
    still = ManualClock(5.0)
    device = fake_hid([REPORT] * 3)
    with GametrakTracker(clock=still, open_device=lambda: device) as tracker:
        times = [frame.time_s for frame in iter(tracker.read, None)]
    assert times[0] == 5.0
    assert times[0] < times[1] < times[2] < 5.0 + 1e-9


def test_pulled_cable(gametrak_capture: Path, clock: ManualClock, fake_hid: Callable[..., Any]) -> None:
    """Real reports, the cable out for 3 s, real reports again: NaN at the device's rate meanwhile, one loss."""
    _, reports = read_capture(gametrak_capture)
    devices = [fake_hid([*reports[1:101], OSError("read error")]), fake_hid(reports[101:201])]
    plugged, tries = iter(devices), []

    def plug() -> Any:
        tries.append(clock.now_s())
        if len(tries) in (2, 3):
            raise TrackerError("no Gametrak found")
        return next(plugged)

    with GametrakTracker(clock=clock, open_device=plug) as tracker:
        frames = [frame for _ in range(100 + 240 + 100) if (frame := tracker.read(0.1))]
        assert (tracker.lost, tracker.dropped, tracker.finished) == (1, 0, False)
    time_s, values = np.array([frame.time_s for frame in frames]), np.array([frame.values for frame in frames])
    _, truth = read_all(GametrakCapture(gametrak_capture))
    away = np.isnan(values).all(axis=1)
    np.testing.assert_array_equal(values[~away], truth[: (~away).sum()])
    assert np.isfinite(values[~away]).all()
    assert np.ptp(np.flatnonzero(away)) == away.sum() - 1
    assert (np.diff(time_s) > 0).all()
    assert np.diff(time_s[away]) == pytest.approx(1 / 80)
    assert np.diff(tries[1:]) == pytest.approx(1.0, abs=0.02)
    assert devices[0].closed == 1


def test_cable_pulled_while_writing(clock: ManualClock, fake_hid: Callable[..., Any]) -> None:
    """A write that fails is a loss as well; and without a report ever, an error."""
    device = fake_hid([REPORT])
    device.answers = {WAKE_TEXT: OSError("write error")}
    devices = iter([device])

    def plug() -> Any:
        try:
            return next(devices)
        except StopIteration:
            raise TrackerError("no Gametrak found") from None

    with GametrakTracker(clock=clock, open_device=plug) as tracker:
        assert tracker.read(0.1) is not None
        frame = tracker.read(1.0)
        assert frame is not None
        assert np.isnan(frame.values).all()
        assert tracker.lost == 1
    mute = fake_hid()
    mute.answers = {WAKE_TEXT: OSError("write error")}
    with GametrakTracker(clock=clock, open_device=lambda: mute) as tracker:
        with pytest.raises(TrackerError, match="lost.*plug it in"):
            tracker.read(1.0)
        assert tracker.finished


def test_falling_silent_is_a_loss(clock: ManualClock, fake_hid: Callable[..., Any]) -> None:
    """Without an error from the driver: woken in vain for three seconds, then away, and heard again later."""
    devices = iter([fake_hid([REPORT]), fake_hid(), fake_hid([REPORT])])
    with GametrakTracker(clock=clock, open_device=lambda: next(devices)) as tracker:
        first, away = tracker.read(), tracker.read(4.0)
        assert first is not None
        assert away is not None
        assert away.time_s - first.time_s == pytest.approx(3.0, abs=0.1)
        while np.isnan(away.values).all():
            away = tracker.read(0.1)
            assert away is not None
        assert away.time_s - first.time_s == pytest.approx(7.0, abs=0.2)  # the second device stayed silent too
        assert tracker.lost == 1


def test_device_that_never_answers(clock: ManualClock, fake_hid: Callable[..., Any]) -> None:
    """Given up after three seconds."""
    with GametrakTracker(clock=clock, open_device=fake_hid) as tracker:
        while clock.now_s() < 102.9:
            assert tracker.read(0.05) is None
        with pytest.raises(TrackerError, match="sent nothing for 3 s"):
            tracker.read(0.2)
        assert tracker.finished
    assert clock.now_s() < 104.0


def test_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a Gametrak, and without hidapi, `open` says what to do."""
    pytest.importorskip("hidraw")
    monkeypatch.setattr("gesturemap.trackers.gametrak_hid.find_devices", list)
    with pytest.raises(TrackerError, match="14b7:0982.*gametrak:CAPTURE.jsonl"):
        GametrakTracker().open()
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "hidraw", None)
    monkeypatch.setitem(sys.modules, "hid", None)
    with pytest.raises(MissingExtraError, match=r"gesturemap\[gametrak\]"):
        GametrakTracker().open()


def _capture(path: Path, lines: list[str]) -> GametrakCapture:
    path.write_text("\n".join(lines) + "\n")
    return GametrakCapture(path)


GOOD_LINE = json.dumps({"type": "report", "time_ns": 5, "raw_bytes_hex": REPORT.hex()})


@pytest.mark.parametrize(
    "line",
    [
        '{"type": "report", "time_ns": 5',
        '{"type": "report", "time_ns": 5}',
        '{"type": "report", "time_ns": 5, "raw_bytes_hex": "zz"}',
        '{"type": "report", "time_ns": "soon", "raw_bytes_hex": ""}',
        "[1, 2]",
        "17",
    ],
)
def test_damaged_capture_line_is_named(line: str, tmp_path: Path) -> None:
    """By its number."""
    with pytest.raises(TrackerError, match=r"damaged\.jsonl, line 3"):
        _capture(tmp_path / "damaged.jsonl", [GOOD_LINE, "", line]).open()


def test_useless_captures_are_refused(tmp_path: Path) -> None:
    """Absent, empty, not text, only echoes."""
    with pytest.raises(TrackerError, match="cannot be read"):
        GametrakCapture(tmp_path / "none.jsonl").open()
    with pytest.raises(TrackerError, match="no Gametrak report"):
        _capture(tmp_path / "empty.jsonl", []).open()
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TrackerError, match="cannot be read"):
        GametrakCapture(tmp_path / "binary.jsonl").open()
    echo = json.dumps({"type": "report", "time_ns": 5, "raw_bytes_hex": ECHO.hex()})
    with pytest.raises(TrackerError, match="none of 2 reports"):
        _capture(tmp_path / "echo.jsonl", [echo, echo]).open()


def test_reports_out_of_order_are_dropped(tmp_path: Path) -> None:
    """Time must increase."""
    lines = [GOOD_LINE.replace('"time_ns": 5', f'"time_ns": {time_ns}') for time_ns in (1e9, 3e9, 2e9, 3e9, 4e9)]
    tracker = _capture(tmp_path / "late.jsonl", lines)
    time_s, _ = read_all(tracker)
    assert time_s.tolist() == [0.0, 2.0, 3.0]
    assert tracker.dropped == 2

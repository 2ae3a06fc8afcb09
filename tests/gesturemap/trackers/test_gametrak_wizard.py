"""A Gametrak calibrated by poses or by a capture."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from gesturemap.cli import app
from gesturemap.clock import ManualClock
from gesturemap.errors import TrackerError
from gesturemap.frame import Array
from gesturemap.trackers.gametrak import GametrakTracker
from gesturemap.trackers.gametrak_calibration import Calibration
from gesturemap.trackers.gametrak_wizard import Pose, calibrate, calibrate_by_poses, calibration_from_poses

# left_x, left_y, left_r, right_x, right_y, right_r
HELD = {
    "rest": [2000, 2000, 4050, 2000, 2000, 4060],
    "left": [100, 2000, 3800, 150, 2000, 3800],
    "right": [4000, 2000, 3800, 3950, 2000, 3800],
    "near": [2000, 50, 3800, 2000, 90, 3800],
    "far": [2000, 3900, 3800, 2000, 4010, 3800],
    "reach": [2000, 2000, 2050, 2000, 2000, 2060],
}


def poses(**changes: list[int]) -> dict[str, Array]:
    """Counts of held poses, some of them others."""
    return {name: np.array(counts, dtype=np.float64) for name, counts in (HELD | changes).items()}


def test_poses_become_the_ends_of_the_axes() -> None:
    """Angles from left, right, near, far; tethers from rest; millimetres from a measured reach."""
    calibration = calibration_from_poses(poses(), reach_mm=1500.0)
    assert calibration.low == (100, 50, 2050, 150, 90, 2060)
    assert calibration.high == (4000, 3900, 4050, 3950, 4010, 4060)
    assert calibration.tether_mm_per_count == 0.75
    places = calibration.positions(np.array([2050.0, 1975.0, 2050.0, 2050.0, 2050.0, 2060.0]))
    np.testing.assert_allclose(places, [-65, 1500, 0, 65, 1500, 0], atol=1e-9)
    assert calibration_from_poses(poses()).tether_mm_per_count == Calibration().tether_mm_per_count


def test_an_axis_built_in_the_other_way_round_is_turned() -> None:
    """Leaning right then is to the right again."""
    calibration = calibration_from_poses(poses(left=HELD["right"], right=HELD["left"]))
    right = calibration.positions(np.array(HELD["left"], dtype=np.float64))
    assert right[0] > -65
    assert right[3] > 65


@pytest.mark.parametrize(
    ("pose", "counts", "message"),
    [
        ("right", HELD["left"], "left_x spans 0 counts between left and right"),
        ("far", HELD["near"], "left_y spans 0 counts between near and far"),
        ("reach", HELD["rest"], "left_r spans 0 counts between rest and reach"),
    ],
)
def test_poses_that_do_not_span_an_axis(pose: str, counts: list[int], message: str) -> None:
    """Named, with the poses to hold again."""
    with pytest.raises(TrackerError, match=message):
        calibration_from_poses(poses(**{pose: counts}), reach_mm=1500.0)


def test_wizard_on_a_device(clock: ManualClock, fake_hid: Callable[..., Any]) -> None:
    """Each pose held for a second, with the device's noise; the one that moved is asked for again."""
    device = fake_hid([struct.pack("<8H", *HELD["rest"], 0, 0)])
    rng = np.random.default_rng(1)
    asked = []

    def ask(pose: Pose, problem: str) -> None:
        asked.append((pose.name, problem))
        counts = np.array(HELD[pose.name]) + rng.integers(-5, 6, (120, 6))
        if len(asked) == 2:
            counts[60:, 0] += 500
        device.reports = [struct.pack("<8H", *row, 0, 0) for row in np.clip(counts, 0, 4095)]

    with GametrakTracker("raw", clock=clock, open_device=lambda: device) as tracker:
        calibration = calibrate_by_poses(tracker, clock, ask, reach_mm=1500.0)
    assert [name for name, _ in asked] == ["rest", "left", "left", "right", "near", "far", "reach"]
    assert asked[2] == ("left", "left_x moved meanwhile: hold still")
    assert calibration.low == pytest.approx((100, 50, 2050, 150, 90, 2060), abs=2)
    assert calibration.tether_mm_per_count == pytest.approx(0.75, rel=0.002)


def test_wizard_on_a_device_that_went_away(clock: ManualClock, fake_hid: Callable[..., Any]) -> None:
    """Says so."""
    device = fake_hid([struct.pack("<8H", *HELD["rest"], 0, 0)])
    with (
        GametrakTracker("raw", clock=clock, open_device=lambda: device) as tracker,
        pytest.raises(TrackerError, match="nothing while the pose was held"),
    ):
        calibrate_by_poses(tracker, clock, lambda pose, problem: None)


def test_calibration_by_a_real_capture(gametrak_capture: Path, tmp_path: Path) -> None:
    """From the command line into a file that the tracker takes: its published ranges."""
    out = tmp_path / "mine.toml"
    result = CliRunner().invoke(app, ["calibrate", f"gametrak:{gametrak_capture}", "--out", str(out)])
    assert result.exit_code == 0
    assert str(out) in result.stdout
    assert Calibration.load(out).low == (161, 0, 2680, 10, 54, 2550)
    assert Calibration.load(out).high == (4047, 3861, 4080, 4085, 4095, 4093)


def test_what_cannot_be_calibrated(clock: ManualClock, gametrak_capture: Path, tmp_path: Path) -> None:
    """Other trackers, and a capture in which a joystick did not move."""
    with pytest.raises(TrackerError, match="only a Gametrak"):
        calibrate("hands", clock, lambda pose, problem: None)
    still = tmp_path / "still.jsonl"
    still.write_text("\n".join(gametrak_capture.read_text().splitlines()[:100]))
    with pytest.raises(TrackerError, match="still.jsonl: .*spans"):
        calibrate(f"gametrak:{still}", clock, lambda pose, problem: None)

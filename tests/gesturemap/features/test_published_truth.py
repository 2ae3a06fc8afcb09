"""Our numbers against tables that others published."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


def test_one_euro_is_the_authors_filter(benchmark: ModuleType, shared: Path) -> None:
    truth = shared / "data" / "gestures" / "one_euro_groundtruth" / "groundTruth.csv"
    assert benchmark.one_euro_error(truth) <= 1e-4  # the tolerance of the authors; measured 2.4e-5


@pytest.mark.parametrize(("take", "rows"), [("a1", 1743), ("a2", 1260), ("b1", 1069)])
def test_velocity_and_acceleration_of_gesture_phase(
    benchmark: ModuleType, shared: Path, take: str, rows: int
) -> None:
    errors = benchmark.gesture_phase_errors(shared / "data" / "gestures" / "gesture_phase", take)
    assert errors["rows"] == rows
    # The table has 8 decimals of torso lengths per 10 ms (and per 10 ms squared): half of the last one.
    assert errors["velocity"] <= 5e-7
    assert errors["speed"] <= 5e-7
    assert errors["acceleration"] <= 5e-5


def test_noise_of_the_velocity_is_what_the_weights_predict(benchmark: ModuleType) -> None:
    """Bias and noise of a 7-frame parabola, from scipy's weights: 43.9 mm/s rms; of 9 frames: 40.5."""
    rows = {row["method"]: row for row in benchmark.measure_noise(60.0, seconds=30.0)}
    assert rows["polynomial, 7 frames, degree 2"]["velocity_rms"] == pytest.approx(43.92, rel=0.03)
    assert rows["polynomial, 9 frames, degree 2"]["velocity_rms"] == pytest.approx(40.50, rel=0.03)
    assert rows["polynomial, 7 frames, degree 2"]["velocity_lag_ms"] == pytest.approx(0.0, abs=2.0)
    assert rows["difference over 3 frames"]["velocity_lag_ms"] == pytest.approx(25.0, abs=0.5)
    one_frame = np.hypot(np.sqrt(2.0) * 60.0, 200 * np.pi / np.sqrt(2.0) * 2.0 * np.pi / 120.0)
    assert rows["difference over 1 frame"]["velocity_rms"] == pytest.approx(one_frame, rel=0.03)

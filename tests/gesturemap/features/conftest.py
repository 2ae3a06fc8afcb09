"""Layouts, real input and the measurements of the benchmark, for the tests of features."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from gesturemap import Channel, Layout
from gesturemap.trackers.hand_layout import hand_layout


@pytest.fixture(scope="session")
def benchmark() -> ModuleType:
    """benchmarks/features.py: what it measures is what the tests hold to the published truth."""
    path = Path(__file__).resolve().parents[3] / "benchmarks" / "features.py"
    spec = importlib.util.spec_from_file_location("benchmark_features", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def gametrak_layout() -> Layout:
    """Two hands on tethers, mm."""
    return Layout(tuple(Channel(f"{s}_{a}", "mm", -3000.0, 3000.0) for s in ("left", "right") for a in "xyz"))


@pytest.fixture(scope="session")
def hands_layout() -> Layout:
    """Two hands on camera, as the hands tracker gives them."""
    return hand_layout()


@pytest.fixture(scope="session")
def hand(shared: Path) -> np.ndarray:
    """(325, 21, 3) metres: a real right hand, palm to the camera, spelling; 25 Hz."""
    path = shared / "data" / "gestures" / "tfjs_asl_hand" / "asl_hand_3d.full.json"
    return np.array(json.loads(path.read_text()))


@pytest.fixture(scope="session")
def gametrak(shared: Path) -> tuple[np.ndarray, np.ndarray]:
    """Times (799,) in s and counts (799, 6) of the real Gametrak capture, without its echo frame."""
    path = shared / "data" / "gestures" / "gametrak_recording" / "gametrak_sample_10_second_recording.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    reports = [row for row in rows if row["type"] == "report" and row["descriptor_range_ok"]]
    time_s = np.array([row["elapsed_ns"] for row in reports]) / 1e9
    return time_s, np.array([list(row["semantic_raw"].values()) for row in reports], dtype=float)

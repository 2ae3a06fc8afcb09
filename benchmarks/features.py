"""Features measured: against published truth, against noise, and what a frame costs.

    python benchmarks/features.py [--shared ../shared]

Prints four tables and writes benchmarks/out/features.json. Without the shared data the first one is left out.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from gesturemap.features import (
    FeatureExtractor,
    FeatureSettings,
    OneEuroFilter,
    extract_features,
    load_features,
)
from gesturemap.frame import Array, Channel, Layout
from gesturemap.trackers.gametrak_calibration import gametrak_layout
from gesturemap.trackers.hand_layout import hand_layout

HERE = Path(__file__).resolve().parent
JOINTS = ("lh", "rh", "lw", "rw")  # left and right hand, left and right wrist


def read_gesture_phase(folder: Path, take: str) -> tuple[Array, Array, Array]:
    """One recording of the UCI Gesture Phase set, positions in torso lengths.

    Returns
    -------
    time_s : (n_frames,) seconds. The file's time stamp is packed decimal, MMSSmmm.
    positions : (n_frames, 12) x, y, z of each of `JOINTS`, from the spine, over the spine to head distance.
    published : (n_rows, 32) the published features; row k belongs to frame k + 4.
    """
    # b1_raw.csv starts with a byte order mark, a1_va3.csv has CR-only line ends.
    with (folder / "raw" / f"{take}_raw.csv").open(newline=None, encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    stamp = np.array([int(row["timestamp"]) for row in rows])
    time_s = ((stamp // 100000) * 60000 + stamp % 100000) / 1000.0
    point = {
        name: np.array([[float(row[f"{name}{axis}"]) for axis in "xyz"] for row in rows])
        for name in (*JOINTS, "h", "s")
    }
    torso = np.sqrt(((point["h"] - point["s"]) ** 2).sum(axis=1, keepdims=True))
    positions = np.concatenate([(point[joint] - point["s"]) / torso for joint in JOINTS], axis=1)
    with (folder / "processed" / f"{take}_va3.csv").open(newline=None) as file:
        published = np.array([[float(cell) for cell in row[:32]] for row in list(csv.reader(file))[1:]])
    return time_s, positions, published


def gesture_phase_errors(folder: Path, take: str) -> dict[str, float]:
    """Largest distance to the published velocity, speed (torso/s) and acceleration (torso/s^2)."""
    time_s, positions, published = read_gesture_phase(folder, take)
    names = [f"{joint}_{axis}" for joint in JOINTS for axis in "xyz"]
    layout = Layout(tuple(Channel(name, "torso", -5.0, 5.0) for name in names))
    settings = FeatureSettings.model_validate({
        "name": "gesture_phase",
        "motion": ["velocity", "acceleration", "speed"],
        "derivative": {"method": "difference", "velocity_frames": 3, "acceleration_frames": 1},
    })
    features = extract_features(settings, layout, time_s, positions)[4 : 4 + len(published)]
    return {
        "rows": float(len(features)),
        "velocity": float(np.abs(features[:, :12] + 100.0 * published[:, :12]).max()),
        "acceleration": float(np.abs(features[:, 12:24] + 10000.0 * published[:, 12:24]).max()),
        "speed": float(np.abs(features[:, 24:] - 100.0 * published[:, 24:28]).max()),
    }


def one_euro_error(path: Path) -> float:
    """Largest distance to the filter authors' own output."""
    truth = np.loadtxt(path, delimiter=",", skiprows=1)
    smooth = OneEuroFilter(1, min_cutoff_hz=1.0, beta=0.1, derivative_cutoff_hz=1.0).process(
        truth[:, 0], truth[:, 2:3]
    )
    return float(np.abs(smooth - truth[:, 3:]).max())


def measure_noise(frame_rate: float, seconds: float = 60.0, repeats: int = 20) -> list[dict[str, Any]]:
    """Error and lag of the derivatives of a 1 Hz, 100 mm sine with 1 mm of noise."""
    methods = {
        "polynomial, 7 frames, degree 2": ("derivative.window_s=0", "derivative.window_frames=7"),
        "polynomial, 9 frames, degree 2": ("derivative.window_s=0", "derivative.window_frames=9"),
        "polynomial, 0.1 s, degree 2 (preset)": (),
        "polynomial, 9 frames, degree 3": (
            "derivative.window_s=0", "derivative.window_frames=9", "derivative.degree=3",
        ),
        "difference over 1 frame": ("derivative.method=difference",),
        "difference over 3 frames": ("derivative.method=difference", "derivative.velocity_frames=3"),
        "One-Euro (1, 0.007), difference over 1": (
            "derivative.method=difference", "smoothing.method=one_euro", "smoothing.beta=0.007",
        ),
    }  # fmt: skip
    time_s = np.arange(int(frame_rate * seconds)) / frame_rate
    settled = slice(int(frame_rate), None)
    turn = 2.0 * np.pi * time_s[:, None]
    probe = np.exp(-1j * turn[settled])
    noise = np.random.default_rng(0).normal(size=(len(time_s), repeats))
    layout = Layout(tuple(Channel(f"axis_{i}", "mm", -200.0, 200.0) for i in range(repeats)))
    truth = {"velocity": 200 * np.pi * np.cos(turn), "acceleration": -400 * np.pi**2 * np.sin(turn)}
    rows = []
    for name, overrides in methods.items():
        settings = load_features("motion", ['motion=["velocity","acceleration"]', *overrides])
        features = extract_features(settings, layout, time_s, 100.0 * np.sin(turn) + noise)[settled]
        row: dict[str, Any] = {"frame_rate": frame_rate, "method": name}
        for kind, found in zip(truth, np.split(features, 2, axis=1), strict=True):
            wanted = truth[kind][settled]
            row[f"{kind}_rms"] = float(np.sqrt(np.mean((found - wanted) ** 2)))
            phase = np.angle(np.sum(found * probe) / np.sum(wanted * probe))
            row[f"{kind}_lag_ms"] = float(-phase / (2.0 * np.pi) * 1000.0)
        rows.append(row)
    return rows


def measure_tick() -> list[dict[str, Any]]:
    """Microseconds that one live frame takes, at 200 Hz: one after the other, and one every 5 ms as on stage.

    Between two frames of a performance the processor does other things and forgets the code: each NumPy function
    that a frame is the first to call then costs 10 us or more.
    """
    gametrak = gametrak_layout()
    one_hand = Layout(tuple(c for c in hand_layout().channels if c.name.startswith("left") and c.unit != "bool"))
    full = ('motion=["position","velocity","acceleration","jerk","speed"]', "derivative.degree=3")
    cases: list[tuple[str, Layout, tuple[str, ...]]] = [
        ("position", gametrak, ()),
        ("gametrak_motion", gametrak, ()),
        ("gametrak_motion", gametrak, ("smoothing.method=one_euro",)),
        ("gametrak_together", gametrak, ()),
        ("motion", one_hand, ()),
        ("motion", one_hand, ("derivative.method=difference",)),
        ("motion", one_hand, ("smoothing.method=one_euro", *full)),
        ("motion", hand_layout(), ()),
        ("hand_shape", one_hand, ()),
        ("hand_shape", hand_layout(), ()),
        ("hand_motion", hand_layout(), ()),
        ("hand_motion", hand_layout(), ("smoothing.method=one_euro",)),
        ("series", gametrak, ()),
        ("statistics", gametrak, ()),
    ]
    rows = []
    for preset, layout, overrides in cases:
        settings = load_features(preset, overrides)
        p50, _, p99 = _time_frames(FeatureExtractor(settings, layout), 2000, 0.0)
        paced = _time_frames(FeatureExtractor(settings, layout), 400, 0.005)
        what = f"{preset} {' '.join(overrides)}".strip()
        rows.append({
            "features": what, "channels": len(layout), "p50_us": p50, "p99_us": p99,
            "every 5 ms: p50_us": paced[0], "p95_us": paced[1], "load": os.getloadavg()[0],
        })  # fmt: skip
    return rows


def _time_frames(extractor: FeatureExtractor, frames: int, period_s: float) -> list[float]:
    """Quantiles .5, .95 and .99 of the microseconds of a frame, one begun every `period_s`."""
    rng = np.random.default_rng(0)
    time_s = np.arange(frames) / 200.0 + rng.uniform(0.0, 1e-4, frames)
    values = rng.normal(size=(frames, len(extractor.layout))).cumsum(axis=0)
    spent_us = np.empty(frames)
    due_s = time.perf_counter()
    for i in range(frames):
        due_s += period_s
        if period_s:
            time.sleep(max(0.0, due_s - time.perf_counter()))
        start = time.perf_counter_ns()
        extractor.process(time_s[i : i + 1], values[i : i + 1])
        spent_us[i] = (time.perf_counter_ns() - start) / 1000.0
    return [float(quantile) for quantile in np.quantile(spent_us[30:], (0.5, 0.95, 0.99))]


def measure_hour() -> list[dict[str, Any]]:
    """Seconds that an hour of 6 channels at 100 Hz takes, as a file."""
    time_s = np.arange(360_000) / 100.0
    values = np.random.default_rng(0).normal(size=(len(time_s), 6)).cumsum(axis=0)
    layout = Layout(tuple(Channel(f"{s}_{a}", "mm", -3e3, 3e3) for s in ("left", "right") for a in "xyz"))
    rows = []
    for overrides in ((), ("smoothing.method=exponential",), ("smoothing.method=one_euro",)):
        settings = load_features("motion", overrides)
        start = time.perf_counter()
        extract_features(settings, layout, time_s, values)
        seconds = time.perf_counter() - start
        rows.append({"features": f"motion {' '.join(overrides)}".strip(), "seconds": seconds})
    return rows


def measure_truth(shared: Path) -> list[dict[str, Any]]:
    """Largest distance to each published table."""
    gestures = shared / "data" / "gestures"
    one_euro = one_euro_error(gestures / "one_euro_groundtruth" / "groundTruth.csv")
    rows: list[dict[str, Any]] = [{"truth": "One-Euro", "smooth": one_euro}]
    for take in ("a1", "a2", "b1"):
        errors = gesture_phase_errors(gestures / "gesture_phase", take)
        rows.append({"truth": f"Gesture Phase {take}", **errors})
    return rows


def _show(console: Console, title: str, rows: list[dict[str, Any]]) -> None:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(title=title)
    for column in columns:
        table.add_column(column)
    for row in rows:
        cells = [row.get(column, "") for column in columns]
        table.add_row(*(f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in cells))
    console.print(table)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=HERE.parent.parent / "shared")
    shared = parser.parse_args().shared
    results = {
        "noise, 1 Hz 100 mm sine + 1 mm noise (mm/s, mm/s^2)": [
            row for frame_rate in (60.0, 25.0, 200.0) for row in measure_noise(frame_rate)
        ],
        "cost of a live frame": measure_tick(),
        "an hour of 6 channels at 100 Hz": measure_hour(),
    }
    if (shared / "data").is_dir():
        results = {"largest error against published truth": measure_truth(shared), **results}
    console = Console(width=140)
    for title, rows in results.items():
        _show(console, title, rows)
    out = HERE / "out" / "features.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(results, indent=2) + "\n")
    console.print(f"written to {out}")


if __name__ == "__main__":
    main()

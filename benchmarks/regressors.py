"""Every regressor side by side: held-out error, time to fit, time for one row.

    python benchmarks/regressors.py [--gestures FOLDER] [--out benchmarks/out/regressors.json]

Materials, all 6 features to 8 latents in about 0..1, by one fixed smooth map (three sines of random directions):

poses     independent poses, noise 0.01 on the latents; held out: 500 other poses. The generator of the
          acceptance test that Wekinator was measured with, so its rows can stand beside ours.
takes     six takes of smooth motion at 60 Hz, sensor noise 0.01 on the features; held out: each take in turn.
gametrak  a real 10 s capture of both hands (its own sensor noise); held out: each fifth of it in turn, 0.5 s
          either side left out. Needs --gestures.
speech    hands of people telling a story (Gesture Phase a1, a2, b1); held out: each take. Needs --gestures.
unrelated the Gametrak capture against latents that wander by themselves: nothing can be learned, and an error
          above that of the mean is what a regressor invents.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.ndimage import uniform_filter1d

from gesturemap.regressors import REGRESSORS, make_regressor

Array = np.ndarray
N_FEATURES, N_LATENTS = 6, 8
# Wekinator 2.1.1.0 on `poses`, measured once on a shared two-core machine (mean RMSE over the eight outputs).
WEKINATOR = {
    "network (default)": {100: 0.0787, 1000: 0.0714, 5000: 0.0656},
    "linear": {100: 0.139, 1000: 0.134, 5000: 0.133},
}


def smooth_map(features: Array) -> Array:
    """Eight smooth functions of six features in 0..1; always the same ones."""
    fixed = np.random.RandomState(1234)
    directions = fixed.normal(size=(3, N_LATENTS, N_FEATURES)) / np.sqrt(N_FEATURES)
    phases = fixed.uniform(0, 2 * np.pi, size=(3, N_LATENTS))
    weights = np.array([1.0, 0.5, 0.35])
    centred = 2.0 * features - 1.0
    waves = [
        weight * np.sin(1.3 * frequency * (centred @ direction.T) + phase)
        for weight, frequency, direction, phase in zip(weights, (1.2, 2.2, 3.0), directions, phases, strict=True)
    ]
    return 0.5 + sum(waves) / (2.0 * weights.sum())


def make_poses(n_rows: int, seed: int, noise: float) -> tuple[Array, Array]:
    """Independent poses and their noisy latents."""
    rng = np.random.RandomState(seed)
    features = rng.uniform(0, 1, size=(n_rows, N_FEATURES))
    latents = smooth_map(features)
    return features, latents + rng.normal(0, noise, latents.shape)


def wander(n_rows: int, n_columns: int, rate: float, rng: np.random.Generator) -> Array:
    """Smooth motion in 0..1: five sines a column, 0.05 to 0.8 Hz."""
    time_s = np.arange(n_rows)[:, None, None] / rate
    frequency, phase = rng.uniform(0.05, 0.8, (n_columns, 5)), rng.uniform(0, 2 * np.pi, (n_columns, 5))
    waves = np.sin(2 * np.pi * frequency * time_s + phase).sum(axis=2)
    return 0.5 + 0.16 * waves


def scale(values: Array) -> Array:
    """Columns onto 0..1 by their 1-99 % range."""
    low, high = np.quantile(values, (0.01, 0.99), axis=0)
    return (values - low) / (high - low)


def read_gametrak(folder: Path) -> Array:
    """(n_rows, 6) raw axes of the capture; its first report is an echo of the start message."""
    lines = (folder / "gametrak_recording" / "gametrak_sample_10_second_recording.jsonl").read_text().splitlines()
    axes = ("left_x", "left_y", "left_r", "right_x", "right_y", "right_r")
    reports = [json.loads(line) for line in lines]
    rows = [[r["semantic_raw"][axis] for axis in axes] for r in reports if "semantic_raw" in r]
    return np.array(rows[1:], dtype=float)


def read_speech(folder: Path, name: str) -> Array:
    """(n_rows, 6) positions of both hands."""
    path = folder / "gesture_phase" / "raw" / f"{name}_raw.csv"
    return np.loadtxt(path, delimiter=",", skiprows=1, usecols=range(6))


Split = tuple[Array, Array, Array, Array]


def pose_split(n_rows: int) -> Iterator[Split]:
    """The one split of `poses`: features and latents to learn, features and clean latents held out."""
    held, _ = make_poses(500, 1007, 0.0)
    yield (*make_poses(n_rows, 7, 0.01), held, smooth_map(held))


def take_splits(takes: list[tuple[Array, Array]]) -> Iterator[Split]:
    """Each take held out in turn."""
    for held in range(len(takes)):
        rest = [take for index, take in enumerate(takes) if index != held]
        yield np.concatenate([x for x, _ in rest]), np.concatenate([y for _, y in rest]), *takes[held]


def block_splits(features: Array, latents: Array, guard: int) -> Iterator[Split]:
    """Each fifth held out in turn, `guard` rows either side of it left out."""
    for block in np.array_split(np.arange(len(features)), 5):
        rest = np.ones(len(features), dtype=bool)
        rest[max(0, block[0] - guard) : block[-1] + guard + 1] = False
        yield features[rest], latents[rest], features[block], latents[block]


def materials(gestures: Path | None) -> dict[str, list[Split]]:
    """Every material as its splits."""
    rng = np.random.default_rng(7)
    found = {f"poses {n}": list(pose_split(n)) for n in (100, 1000, 5000)}
    takes = []
    for _ in range(6):
        motion = wander(500, N_FEATURES, 60.0, rng)
        takes.append((motion + rng.normal(0, 0.01, motion.shape), smooth_map(motion)))
    found["takes 6 x 500"] = list(take_splits(takes))
    if gestures is not None:
        raw = scale(read_gametrak(gestures))
        hand = uniform_filter1d(raw, 5, axis=0)  # the motion under the sensor noise
        found["gametrak 799"] = list(block_splits(raw, smooth_map(hand), 40))
        speech = [scale(read_speech(gestures, name)) for name in ("a1", "a2", "b1")]
        found["speech 3 takes"] = list(take_splits([(x, smooth_map(x)) for x in speech]))
        found["unrelated 799"] = list(block_splits(raw, wander(len(raw), N_LATENTS, 80.0, rng), 40))
    return found


def measure(name: str, splits: list[Split]) -> dict[str, float]:
    """Held-out RMSE (mean over latents, all splits pooled), that of the mean, and times."""
    squared, mean_squared, fit_s, regressor = [], [], [], None
    for x, y, held_x, held_y in splits:
        start = time.process_time()
        regressor = make_regressor(name, None, N_FEATURES, N_LATENTS).fit(x, y)
        fit_s.append(time.process_time() - start)
        squared.append((regressor.predict(held_x) - held_y) ** 2)
        mean_squared.append((y.mean(axis=0) - held_y) ** 2)
    return {
        "rmse": float(np.sqrt(np.concatenate(squared).mean(axis=0)).mean()),
        "rmse_of_mean": float(np.sqrt(np.concatenate(mean_squared).mean(axis=0)).mean()),
        "fit_cpu_s": float(np.mean(fit_s)),
        "one_row_us": time_one_row(regressor, splits[-1][2]),
    }


def time_one_row(regressor: object, rows: Array, n: int = 300) -> float:
    """Median microseconds of `predict` for one row."""
    times = []
    for i in range(n):
        row = rows[i % len(rows)][None]
        start = time.perf_counter()
        regressor.predict(row)  # type: ignore[attr-defined]
        times.append(time.perf_counter() - start)
    return 1e6 * float(np.median(times))


def print_table(results: dict[str, dict[str, dict[str, float]]], key: str, digits: int) -> None:
    """One figure of every regressor (rows) on every material (columns)."""
    names = list(results)
    print(f"\n{key}")
    print(f"{'':18}" + "".join(f"{name:>16}" for name in names))
    for regressor in results[names[0]]:
        print(f"{regressor:18}" + "".join(f"{results[name][regressor][key]:16.{digits}f}" for name in names))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gestures", type=Path, help="folder with gametrak_recording and gesture_phase")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "out" / "regressors.json")
    arguments = parser.parse_args()
    results = {
        material: {name: measure(name, splits) for name in REGRESSORS}
        for material, splits in materials(arguments.gestures).items()
    }
    print_table(results, "rmse", 4)
    print(f"{'(mean)':18}" + "".join(f"{rows['ridge']['rmse_of_mean']:16.4f}" for rows in results.values()))
    for model, errors in WEKINATOR.items():
        print(f"{'Wekinator ' + model:18.18}" + "".join(f"{errors[n]:16.4f}" for n in (100, 1000, 5000)))
    print_table(results, "fit_cpu_s", 2)
    print_table(results, "one_row_us", 0)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": platform.processor() or platform.machine(), "wekinator": WEKINATOR, "results": results}
    arguments.out.write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()

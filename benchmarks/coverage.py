"""Cost of the coverage engine, beside the package prdc where that is installed.

    python benchmarks/coverage.py [--quick] [--out FILE]

Every case runs in a process of its own on one thread: CPU seconds of the work alone, peak memory of the process (the
interpreter, numpy and scipy included) and what the interpreter and its libraries take before the work.
``four metrics`` are precision, recall, density and coverage as prdc defines them, without file exclusion: the one
case that two programs can agree on. Prints a table and writes JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

OUT = Path(__file__).parent / "out" / "coverage.json"
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
# what, engine, count of frames each side, dimensions, target CPU s, target GB (facts of the design, section 5.3)
MILLION = "four metrics in cells, files excluded"
CASES = (
    ("four metrics", "ours", 20_000, 8, 10.0, 0.6),
    ("four metrics", "ours", 20_000, 16, 8.0, 0.5),
    ("four metrics", "ours", 20_000, 64, None, None),
    ("four metrics", "prdc", 20_000, 16, None, None),
    ("coverage with file exclusion", "ours", 20_000, 8, None, None),
    ("coverage with file exclusion", "ours", 20_000, 16, 2.3, None),
    ("coverage with file exclusion", "ours", 100_000, 8, 16.0, None),
    ("coverage with file exclusion", "ours", 100_000, 16, None, None),
    (MILLION, "ours", 1_000_000, 16, None, None),
)


def make_sounds(n_frames: int, dimensions: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Autocorrelated files of 100 frames on a curved sheet, like encoder means: (latents, file of every frame)."""
    rng = np.random.default_rng(seed)
    n_files = n_frames // 100
    state = rng.standard_normal((n_files, dimensions))
    walk = np.empty((n_files, 100, dimensions))
    for t in range(100):
        state = 0.95 * state + np.sqrt(1 - 0.95**2) * rng.standard_normal(state.shape)
        walk[:, t] = state
    z = 0.9 * rng.standard_normal((n_files, 1, dimensions)) + 0.45 * walk
    half = dimensions // 2
    z[..., half : 2 * half] = 0.5 * (z[..., :half] ** 2 - 1) + 0.66 * z[..., half : 2 * half]
    return z.reshape(-1, dimensions), np.repeat(np.arange(n_files), 100)


def four_metrics_of_prdc(real: np.ndarray, fake: np.ndarray, k: int) -> dict[str, float]:
    """The same by the package prdc."""
    from prdc import compute_prdc

    return {name: float(value) for name, value in compute_prdc(real, fake, k).items()}


def coverage_only(real: np.ndarray, files: np.ndarray, motion: np.ndarray, k: int) -> dict[str, float]:
    """Coverage with file-exclusive radii."""
    from gesturemap.report.neighbours import covered, kth_distance

    return {"coverage": float(covered(real, kth_distance(real, files, k), motion).mean())}


def a_million(real: np.ndarray, files: np.ndarray, motion: np.ndarray) -> dict[str, float]:
    """Four metrics in cells, files left out on both sides, and how good they are.

    ``radii_exact`` is the share of points whose radius is that of an exact search, over the points of a few cells;
    coverage of frames evenly spread is also counted exactly.
    """
    from gesturemap.report.cells import find_cells, kth_distance_in_cells
    from gesturemap.report.metrics import four_metrics
    from gesturemap.report.neighbours import covered, kth_distance

    start_s, start_wall_s = time.process_time(), time.perf_counter()
    values = four_metrics(real, motion, 5, files, files, exact=False)
    values |= {"four_metrics_cpu_s": time.process_time() - start_s}
    values |= {"four_metrics_wall_s": time.perf_counter() - start_wall_s, "four_metrics_peak_gb": peak_gb()}
    rng = np.random.default_rng(3)
    spread = rng.choice(len(real), min(1000, len(real)), replace=False)
    values["coverage_exact"] = float(covered(real[spread], kth_distance(real, files, 5, spread), motion).mean())
    cells = find_cells(real)
    which = rng.choice(len(cells.centres), min(20, len(cells.centres)), replace=False)
    radius = kth_distance_in_cells(real, files, 5, cells, which=which)
    rows = rng.choice(np.flatnonzero(np.isfinite(radius)), 1000, replace=False)
    ratio = radius[rows] / kth_distance(real, files, 5, rows)
    return values | {"radii_exact": float((ratio <= 1 + 1e-9).mean()), "mean_radius_ratio": float(ratio.mean())}


def peak_gb() -> float:
    """Largest resident memory of this process so far; Linux counts it in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def run_case(what: str, engine: str, n_frames: int, dimensions: int) -> dict[str, object]:
    """One case in this process."""
    import scipy.spatial  # noqa: F401  (part of what is loaded before the work)

    from gesturemap.report.metrics import four_metrics

    real, files = make_sounds(n_frames, dimensions, seed=0)
    motion, _ = make_sounds(n_frames, dimensions, seed=1)
    if what == "four metrics":
        # Without file exclusion frames must be independent, or nothing is near anything.
        rng = np.random.default_rng(2)
        real, motion = rng.standard_normal(real.shape), 0.9 * rng.standard_normal(real.shape)
    loaded_gb = peak_gb()
    start_s, start_wall_s = time.process_time(), time.perf_counter()
    if what == "four metrics":
        values = (
            four_metrics(real, motion, 5, exact=True) if engine == "ours" else four_metrics_of_prdc(real, motion, 5)
        )
    elif what == MILLION:
        values = a_million(real, files, motion)
    else:
        values = coverage_only(real, files, motion, 5)
    return {
        "values": values,
        "cpu_s": time.process_time() - start_s,
        "wall_s": time.perf_counter() - start_wall_s,
        "loaded_gb": loaded_gb,
        "peak_gb": peak_gb(),
    }


def main() -> None:
    """Run all cases and show them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only cases of 20 000 frames, without prdc")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--case", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case is not None:
        print(json.dumps(run_case(*CASES[arguments.case][:4])))
        return
    rows = []
    print(f"{'what':30} {'engine':6} {'frames':>7} {'d':>3} {'cpu s':>7} {'target':>7} {'GB':>6} {'target':>7}  values")
    for number, (what, engine, n_frames, dimensions, target_s, target_gb) in enumerate(CASES):
        if arguments.quick and (n_frames > 20_000 or engine != "ours"):
            continue
        command = [sys.executable, __file__, "--case", str(number)]
        done = subprocess.run(command, env=os.environ | THREADS, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{what:30} {engine:6} {n_frames:7} {dimensions:3} not run: {done.stderr.strip().splitlines()[-1]}")
            continue
        row = json.loads(done.stdout.splitlines()[-1])
        rows.append({"what": what, "engine": engine, "n_frames": n_frames, "dimensions": dimensions} | row)
        rows[-1] |= {"target_cpu_s": target_s, "target_gb": target_gb}
        values = " ".join(f"{name} {value:.4f}" for name, value in row["values"].items())
        print(
            f"{what:30} {engine:6} {n_frames:7} {dimensions:3} {row['cpu_s']:7.2f} {target_s or '':>7} "
            f"{row['peak_gb']:6.2f} {target_gb or '':>7}  {values}",
            flush=True,
        )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    beside = arguments.out.with_name(arguments.out.name + ".part")
    beside.write_text(json.dumps({"unit_gb": "10^9 bytes", "k": 5, "rows": rows}, indent=1))
    beside.replace(arguments.out)
    print(f"written: {arguments.out}")


if __name__ == "__main__":
    main()

"""Are the intervals of a coverage report honest, and its p-values uniform under the null?

    python benchmarks/intervals.py [--repetitions 200] [--out FILE]

Intervals: fresh sounds and fresh gestures are drawn again and again from a known process, with files (and takes) that
differ from each other as wholes. An honest 95 % interval holds the mean coverage of that process in 95 % of the
repetitions; the target is 92 to 98 %. p-values: gestures are drawn from each null itself; a Kolmogorov-Smirnov test
compares the p-values with uniform ones. Prints tables and writes JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import stats

from audiovae.latent_space import Cloud, LatentSpace
from gesturemap.report import nulls
from gesturemap.report.coverage import CoverageSettings, Motion, Reach, build_reference, measure, whiten
from gesturemap.report.intervals import interval_statistics
from gesturemap.report.significance import p_of_difference, p_values

OUT = Path(__file__).parent / "out" / "intervals.json"
RATE = 20.0
SETTINGS = CoverageSettings(n_permutations=99, test_frames=600)
# name, files, frames a file, takes, frames a take, memory of the gesture from frame to frame, dimensions
CASES = (
    ("12 takes", 30, 32, 12, 32, 0.95, 4),
    ("20 takes", 40, 64, 20, 64, 0.95, 4),
    ("5 takes", 40, 64, 5, 128, 0.95, 8),
    ("one take of 60 s", 40, 64, 1, 1200, 0.95, 4),
    ("one take of 60 s, slow", 40, 64, 1, 1200, 0.98, 8),
    ("one take of 20 s", 40, 64, 1, 400, 0.95, 4),
)


def wander(n: int, n_frames: int, dimensions: int, memory: float, rng: np.random.Generator) -> np.ndarray:
    """(n, n_frames, dimensions) stationary walks of unit variance."""
    state = rng.standard_normal((n, dimensions))
    walk = np.empty((n, n_frames, dimensions))
    for t in range(n_frames):
        state = memory * state + np.sqrt(1 - memory**2) * rng.standard_normal(state.shape)
        walk[:, t] = state
    return walk


def bend(z: np.ndarray) -> np.ndarray:
    """The second half of the dimensions becomes mostly a square of the first, as on a curved sheet of sounds."""
    half = z.shape[-1] // 2
    square = (z[..., :half] ** 2 - 1) / np.sqrt(2)
    z[..., half : 2 * half] = 0.75 * square + np.sqrt(1 - 0.75**2) * z[..., half : 2 * half]
    return z


def make_clusters(n: int, n_frames: int, dimensions: int, rng: np.random.Generator, memory: float = 0.95) -> np.ndarray:
    """(n, n_frames, dimensions): each of n files (or takes) wanders about a centre of its own."""
    centre = np.sqrt(1 - 0.45**2) * rng.standard_normal((n, 1, dimensions))
    return bend(centre + 0.45 * wander(n, n_frames, dimensions, memory, rng))


def make_space(n_files: int, n_frames: int, dimensions: int, rng: np.random.Generator) -> LatentSpace:
    """A model of `n_files` sounds."""
    latents = make_clusters(n_files, n_frames, dimensions, rng).reshape(-1, dimensions)
    file_index = np.repeat(np.arange(n_files, dtype=np.int32), n_frames)
    names = tuple(f"{i}.wav" for i in range(n_files))
    cloud = Cloud(latents.astype(np.float32), file_index, np.full(len(latents), -20.0), names, ("train",) * n_files)
    identity = {"model_id": "0" * 64, "model_name": "known", "family": "spectral", "channels": 1}
    return LatentSpace.from_cloud(cloud, sample_rate=20_000, hop_length=1000, latency_samples=0, **identity)


def draw_reach(case: tuple[str, int, int, int, int, float, int], rng: np.random.Generator) -> Reach:
    """Fresh sounds and a fresh gesture of one case; a take alone wanders over everything, having no centre."""
    _, n_files, file_frames, n_takes, take_frames, memory, dimensions = case
    space = make_space(n_files, file_frames, dimensions, rng)
    if n_takes == 1:
        motion = bend(wander(1, take_frames, dimensions, memory, rng))
    else:
        motion = make_clusters(n_takes, take_frames, dimensions, rng, memory)
    reference = build_reference(space, SETTINGS)
    take = np.repeat(np.arange(n_takes), take_frames)
    points = whiten(space, motion.reshape(-1, dimensions), reference.rank)
    return measure(reference, Motion(points, take, RATE), SETTINGS.step_s)


def check_intervals(case: tuple[str, int, int, int, int, float, int], repetitions: int) -> dict[str, object]:
    """How often the intervals of one case hold the mean, for each statistic."""
    rng = np.random.default_rng(7)
    found = [interval_statistics(draw_reach(case, rng), SETTINGS) for _ in range(repetitions)]
    row: dict[str, object] = {"case": case[0], "repetitions": repetitions, "units": found[0].resampled}
    for name in ("coverage", "precision", "density"):
        intervals = [getattr(statistics, name) for statistics in found]
        mean = float(np.mean([interval.value for interval in intervals]))
        row[name] = {
            "mean": mean,
            "spread": float(np.std([interval.value for interval in intervals])),
            "width": float(np.mean([interval.high - interval.low for interval in intervals])),
            "holds": float(np.mean([interval.low <= mean <= interval.high for interval in intervals])),
        }
    return row


def check_nulls(repetitions: int) -> list[dict[str, object]]:
    """Gestures drawn from each null: are their p-values uniform?"""
    rng = np.random.default_rng(8)
    space = make_space(30, 40, 4, rng)
    reference = build_reference(space, SETTINGS)
    take = np.zeros(400, dtype=np.intp)
    gestures: dict[str, Callable[[], np.ndarray]] = {
        "walk": lambda: wander(1, 400, 4, 0.95, rng)[0] * space.std + space.mean,
        "shuffled": lambda: rng.standard_normal((400, 4)) * space.std + space.mean,
        "prior": lambda: nulls.prior(space, 400, rng),
        "uniform": lambda: nulls.uniform(space, 400, rng),
    }
    p: dict[str, list[float]] = {name: [] for name in gestures}
    for repetition in range(repetitions):
        for name, draw in gestures.items():
            p[name].append(p_values(reference, draw(), take, space, SETTINGS, repetition, (name,))[name]["p"])
    p["difference"] = []
    for repetition in range(repetitions):
        takes = np.repeat(np.arange(12), 32)
        shared = make_clusters(12, 32, 4, rng)
        reaches = []
        for _ in range(2):
            points = whiten(space, (shared + 0.7 * rng.standard_normal((12, 1, 4))).reshape(-1, 4), reference.rank)
            reaches.append(measure(reference, Motion(points, takes, RATE), SETTINGS.step_s))
        p["difference"].append(p_of_difference(reaches[0], reaches[1], SETTINGS, repetition) or np.nan)
    return [describe(name, np.array(values)) for name, values in p.items()]


def describe(name: str, p: np.ndarray) -> dict[str, object]:
    """Kolmogorov-Smirnov test of p-values, spread within their steps so that the grid they lie on does not count."""
    jitter = np.random.default_rng(9).uniform(0, 1, len(p))
    step = (2 if name != "difference" else 1) / (SETTINGS.n_permutations + 1)
    test = stats.kstest(np.clip(p - step * jitter, 0, 1), "uniform")
    return {
        "null": name,
        "repetitions": len(p),
        "below_0.05": float((p <= 0.05 + 1e-9).mean()),
        "mean": float(p.mean()),
        "ks": float(test.statistic),
        "ks_p": float(test.pvalue),
    }


def main() -> None:
    """Run, show and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    start_s = time.process_time()
    rows = []
    print(f"{'case':24} {'units':8} {'coverage':>9} {'spread':>7} {'width':>6}   held by: coverage precision density")
    for case in CASES:
        row = check_intervals(case, arguments.repetitions)
        rows.append(row)
        c = row["coverage"]
        held = " ".join(f"{100 * row[name]['holds']:9.1f}" for name in ("coverage", "precision", "density"))
        print(
            f"{case[0]:24} {row['units']:8} {c['mean']:9.3f} {c['spread']:7.3f} {c['width']:6.3f}   {held}", flush=True
        )
    tests = check_nulls(arguments.repetitions)
    print(f"\n{'p-value against':16} {'p <= .05':>8} {'mean p':>7} {'KS':>6} {'KS p':>6}")
    for t in tests:
        print(f"{t['null']:16} {t['below_0.05']:8.3f} {t['mean']:7.3f} {t['ks']:6.3f} {t['ks_p']:6.3f}")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    document = {"confidence": SETTINGS.confidence, "intervals": rows, "p_values": tests}
    arguments.out.write_text(json.dumps(document | {"cpu_s": time.process_time() - start_s}, indent=1))
    print(f"written: {arguments.out}")


if __name__ == "__main__":
    main()

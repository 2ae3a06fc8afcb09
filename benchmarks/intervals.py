"""Are the intervals of a coverage report honest, and its p-values uniform under the null?

    python benchmarks/intervals.py [--repetitions 200] [--out FILE]

Intervals: fresh sounds and fresh gestures are drawn again and again from a known process, with files (and takes) that
differ from each other as wholes. An honest 95 % interval holds the mean coverage of that process in 95 % of the
repetitions; the target is 92 to 98 %. Beside the intervals of the report stand two bootstraps over files and takes.
p-values: gestures are drawn from each null itself; a Kolmogorov-Smirnov test
compares the p-values with uniform ones. Prints tables and writes JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats

from audiovae.latent_space import Cloud, LatentSpace
from gesturemap.report import nulls
from gesturemap.report.coverage import CoverageSettings, Motion, Reach, build_reference, measure, whiten
from gesturemap.report.intervals import MIN_TAKES, interval_statistics, resampling_units
from gesturemap.report.significance import p_of_difference, p_values, reached_by_unit

OUT = Path(__file__).parent / "out" / "intervals.json"
RATE = 20.0
SETTINGS = CoverageSettings(n_permutations=99, test_frames=600)
N_DRAWS = 200  # of a bootstrap
STATISTICS = ("coverage", "precision", "density")


class Case(NamedTuple):
    """Sounds and gestures. `spread` is the deviation of the logarithm of the lengths of files and takes."""

    name: str
    n_files: int
    file_frames: int
    n_takes: int
    take_frames: int
    memory: float
    dimensions: int
    spread: float = 0.0


CASES = (
    # An earlier correction was tuned on these six; the present intervals have nothing to tune.
    Case("12 takes", 30, 32, 12, 32, 0.95, 4),
    Case("20 takes", 40, 64, 20, 64, 0.95, 4),
    Case("5 takes", 40, 64, 5, 128, 0.95, 8),
    Case("one take of 60 s", 40, 64, 1, 1200, 0.95, 4),
    Case("one take of 60 s, slow", 40, 64, 1, 1200, 0.98, 8),
    Case("one take of 20 s", 40, 64, 1, 400, 0.95, 4),
    # Made afterwards.
    Case("8 takes, 20 long files", 20, 100, 8, 200, 0.95, 6),
    Case("40 short takes, plane", 60, 24, 40, 12, 0.9, 2),
    Case("4 takes", 25, 48, 4, 80, 0.95, 4),
    Case("16 takes, 8 files", 8, 128, 16, 48, 0.95, 3),
    Case("10 takes, 12 dimensions", 50, 48, 10, 24, 0.95, 12),
    Case("one take of 120 s", 30, 64, 1, 2400, 0.95, 6),
    Case("12 takes, unequal", 30, 50, 12, 50, 0.95, 4, 0.8),
    Case("6 takes, unequal", 40, 60, 6, 100, 0.95, 6, 0.8),
    Case("two takes of 40 s", 30, 64, 2, 800, 0.95, 4),
    Case("one take of 40 s", 25, 64, 1, 800, 0.9, 3),
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


def cut_lengths(walks: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The beginnings of some walks, one after another, and the number of the walk of every frame."""
    parts = [walk[:length] for walk, length in zip(walks, lengths, strict=True)]
    return np.concatenate(parts), np.repeat(np.arange(len(lengths)), lengths)


def draw_lengths(n: int, mean: int, spread: float, rng: np.random.Generator) -> np.ndarray:
    """(n,) frames: all the same, or lognormal about the mean and 6 at least."""
    if not spread:
        return np.full(n, mean)
    return np.maximum(6, (mean * np.exp(spread * rng.standard_normal(n) - spread**2 / 2)).astype(int))


def make_space(
    n_files: int, n_frames: int, dimensions: int, rng: np.random.Generator, spread: float = 0.0
) -> LatentSpace:
    """A model of `n_files` sounds."""
    lengths = draw_lengths(n_files, n_frames, spread, rng)
    latents, file_index = cut_lengths(make_clusters(n_files, int(lengths.max()), dimensions, rng), lengths)
    names = tuple(f"{i}.wav" for i in range(n_files))
    loudness = np.full(len(latents), -20.0)
    cloud = Cloud(latents.astype(np.float32), file_index.astype(np.int32), loudness, names, ("train",) * n_files)
    identity = {"model_id": "0" * 64, "model_name": "known", "family": "spectral", "channels": 1}
    return LatentSpace.from_cloud(cloud, sample_rate=20_000, hop_length=1000, latency_samples=0, **identity)


def draw_reach(case: Case, rng: np.random.Generator) -> Reach:
    """Fresh sounds and a fresh gesture; takes too few to tell apart wander over everything, without a centre."""
    space = make_space(case.n_files, case.file_frames, case.dimensions, rng, case.spread)
    lengths = draw_lengths(case.n_takes, case.take_frames, case.spread, rng)
    if case.n_takes < MIN_TAKES:
        walks = bend(wander(case.n_takes, int(lengths.max()), case.dimensions, case.memory, rng))
    else:
        walks = make_clusters(case.n_takes, int(lengths.max()), case.dimensions, rng, case.memory)
    latents, take = cut_lengths(walks, lengths)
    reference = build_reference(space, SETTINGS)
    return measure(reference, Motion(whiten(space, latents, reference.rank), take, RATE), SETTINGS.step_s)


def bootstrap(reach: Reach, rng: np.random.Generator) -> dict[str, dict[str, np.ndarray]]:
    """(2,) quantiles of draws of files and takes (or blocks) with replacement, radii as they are; two ways to count.

    ``plain``: what is drawn, once or more, is there. ``each``: what only one take (or file) reaches counts as often
    as that is drawn, as if each time stood for another like it, so that the union loses nothing on average.
    """
    unit, _ = resampling_units(reach, SETTINGS)
    reference, n_files, n_units = reach.reference, len(reach.reference.file_names), int(unit[-1]) + 1
    file = rng.multinomial(n_files, np.full(n_files, 1 / n_files), N_DRAWS).T.astype(np.float64)
    take = rng.multinomial(n_units, np.full(n_units, 1 / n_units), N_DRAWS).T.astype(np.float64)
    hit, balls = reached_by_unit(reach, unit).astype(np.float64), reach.balls
    of_frame = file[reference.file_index]
    of_moment = take[unit]
    in_file = balls.copy()
    in_file.data[:] = 1.0
    counted = {}
    for name in ("plain", "each"):
        reached, inside = hit @ take, in_file @ file
        for count, n_parts in ((reached, hit.sum(axis=1)), (inside, in_file.sum(axis=1))):
            many = n_parts > 1 if name == "each" else slice(None)
            count[many] = count[many] > 0
        draws = {
            "coverage": (of_frame * reached).sum(axis=0) / of_frame.sum(axis=0),
            "precision": (of_moment * inside).sum(axis=0) / of_moment.sum(axis=0),
            "density": (of_moment * (balls @ file)).sum(axis=0)
            / (reference.n_neighbours * of_moment.sum(axis=0) * of_frame.mean(axis=0)),
        }
        counted[name] = {key: np.quantile(values, (0.025, 0.975)) for key, values in draws.items()}
    return counted


def check_intervals(case: Case, repetitions: int) -> dict[str, object]:
    """How often the intervals of one case hold the mean, for each statistic and each kind of interval."""
    rng, draws = np.random.default_rng(7), np.random.default_rng(17)
    reaches = (draw_reach(case, rng) for _ in range(repetitions))
    found = [(interval_statistics(reach, SETTINGS), bootstrap(reach, draws)) for reach in reaches]
    row: dict[str, object] = {"case": case.name, "repetitions": repetitions, "units": found[0][0].resampled}
    for name in STATISTICS:
        intervals = [getattr(statistics, name) for statistics, _ in found]
        values = np.array([interval.value for interval in intervals])
        mean = float(values.mean())
        bounds = {"report": np.array([(interval.low, interval.high) for interval in intervals])}
        bounds |= {kind: np.array([drawn[kind][name] for _, drawn in found]) for kind in ("plain", "each")}
        row[name] = {"mean": mean, "spread": float(values.std())} | {
            kind: {
                "holds": float(((low_high[:, 0] <= mean) & (mean <= low_high[:, 1])).mean()),
                "width": float((low_high[:, 1] - low_high[:, 0]).mean()),
            }
            for kind, low_high in bounds.items()
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
    print(f"{'':33} {'':23} {'held by report':>20} {'plain bootstrap':>20} {'each time':>20}")
    print(f"{'case':24} {'units':8} {'coverage':>9} {'spread':>6} {'width':>6} " + 3 * f"{'C     P     D':>21}")
    for case in CASES:
        row = check_intervals(case, arguments.repetitions)
        rows.append(row)
        c = row["coverage"]
        held = "   ".join(
            " ".join(f"{100 * row[name][kind]['holds']:5.1f}" for name in STATISTICS)
            for kind in ("report", "plain", "each")
        )
        print(
            f"{case.name:24} {row['units']:8} {c['mean']:9.3f} {c['spread']:6.3f} {c['report']['width']:6.3f}   {held}",
            flush=True,
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

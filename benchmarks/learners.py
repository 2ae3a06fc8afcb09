"""Wekinator's own network beside our regressors: error, time to train, and what happens between held poses.

    python benchmarks/learners.py [--sizes 100 1000 5000] [--out benchmarks/out/learners.json]

poses  N independent poses, 6 features to 8 latents, noise 0.01; held out: 500 other poses. The task of
       `regressors.py`, on which Wekinator itself was measured: its network is reproduced here number for number.
held   12 poses held for 20 frames each, sensor noise 0.01, as a performer records. Asked: the straight ways between
       each two of them, which the hand will go. Overshoot: how far latents leave the range of those recorded there,
       the worst of each way as a share of that range, and the share of ways that leave it by more than a tenth.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import combinations
from pathlib import Path

import numpy as np
from regressors import N_FEATURES, N_LATENTS, make_poses, smooth_map

from gesturemap.regressors import REGRESSORS, make_regressor

Array = np.ndarray
N_POSES, N_FRAMES, N_STEPS = 12, 20, 21
NAMES = [name for name in REGRESSORS if name != "linear_map"]


def fit(name: str, features: Array, latents: Array) -> tuple[object, float]:
    """A fitted regressor and the wall seconds it took."""
    start = time.perf_counter()
    regressor = make_regressor(name, None, N_FEATURES, N_LATENTS).fit(features, latents)
    return regressor, time.perf_counter() - start


def rmse(predicted: Array, truth: Array) -> float:
    """Root mean square error, the mean over latents."""
    return float(np.sqrt(((predicted - truth) ** 2).mean(axis=0)).mean())


def measure_poses(name: str, n_rows: int) -> dict[str, float]:
    """Held-out error and time to train on independent poses."""
    held, _ = make_poses(500, 1007, 0.0)
    regressor, fit_s = fit(name, *make_poses(n_rows, 7, 0.01))
    return {"rmse": rmse(regressor.predict(held), smooth_map(held)), "fit_s": fit_s}


def measure_held(name: str, seed: int) -> dict[str, float]:
    """Error on the ways between held poses, and overshoot there."""
    rng = np.random.default_rng(seed)
    poses = rng.uniform(0, 1, (N_POSES, N_FEATURES))
    wanted = smooth_map(poses)
    features = np.repeat(poses, N_FRAMES, axis=0)
    features = features + rng.normal(0, 0.01, features.shape)
    regressor, fit_s = fit(name, features, np.repeat(wanted, N_FRAMES, axis=0))
    share = np.linspace(0, 1, N_STEPS)[:, None]
    ways = [poses[i] + share * (poses[j] - poses[i]) for i, j in combinations(range(N_POSES), 2)]
    latents = [regressor.predict(way) for way in ways]
    low, high = wanted.min(axis=0), wanted.max(axis=0)
    beyond = [(np.maximum(low - each, each - high) / (high - low)).max() for each in latents]
    return {
        "rmse_at_poses": rmse(regressor.predict(poses), wanted),
        "rmse_between": rmse(np.concatenate(latents), smooth_map(np.concatenate(ways))),
        "worst_overshoot": float(max(0.0, *beyond)),
        "ways_overshooting": float(np.mean(np.array(beyond) > 0.1)),
        "fit_s": fit_s,
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[100, 1000, 5000])
    parser.add_argument("--seeds", type=int, default=5, help="sets of held poses")
    parser.add_argument("--regressors", nargs="*", default=NAMES)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "out" / "learners.json")
    arguments = parser.parse_args()
    fit("ridge", *make_poses(20, 0, 0.01))  # loads scikit-learn, which is no training
    results: dict[str, dict[str, dict[str, float]]] = {}
    for name in arguments.regressors:
        rows = {f"poses {n}": measure_poses(name, n) for n in arguments.sizes}
        held = [measure_held(name, seed) for seed in range(arguments.seeds)]
        rows["held 12 x 20"] = {key: float(np.mean([each[key] for each in held])) for key in held[0]}
        results[name] = rows
        for material, figures in rows.items():
            print(f"{name:18}{material:14}" + "  ".join(f"{key} {value:.4f}" for key, value in figures.items()))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()

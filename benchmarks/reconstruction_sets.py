"""Are the set distances of `audiovae evaluate` honest, and what do they hear?

    python benchmarks/reconstruction_sets.py --audio DIR [--repetitions 200]

Honest, on synthetic files whose points lie around a centre of their own: p-values of two sets of one kind are uniform
(Kolmogorov-Smirnov test), and 95 % intervals hold the true distance of two kinds. What they hear, on real files against
the same files changed in known ways. Writes benchmarks/out/reconstruction_sets.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy import signal, stats

from audiovae.analysis import set_distance
from audiovae.analysis.patches import EMBEDDINGS, SAMPLE_RATE, embed
from audiovae.analysis.set_distance import compare_sets
from audiovae.corpus.audio_file import find_audio, read_audio

FloatArray = npt.NDArray[np.floating[Any]]

SIZE, N_POINTS = 8, 30
CHANGES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "copy": lambda audio: audio,
    "1 dB louder": lambda audio: 10 ** (1 / 20) * audio,
    "6 dB louder": lambda audio: 10 ** (6 / 20) * audio,
    "noise at -60 dB": lambda audio: audio + 0.001 * np.random.default_rng(0).standard_normal(audio.shape),
    "noise at -40 dB": lambda audio: audio + 0.01 * np.random.default_rng(0).standard_normal(audio.shape),
    "lowpass 8 kHz": lambda audio: signal.sosfilt(signal.butter(6, 8000, fs=SAMPLE_RATE, output="sos"), audio),
    "lowpass 2 kHz": lambda audio: signal.sosfilt(signal.butter(6, 2000, fs=SAMPLE_RATE, output="sos"), audio),
    "backwards": lambda audio: audio[:, ::-1],
}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, required=True)
    parser.add_argument("--repetitions", type=int, default=200)
    arguments = parser.parse_args()
    result: dict[str, Any] = {"repetitions": arguments.repetitions, "synthetic": [], "changes": []}
    for paired in (True, False):
        for n_files in (6, 13, 40):
            result["synthetic"].append(check(paired, n_files, arguments.repetitions))
    originals = [read_audio(path, SAMPLE_RATE, 1)[0] for path in find_audio([arguments.audio])]
    real = [embed(audio) for audio in originals]
    for name, change in CHANGES.items():
        changed = [embed(np.asarray(change(audio), dtype=np.float32)) for audio in originals]
        row: dict[str, Any] = {"change": name}
        for embedding in EMBEDDINGS:
            both = [(a[embedding], b[embedding]) for a, b in zip(real, changed, strict=True)]
            kept = [(a, b) for a, b in both if len(a) and len(b)]
            found = compare_sets([a for a, _ in kept], [b for _, b in kept], paired=True)
            row |= {embedding: found["value"], f"{embedding} ratio": found["ratio"], f"{embedding} p": found["p"]}
        result["changes"].append(row)
    for rows in (result["synthetic"], result["changes"]):
        table = Table(*rows[0])
        for row in rows:
            table.add_row(*(f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values()))
        Console().print(table)
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    (out / "reconstruction_sets.json").write_text(json.dumps(result, indent=1))


def check(paired: bool, n_files: int, repetitions: int) -> dict[str, Any]:
    """Uniformity of p under the null, and coverage of the interval where the true distance is 1."""
    set_distance.N_SPLITS = 1  # not asked here
    p_values, held = [], 0
    for seed in range(repetitions):
        rng = np.random.default_rng(seed)
        real = draw_files(rng, n_files)
        p_values.append(compare_sets(real, draw_files(rng, n_files), paired, seed)["p"])
        moved = real if paired else draw_files(rng, n_files)
        shift = np.eye(SIZE)[0]
        # A pair differs by the shift and by an error of each file and point, which widen the copies: 1.2^2 in all.
        other = [
            points
            + shift
            + (rng.standard_normal(SIZE) * 0.3 + 0.3 * rng.standard_normal(points.shape) if paired else 0)
            for points in moved
        ]
        found = compare_sets(real, other, paired, seed)
        held += found["low"] <= true_distance(paired) <= found["high"]
    rng = np.random.default_rng(0)
    jittered = np.array(p_values) - rng.uniform(0, 1 / (1 + set_distance.N_PERMUTATIONS), repetitions)
    return {
        "paired": paired,
        "files": n_files,
        "p uniform (KS p)": float(stats.kstest(jittered, "uniform").pvalue),
        "p < 0.05": float(np.mean(np.array(p_values) <= 0.05)),
        "95 % interval holds": held / repetitions,
    }


def draw_files(rng: np.random.Generator, n_files: int) -> list[FloatArray]:
    """Files (N_POINTS, SIZE) of variance 1: 0.75 between files, 0.25 within."""
    centres = np.sqrt(0.75) * rng.standard_normal((n_files, 1, SIZE))
    return list(centres + 0.5 * rng.standard_normal((n_files, N_POINTS, SIZE)))


def true_distance(paired: bool) -> float:
    """Of the kinds that `check` draws: a shift of 1, and copies of variance 1 + 0.09 + 0.09."""
    return 1.0 + (SIZE * (np.sqrt(1.18) - 1.0) ** 2 if paired else 0.0)


if __name__ == "__main__":
    main()

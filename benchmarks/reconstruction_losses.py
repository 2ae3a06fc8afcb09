"""Which reconstruction loss is the default: short runs of the spectral preset, one for each loss.

    python benchmarks/reconstruction_losses.py --train DIR --test DIR [--steps 600] [--work DIR]

Each loss trains on the training folder and is judged on the test folder: log-mel RMSE in deviations of each band
(what MSE minimises, so it starts with an advantage there), and the distances of `audiovae evaluate` on the decoded
sound. Writes benchmarks/out/reconstruction_losses.json.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from audiovae.analysis.reconstruction import METRICS
from audiovae.codecs.spectral import SpectralCodec
from audiovae.conversion import evaluate_model
from audiovae.corpus.audio_file import find_audio
from audiovae.corpus.prepare import prepare
from audiovae.export.exporter import export_model
from audiovae.player import load_audio
from audiovae.training.losses import RECONSTRUCTION_LOSSES
from audiovae.training.run import start_training


def main() -> None:
    """Train, judge, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--work", type=Path, default=None)
    arguments = parser.parse_args()
    work = arguments.work or Path(tempfile.mkdtemp())
    prepare([arguments.train], work / "corpus")
    rows = []
    for loss in RECONSTRUCTION_LOSSES:
        overrides = [f"training.reconstruction={loss}", "model.capacity=128"]
        start_training(
            "spectral", work / "corpus", work / loss, overrides=overrides, max_steps=arguments.steps, device="cpu"
        )
        export_model(work / loss, work / f"{loss}.model")
        means = evaluate_model(work / f"{loss}.model", arguments.test)["means"]
        means = {name: means[name] for name in METRICS}
        rows.append({"loss": loss, "log_mel_rmse": measure_rmse(work / f"{loss}.model", arguments)} | means)
    table = Table(*rows[0])
    for row in rows:
        table.add_row(row["loss"], *(f"{value:.3f}" for key, value in row.items() if key != "loss"))
    Console().print(table)
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    (out / "reconstruction_losses.json").write_text(json.dumps({"steps": arguments.steps, "rows": rows}, indent=1))


def measure_rmse(model_dir: Path, arguments: argparse.Namespace) -> float:
    """Log-mel RMSE on the test folder, in deviations of each band over the training folder."""
    codec = SpectralCodec(model_dir)
    rate = codec.transform.settings.sample_rate
    specs = {
        split: [
            codec.transform.compress(codec.transform.mel_blocks(load_audio(path, rate, 1)[0], codec.stride))
            for path in find_audio([folder])
        ]
        for split, folder in (("train", arguments.train), ("test", arguments.test))
    }
    std = np.concatenate(specs["train"], axis=1).std(axis=1, keepdims=True)
    squares = [((codec.decode_spec(codec.encode_spec(x)) - x) / std) ** 2 for x in specs["test"]]
    return float(np.sqrt(np.concatenate(squares, axis=1).mean()))


if __name__ == "__main__":
    main()

"""Held-out log-mel RMSE of a spectral model folder against PCA of the same patches.

    python benchmarks/spectral_against_pca.py MODEL_DIR --train DIR --test DIR

Frames are standardised by the mean and deviation of each band over the training folder; PCA is fitted on
patches of `stride` frames of the training folder. Writes benchmarks/out/spectral_against_pca.json.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from audiovae.codecs.spectral import SpectralCodec
from audiovae.corpus.audio_file import find_audio
from audiovae.player import load_audio


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model_dir", type=Path, nargs="+")
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    arguments = parser.parse_args()
    rows = []
    for model_dir in arguments.model_dir:
        codec = SpectralCodec(model_dir)
        splits = {"train": read_specs(codec, arguments.train), "held_out": read_specs(codec, arguments.test)}
        frames = np.concatenate(splits["train"], axis=1)
        mean, std = frames.mean(axis=1, keepdims=True), frames.std(axis=1, keepdims=True)
        if not rows:
            rows += [measure_pca(splits, mean, std, codec.stride, size) for size in (4, 8, 16, 32)]
        row = {"model": str(model_dir.name), "latent_size": codec.encode_spec(frames[:, : codec.stride]).shape[1]}
        for split, specs in splits.items():
            squares = [((codec.decode_spec(codec.encode_spec(x)) - x) / std) ** 2 for x in specs]
            row[split] = float(np.sqrt(np.concatenate(squares, axis=1).mean()))
        rows.append(row)
    table = Table("model", "latent size", "train RMSE", "held-out RMSE")
    for row in rows:
        table.add_row(row["model"], str(row["latent_size"]), f"{row['train']:.3f}", f"{row['held_out']:.3f}")
    Console().print(table)
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    (out / "spectral_against_pca.json").write_text(json.dumps(rows, indent=1))


def read_specs(codec: SpectralCodec, folder: Path) -> list[np.ndarray]:
    """Log-mel frames of every file of a folder, in whole latent frames."""
    rate = codec.transform.settings.sample_rate
    sounds = (load_audio(path, rate, 1)[0] for path in find_audio([folder]))
    return [codec.transform.compress(codec.transform.mel_blocks(sound, codec.stride)) for sound in sounds]


def measure_pca(splits: dict[str, list[np.ndarray]], mean: np.ndarray, std: np.ndarray, stride: int, size: int) -> dict:
    """RMSE of a PCA of `size` components on patches of `stride` standardised frames."""

    def patches(specs: list[np.ndarray]) -> np.ndarray:
        return np.concatenate([((x - mean) / std).T.reshape(-1, stride * len(x)) for x in specs])

    train = patches(splits["train"])
    centre = train.mean(axis=0)
    basis = np.linalg.eigh(np.cov(train, rowvar=False))[1][:, ::-1][:, :size]
    row = {"model": f"PCA of {stride}-frame patches", "latent_size": size}
    for split, specs in splits.items():
        x = patches(specs) - centre
        row[split] = float(np.sqrt(((x - x @ basis @ basis.T) ** 2).mean()))
    return row


if __name__ == "__main__":
    main()

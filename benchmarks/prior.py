"""The prior against a Gaussian and a linear autoregression, on held-out files; and its samples against the data.

    audiovae train prior --set model=MODEL_DIR --corpus CORPUS --run RUN
    python benchmarks/prior.py RUN

Frames are those the run trained on, files joined in one random order. The order of the linear model is chosen on the
held-out frames, which favours it. Distances of samples are Wasserstein-1 in deviations of a dimension; what training
and held-out frames have between them is what to expect of a perfect prior. Writes benchmarks/out/prior.json.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from scipy.stats import wasserstein_distance

from audiovae.corpus.corpus import Corpus
from audiovae.dsp.autoregression import Autoregression, choose_autoregression, fit_diagonal, measure_nats
from audiovae.generation.prior import sample_prior
from audiovae.generation.prior_run import RunPrior
from audiovae.player import Player
from audiovae.training.corpus_latents import encode_corpus
from audiovae.training.prior_task import join_files, score_latents
from audiovae.training.run import Run

TEMPERATURES = (0.5, 0.8, 1.0, 1.2)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float, default=5.0, help="of samples")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    run, prior = Run.open(arguments.run), RunPrior(arguments.run)
    player, corpus = Player(run.settings.model), Corpus.open(run.corpus)
    latents = list(zip(encode_corpus(player, corpus, run.path), corpus.files, strict=True))
    train, held_out = (
        join_files([table for table, file in latents if file.split == split]) for split in ("train", "validation")
    )
    linear = choose_autoregression(train, held_out)
    n_frames = round(60 * arguments.minutes * player.space.latent_rate)
    sources = {"training": train, "held out": held_out}
    for heat in TEMPERATURES:
        sources[f"prior, temperature {heat:g}"] = sample_prior(prior, n_frames, heat, arguments.seed)
    order = len(linear.coefficients)
    sources[f"autoregression, order {order}"] = sample_linear(linear, n_frames, arguments.seed)
    result = {
        "model": player.space.model_name,
        "frames": {"training": len(train), "held out": len(held_out), "sampled": n_frames},
        "nats_per_frame_and_dimension": measure_densities(prior, linear, train, held_out),
        "marginals": {name: measure_marginals(frames, train) for name, frames in sources.items()},
    }
    show(result)
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    (out / "prior.json").write_text(json.dumps(result, indent=1))


@torch.no_grad()
def measure_densities(
    prior: RunPrior, linear: Autoregression, train: np.ndarray, held_out: np.ndarray
) -> dict[str, dict[str, float]]:
    """Log-likelihood of both sequences under each model."""
    gaussian, splits = fit_diagonal(train), {"training": train, "held out": held_out}
    return {
        "diagonal Gaussian": {name: measure_nats(gaussian, frames) for name, frames in splits.items()},
        f"autoregression, order {len(linear.coefficients)}": {
            name: measure_nats(linear, frames) for name, frames in splits.items()
        },
        "prior": {name: score_latents(prior.model, frames) for name, frames in splits.items()},
    }


def sample_linear(model: Autoregression, n_frames: int, seed: int) -> np.ndarray:
    """(n_frames, size) drawn from an autoregression, for comparison."""
    rng = np.random.default_rng(seed)
    order, size = len(model.coefficients), len(model.mean)
    frames = np.zeros((order + n_frames, size))
    for index in range(order, len(frames)):
        past = sum(matrix @ frames[index - lag] for lag, matrix in enumerate(model.coefficients, start=1))
        frames[index] = past + model.factor @ rng.standard_normal(size)
    return model.mean + model.std * frames[order:]


def measure_marginals(frames: np.ndarray, train: np.ndarray) -> dict[str, list[float]]:
    """Each dimension for itself, all in deviations of the training frames."""
    mean, std = train.mean(axis=0), train.std(axis=0)
    x, reference = (frames - mean) / std, (train - mean) / std
    low, middle, high = np.quantile(x, (0.01, 0.5, 0.99), axis=0)
    centred = x - x.mean(axis=0)
    figures = {
        "mean": x.mean(axis=0),
        "std": x.std(axis=0),
        "q01": low,
        "q50": middle,
        "q99": high,
        "lag_1": (centred[1:] * centred[:-1]).sum(axis=0) / (centred**2).sum(axis=0),
        "w1": np.array([wasserstein_distance(a, b) for a, b in zip(x.T, reference.T, strict=True)]),
    }
    return {name: [round(float(value), 4) for value in values] for name, values in figures.items()}


def show(result: dict) -> None:
    """Densities; marginals, averaged over dimensions and of each."""
    console = Console(width=140)
    table = Table("nats per frame and dimension", "training", "held out")
    for name, nats in result["nats_per_frame_and_dimension"].items():
        table.add_row(name, *(f"{nats[split]:.3f}" for split in ("training", "held out")))
    console.print(table)
    names = list(result["marginals"]["training"])
    table = Table("mean over dimensions (w1: largest too)", *names, "largest w1")
    for source, figures in result["marginals"].items():
        means = [float(np.mean(np.abs(figures[name]) if name == "mean" else figures[name])) for name in names]
        table.add_row(source, *(f"{value:.2f}" for value in means), f"{max(figures['w1']):.2f}")
    console.print(table)
    for name in names:
        table = Table(name, *(f"latent {index}" for index in range(len(result["marginals"]["training"]["mean"]))))
        for source, figures in result["marginals"].items():
            table.add_row(source, *(f"{value:.2f}" for value in figures[name]))
        console.print(table)


if __name__ == "__main__":
    main()

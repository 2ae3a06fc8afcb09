"""The model card, the README.md of a model folder."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from audiovae.corpus.corpus import Corpus
from audiovae.export.family import ModelExport
from audiovae.latent_space import LatentSpace
from audiovae.training.logs import read_log
from audiovae.training.run import Run

_TEMPLATE = """\
# {name}

{family} model, {latent_size} latents at {latent_rate:.2f} Hz, {sample_rate} Hz, {channels} channel(s).

| | |
|---|---|
| model id | `{model_id}` |
| hop length | {hop_length} samples |
| latency | {latency_samples} samples ({latency_ms:.1f} ms), encode plus decode |
| trained | {steps} steps, best held-out score at step {best_step} |
| corpus | {n_files} files, {minutes:.1f} minutes, of which {n_validation} files held out |
| largest difference to the trained model | {parity} |
| made with | gesturemap {version} |

## How well it knows its sounds

{scores}

Held-out files were never trained on: what is measured there is what the model can do with a new sound.

## Its latents

Principal axes of the encoder's means, most informative first.

| latent | mean | std | 1 % | 99 % | variance explained so far |
|---|---|---|---|---|---|
{latents}

## Its latency

{playing}

## Limits

{limits}
A mapping made for this model fits no other.
The licence of the sounds it was trained on decides what may be done with it: see the corpus' own card.
"""


def write_card(
    folder: Path, space: LatentSpace, model: ModelExport, run: Run, corpus: Corpus, parity: dict[str, float]
) -> None:
    """Write ``README.md`` into `folder`."""
    rows = read_log(run.path)
    validations = [row for row in rows if row["kind"] == "validation"]
    # Scores of two stages of training do not compare, and the later one is exported once it was reached.
    validations = [row for row in validations if row["step"] > model.scored_from] or validations
    best = min(validations, key=lambda row: row["score"], default=None)
    low, high = space.quantile(0.01), space.quantile(0.99)
    latents = "\n".join(
        f"| {i} | {space.mean[i]:.2f} | {space.std[i]:.2f} | {low[i]:.2f} | {high[i]:.2f} "
        f"| {space.explained_variance[i]:.1%} |"
        for i in range(space.latent_size)
    )
    scores = "No validation was logged."
    if best:
        figures = "\n".join(f"| {label} | {best[key]:.3f} |" for key, label in model.figures.items())
        scores = f"| {model.metric} | |\n|---|---|\n{figures}"
    text = _TEMPLATE.format(
        name=space.model_name,
        family=space.family,
        latent_size=space.latent_size,
        latent_rate=space.latent_rate,
        sample_rate=space.sample_rate,
        channels=space.channels,
        model_id=space.model_id,
        hop_length=space.hop_length,
        latency_samples=space.latency_samples,
        latency_ms=1000 * space.latency_samples / space.sample_rate,
        steps=rows[-1]["step"] if rows else "?",
        best_step=best["step"] if best else "?",
        n_files=len(corpus.files),
        minutes=corpus.duration_s / 60,
        n_validation=len(corpus.split("validation")),
        parity=", ".join(f"{name} {value:.1e}" for name, value in parity.items()),
        version=version("gesturemap"),
        scores=scores,
        playing=model.describe_latency(space),
        limits=model.limits,
        latents=latents,
    )
    (folder / "README.md").write_text(text)

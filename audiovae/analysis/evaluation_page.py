"""The page of an evaluation: one HTML file that needs nothing else, written by ``evaluation.html`` from the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.analysis.evaluation import name_models
from audiovae.analysis.evaluation_answer import PRIMARY, PRIMARY_NAME
from audiovae.analysis.evaluation_figures import draw_files, draw_sets, draw_spectrogram, peak_level_db
from audiovae.analysis.page import fill_page
from audiovae.analysis.patches import EMBEDDINGS
from audiovae.analysis.reconstruction import METRICS
from audiovae.analysis.snippets import embed_audio
from audiovae.latent_space import replace_text
from audiovae.player import Player, load_audio

FloatArray = npt.NDArray[np.floating[Any]]

EXAMPLE_S = 4.0
FIGURE_WORDS = {  # figure -> heading of its column, and what it is
    "mel_lsd_db": ("mel LSD, dB", "log-spectral distance of 128 mel bands: what is heard of the spectrum"),
    "lsd_db": ("LSD, dB", "log-spectral distance of all frequencies, mean over four window lengths"),
    "loudness_error_db": ("loudness, dB", "mean absolute difference of A-weighted level"),
    "spectral_convergence_db": ("convergence, dB", "error of magnitudes over magnitudes; 0 is what silence scores"),
    "msd": ("MSD", "RAVE's multi-scale spectral distance, the sum of the next two"),
    "msd_linear": ("MSD linear", "its term of magnitudes: the loud parts"),
    "msd_log": ("MSD log", "its term of log magnitudes: the quiet parts count as much, even below hearing"),
    "si_sdr_db": ("SI-SDR, dB", "waveform against waveform; more is nearer"),
}


@dataclass(frozen=True)
class Sound:
    """Something to listen to: what it is called, a figure if it has one, and two ``data:`` addresses."""

    name: str
    remark: str
    audio: str
    picture: str


def write_page(path: Path, result: Mapping[str, Any], model_dirs: Sequence[Path]) -> None:
    """Write the page of what `audiovae.conversion.evaluate_models`, or ``evaluate_model``, returned.

    The models of `model_dirs` decode the examples once more: sounds are not kept while they are measured.
    """
    from markupsafe import Markup

    models = result.get("models", [result])
    names = name_models(models)
    page = fill_page(
        "evaluation.html",
        answer=result["answer"],
        models=models,
        names=names,
        comparisons=result.get("comparisons", []),
        generated=result.get("generated"),
        figures={name: Markup(svg) for name, svg in draw_figures(models, names, result.get("generated")).items()},
        examples=cut_examples(models, names, model_dirs),
        words=FIGURE_WORDS,
        lower_wins=METRICS,
        primary=PRIMARY,
        embeddings=EMBEDDINGS,
        stem=lambda file: Path(file).stem,
        number=show_number,
        p_value=lambda p: "–" if p is None else "< 0.001" if p < 0.001 else f"{p:.2g}",
    )
    replace_text(path, page)


def draw_figures(
    models: Sequence[Mapping[str, Any]], names: Sequence[str], generated: Mapping[str, Any] | None
) -> dict[str, str]:
    """Every picture of the page, an ``<svg>`` element each; those without numbers are left out."""
    drawn = {}
    if any(model["means"][PRIMARY] is not None for model in models):
        drawn["files"] = draw_files(models, names, PRIMARY, f"{PRIMARY_NAME}, dB")
    sets = [(name, i, model["set_distances"]) for i, (name, model) in enumerate(zip(names, models, strict=True))]
    if generated:
        sets.append(("generated", 1, generated["set_distances"]))
    for embedding, what in (("mel", "log-mel patches, dB²"), ("descriptors", "descriptors")):
        rows = [(name, i, found[embedding]) for name, i, found in sets if found[embedding] and found[embedding]["null"]]
        if rows:
            drawn[embedding] = draw_sets(rows, f"Frechet distance of {what}", embedding)
    return drawn


def cut_examples(
    models: Sequence[Mapping[str, Any]], names: Sequence[str], model_dirs: Sequence[Path]
) -> list[tuple[str, str, list[Sound]]]:
    """The file that the first model is nearest to, one in the middle, the furthest: title, name, sounds.

    Each is the 4 s of most power of the original, and the same of what every model decodes.
    """
    rows = [(row[PRIMARY], i) for i, row in enumerate(models[0]["files"]) if row[PRIMARY] is not None]
    if not rows:
        return []
    rows.sort()
    places = {0: "the nearest", len(rows) // 2: "in the middle", len(rows) - 1: "the furthest"}
    players = [Player(model_dir) for model_dir in model_dirs]
    examples = []
    for place, title in places.items():
        same = [model["files"][rows[place][1]] for model in models]
        sounds = _cut_sounds(Path(same[0]["file"]), players, names, [row[PRIMARY] for row in same])
        examples.append((title, Path(same[0]["file"]).stem, sounds))
    return examples


def show_number(value: float | None) -> str:
    """Three digits that count and a real minus; a dash for None."""
    if value is None:
        return "–"
    value = round(value, 2) + 0.0  # no minus before a zero
    digits = 0 if abs(value) >= 1000 else 2 if abs(value) < 10 else 1
    return f"{value:.{digits}f}".replace("-", "−")


def _cut_sounds(path: Path, players: Sequence[Player], names: Sequence[str], scores: Sequence[float]) -> list[Sound]:
    rate, channels = players[0].space.sample_rate, players[0].space.channels
    original = load_audio(path, rate, channels)
    start_s = _loudest_start_s(original, rate)
    cut = _cut(original, start_s, rate)
    top_db = peak_level_db(cut, rate)
    sounds = [Sound("original", "", embed_audio(cut, rate), draw_spectrogram(cut, rate, top_db))]
    for player, name, score in zip(players, names, scores, strict=True):
        space = player.space
        decoded = player.decode(player.encode(load_audio(path, space.sample_rate, space.channels)))
        cut = _cut(decoded, start_s, space.sample_rate)
        remark = "not compared" if score is None else f"{score:.1f} dB"
        picture = draw_spectrogram(cut, space.sample_rate, top_db)
        sounds.append(Sound(name, remark, embed_audio(cut, space.sample_rate), picture))
    return sounds


def _cut(audio: FloatArray, start_s: float, sample_rate: int) -> FloatArray:
    start = round(start_s * sample_rate)
    return audio[:, start : start + round(EXAMPLE_S * sample_rate)]


def _loudest_start_s(audio: FloatArray, sample_rate: int) -> float:
    """Second at which the `EXAMPLE_S` of most power begin."""
    length = round(EXAMPLE_S * sample_rate)
    if audio.shape[1] <= length:
        return 0.0
    power = np.concatenate([[0.0], np.cumsum((audio.astype(np.float64) ** 2).mean(axis=0))])
    return int(np.argmax(power[length:] - power[:-length])) / sample_rate

"""The pictures of an evaluation, each one SVG string; spectrograms are small PNGs."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.analysis.svg import BLUE, GREEN, GREY, ORANGE, PINK, new_figure, style, to_svg
from audiovae.dsp.mel import mel_filter_bank
from audiovae.dsp.stft import stft

FloatArray = npt.NDArray[np.floating[Any]]

COLOURS = (BLUE, ORANGE, GREEN, PINK)  # of the models, in order; a fifth starts again with another mark
MARKS = ("o", "s", "D", "^")
MAX_FILES = 40
_N_FFT, _HOP_LENGTH, _N_MELS, _RANGE_DB = 2048, 512, 96, 70.0


@style()
def draw_files(models: Sequence[Mapping[str, Any]], names: Sequence[str], figure_name: str, label: str) -> str:
    """One figure of every file, a dot for each model; files in the order of the first model, the nearest first."""
    rows = [
        (Path(same[0]["file"]).stem, [row[figure_name] for row in same])
        for same in zip(*(model["files"] for model in models), strict=True)
        if any(row[figure_name] is not None for row in same)
    ]
    rows.sort(key=lambda row: min(value for value in row[1] if value is not None))
    shown = [rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MAX_FILES)).astype(int))]
    figure, (axes,) = new_figure(0.9 + 0.27 * len(shown))
    for place, (_, values) in enumerate(shown):
        known = [value for value in values if value is not None]
        axes.plot([min(known), max(known)], [place, place], color=GREY, linewidth=1.2, zorder=1)
    for i, name in enumerate(names):
        places = [(values[i], place) for place, (_, values) in enumerate(shown) if values[i] is not None]
        axes.plot(
            *np.array(places).T, MARKS[i // len(COLOURS) % len(MARKS)], color=_colour(i), markersize=6, label=name
        )
    axes.set_yticks(range(len(shown)), [name if len(name) < 24 else name[:22] + "…" for name, _ in shown])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set(xlim=(0, None), xlabel=label)
    if len(names) > 1:
        figure.legend(loc="outside upper left", ncols=min(len(names), 3), handletextpad=0.3, columnspacing=1.4)
    return to_svg(figure, "files", f"{label} of every file")


@style()
def draw_sets(rows: Sequence[tuple[str, int, Mapping[str, Any]]], unit: str, name: str) -> str:
    """Distances of sets from other originals, over the band of what originals are from each other.

    `rows` are (label, position of the model, what `compare_sets` returned); all have a null, the first one's is drawn.
    """
    figure, (axes,) = new_figure(0.95 + 0.34 * len(rows))
    null = rows[0][2]["null"]
    axes.axvspan(null["low"], null["high"], color=GREY, alpha=0.22, linewidth=0)
    axes.axvline(null["median"], color=GREY, linewidth=1.6, label="originals from each other")
    for place, (_, position, found) in enumerate(rows):
        crossed = found["crossed"]
        axes.plot([crossed["low"], crossed["high"]], [place, place], color=_colour(position), linewidth=2)
        axes.plot([crossed["median"]], [place], "o", color=_colour(position), markersize=7)
    axes.set_yticks(range(len(rows)), [label for label, _, _ in rows])
    axes.set(xscale="log", ylim=(len(rows) - 0.5, -0.5))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    axes.tick_params(axis="x", which="both", length=3.5, pad=3.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(unit)
    figure.legend(loc="outside upper left", handlelength=1.2)
    return to_svg(figure, name, "Frechet distance of half the sounds from the other half of the originals")


def draw_spectrogram(audio: FloatArray, sample_rate: int, top_db: float) -> str:
    """A ``data:`` address of a PNG: log-mel spectrogram of (channels, samples), low below, 70 dB down from `top_db`."""
    from matplotlib.image import imsave

    buffer = io.BytesIO()
    level_db = _mel_level_db(audio, sample_rate)
    imsave(buffer, level_db, vmin=top_db - _RANGE_DB, vmax=top_db, cmap="magma", origin="lower", format="png")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def peak_level_db(audio: FloatArray, sample_rate: int) -> float:
    """The loudest point of a sound's spectrogram, for `draw_spectrogram`."""
    return float(_mel_level_db(audio, sample_rate).max())


def _mel_level_db(audio: FloatArray, sample_rate: int) -> FloatArray:
    mono = np.asarray(audio, dtype=np.float32).mean(axis=0)
    bank = mel_filter_bank(sample_rate, _N_FFT, _N_MELS)
    magnitudes = np.abs(stft(mono, _N_FFT, _HOP_LENGTH))
    return np.asarray(20.0 * np.log10(np.maximum(bank @ magnitudes, 1e-7)))


def _colour(position: int) -> str:
    return COLOURS[position % len(COLOURS)]

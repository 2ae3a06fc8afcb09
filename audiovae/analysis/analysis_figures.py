"""The pictures of an analysis, each one SVG string."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.analysis.dependence import ALPHA, Association
from audiovae.analysis.dimensions import FIDELITIES
from audiovae.analysis.exploration import Journey
from audiovae.analysis.svg import BLUE, GREEN, GREY, INK, ORANGE, PINK, new_figure, style, to_svg
from audiovae.latent_space import LatentSpace

FloatArray = npt.NDArray[np.floating[Any]]

MAX_DIMENSIONS = 32
PANELS = {"loudness": "dBA", "centroid": "centroid, Hz", "flatness": "flatness", "f0": "F0, Hz"}
FREQUENCIES = ("centroid", "f0")


@style()
def draw_fidelity(corpus: LatentSpace, exported: LatentSpace) -> str:
    """Share of the variance in the first principal components, of the corpus and of the model's own reference."""
    figure, (axes,) = new_figure(2.8)
    n = np.arange(1, corpus.latent_size + 1)
    axes.plot(n, exported.explained_variance, "--", color=GREY, label="reference in the model folder")
    axes.plot(n, corpus.explained_variance, "o-", color=BLUE, markersize=4, label="this corpus")
    for fidelity in FIDELITIES:
        axes.axhline(fidelity, color=GREY, linewidth=0.6, alpha=0.5)
    rank = corpus.fidelity_rank()
    axes.plot([rank, rank], [0, corpus.explained_variance[rank - 1]], ":", color=ORANGE, linewidth=1.6)
    axes.annotate(f"{rank} for 0.95", (rank, 0.06), (-5, 0), textcoords="offset points", ha="right", color=ORANGE)
    axes.set(xlabel="principal components", ylabel="fidelity", ylim=(0, 1.03), yticks=[0, 0.5, *FIDELITIES])
    axes.set_yticklabels(["0", "0.5", "0.8", "0.9", "", "0.99"])
    axes.locator_params(axis="x", integer=True, nbins=9)
    figure.legend(loc="outside upper left", ncols=2, handlelength=1.6)
    return to_svg(figure, "fidelity", "Fidelity curve: share of the variance in the first principal components")


@style()
def draw_associations(found: Sequence[Association], names: Sequence[str]) -> str:
    """Rank correlations as a table of colours; a number stands where it is significant after Holm."""
    size = min(MAX_DIMENSIONS, 1 + max(one.dimension for one in found))
    figure, (axes,) = new_figure(0.9 + 0.32 * size)
    for one in found:
        if one.dimension >= size:
            continue
        x, y = names.index(one.descriptor), one.dimension
        colour = ORANGE if one.rho > 0 else BLUE
        axes.fill([x - 0.5, x + 0.5, x + 0.5, x - 0.5], [y - 0.5, y - 0.5, y + 0.5, y + 0.5], color=colour,
                  alpha=min(1.0, abs(one.rho)) ** 1.3 * 0.9, linewidth=0)  # fmt: skip
        if one.p_holm < ALPHA:
            axes.text(x, y, f"{one.rho:+.2f}".replace("-", "−"), ha="center", va="center", fontsize=8.5)
    axes.set_xticks(range(len(names)), names, fontsize=8.5)
    axes.set_yticks(range(size), [str(i) for i in range(size)])
    axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(size - 0.5, -0.5), ylabel="latent dimension")
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    return to_svg(figure, "associations", "Rank correlation of every latent dimension with every descriptor")


@style()
def draw_curves(
    journeys: Sequence[tuple[Journey, str]], rate: float, name: str, xlabel: str, x: FloatArray | None
) -> str:
    """Descriptor curves of one or several journeys, each under its label, one panel a descriptor.

    Parameters
    ----------
    x : where every frame stands on the axis; seconds if None.
    """
    figure, panels = new_figure(3.9, 2, 2)
    for place, (journey, label) in enumerate(journeys):
        at = np.arange(len(journey.latents)) / rate if x is None else x
        for axes, descriptor in zip(panels, PANELS, strict=True):
            values = journey.curves[descriptor]
            colour = (BLUE, ORANGE, GREEN, PINK)[place % 4]
            dots = "." if descriptor == "f0" else ""
            axes.plot(at, values, dots + "-", color=colour, linewidth=1.2, markersize=3, label=label, alpha=0.85)
    for axes, (descriptor, label) in zip(panels, PANELS.items(), strict=True):
        _scale(axes, descriptor, [journey.curves[descriptor] for journey, _ in journeys])
        axes.set_title(label, fontsize=9.5, loc="left")
        axes.locator_params(axis="x", nbins=5)
    for axes in panels[2:]:
        axes.set_xlabel(xlabel)
    if len(journeys) > 1:
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=len(journeys), handlelength=1.4)
    return to_svg(figure, name, f"Descriptors of the sound: {name.replace('_', ' ')}")


@style()
def draw_cycle(cycles: dict[str, dict[str, Any]]) -> str:
    """Correlation of every dimension with what returns of it, a row of marks a kind of path."""
    size = min(MAX_DIMENSIONS, len(next(iter(cycles.values()))["correlation"]))
    figure, (axes,) = new_figure(0.9 + 0.26 * size)
    for (label, cycle), colour, shift in zip(cycles.items(), (BLUE, ORANGE), (-0.14, 0.14), strict=False):
        values = [np.nan if r is None else r for r in cycle["correlation"][:size]]
        axes.plot(values, np.arange(size) + shift, "o", color=colour, markersize=5, label=label)
    axes.axvline(1.0, color=INK, linewidth=0.6)
    axes.axvline(0.0, color=GREY, linewidth=0.6)
    axes.set_yticks(range(size))
    axes.set(ylim=(size - 0.5, -0.5), xlabel="correlation of a latent with what returns of it", ylabel="dimension")
    axes.set_xlim(min(-0.05, axes.get_xlim()[0]), 1.05)
    figure.legend(loc="outside upper left", ncols=2, handlelength=1.0)
    return to_svg(figure, "cycle", "Decode-encode cycle: correlation of every dimension with what returns of it")


def _scale(axes: Any, descriptor: str, series: Sequence[FloatArray]) -> None:
    known = np.concatenate(series)
    known = known[np.isfinite(known)]
    if not len(known):
        axes.set(ylim=(0, 1), yticks=[])
        axes.text(0.5, 0.5, "nothing audible" if descriptor != "f0" else "no pitch", ha="center", va="center",
                  transform=axes.transAxes, color=GREY)  # fmt: skip
    elif descriptor in FREQUENCIES:
        axes.set_yscale("log", base=2)
        octaves = 1000.0 * 2.0 ** np.arange(-5, 5)
        axes.set_yticks(octaves, [f"{hz / 1000:.3g}k" if hz >= 1000 else f"{hz:.0f}" for hz in octaves])
        low, high = max(known.min(), 20.0) * 0.8, max(known.max(), 40.0) * 1.25
        middle = np.sqrt(low * high)  # two octaves at least, so that a held pitch has marks on its axis
        axes.set_ylim(min(low, middle / 2), max(high, middle * 2))
    elif descriptor == "loudness":
        axes.set_ylim(max(known.min(), -80.0) - 4, max(known.max(), -75.0) + 4)

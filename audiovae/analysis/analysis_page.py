"""The page of an analysis: one HTML file that needs nothing else, written by ``analysis.html`` from the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audiovae.analysis import analysis_figures as figures
from audiovae.analysis.analysis_answer import correlation, number, strongest
from audiovae.analysis.page import fill_page
from audiovae.analysis.snippets import embed_audio

if TYPE_CHECKING:
    from audiovae.analysis.analyse import Analysis

MAX_EMBEDDED_S = 15.0


def render_page(found: Analysis) -> str:
    """The page as text."""
    from markupsafe import Markup

    return fill_page(
        "analysis.html",
        result=found.result,
        figures={name: Markup(svg) for name, svg in draw_figures(found).items()},
        sounds=embed_journeys(found),
        map_data=found.map_data,
        strongest={i: strongest(found.result, i) for i in range(found.space.latent_size)},
        number=number,
        correlation=correlation,
    )


def draw_figures(found: Analysis) -> dict[str, str]:
    """Every picture of the page, an ``<svg>`` element each."""
    rate, result = found.space.latent_rate, found.result
    drawn = {
        "fidelity": figures.draw_fidelity(found.space, found.exported),
        "associations": figures.draw_associations(found.associations, list(result["descriptors"])),
    }
    for journey, dimension in zip(found.sweeps, result["informative"], strict=True):
        along = np.asarray(journey.latents[:, dimension])
        drawn[journey.name] = figures.draw_curves([(journey, "")], rate, journey.name, f"latent {dimension}", along)
    for what in ("sounds", "trajectories"):
        pair = [(journey, journey.name.rpartition("_")[2]) for journey in found.between if what in journey.name]
        drawn[f"between_{what}"] = figures.draw_curves(pair, rate, f"between_{what}", "seconds", None)
    if found.walks:
        walks = [(journey, f"walk {i + 1}") for i, journey in enumerate(found.walks[:3])]
        drawn["walks"] = figures.draw_curves(walks, rate, "walks", "seconds", None)
    if result["cycle"]:
        labels = {"recorded": "recorded sounds", "walk": "random walks"}
        drawn["cycle"] = figures.draw_cycle({labels[name]: cycle for name, cycle in result["cycle"].items()})
    return drawn


def embed_journeys(found: Analysis) -> dict[str, str]:
    """Name of a journey -> ``data:`` address of its sound, `MAX_EMBEDDED_S` at most."""
    rate = found.space.sample_rate
    journeys = [*found.sweeps, *found.between, *found.walks]
    return {one.name: embed_audio(one.audio[:, : round(MAX_EMBEDDED_S * rate)], rate) for one in journeys}

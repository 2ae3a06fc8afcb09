"""Figures as SVG for a page that is read in light and dark.

Text and axes take the page's own colour, the rest CSS variables of colours from Okabe and Ito's palette, which are
told apart with any colour vision. matplotlib draws on Figure objects; its pyplot is never loaded.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PINK, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8a8a8a"
VARIABLES = {BLUE: "blue", ORANGE: "orange", GREEN: "green", PINK: "pink", GREY: "grey"}
INK = "#010203"  # stands for the page's text colour until the SVG is written
WIDTH = 5.4  # inches; at 10 points this stays legible when a phone scales it to 360 pixels
STYLE = {
    "font.size": 10,
    "svg.fonttype": "path",
    "svg.hashsalt": "analysis",  # the same ids every time
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
}


@contextmanager
def style() -> Iterator[None]:
    """Settings of matplotlib for the time of one picture; `style()` also decorates a function."""
    import matplotlib

    settings: Any = STYLE
    with matplotlib.rc_context(settings):
        yield


def new_figure(height: float, n_rows: int = 1, n_columns: int = 1, share: bool = True) -> tuple[Figure, list[Axes]]:
    """A figure of the page's width, `height` inches, and its axes row by row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained", facecolor="none")
    panels = list(figure.subplots(n_rows, n_columns, sharex=share, squeeze=False).ravel())
    for axes in panels:
        axes.set_facecolor("none")
    return figure, panels


def to_svg(figure: Figure, name: str, title: str) -> str:
    """The figure as an ``<svg>`` element that stands alone: no header, no addresses, ids of its own."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r'\bid="([^"]*)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'href="#([^"]*)"', rf'href="#{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]*)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', rf'<svg \1 role="img" aria-label="{title}">', svg, count=1)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour.lower(), f"var(--{variable}, {colour.lower()})")
    return svg.replace(INK, "currentColor").strip()

"""The pictures of a report, each one SVG string for a page that is read in light and dark.

Text and axes take the page's own colour. The rest are colours of Okabe and Ito's palette, which are told apart
with any colour vision; each is a CSS variable, so that the page can lighten it on black. matplotlib draws on Figure
objects; its pyplot is never loaded.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from audiovae.latent_space import LatentSpace
from gesturemap.report.coverage import Reach
from gesturemap.report.curve import Curve
from gesturemap.report.intervals import Interval
from gesturemap.report.neighbours import Index, Points
from gesturemap.report.quality import DimensionUse

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8a8a8a"
PURPLE, SAND = "#a05195", "#a57c00"
PAPER = "#fefefe"  # stands for the page's background
VARIABLES = {BLUE: "reached", ORANGE: "gesture", GREEN: "ceiling", GREY: "null", PURPLE: "purple", SAND: "sand"}
VARIABLES[PAPER] = "paper"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SAND, GREY)
DASHES = ("-", "--", ":")
COLOURS = {"gesture": ORANGE, "ceiling": GREEN, "null": GREY}
INK = "#010203"  # stands for the page's text colour until the SVG is written
WIDTH = 5.4  # inches; at 10 points this stays legible when a phone scales it to 360 pixels
MAX_POINTS = 1200
MAX_DIMENSIONS = 16
STYLE = {
    "font.size": 10,
    "svg.fonttype": "path",
    "svg.hashsalt": "report",  # the same ids every time
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
}


@contextmanager
def _style() -> Iterator[None]:
    """Settings of matplotlib for the time of one picture; `_style()` also decorates a function."""
    import matplotlib

    settings: Any = STYLE
    with matplotlib.rc_context(settings):
        yield


@_style()
def draw_map(reach: Reach, segment: Index, regions: Sequence[tuple[float, float]] = (), name: str = "map") -> str:
    """The first two whitened dimensions: sounds reached and not reached, and the gesture's path over them.

    `regions` are places of numbered parts that are never reached.
    """
    figure, (axes,) = _figure(4.6)
    points, reached = _two_columns(reach.reference.points), reach.reached
    for mask, colour, label in ((~reached, GREY, "not reached"), (reached, BLUE, "reached")):
        shown = _thin(np.flatnonzero(mask))
        axes.plot(*points[shown].T, ".", color=colour, markersize=3, alpha=0.7, label=f"sounds {label}")
    path = _two_columns(reach.motion.points)[: 4 * MAX_POINTS]
    breaks = np.flatnonzero(np.diff(segment[: len(path)])) + 1
    path = np.insert(path, breaks, np.nan, axis=0)
    # A long gesture would bury the sounds under its line.
    width = float(np.clip(900 / len(path), 0.5, 1.2))
    axes.plot(*path.T, color=ORANGE, linewidth=width, alpha=min(1.0, 0.35 + width / 2), label="the gesture")
    low, high = np.quantile(np.concatenate([points, path[np.isfinite(path[:, 0])]]), (0.002, 0.998), axis=0)
    margin = np.maximum(0.08 * (high - low), 1e-3)  # a flat path would leave no room between the limits
    for number, place in enumerate(regions, start=1):
        box = {"boxstyle": "circle,pad=0.25", "facecolor": PAPER, "edgecolor": INK, "linewidth": 1.2, "alpha": 0.85}
        axes.annotate(str(number), place, ha="center", va="center", bbox=box, weight="bold", annotation_clip=True)
    axes.set(xlim=(low[0] - margin[0], high[0] + margin[0]), ylim=(low[1] - margin[1], high[1] + margin[1]))
    axes.set(xlabel="first component", ylabel="second component")
    figure.legend(loc="outside upper left", ncols=3, markerscale=3, handlelength=1.2, columnspacing=1.2)
    return _to_svg(figure, name, "Map of the latent space: sounds reached and not reached, and the gesture's path")


@_style()
def draw_bars(rows: Sequence[tuple[str, str, Interval]], name: str = "bars") -> str:
    """Coverage as horizontal bars with intervals; `rows` are (label, key of `COLOURS`, coverage)."""
    figure, (axes,) = _figure(0.55 + 0.36 * len(rows))
    for place, (_, kind, coverage) in enumerate(rows):
        value, low, high = (100 * x for x in (coverage.value, coverage.low, coverage.high))
        axes.barh(place, value, color=COLOURS[kind], height=0.62)
        if high > low:
            axes.plot([low, high], [place, place], color=INK, linewidth=1.4, solid_capstyle="butt")
        axes.annotate(f"{value:.{int(value < 9.95)}f}", (high, place), (5, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(rows)), [label for label, _, _ in rows])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    longest = 100 * max(coverage.high for _, _, coverage in rows)
    axes.set(xlim=(0, 108 if longest > 45 else 1.2 * longest + 0.1))
    axes.set_xlabel("sounds of the model that are reached, %")
    axes.locator_params(axis="x", nbins=5)
    return _to_svg(figure, name, "Coverage of the gesture, of held-out recordings and of motions without intent")


@_style()
def draw_curves(curves: Sequence[tuple[str, str, Curve]], name: str = "curves") -> str:
    """Coverage against time; `curves` are (label, key of `COLOURS`, curve)."""
    figure, (axes,) = _figure(3.0)
    for label, kind, curve in curves:
        colour = COLOURS[kind]
        axes.plot(curve.time_s, 100 * curve.coverage, color=colour, linewidth=1.8, label=label)
        if curve.n_orders > 1:
            axes.fill_between(curve.time_s, 100 * curve.low, 100 * curve.high, color=colour, alpha=0.2, linewidth=0)
    axes.set(xlabel="seconds played", ylabel="reached, %", xlim=(0, None), ylim=(0, None))
    figure.legend(loc="outside upper left", ncols=2, handlelength=1.4, columnspacing=1.2)
    return _to_svg(figure, name, "Coverage against time")


@_style()
def draw_combinations(rows: Sequence[tuple[str, Interval, dict[str, float]]], name: str = "coverage") -> str:
    """Coverage of many combinations: a dot with its interval, ticks for held-out recordings and the walk."""
    figure, (axes,) = _figure(0.9 + 0.62 * len(rows))
    for place, (label, coverage, marks) in enumerate(rows):
        value, low, high = (100 * x for x in (coverage.value, coverage.low, coverage.high))
        axes.annotate(label, (0, place - 0.3), (0, 0), textcoords="offset points", va="center")
        axes.plot([low, high], [place, place], color=ORANGE, linewidth=2.2, solid_capstyle="butt")
        axes.plot([value], [place], "o", color=ORANGE, markersize=7, clip_on=False)
        for mark, colour in (("held_out", GREEN), ("walk", GREY)):
            if mark in marks:
                at = [100 * marks[mark]]
                axes.plot(at, [place], "|", color=colour, markersize=15, markeredgewidth=2.6, clip_on=False)
    for label, colour, marker in (("gesture", ORANGE, "o"), ("held-out recordings", GREEN, "|"), ("walk", GREY, "|")):
        axes.plot([], [], marker, color=colour, markersize=9, markeredgewidth=2, label=label)
    axes.set(ylim=(len(rows) - 0.5, -0.6), yticks=[], xlabel="sounds of the model that are reached, %")
    axes.set_xlim(0, min(100.0, 1.05 * max(1.0, *(100 * max(c.high, *m.values(), 0.0) for _, c, m in rows))))
    axes.spines["left"].set_visible(False)
    figure.legend(loc="outside upper left", ncols=3, handlelength=1.2, columnspacing=1.2)
    return _to_svg(figure, name, "Coverage of every combination")


@_style()
def draw_many_curves(curves: Sequence[tuple[str, Curve]], mark_s: float, name: str = "curves") -> str:
    """Coverage against time of many combinations; a dotted line at `mark_s`."""
    figure, (axes,) = _figure(3.2 + 0.2 * len(curves))
    for number, (label, curve) in enumerate(curves):
        colour, dash = SERIES[number % len(SERIES)], DASHES[number // len(SERIES) % len(DASHES)]
        axes.plot(curve.time_s, 100 * curve.coverage, color=colour, linestyle=dash, linewidth=1.8, label=label)
    axes.axvline(mark_s, color=INK, linewidth=1, linestyle=":")
    axes.set(xlabel="seconds played", ylabel="reached, %", xlim=(0, None), ylim=(0, None))
    figure.legend(loc="outside upper left", ncols=1, handlelength=2.2)
    return _to_svg(figure, name, "Coverage against time of every combination")


@_style()
def draw_ranges(uses: Sequence[DimensionUse], space: LatentSpace, name: str = "ranges") -> str:
    """Range of every dimension: where 90 % of the model's sounds lie, and 90 % of the gesture."""
    uses = uses[:MAX_DIMENSIONS]
    figure, (axes,) = _figure(0.9 + 0.32 * len(uses))
    for place, use in enumerate(uses):
        mean, std = space.mean[place], max(space.std[place], 1e-12)
        for (low, middle, high), colour, width, shift in (
            (use.model_range, GREY, 7, -0.17),
            (use.gesture_range, ORANGE, 5, 0.17),
        ):
            ends = [(low - mean) / std, (high - mean) / std]
            axes.plot(ends, [place + shift] * 2, color=colour, linewidth=width, solid_capstyle="butt")
            axes.plot([(middle - mean) / std], [place + shift], "|", color=INK, markersize=7)
    axes.plot([], [], color=GREY, linewidth=7, label="the model's sounds")
    axes.plot([], [], color=ORANGE, linewidth=5, label="the gesture")
    axes.set_yticks(range(len(uses)), [_mark(use) for use in uses])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set(xlabel="standard deviations of the model (5 %, median, 95 %)")
    figure.legend(loc="outside upper left", ncols=2, handlelength=1.4, columnspacing=1.2)
    return _to_svg(figure, name, "Range of every latent dimension, of the model and of the gesture")


@_style()
def draw_trajectories(
    latents: Points, segment: Index, space: LatentSpace, seconds: float = 20.0, name: str = "trajectories"
) -> str:
    """The first seconds of the gesture, one row a dimension, over the range of 90 % of the model's sounds."""
    rows = min(space.latent_size, MAX_DIMENSIONS)
    n_frames = min(len(latents), round(seconds * space.latent_rate))
    figure, panels = _figure(0.6 + 0.42 * rows, rows)
    low, high = space.quantile(0.05), space.quantile(0.95)
    shown, breaks = latents[:n_frames], np.flatnonzero(np.diff(segment[:n_frames])) + 1
    time_s = np.insert(np.arange(n_frames) / space.latent_rate, breaks, np.nan)
    for i, axes in enumerate(panels):
        axes.axhspan(low[i], high[i], color=GREY, alpha=0.22, linewidth=0)
        axes.plot(time_s, np.insert(shown[:, i], breaks, np.nan), color=ORANGE, linewidth=1.1)
        axes.set_ylabel(str(i), rotation=0, ha="right", va="center")
        axes.set(yticks=[], xlim=(0, n_frames / space.latent_rate))
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.tick_params(labelbottom=i == rows - 1, bottom=i == rows - 1)
    panels[-1].set_xlabel("seconds played")
    return _to_svg(figure, name, "Latent trajectories of the first seconds")


def _mark(use: DimensionUse) -> str:
    """Number of a dimension, and what is wrong with it."""
    return use.name.removeprefix("latent_") + (" dead" if use.dead else " limit" if use.saturated else "")


def _two_columns(points: Points) -> Points:
    """The first two dimensions; a flat second one where there is but one."""
    return points[:, :2] if points.shape[1] > 1 else np.column_stack([points, np.zeros(len(points))])


def _thin(rows: Index) -> Index:
    """At most `MAX_POINTS` of `rows`, evenly."""
    if len(rows) <= MAX_POINTS:
        return rows
    return np.asarray(rows[np.linspace(0, len(rows) - 1, MAX_POINTS).astype(int)])


def _figure(height: float, n_rows: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of the page's width, `height` inches, and its axes one above the other."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained", facecolor="none")
    panels = list(figure.subplots(n_rows, 1, sharex=True, squeeze=False)[:, 0])
    for axes in panels:
        axes.set_facecolor("none")
    return figure, panels


def _to_svg(figure: Figure, name: str, title: str) -> str:
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

"""The page of a study: one HTML file over all combinations, beside the reports of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gesturemap.report import figures
from gesturemap.report.answer import percent, seconds
from gesturemap.report.intervals import Interval
from gesturemap.report.page import make_environment, make_shower

if TYPE_CHECKING:
    from gesturemap.report.study import Combination


def render_study(result: dict[str, Any], found: list[Combination]) -> str:
    """The page as text, from the contents of ``study.json``."""
    from markupsafe import Markup

    rows = result["rows"]
    dots = []
    for row in rows:
        statistics = row["statistics"]
        marks = {name: statistics[name]["coverage"]["value"] for name in ("held_out", "walk") if name in statistics}
        dots.append((_label(row), Interval(**statistics["gesture"]["coverage"]), marks))
    curves = [(_label(row), one.measured.curves["gesture"]) for row, one in zip(rows, found, strict=True)]
    pictures = {
        "coverage": figures.draw_combinations(dots),
        "curves": figures.draw_many_curves(curves, result["duration_s"]),
    }
    return (
        make_environment()
        .get_template("study.html")
        .render(
            result=result,
            figures={name: Markup(svg) for name, svg in pictures.items()},
            show=make_shower(result),
            percent=percent,
            seconds=seconds,
        )
    )


def _label(row: dict[str, Any]) -> str:
    return f"{row['model']} · {row['recordings']} · {row['recipe']}"

"""The page of a report: one HTML file that needs nothing else, written by ``page.html`` from the numbers."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gesturemap.errors import ReportError
from gesturemap.report import figures
from gesturemap.report.answer import bare_percent, is_short, percent, seconds
from gesturemap.report.intervals import Interval
from gesturemap.report.regions import snippet
from gesturemap.report.sounding import FloatArray

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from gesturemap.report.report import Measured

MAX_AUDIO_S = 60.0
MP3_RATES = (32_000, 44_100, 48_000)

# What every motion is called on the page, in the order of tables and bars, and its kind.
MOTIONS = {
    "gesture": ("this gesture", "gesture", "what was recorded, through the mapping"),
    "held_out": ("other recordings", "ceiling", "sounds the model never trained on, sent through its encoder"),
    "walk": ("random walk", "null", "chance with the spread and smoothness of the gesture"),
    "shuffled": ("shuffled gesture", "null", "each dimension shuffled in time on its own"),
    "prior": ("random points", "null", "the prior: another draw of N(0, I) at every frame"),
    "uniform": ("random sliders", "null", "another point of the model's range at every frame"),
    "static": ("hand held still", "null", "the median of the gesture, held"),
}

FORMATS: dict[str, Callable[[float], str]] = {
    "percent": percent,
    "bare": bare_percent,
    "seconds": seconds,
    "count": lambda value: f"{value:,}".replace(",", "\u202f"),
    "ratio": lambda value: f"{value:.0f}" if abs(value) >= 100 else f"{value:.2g}",
    "number": lambda value: f"{value:.3g}",
}


def render_page(measured: Measured, audio: Path | None = None) -> str:
    """The page as text.

    Raises
    ------
    ReportError
        If `audio` cannot be read.
    """
    from markupsafe import Markup

    return (
        make_environment()
        .get_template("page.html")
        .render(
            result=measured.result,
            motions={name: words for name, words in MOTIONS.items() if name in measured.reaches},
            figures={name: Markup(svg) for name, svg in draw_figures(measured).items()},
            show=make_shower(measured.result),
            percent=percent,
            seconds=seconds,
            audio=None if audio is None else embed_audio(audio),
            snippets=embed_snippets(measured),
            max_audio_s=MAX_AUDIO_S,
        )
    )


def make_environment() -> Environment:
    """Templates of this folder; what comes from outside is escaped, and a missing value is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def draw_figures(measured: Measured) -> dict[str, str]:
    """Every picture of the page, an ``<svg>`` element each."""
    statistics, played = measured.result["statistics"], measured.played
    regions = measured.hearing.regions if measured.hearing else []
    names = [name for name in MOTIONS if name in measured.reaches]
    bars = []
    for name in names:
        coverage = statistics[name]["coverage"]
        interval = Interval(coverage["value"], coverage["low"], coverage["high"])
        bars.append((MOTIONS[name][0], MOTIONS[name][1], interval))
    normalised = measured.result["normalised_coverage"]
    if normalised and is_short(normalised["duration_s"], statistics["gesture"]["duration_s"]):
        # The ceiling is for a shorter time than the gesture: beside it stands the gesture of that time.
        value = normalised["gesture"]
        bars.insert(1, (f"… in {seconds(normalised['duration_s'])}", "gesture", Interval(value, value, value)))
    curves = [(MOTIONS[name][0], MOTIONS[name][1], measured.curves[name]) for name in names if name in measured.curves]
    return {
        "map": figures.draw_map(measured.reaches["gesture"], played.segment, [region.place for region in regions]),
        "bars": figures.draw_bars(bars),
        "curves": figures.draw_curves(curves),
        "ranges": figures.draw_ranges(measured.uses, measured.space),
        "trajectories": figures.draw_trajectories(played.latents, played.segment, measured.space),
    }


def embed_audio(path: Path) -> str:
    """A ``data:`` address of the first `MAX_AUDIO_S` seconds of a sound file, as MP3.

    Raises
    ------
    ReportError
        If the file cannot be read as sound.
    """
    import soundfile

    try:
        rate = soundfile.info(path).samplerate
        sound, rate = soundfile.read(path, frames=round(MAX_AUDIO_S * rate), dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise ReportError(f"{path}: cannot be read as sound ({error}): render the gesture again") from None
    return encode_sound(sound, rate)


def embed_snippets(measured: Measured) -> list[str]:
    """A ``data:`` address for each region that is never reached."""
    player = measured.player
    if player is None or measured.hearing is None:
        return []
    return [encode_sound(snippet(player, region).T, player.space.sample_rate) for region in measured.hearing.regions]


def encode_sound(sound: FloatArray, rate: int) -> str:
    """A ``data:`` address of a sound (samples, channels) as MP3."""
    import soundfile
    import soxr

    if rate not in MP3_RATES:
        sound, rate = soxr.resample(sound, rate, MP3_RATES[1]), MP3_RATES[1]
    buffer = io.BytesIO()
    soundfile.write(buffer, sound[:, :2], rate, format="MP3")
    return "data:audio/mpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def make_shower(result: dict[str, Any]) -> Callable[..., Markup]:
    """The function by which the page shows a number of ``report.json``, with its key and exact value."""
    from markupsafe import Markup

    def show(key: str, kind: str) -> Markup:
        value: Any = result
        for part in key.split("."):
            value = value[int(part)] if isinstance(value, list) else value[part]
        if value is None:
            return Markup("–")
        return Markup('<data data-key="{}" value="{}">{}</data>').format(key, repr(value), FORMATS[kind](value))

    return show

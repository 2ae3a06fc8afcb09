"""The part of a report that needs the decoder: coverage and movement of the sound, and what is never reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gesturemap.report import nulls
from gesturemap.report.coverage import CoverageSettings, Reach
from gesturemap.report.expression import sensitivity, tell_classes, total_variation
from gesturemap.report.intervals import interval_statistics
from gesturemap.report.neighbours import Index, Points
from gesturemap.report.played import Played
from gesturemap.report.quality import measure_smoothness
from gesturemap.report.regions import Region, find_regions
from gesturemap.report.sounding import (
    DESCRIPTORS,
    UNITS,
    Sounding,
    SoundSettings,
    apply_whitening,
    heard_reference,
    measure_heard,
    sound_of,
    sound_of_model,
)

if TYPE_CHECKING:
    from audiovae.player import Player


STILL_S = 2.0  # what a point held for longer sounds like is known by then


@dataclass(frozen=True)
class Hearing:
    """What was heard.

    Parameters
    ----------
    regions : parts of the model that are hardly reached, what is missed most first.
    result : the numbers, for ``report.json``.
    """

    regions: list[Region]
    result: dict[str, Any]


def listen(
    player: Player,
    played: Played,
    reach: Reach,
    held_out: Index,
    settings: SoundSettings,
    coverage: CoverageSettings,
    window_s: float,
    seed: int,
) -> Hearing:
    """Decode the gesture, held-out recordings and a part of the model, and compare what is heard.

    Parameters
    ----------
    reach : of the latents of the gesture, for what it never reaches.
    held_out : (n,) rows of the model's cloud.
    window_s : of smoothness.
    """
    space = player.space
    rate, most = space.latent_rate, round(settings.gesture_s * space.latent_rate)
    model = sound_of_model(player, settings, seed)
    gesture = sound_of(
        player, played.latents, np.arange(len(played.latents))[:most], played.take[:most], played.segment[:most]
    )
    soundings = {"gesture": gesture}
    if len(held_out):
        rows = held_out[:most]
        files = np.asarray(space.cloud.file_index[rows])
        soundings["held_out"] = sound_of(
            player, space.cloud.latents, rows, files, np.cumsum(np.diff(rows, prepend=rows[0]) != 1)
        )
    walk = nulls.walk(played.latents, played.take, np.random.default_rng([seed, 4]))
    soundings["walk"] = sound_of(player, walk, gesture.rows, gesture.piece, gesture.segment)
    reference, whitening = heard_reference(model, space, coverage)
    statistics: dict[str, Any] = {}
    for name, sounding in soundings.items():
        heard = measure_heard(reference, whitening, sounding, rate, coverage)
        if heard is not None:
            statistics[name] = asdict(interval_statistics(heard, coverage))
    still = measure_heard(reference, whitening, _hold(player, played.latents), rate, coverage)
    gate_db = coverage.gate_db
    spread = np.maximum(model.louder(gate_db).heard.std(axis=0), 1e-9)
    audible = gesture.louder(gate_db)
    answer = sensitivity(played.values[audible.rows], audible.heard, audible.segment, rate, spread)
    regions = find_regions(reach, model, rate, settings, seed)
    classes = _classes(played, audible, whitening)
    result = {
        "descriptors": [{"name": name, "unit": unit} for name, unit in zip(DESCRIPTORS, UNITS, strict=True)],
        "model_s": len(model.rows) / rate,
        "gesture_s": len(gesture.rows) / rate,
        "audible_share": len(audible.rows) / len(gesture.rows),
        "statistics": statistics,
        "normalised_coverage": _normalise(statistics, 0.0 if still is None else still.coverage),
        "movement": {
            name: _movement(one.louder(gate_db), whitening, rate, window_s) for name, one in soundings.items()
        },
        "sensitivity": None if answer is None else asdict(answer),
        "classes": None if classes is None else asdict(classes),
        "regions": [_describe(region, rate) for region in regions],
    }
    return Hearing(regions, result)


def _hold(player: Player, latents: Points) -> Sounding:
    """The sound of a hand held still."""
    held = np.repeat(nulls.static(latents), round(STILL_S * player.space.latent_rate), axis=0)
    one = np.zeros(len(held), dtype=np.intp)
    return sound_of(player, held, np.arange(len(held)), one, one)


def _normalise(statistics: dict[str, Any], still: float) -> float | None:
    """(C - C_still) / (C_heldout - C_still), over the whole of each; None without a ceiling."""
    if not {"gesture", "held_out"} <= set(statistics):
        return None
    gesture, held_out = (statistics[name]["coverage"]["value"] for name in ("gesture", "held_out"))
    return None if held_out - still < 0.01 else (gesture - still) / (held_out - still)


def _movement(sounding: Sounding, whitening: Points, rate: float, window_s: float) -> dict[str, Any]:
    """Total variation of every descriptor a second, and the smoothness of the path of the sound."""
    path = apply_whitening(whitening, sounding.heard)
    variation = total_variation(sounding.heard, sounding.segment, rate)
    return {
        "variation_per_s": dict(zip(DESCRIPTORS, variation.tolist(), strict=True)),
        **asdict(measure_smoothness(path, sounding.segment, rate, window_s)),
    }


def _classes(played: Played, gesture: Sounding, whitening: Points) -> Any:
    """Takes told apart by gesture: in the hand, in the latents and in the sound.

    A gesture is the name of the recording up to the first dot: ``circle.rec``, or ``circle.anna.rec``.
    """
    names = [take.recording.partition(".")[0] for take in played.takes]
    heard = apply_whitening(whitening, gesture.heard)
    take = played.take[gesture.rows]

    def split(frames: Points) -> list[Points]:
        return [frames[take == number] for number in range(len(names))]

    spaces: dict[str, Sequence[Points]] = {
        "hand": split(played.values[gesture.rows]),
        "latents": split(played.latents[gesture.rows]),
        "sound": split(heard),
    }
    return tell_classes(names, spaces)


def _describe(region: Region, rate: float) -> dict[str, Any]:
    return {
        "words": list(region.words),
        "share": region.share,
        "reached": region.reached,
        "place": list(region.place),
        "differs": region.differs,
        "files": list(region.files),
        "snippet_s": len(region.rows) / rate,
    }

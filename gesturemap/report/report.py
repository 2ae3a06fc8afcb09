"""The report of a mapping: everything measured, in order, then written as one page and one JSON file."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audiovae.latent_space import LatentSpace
from audiovae.player import Player
from audiovae.settings import Settings
from gesturemap.errors import ReportError
from gesturemap.library import find_mapping, load_for_model
from gesturemap.mapping import Mapping
from gesturemap.mapping.card import write_coverage
from gesturemap.recording import Recording
from gesturemap.report import nulls
from gesturemap.report.answer import write_answer, write_card, write_caveats, write_findings
from gesturemap.report.coverage import (
    CoverageSettings,
    Motion,
    Reach,
    Reference,
    build_reference,
    measure,
    whiten,
)
from gesturemap.report.curve import Curve, coverage_curve
from gesturemap.report.describe import (
    describe_curve,
    describe_files,
    describe_gesture,
    describe_mapping,
    describe_model,
    describe_quality,
    describe_reference,
    describe_statistics,
    normalise,
)
from gesturemap.report.hearing import Hearing, listen
from gesturemap.report.neighbours import Index, Points
from gesturemap.report.page import render_page
from gesturemap.report.played import Played, play_recordings
from gesturemap.report.quality import DimensionUse, QualitySettings, use_of_dimensions
from gesturemap.report.significance import p_values
from gesturemap.report.sounding import SoundSettings

FORMAT = 1
WITH_CURVE = ("gesture", "held_out", "walk")


class ReportSettings(Settings):
    """Everything a report depends on beside its input and its seed."""

    coverage: CoverageSettings = CoverageSettings()
    quality: QualitySettings = QualitySettings()
    sound: SoundSettings = SoundSettings()


@dataclass(frozen=True)
class Measured:
    """What the figures are drawn from, and `result`, the numbers of ``report.json``."""

    space: LatentSpace
    played: Played
    player: Player | None
    hearing: Hearing | None
    reaches: dict[str, Reach]
    curves: dict[str, Curve]
    uses: list[DimensionUse]
    result: dict[str, Any]


def report_on(
    spec: str | Path,
    recordings: Sequence[str | Path],
    model_dir: str | Path,
    out: str | Path,
    *,
    library: str | Path | None = None,
    force: bool = False,
    audio: str | Path | None = None,
    seed: int = 0,
    decode: bool = True,
) -> dict[str, Any]:
    """Report on a mapping of the library, and note its coverage on the mapping's card.

    The function behind `gesturemap report`; parameters as for `gesturemap.library.load_for_model` and
    `make_report`. What is not of the mapping's own model (`force`) and own tracker is not noted, nor anything in a
    library that may not be written to. Without `decode` nothing is said about the sound, and it takes a third of
    the time.
    """
    mapping, space = load_for_model(spec, model_dir, library, force)
    player = Player(model_dir) if decode else None
    loaded = [Recording.load(path) for path in recordings]
    result = make_report(mapping, loaded, space, out, seed, audio=audio, player=player)
    folder = find_mapping(spec, library)
    own = mapping.model_id == space.model_id and {recording.tracker for recording in loaded} == {mapping.label.tracker}
    if own and os.access(folder, os.W_OK):
        share = result["statistics"]["gesture"]["coverage"]["value"]
        write_coverage(folder, write_card(result), float(share))
    return result


def make_report(
    mapping: Mapping,
    recordings: Sequence[Recording],
    space: LatentSpace,
    out: str | Path,
    seed: int = 0,
    settings: ReportSettings | None = None,
    audio: str | Path | None = None,
    player: Player | None = None,
) -> dict[str, Any]:
    """Write ``report.html`` and ``report.json`` into the folder `out`.

    Parameters
    ----------
    mapping : plays the recordings.
    recordings : one or several, of the tracker of the mapping; every take counts.
    space : the model.
    seed : of subsampling and nulls; the same seed gives the same bytes.
    settings : None: the defaults.
    audio : a sound file of the rendered gesture, to listen to in the page.
    player : the decoder of the model; None: the report says nothing about the sound.

    Returns
    -------
    The contents of ``report.json``.

    Raises
    ------
    ReportError
        If there is too little gesture or too little sound to say anything, `out` is a file, or there is no `audio`.
    MappingError
        If a recording has other channels than the mapping reads.
    """
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise ReportError(f"{out} is a file: name a folder, report.html and report.json go into it")
    if audio is not None and not Path(audio).is_file():
        raise ReportError(f"{audio}: no such file: make it with `gesturemap render`, or leave out --audio")
    measured = measure_mapping(mapping, recordings, space, seed, settings or ReportSettings(), player)
    write_report(measured, out, audio)
    return measured.result


def write_report(measured: Measured, out: Path, audio: str | Path | None = None) -> None:
    """Write ``report.html`` and ``report.json`` into the folder `out`, which is made."""
    page = render_page(measured, None if audio is None else Path(audio))
    out.mkdir(parents=True, exist_ok=True)
    text = {"report.json": json.dumps(measured.result, indent=1, allow_nan=False), "report.html": page}
    for name, content in text.items():
        (out / f"{name}.part").write_text(content, encoding="utf-8")
    for name in text:
        os.replace(out / f"{name}.part", out / name)


def measure_mapping(
    mapping: Mapping,
    recordings: Sequence[Recording],
    space: LatentSpace,
    seed: int,
    settings: ReportSettings,
    player: Player | None = None,
    reference: Reference | None = None,
) -> Measured:
    """Everything a report says, without writing it. `reference` is that of the model, if it is there already."""
    played = play_recordings(mapping, recordings, space)
    reference = reference or build_reference(space, settings.coverage, seed)
    held_out = nulls.held_out(space, settings.coverage.gate_db, len(played.latents), _generator(seed, 0))
    motions = _build_motions(played, held_out, space, reference.rank, seed)
    reaches = {name: measure(reference, motion, settings.coverage.step_s) for name, motion in motions.items()}
    statistics = {name: describe_statistics(reach, played, settings.coverage) for name, reach in reaches.items()}
    curves = {name: coverage_curve(reaches[name], seed) for name in reaches if name in WITH_CURVE}
    p = p_values(reference, played.latents, played.take, space, settings.coverage, seed)
    hearing, unheard = None, None
    if player is not None:
        window_s = settings.quality.window_s
        try:
            hearing = listen(
                player, played, reaches["gesture"], held_out, settings.sound, settings.coverage, window_s, seed
            )
        except ReportError as error:  # a decoder that gives silence: the latents still have their numbers
            unheard = str(error)
    uses = use_of_dimensions(played.latents, space, mapping.low, mapping.high, settings.quality)
    result: dict[str, Any] = {
        "format": FORMAT,
        "seed": seed,
        "mapping": describe_mapping(mapping),
        "model": describe_model(space, reference),
        "gesture": describe_gesture(played, recordings, space),
        "reference": describe_reference(reference),
        "statistics": statistics,
        "p_values": p,
        "normalised_coverage": normalise(curves, statistics),
        "curves": {name: describe_curve(curve) for name, curve in curves.items()},
        "files": describe_files(reaches["gesture"]),
        "quality": describe_quality(motions, played, held_out, uses, settings.quality),
        "sound": None if hearing is None else hearing.result,
        "settings": settings.model_dump(mode="json"),
    }
    result = json.loads(json.dumps(result, allow_nan=False))  # tuples become lists, as in the file
    result["answer"] = write_answer(result)
    result["findings"] = write_findings(result)
    result["caveats"] = [
        *write_caveats(result),
        *([f"Of the sound nothing can be said: {unheard}."] if unheard else []),
    ]
    return Measured(space, played, player, hearing, reaches, curves, uses, result)


def _generator(seed: int, purpose: int) -> np.random.Generator:
    """A stream of its own for every purpose, so that one more null leaves the others as they are."""
    return np.random.default_rng([seed, purpose])


def _build_motions(played: Played, held_out: Index, space: LatentSpace, rank: int, seed: int) -> dict[str, Motion]:
    """The gesture, the ceiling (if there is one) and the floors, at the count and rate of the gesture."""
    n_frames, same = len(played.latents), played.take
    one = np.zeros(n_frames, dtype=np.intp)
    latents: dict[str, tuple[Points, Index]] = {"gesture": (played.latents, same)}
    if len(held_out):
        rows = np.asarray(space.cloud.latents[held_out], dtype=np.float64)
        files = space.cloud.file_index[held_out]
        latents["held_out"] = rows, np.cumsum(np.diff(files, prepend=files[0]) != 0)
    latents |= {
        "uniform": (nulls.uniform(space, n_frames, _generator(seed, 1)), one),
        "prior": (nulls.prior(space, n_frames, _generator(seed, 2)), one),
        "shuffled": (nulls.shuffled(played.latents, _generator(seed, 3)), same),
        "walk": (nulls.walk(played.latents, same, _generator(seed, 4)), same),
        "static": (nulls.static(played.latents), one[:1]),
    }
    return {name: Motion(whiten(space, z, rank), take, space.latent_rate) for name, (z, take) in latents.items()}

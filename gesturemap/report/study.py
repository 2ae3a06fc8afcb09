"""Many recordings, mappings and models in one comparison, written as a study file.

    title = "Two models under three hands"
    [models]
    spectral = "models/spectral"
    waveform = "models/waveform"
    [recordings]
    signing = ["asl.rec"]
    swipes = ["left.rec", "right.rec"]
    [recipes.direct]
    regressor = "linear_map"

Every recipe is fitted anew for every model and set of recordings, without latents: each latent follows one feature over
its whole range, so that no model is favoured by what was recorded with it. A recipe with ``pairs = true`` learns from
the latents in the recordings; ``[recipes.mine] mapping = "hands/spectral/asl"`` takes a mapping of the library, for its
own model and tracker. Paths are relative to the study file.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import Field

from audiovae.latent_space import LatentSpace, replace_text
from audiovae.player import Player
from audiovae.settings import Settings, apply_overrides, build
from gesturemap.errors import MappingError, ReportError
from gesturemap.features import load_features
from gesturemap.library import find_mapping
from gesturemap.mapping import Mapping, OutputSettings
from gesturemap.mapping.fitting import choose_features, fit_mapping, split_overrides
from gesturemap.recording import Recording
from gesturemap.regressors import regressor_settings
from gesturemap.report.answer import percent, seconds
from gesturemap.report.coverage import Reference, build_reference
from gesturemap.report.report import Measured, ReportSettings, measure_mapping, write_report
from gesturemap.report.significance import p_of_difference

FORMAT = 1
NOT_FITTING = "no latents of this model in the recordings, or a mapping of another model or tracker"


class Recipe(Settings):
    """How a mapping is made: a regressor over features, or a `mapping` that is there."""

    regressor: str = "linear_map"
    features: str | None = None
    set: tuple[str, ...] = ()
    pairs: bool = Field(False, description="learn from the latents in the recordings")
    mapping: str | None = Field(None, description="a mapping folder, or tracker/model/name in a library")


class Study(Settings):
    """A study file."""

    title: str = "A comparison"
    seed: int = Field(0, ge=0)
    decode: bool = Field(True, description="measure what is heard too; three times as long")
    models: dict[str, str] = Field(min_length=1)
    recordings: dict[str, tuple[str, ...]] = Field(min_length=1)
    recipes: dict[str, Recipe] = {"direct": Recipe()}
    report: ReportSettings = ReportSettings()


@dataclass(frozen=True)
class Combination:
    """One model under one set of recordings through one recipe, measured."""

    model: str
    recordings: str
    recipe: str
    measured: Measured

    @property
    def key(self) -> str:
        """Folder of its own report, and its name in ``study.json``."""
        return "-".join((self.model, self.recordings, self.recipe))


def run_study(
    file: str | Path, out: str | Path, library: str | Path | None = None, say: Callable[[str], Any] = lambda _: None
) -> dict[str, Any]:
    """Measure every combination of a study file; the function behind `gesturemap study`.

    Parameters
    ----------
    out : folder for ``study.html``, ``study.json`` and one report a combination.
    library : mappings are looked for there first.
    say : is told what is being measured.

    Returns
    -------
    The contents of ``study.json``.

    Raises
    ------
    ReportError
        If the study file cannot be read, or a combination says nothing.
    MappingError, RecordingError, ModelFolderError
        If what it names is missing or does not fit.
    """
    from gesturemap.report.study_page import render_study

    file, out = Path(file), Path(out)
    study = read_study(file)
    if out.exists() and not out.is_dir():
        raise ReportError(f"{out} is a file: name a folder, study.html and study.json go into it")
    found = []
    for combination in _measure_all(study, file.parent, library, say):
        found.append(combination)
        write_report(combination.measured, out / combination.key)
    if not found:
        raise ReportError(f"{file}: no recipe fits any model and recording: name one that fits, such as linear_map")
    result = describe_study(study, found)
    page = render_study(result, found)
    out.mkdir(parents=True, exist_ok=True)
    replace_text(out / "study.json", json.dumps(result, indent=1, allow_nan=False))
    replace_text(out / "study.html", page)
    return result


def read_study(file: Path) -> Study:
    """The settings of a study file."""
    if not file.is_file():
        raise ReportError(f"{file}: no such file; `gesturemap study --help` says what a study file holds")
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ReportError(f"{file}: not a study file ({error}); `gesturemap study --help` says what it holds") from None
    return build(Study, document, str(file))


def _measure_all(
    study: Study, folder: Path, library: str | Path | None, say: Callable[[str], Any]
) -> Iterator[Combination]:
    loaded = {name: [Recording.load(folder / path) for path in paths] for name, paths in study.recordings.items()}
    for model, model_dir in study.models.items():
        player = Player(folder / model_dir)
        reference = build_reference(player.space, study.report.coverage, study.seed)
        for name, recordings in loaded.items():
            for recipe_name, recipe in study.recipes.items():
                mapping = _make_mapping(recipe, recipe_name, recordings, player.space, folder, library, study.seed)
                if mapping is None:
                    say(f"{model}, {name}, {recipe_name}: left out, {NOT_FITTING}")
                    continue
                say(f"{model}, {name}, {recipe_name}")
                yield Combination(model, name, recipe_name, _measure(study, mapping, recordings, player, reference))


def _measure(
    study: Study, mapping: Mapping, recordings: list[Recording], player: Player, reference: Reference
) -> Measured:
    decoder = player if study.decode else None
    return measure_mapping(mapping, recordings, player.space, study.seed, study.report, decoder, reference)


def _make_mapping(
    recipe: Recipe,
    name: str,
    recordings: list[Recording],
    space: LatentSpace,
    folder: Path,
    library: str | Path | None,
    seed: int,
) -> Mapping | None:
    """The mapping of a recipe; None where it is one of another model or tracker."""
    if recipe.mapping is not None:
        there = folder / recipe.mapping
        mapping = Mapping.load(there if there.is_dir() else find_mapping(recipe.mapping, library), None)
        try:
            for recording in recordings:
                mapping.check_layout(recording)
        except MappingError:
            return None
        return mapping if mapping.model_id == space.model_id else None
    if not recipe.pairs:
        recordings = [
            replace(one, model_id=None, model_name=None, latent_size=0, takes=[
                replace(take, latents=None, lag_s=None) for take in one.takes
            ])
            for one in recordings
        ]  # fmt: skip
    elif any(one.model_id != space.model_id for one in recordings):
        return None
    parts = split_overrides(recipe.set)
    fitted: Mapping = fit_mapping(
        recordings,
        space,
        load_features(recipe.features or choose_features(recordings[0].layout), parts["features"]),
        name=name,
        regressor=recipe.regressor,
        settings=regressor_settings(recipe.regressor, parts["regressor"]),
        output=build(OutputSettings, apply_overrides({}, parts["output"]), "set output"),
        seed=seed,
    )
    return fitted


def describe_study(study: Study, found: list[Combination]) -> dict[str, Any]:
    """The contents of ``study.json``: every combination, the differences between recipes, and the answer."""
    duration_s = min(
        float(curve.time_s[-1]) for one in found for name, curve in one.measured.curves.items() if name != "walk"
    )
    rows = [_describe(one, duration_s) for one in found]
    result: dict[str, Any] = {
        "format": FORMAT,
        "title": study.title,
        "seed": study.seed,
        "duration_s": duration_s,
        "rows": rows,
        "differences": list(_differences(study, found)),
        "settings": study.model_dump(mode="json"),
    }
    result["answer"] = _answer(result)
    measured = {(one.model, one.recordings, one.recipe) for one in found}
    result["left_out"] = [
        list(one) for one in product(study.models, study.recordings, study.recipes) if one not in measured
    ]
    result["caveats"] = sorted({text for one in found for text in one.measured.result["caveats"]})
    if result["left_out"]:
        names = ", ".join(f"{recordings} on {model} ({recipe})" for model, recordings, recipe in result["left_out"])
        result["caveats"].insert(0, f"Left out: {names}: {NOT_FITTING}.")
    return dict(json.loads(json.dumps(result, allow_nan=False)))


def _describe(one: Combination, duration_s: float) -> dict[str, Any]:
    """A row of the study: everything compared, and where the rest is."""
    full, curves = one.measured.result, one.measured.curves
    names = ("statistics", "normalised_coverage", "p_values", "sound")
    at = {name: curve.at(duration_s) for name, curve in curves.items()}
    static = full["statistics"]["static"]["coverage"]["value"]
    equal = None
    if "held_out" in at and at["held_out"] - static > 0.01:
        equal = (at["gesture"] - static) / (at["held_out"] - static)
    return {
        "key": one.key,
        "model": one.model,
        "recordings": one.recordings,
        "recipe": one.recipe,
        "regressor": full["mapping"]["label"]["regressor"],
        "features": full["mapping"]["label"]["features"],
        "duration_s": full["gesture"]["duration_s"],
        "n_takes": len(full["gesture"]["takes"]),
        "at_equal_duration": at | {"static": static, "normalised": equal},
        "step_ratio": full["quality"]["step_ratio"],
        "jerk_ratio": full["quality"]["jerk_ratio"],
        "report": f"{one.key}/report.html",
        "report_answer": full["answer"],
        **{name: full[name] for name in names},
    }


def _differences(study: Study, found: list[Combination]) -> Iterator[dict[str, Any]]:
    """Recipes that play the same recordings on the same model, two by two."""
    for i, first in enumerate(found):
        for second in found[i + 1 :]:
            if (first.model, first.recordings) != (second.model, second.recordings):
                continue
            reaches = first.measured.reaches["gesture"], second.measured.reaches["gesture"]
            yield {
                "model": first.model,
                "recordings": first.recordings,
                "recipes": [first.recipe, second.recipe],
                "difference": reaches[0].coverage - reaches[1].coverage,
                "p": p_of_difference(*reaches, study.report.coverage, study.seed),
            }


def _answer(result: dict[str, Any]) -> str:
    """One paragraph: which combination reaches most, and whether models differ in it."""
    rows, after = result["rows"], seconds(result["duration_s"])

    def reached(row: dict[str, Any]) -> float:
        return float(row["at_equal_duration"]["gesture"])

    best, least = max(rows, key=reached), min(rows, key=reached)
    sentences = [f"{len(rows)} combinations, compared after {after} of each."]
    if len(rows) > 1:
        sentences.append(
            f"{_name(best)} reaches most of its model, {percent(reached(best))}; {_name(least)} least, "
            f"{percent(reached(least))}."
        )
    models = dict.fromkeys(row["model"] for row in rows)
    if len(models) > 1:
        shares = {model: [reached(row) for row in rows if row["model"] == model] for model in models}
        each = ", ".join(f"{percent(sum(of) / len(of))} of {model}" for model, of in shares.items())
        sentences.append(f"On average the same gestures reach {each}.")
        ceilings = {row["model"]: row["at_equal_duration"].get("held_out") for row in rows}
        known = [f"{percent(value)} of {model}" for model, value in ceilings.items() if value is not None]
        if known:
            sentences.append(f"Recordings that the models never heard reach {', '.join(known)} in that time.")
    above = [row for row in rows if row["p_values"]["walk"]["p"] <= 0.05]
    more = [row for row in above if row["p_values"]["walk"]["mean"] < row["statistics"]["gesture"]["coverage"]["value"]]
    sentences.append(
        f"Of the {len(rows)}, {len(more)} reach more than random motion as smooth and as wide, and "
        f"{len(above) - len(more)} reach less; for the others the difference could be chance."
    )
    return " ".join(sentences)


def _name(row: dict[str, Any]) -> str:
    return f"{row['recordings']} on {row['model']} ({row['recipe']})"

"""`audiovae analyse`: what a model's latent space is made of, as a page, as numbers and as sounds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import Field

from audiovae.analysis import exploration
from audiovae.analysis.analysis_answer import write_answer, write_caveats
from audiovae.analysis.corpus_frames import CorpusFrames, Model, read_frames
from audiovae.analysis.cycle import measure_cycle
from audiovae.analysis.dependence import Association, associate
from audiovae.analysis.descriptor_set import UNITS
from audiovae.analysis.dimensions import FIDELITIES, Dimension, find_centre, measure_dimensions, rank_informative
from audiovae.analysis.exploration import Journey
from audiovae.analysis.latent_map import LatentMap, choose_playable, describe_map, draw_map, embed_sounds
from audiovae.analysis.smoothness import compare_smoothness, measure_smoothness
from audiovae.corpus.corpus import Corpus
from audiovae.errors import SettingsError
from audiovae.latent_space import LatentSpace, replace_text
from audiovae.player import Player, save_audio
from audiovae.settings import Settings

FORMAT = 1
T = TypeVar("T")
Progress = Callable[[Sequence[T], str], Iterable[T]]


class AnalysisSettings(Settings):
    """How much is looked at; every choice is made by the seed."""

    max_frames: int = Field(20_000, ge=100, description="frames of the corpus that are analysed")
    max_points: int = Field(1_500, ge=20, description="frames on the map")
    playable: int = Field(48, ge=1, le=60, description="points of the map that sound")
    sweep_s: float = Field(6.0, gt=0, description="length of a sweep and of an interpolation")
    walk_s: float = Field(15.0, gt=0, description="length of a random trajectory")
    walks: int = Field(2, ge=1, description="random trajectories")
    recorded_s: float = Field(30.0, gt=0, description="held-out sound the trajectories are compared with")


@dataclass(frozen=True)
class Analysis:
    """What was found: the numbers, and what the pictures and sounds are made from.

    Parameters
    ----------
    result : contents of ``analysis.json``.
    space : of the analysed corpus.
    exported : of the model folder.
    frames, chart, dimensions, associations : see there.
    sweeps, between, walks, recorded : played.
    map_data : for the page's script.
    """

    result: dict[str, Any]
    space: LatentSpace
    exported: LatentSpace
    frames: CorpusFrames
    chart: LatentMap
    dimensions: list[Dimension]
    associations: list[Association]
    sweeps: list[Journey]
    between: list[Journey]
    walks: list[Journey]
    recorded: list[Journey]
    map_data: dict[str, Any]


def _plain(items: Sequence[T], _: str) -> Iterable[T]:
    return items


def analyse_model(
    model_dir: Path, corpus: Path, out: Path, seed: int = 0, progress: Progress[Any] = _plain
) -> dict[str, Any]:
    """`analyse` of a model folder and a corpus folder."""
    return analyse(Player(model_dir), Corpus.open(corpus), out, seed, progress=progress)


def analyse(
    model: Model,
    corpus: Corpus,
    out: str | Path,
    seed: int = 0,
    settings: AnalysisSettings | None = None,
    progress: Progress[Any] = _plain,
) -> dict[str, Any]:
    """Write ``analysis.html``, ``analysis.json`` and ``audio/*.wav`` into the folder `out`.

    Parameters
    ----------
    model : an `audiovae.player.Player`.
    corpus : sounds to look at the model with; best those it was trained on, some of them held out.
    seed : of everything random; the same seed gives the same numbers.
    progress : wraps what is worked through, with words for it.

    Returns
    -------
    The contents of ``analysis.json``.

    Raises
    ------
    CorpusError
        If the corpus has no audible sound.
    SettingsError
        If `out` is a file.
    """
    from audiovae.analysis.analysis_page import render_page

    out = Path(out)
    if out.exists() and not out.is_dir():
        raise SettingsError(f"{out} is a file: name a folder, analysis.html and analysis.json go into it")
    found = explore(model, corpus, seed, settings or AnalysisSettings(), progress)
    page = render_page(found)
    (out / "audio").mkdir(parents=True, exist_ok=True)
    for journey in (*found.sweeps, *found.between, *found.walks):
        save_audio(out / "audio" / f"{journey.name}.wav", journey.audio, model.space.sample_rate)
    replace_text(out / "analysis.json", json.dumps(found.result, indent=1, allow_nan=False))
    replace_text(out / "analysis.html", page)
    return found.result


def explore(
    model: Model, corpus: Corpus, seed: int, settings: AnalysisSettings, progress: Progress[Any] = _plain
) -> Analysis:
    """Everything an analysis says, without writing it."""
    frames = read_frames(model, corpus, settings.max_frames, seed, lambda items: progress(items, "encoding"))
    space = frames.describe_space(model.space)
    dimensions = measure_dimensions(model, frames, space, lambda items: progress(items, "dimensions"))
    associations = associate(frames.latents, frames.descriptors, frames.run, frames.place, frames.file_index, seed)
    chart = draw_map(frames, space, settings.max_points, seed)
    playable = choose_playable(chart, settings.playable, seed)
    sounds = embed_sounds(model, corpus, frames, chart.rows[playable], lambda items: progress(items, "sounds"))
    centre = find_centre(frames, space)
    chosen = progress([dimensions[i] for i in rank_informative(dimensions, 3)], "sweeps")
    sweeps = [exploration.sweep(model, one, centre, settings.sweep_s) for one in chosen]
    ends = exploration.choose_ends(frames, chart.white, chart.rows, chart.clusters.label)
    between = list(exploration.interpolations(model, frames, space, ends, settings.sweep_s))
    walks = exploration.walks(model, settings.walk_s, settings.walks, seed)
    recorded, split = exploration.recorded(model, frames, settings.recorded_s, seed)
    std = frames.latents.std(axis=0)
    journeys = {"recorded": recorded, "walk": walks}
    result: dict[str, Any] = {
        "format": FORMAT,
        "seed": seed,
        "settings": settings.model_dump(mode="json"),
        "model": _describe_model(model.space),
        "corpus": _describe_corpus(frames, corpus),
        "fidelity": _describe_fidelity(space, model.space),
        "dimensions": [asdict(one) for one in dimensions],
        "informative": rank_informative(dimensions, 3),
        "dead": [one.index for one in dimensions if one.dead],
        "descriptors": UNITS,
        "associations": [asdict(one) for one in associations],
        "map": _describe_chart(chart),
        "sweeps": [_describe_journey(one) for one in sweeps],
        "interpolations": {"ends": [_describe_frame(frames, row, model.space) for row in ends]}
        | {"journeys": [_describe_journey(one) for one in between]},
        "smoothness": _describe_smoothness(journeys, between, space, split),
        "cycle": {
            name: measure_cycle(model, [(j.latents, j.audio) for j in some], std)
            for name, some in journeys.items()
            if some
        },
    }
    result = json.loads(json.dumps(result, allow_nan=False))  # tuples become lists, as in the file
    result["answer"] = write_answer(result)
    result["caveats"] = write_caveats(result)
    map_data = describe_map(frames, chart, playable, sounds)
    return Analysis(
        result, space, model.space, frames, chart, dimensions, associations, sweeps, between, walks, recorded, map_data
    )


def _describe_model(space: LatentSpace) -> dict[str, Any]:
    names = ("model_id", "model_name", "family", "sample_rate", "hop_length", "latent_size", "latent_rate")
    return {name: getattr(space, name) for name in names}


def _describe_corpus(frames: CorpusFrames, corpus: Corpus) -> dict[str, Any]:
    return {
        "name": corpus.path.name,
        "files": len(corpus.files),
        "files_analysed": len(np.unique(frames.file_index)),
        "duration_s": frames.total_s,
        "analysed_s": sum(one.length for one in frames.excerpts) / corpus.sample_rate,
        "frames": len(frames.latents),
        "audible_frames": int(frames.audible.sum()),
    }


def _describe_fidelity(space: LatentSpace, exported: LatentSpace) -> dict[str, Any]:
    return {
        "explained_variance": space.explained_variance.tolist(),
        "explained_variance_of_reference": exported.explained_variance.tolist(),
        "rank": {f"{fidelity:.2f}": space.fidelity_rank(fidelity) for fidelity in FIDELITIES},
        "pca_basis": space.pca_basis.tolist(),
    }


def _describe_chart(chart: LatentMap) -> dict[str, Any]:
    return {
        "points": len(chart.rows),
        "planes": list(chart.planes),
        "clusters": int(chart.clusters.label.max()) + 1,
        "silhouette": chart.clusters.silhouette,
        "class_source": chart.class_source,
        "classes": len(set(chart.classes)),
        "agreement": chart.agreement,
    }


def _describe_journey(journey: Journey) -> dict[str, Any]:
    curves = {name: [float(f"{x:.5g}") if np.isfinite(x) else None for x in y] for name, y in journey.curves.items()}
    return {
        "name": journey.name,
        "sound": f"audio/{journey.name}.wav",
        "curves": curves,
        "monotony": exploration.describe_monotony(journey),
        "range": {name: exploration.describe_range([journey], name) for name in journey.curves},
    }


def _describe_frame(frames: CorpusFrames, row: int, space: LatentSpace) -> dict[str, Any]:
    return {
        "file": frames.file_names[frames.file_index[row]],
        "place_s": float(frames.place[row] / space.latent_rate),
        "latents": frames.latents[row].tolist(),
    }


def _describe_smoothness(
    journeys: dict[str, list[Journey]], between: list[Journey], space: LatentSpace, split: str
) -> dict[str, Any]:
    """Movement of recorded sound, walks and interpolations, each beside that of the recorded sound."""
    kinds = journeys | {journey.name: [journey] for journey in between}
    measured = {
        name: measure_smoothness(
            [space.whiten(j.latents) for j in some], exploration.perceived(some), space.latent_rate
        )
        for name, some in kinds.items()
        if some
    }
    ratios = {
        name: compare_smoothness(one, measured["recorded"])
        for name, one in measured.items()
        if name != "recorded" and "recorded" in measured
    }
    return {"split": split, "measured": measured, "beside_recorded": ratios}

"""The map of a latent space that a page draws: points on planes, what they are coloured by, sounds to click on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.analysis.corpus_frames import CorpusFrames, Excerpt, Model, read_excerpt
from audiovae.analysis.descriptor_set import UNITS
from audiovae.analysis.projection import Clusters, agree, find_clusters, name_classes, project
from audiovae.analysis.snippets import embed_audio
from audiovae.corpus.corpus import Corpus
from audiovae.latent_space import LatentSpace

FloatArray = npt.NDArray[np.floating[Any]]
Index = npt.NDArray[np.intp]

SNIPPET_S = 0.8
BEFORE_S = 0.1  # of the snippet, ahead of the frame it belongs to
CONTEXT_FRAMES = 4  # decoded ahead of a snippet and cut off


@dataclass(frozen=True)
class LatentMap:
    """A choice of audible frames, seen on planes.

    Parameters
    ----------
    rows : (n,) of the frames.
    white : (n, rank) whitened coordinates.
    planes : name -> (n, 2).
    clusters : of `white`.
    classes : class of every point.
    class_source : what the classes were taken from.
    agreement : adjusted Rand index of clusters and classes.
    """

    rows: Index
    white: FloatArray
    planes: dict[str, FloatArray]
    clusters: Clusters
    classes: list[str]
    class_source: str
    agreement: float


def draw_map(frames: CorpusFrames, space: LatentSpace, max_points: int, seed: int) -> LatentMap:
    """At most `max_points` audible frames on planes, in clusters and classes."""
    audible = np.flatnonzero(frames.audible)
    rng = np.random.default_rng([seed, 4])
    rows = np.sort(rng.choice(audible, min(max_points, len(audible)), replace=False))
    white = np.asarray(space.whiten(frames.latents[rows]), np.float64)
    clusters = find_clusters(white, seed)
    names, source = name_classes(frames.file_names)
    classes = [names[i] for i in frames.file_index[rows]]
    return LatentMap(
        rows, white, project(white, seed), clusters, classes, source, agree(classes, clusters.label.tolist())
    )


def choose_playable(chart: LatentMap, count: int, seed: int) -> Index:
    """Points of the map, at most `count`, spread over it: the one nearest to the middle of each of `count` cells."""
    from sklearn.cluster import KMeans

    count = min(count, len(np.unique(chart.white, axis=0)))
    cells = KMeans(count, n_init=1, random_state=seed).fit(chart.white)
    distance = np.linalg.norm(chart.white - cells.cluster_centers_[cells.labels_], axis=1)
    order = np.argsort(distance, kind="stable")
    _, first = np.unique(cells.labels_[order], return_index=True)
    return np.sort(order[first])


def embed_sounds(
    model: Model,
    corpus: Corpus,
    frames: CorpusFrames,
    rows: Index,
    progress: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> list[dict[str, Any]]:
    """Of every row: its file and time, and ``data:`` addresses of the sound ``recorded`` and through the ``model``."""
    return [_embed_sound(model, corpus, frames, row) for row in progress(rows.tolist())]


def describe_map(
    frames: CorpusFrames, chart: LatentMap, playable: Index, sounds: list[dict[str, Any]]
) -> dict[str, Any]:
    """What the page's script draws the map from, ready for JSON."""
    file_index = frames.file_index[chart.rows]
    class_names = sorted(set(chart.classes))
    colours: dict[str, dict[str, Any]] = {
        name: {"unit": unit} | _scale(frames.descriptors[name][chart.rows]) for name, unit in UNITS.items()
    }
    clusters = sorted(set(chart.clusters.label.tolist()))
    colours["cluster"] = {"names": [f"cluster {i + 1}" for i in clusters], "values": chart.clusters.label.tolist()}
    colours["class"] = {"names": class_names, "values": [class_names.index(name) for name in chart.classes]}
    colours["file"] = {"names": list(frames.file_names), "values": file_index.tolist()}
    return {
        "planes": {name: _normalise(plane).tolist() for name, plane in chart.planes.items()},
        "colours": colours,
        "files": list(frames.file_names),
        "file": file_index.tolist(),
        "playable": playable.tolist(),
        "sounds": sounds,
    }


def _embed_sound(model: Model, corpus: Corpus, frames: CorpusFrames, row: int) -> dict[str, Any]:
    space, excerpt = model.space, frames.excerpts[int(frames.run[row])]
    frame_s = int(frames.place[row]) / space.latent_rate
    start = max(0, round((frame_s - BEFORE_S) * corpus.sample_rate))
    length = min(round(SNIPPET_S * corpus.sample_rate), excerpt.length - start)
    audio = read_excerpt(corpus, Excerpt(excerpt.file, excerpt.start + start, length), space)
    return {
        "file": frames.file_names[excerpt.file],
        "time_s": round(excerpt.start / corpus.sample_rate + frame_s, 3),
        "recorded": embed_audio(audio, space.sample_rate),
        "model": embed_audio(_play_around(model, frames, row), space.sample_rate),
    }


def _play_around(model: Model, frames: CorpusFrames, row: int) -> FloatArray:
    """The decoded sound at a frame, of the length of a snippet or to the end of its excerpt."""
    space = model.space
    same = np.flatnonzero(frames.run == frames.run[row])
    first = max(int(same[0]), row - round(BEFORE_S * space.latent_rate))
    before = max(int(same[0]), first - CONTEXT_FRAMES)
    end = min(int(same[-1]) + 1, first + max(1, round(SNIPPET_S * space.latent_rate)))
    audio = model.decode(frames.latents[before:end].astype(np.float32))
    return audio[:, (first - before) * space.hop_length :]


def _scale(values: FloatArray) -> dict[str, Any]:
    """Values as ranks from 0 to 100 (-1: none), which colours every point apart, and the values at both ends."""
    known = np.isfinite(values)
    ranks = np.full(len(values), -1)
    ordered = np.argsort(np.argsort(values[known], kind="stable"), kind="stable")
    ranks[known] = np.round(100 * ordered / max(1, known.sum() - 1)).astype(int)
    ends = [float(values[known].min()), float(values[known].max())] if known.any() else [None, None]
    return {"values": ranks.tolist(), "low": ends[0], "high": ends[1]}


def _normalise(plane: FloatArray) -> FloatArray:
    """Coordinates from 0 to 1000 in both axes on one scale; the outermost 0.5 % are drawn at the border."""
    low, high = np.quantile(plane, (0.005, 0.995), axis=0)
    extent = max(float((high - low).max()), 1e-9)
    return np.asarray(np.clip(np.round(500 + 960 * (plane - (low + high) / 2) / extent), 0, 1000)).astype(int)

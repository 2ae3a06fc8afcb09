"""Models on a folder of sounds: each file by file and as a set, several side by side, and what they generate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.analysis.paired_difference import compare_pairs, holm
from audiovae.analysis.patches import EMBEDDINGS, SAMPLE_RATE, embed, to_analysis
from audiovae.analysis.reconstruction import FIGURES, METRICS, evaluate_files
from audiovae.analysis.set_distance import compare_sets, difference_of_sets
from audiovae.corpus.audio_file import read_audio
from audiovae.errors import AudioFileError
from audiovae.player import Player

FloatArray = npt.NDArray[np.floating[Any]]
Points = dict[str, FloatArray]  # embedding -> (n_points, d)
Progress = Callable[[Sequence[Path]], Iterable[Path]]

PHASELESS = {"spectral": "the spectral family decodes magnitudes and makes up the phases"}
"""Families whose waveform is not meant to be the original's -> why."""


@dataclass(frozen=True)
class Evaluated:
    """One model: `result` as written to JSON, and the points of every file that was compared, in order.

    Parameters
    ----------
    real, decoded : file -> points of the sound that went in, and of the sound that came out.
    """

    result: dict[str, Any]
    real: dict[Path, Points]
    decoded: dict[Path, Points]


def evaluate_player(
    player: Player, files: Sequence[Path], progress: Progress = iter, known: Mapping[Path, Points] | None = None
) -> Evaluated:
    """How near a model's reconstructions are to the originals: see `evaluate_files` and `compare_sets`.

    Parameters
    ----------
    known : points of files that another model has been evaluated on, so that they are not read again.

    Returns
    -------
    The result has, beside what `evaluate_files` returns: ``model_name``, ``model_id``, ``family``; ``set_distances``,
    embedding -> `compare_sets` of the decoded files and the originals; ``not_applicable``, figure -> why it is None.
    """
    space, real, decoded = player.space, {}, {}

    def listen(path: Path, reference: FloatArray, estimate: FloatArray) -> None:
        # The original as it is on disk, not as the model takes it: a model of a low rate loses the highs.
        real[path] = known[path] if known and path in known else embed(read_audio(path, SAMPLE_RATE, 1)[0])
        decoded[path] = embed(to_analysis(estimate[:, : reference.shape[1]], space.sample_rate))

    def encode_decode(audio: npt.NDArray[np.float32]) -> FloatArray:
        return player.decode(player.encode(audio))

    keeps_phase = space.family not in PHASELESS
    figures = evaluate_files(encode_decode, files, space.sample_rate, space.channels, progress, keeps_phase, listen)
    result = {"model_name": space.model_name, "model_id": space.model_id, "family": space.family, **figures}
    result["sample_rate"] = space.sample_rate
    result["not_applicable"] = {} if keeps_phase else {"si_sdr_db": PHASELESS[space.family]}
    result["set_distances"] = {name: _distance_from_real(name, real, decoded, paired=True) for name in EMBEDDINGS}
    return Evaluated(result, real, decoded)


def evaluate_generated(files: Sequence[Path], real: Mapping[Path, Points], progress: Progress = iter) -> dict[str, Any]:
    """How near a folder of generated sounds is to real ones as a set; no sound is the copy of another.

    Returns
    -------
    dict of
        files : one row a file, ``file``, ``status`` (``compared``, ``silent`` or ``unreadable``) and ``reason``.
        set_distances : embedding -> `compare_sets`.

    Raises
    ------
    AudioFileError
        If there are no files.
    """
    if not files:
        raise AudioFileError("no audio files among the generated: give a folder that holds some")
    rows, points = [], {}
    for path in progress(files):
        row: dict[str, Any] = {"file": str(path), "status": "compared", "reason": None}
        try:
            points[path] = embed(read_audio(path, SAMPLE_RATE, 1)[0])
            if not len(points[path]["mel"]):
                row["status"] = "silent"
        except AudioFileError as error:
            row |= {"status": "unreadable", "reason": str(error)}
        rows.append(row)
    return {
        "files": rows,
        "set_distances": {name: _distance_from_real(name, real, points, paired=False) for name in EMBEDDINGS},
    }


def compare_models(evaluated: Sequence[Evaluated]) -> list[dict[str, Any]]:
    """Every pair of models by the files that both were compared on; ready for JSON.

    Returns
    -------
    list of dicts of
        first, second : positions of the two models.
        figures : figure -> `compare_pairs`, with ``wilcoxon_p_holm``, corrected for the figures of this pair.
        set_distances : embedding -> `difference_of_sets`, None without a file.
    """
    pairs = []
    for (i, one), (j, other) in combinations(enumerate(evaluated), 2):
        figures = {name: _compare_figure(one.result, other.result, name) for name in FIGURES}
        corrected = holm([figures[name]["wilcoxon_p"] for name in FIGURES])
        for name, p in zip(FIGURES, corrected, strict=True):
            figures[name]["wilcoxon_p_holm"] = p
        sets = {name: _compare_sets_of(name, one, other) for name in EMBEDDINGS}
        pairs.append({"first": i, "second": j, "figures": figures, "set_distances": sets})
    return pairs


def name_models(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the models are called side by side: their names, numbered where two share one."""
    names = [str(result["model_name"]) for result in results]
    return [f"{name} ({i + 1})" if names.count(name) > 1 else name for i, name in enumerate(names)]


def _compare_figure(one: Mapping[str, Any], other: Mapping[str, Any], name: str) -> dict[str, Any]:
    values = [
        (row[name], same[name])
        for row, same in zip(one["files"], other["files"], strict=True)
        if row[name] is not None and same[name] is not None
    ]
    first, second = zip(*values, strict=True) if values else ((), ())
    return compare_pairs(first, second, lower_wins=name in METRICS)


def _compare_sets_of(name: str, one: Evaluated, other: Evaluated) -> dict[str, float | None] | None:
    sets = (one.real, one.decoded, other.decoded)
    shared = [path for path in one.real if all(path in points and len(points[path][name]) for points in sets)]
    real, first, second = ([points[path][name] for path in shared] for points in sets)
    return difference_of_sets(real, first, second) if shared else None


def _distance_from_real(
    name: str, real: Mapping[Path, Points], other: Mapping[Path, Points], paired: bool
) -> dict[str, Any] | None:
    """`compare_sets` of the files that have points, None without any; with ``left_out``, how many have none."""
    chosen, others = ([path for path in points if len(points[path][name])] for points in (real, other))
    if paired:
        audible = set(chosen)
        chosen = others = [path for path in others if path in audible]
    if not chosen or not others:
        return None
    distance = compare_sets([real[path][name] for path in chosen], [other[path][name] for path in others], paired)
    return distance | {"left_out": len(other) - len(others), "embedding": EMBEDDINGS[name]}

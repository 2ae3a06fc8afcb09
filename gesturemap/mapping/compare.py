"""Two mappings side by side: how well each fits, how much it reaches, and how far apart they play.

The function behind `gesturemap mappings compare`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gesturemap.errors import MappingError, WrongModelError
from gesturemap.mapping.card import read_coverage
from gesturemap.mapping.folder import load_mapping
from gesturemap.mapping.mapping import Mapping
from gesturemap.recording import Recording


@dataclass(frozen=True)
class Facts:
    """What is known of one mapping.

    Parameters
    ----------
    mapping : its folder.
    label : what it joins.
    model : name of its model.
    examples : how many it was fitted on.
    held_out_r2, held_out_error : over all latents, the error in deviations of the model; None if not measured.
    coverage : share of the model it reaches; None until `gesturemap report` measured it.
    """

    mapping: str
    label: str
    model: str
    examples: int
    held_out_r2: float | None
    held_out_error: float | None
    coverage: float | None


@dataclass(frozen=True)
class Comparison:
    """Facts of both, and their distance on a recording.

    Parameters
    ----------
    first, second : the mappings.
    same_model : whether their latents mean the same sounds.
    distance : (latent_size,) root mean square between their latents, in half output ranges of the first: 0 is the
        same, 1 the middle against an end. None without a recording.
    distance_all : over all latents.
    n_frames : with a gesture that both answer.
    """

    first: Facts
    second: Facts
    same_model: bool
    distance: tuple[float, ...] | None = None
    distance_all: float | None = None
    n_frames: int = 0


def compare_mappings(first: str | Path, second: str | Path, recording: str | Path | None = None) -> Comparison:
    """Compare the mappings of two folders, and what they play on a recording if one is given.

    Raises
    ------
    WrongModelError
        If there is a recording and they play different models.
    MappingError
        If one of them does not read the recording's channels, or they never answer together.
    """
    mappings = load_mapping(first), load_mapping(second)
    facts = _facts(mappings[0], Path(first)), _facts(mappings[1], Path(second))
    same_model = mappings[0].model_id == mappings[1].model_id
    if recording is None:
        return Comparison(*facts, same_model)
    if not same_model:
        raise WrongModelError(
            f"{first} plays {mappings[0].model_name!r} ({mappings[0].model_id[:12]}), {second} plays"
            f" {mappings[1].model_name!r} ({mappings[1].model_id[:12]}): latents of two models have no distance;"
            " compare without a recording"
        )
    apart = output_difference(*mappings, Recording.load(recording))
    rms = np.sqrt((apart**2).mean(axis=0))
    return Comparison(*facts, same_model, tuple(rms.tolist()), float(np.sqrt((rms**2).mean())), len(apart))


def output_difference(
    first: Mapping, second: Mapping, recording: Recording
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """(n_frames, latent_size) latents of `second` minus those of `first`, in half output ranges of `first`."""
    parts = []
    for mapping in (first, second):
        mapping.check_layout(recording)
    for take in recording.takes:
        difference = second.map_take(take.time_s, take.values) - first.map_take(take.time_s, take.values)
        parts.append(difference[np.isfinite(difference).all(axis=1)])
    apart = np.concatenate([np.empty((0, first.latent_size)), *parts])
    if not len(apart):
        raise MappingError(
            f"{recording.path}: no frame that both mappings answer: use a recording with the gestures of both"
        )
    half_range = (first.high - first.low) / 2.0
    return np.asarray(apart / np.where(half_range > 0, half_range, 1.0))


def held_out_error(card: dict[str, object]) -> float | None:
    """Root mean square over the latents of a card's held-out errors, in deviations of the model."""
    errors = card.get("held_out_rmse")
    return float(np.sqrt(np.mean(np.square(errors)))) if isinstance(errors, list) and errors else None


def _facts(mapping: Mapping, folder: Path) -> Facts:
    return Facts(
        mapping=str(folder),
        label=str(mapping.label),
        model=mapping.model_name,
        examples=int(mapping.card.get("n_examples", 0)),
        held_out_r2=mapping.card.get("held_out_r2_all"),
        held_out_error=held_out_error(mapping.card),
        coverage=read_coverage(folder),
    )

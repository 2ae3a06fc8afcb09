"""What to record next, for a mapping or before there is one. The function behind `gesturemap suggest`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from audiovae.latent_space import LatentSpace
from audiovae.latent_table import write_latents
from gesturemap.features import extract_features
from gesturemap.frame import Array
from gesturemap.mapping.mapping import Mapping
from gesturemap.recording import Recording
from gesturemap.recording.suggestions import Suggestions, hold_poses, recorded_latents, suggest_latents

SURE = 0.5  # confidence below which a mapping's answer does not count as met: there it guesses


def suggest(
    recordings: Sequence[Recording],
    model_dir: str | Path,
    mapping: Mapping | None = None,
    *,
    count: int = 8,
    out: str | Path | None = None,
    sound: str | Path | None = None,
    seed: int = 0,
) -> Suggestions:
    """Latents whose gesture is missing.

    Parameters
    ----------
    recordings : what was recorded so far; may be none.
    model_dir : the model.
    mapping : then what counts as met is what it answers to these recordings where it is sure of it; without one, the
        latents that were recorded.
    count : how many.
    out : latent table (Parquet) to write: each held for 2 s, a way of 1 s between, to record along with.
    sound : sound file of that table to write.
    seed : of the draw from a large cloud.

    Raises
    ------
    WrongModelError
        If a recording or the mapping is of another model.
    """
    space = LatentSpace.load(model_dir)
    if mapping is not None:
        mapping.check_model(space)
    parts = [_met(recording, space, mapping) for recording in recordings]
    found = suggest_latents(space, np.concatenate([np.empty((0, space.latent_size)), *parts]), count, seed)
    if out is not None or sound is not None:
        held = hold_poses(found.latents, space.latent_rate)
        if out is not None:
            write_latents(out, held, space)
        if sound is not None:
            from audiovae.player import Player, save_audio

            save_audio(sound, Player(model_dir).decode(held), space.sample_rate)
    return found


def _met(recording: Recording, space: LatentSpace, mapping: Mapping | None) -> Array:
    """(n, latent_size) of what the gestures of a recording reach."""
    if mapping is None:
        return recorded_latents(recording, space)
    mapping.check_layout(recording)
    met = [np.empty((0, space.latent_size))]
    for take in recording.takes:
        features = extract_features(mapping.features, mapping.layout, take.time_s, take.values)
        features = features[np.isfinite(features).all(axis=1)]
        if len(features):
            met.append(mapping.predict(features[mapping.confidence(features) >= SURE]))
    return np.concatenate(met)

"""From recordings to examples: feature rows and the latents they go with, take by take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audiovae.latent_space import LatentSpace
from gesturemap.errors import MappingError, WrongModelError
from gesturemap.features import FeatureExtractor, FeatureSettings, extract_features
from gesturemap.frame import Array, Layout
from gesturemap.mapping.mapping import Examples
from gesturemap.recording import Recording, Take
from gesturemap.regressors.rows import MIN_ROWS, spread_rows

MAX_ROWS = 20000


@dataclass(frozen=True)
class Pairs:
    """Examples of all recordings, and what became of the rows that are not among them.

    Parameters
    ----------
    examples : to learn from.
    take_names, lags_s : of every take, in the order `Examples.take` counts them.
    n_dropped : rows without a gesture, or without any latent.
    n_thinned : rows left out because there were too many.
    """

    examples: Examples
    take_names: tuple[str, ...]
    lags_s: tuple[float, ...]
    n_dropped: int
    n_thinned: int


def collect_pairs(
    recordings: Sequence[Recording], space: LatentSpace, features: FeatureSettings, max_rows: int = MAX_ROWS
) -> Pairs:
    """Feature rows and their latents, take by take, each shifted by the take's lag.

    Features are computed over whole takes, as they will be live, and then paired. If no recording holds
    latents, the examples have none.

    Raises
    ------
    MappingError
        If recordings do not fit together, or no row is left.
    WrongModelError
        If a recording holds latents of another model.
    """
    _check_together(recordings, space)
    layout = recordings[0].layout
    takes = [(recording.path.name, take) for recording in recordings for take in recording.takes]
    parts = [_pair_take(take, features, layout) for _, take in takes]
    time_s = np.concatenate([np.empty(0)] + [part[0] for part in parts])
    names = FeatureExtractor(features, layout).names
    rows = np.concatenate([np.empty((0, len(names)))] + [part[1] for part in parts])
    with_latents = recordings[0].latent_size > 0
    latents = np.concatenate([np.empty((0, space.latent_size))] + [part[2] for part in parts if part[2] is not None])
    present = np.asarray(np.isfinite(rows).all(axis=1))
    if with_latents:
        present &= np.isfinite(latents).any(axis=1)  # of several outputs some may have been switched off
    if present.sum() < MIN_ROWS:
        raise MappingError(_explain_empty(rows, names, int(present.sum())))
    kept = np.flatnonzero(present)
    used = kept[spread_rows(len(kept), max_rows)]
    take = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    return Pairs(
        Examples(names, rows[used], latents[used] if with_latents else None, time_s[used], take[used]),
        take_names=tuple(f"{name} take {take.index}" for name, take in takes),
        lags_s=tuple(take.lag_s or 0.0 for _, take in takes),
        n_dropped=len(present) - len(kept),
        n_thinned=len(kept) - len(used),
    )


def _check_together(recordings: Sequence[Recording], space: LatentSpace) -> None:
    """Refuse recordings of different trackers, layouts or models, and some with latents beside some without."""
    if not any(recording.takes for recording in recordings):
        raise MappingError(f"{len(recordings)} recordings with no take in them: record one first")
    first = recordings[0]
    for recording in recordings:
        if recording.tracker != first.tracker or recording.layout.names != first.layout.names:
            raise MappingError(
                f"{recording.path} ({recording.tracker}, {len(recording.layout)} channels) and {first.path}"
                f" ({first.tracker}, {len(first.layout)} channels) differ: fit one mapping for each tracker"
            )
        if (recording.latent_size > 0) != (first.latent_size > 0):
            raise MappingError(
                f"of {recording.path} and {first.path} one holds latents and the other does not: leave one out"
            )
        if recording.latent_size and recording.model_id != space.model_id:
            raise WrongModelError(
                f"{recording.path} holds latents of model {recording.model_name!r} ({str(recording.model_id)[:12]}),"
                f" this is {space.model_name!r} ({space.model_id[:12]}): record again with this model"
            )


def _pair_take(take: Take, features: FeatureSettings, layout: Layout) -> tuple[Array, Array, Array | None]:
    """Times, feature rows and latents of the rows of one take that have a partner; all rows if it has no latents."""
    rows = extract_features(features, layout, take.time_s, take.values)
    if take.latents is None:
        return take.time_s, rows, None
    paired, latents = take.pair()
    start = int(np.searchsorted(take.time_s, paired.time_s[0])) if len(paired.time_s) else 0
    return paired.time_s, rows[start : start + len(paired.time_s)], latents


def _explain_empty(rows: Array, names: Sequence[str], n_present: int) -> str:
    """Why hardly any row is whole, and what to do."""
    never = [name for name, column in zip(names, rows.T, strict=True) if not np.isfinite(column).any()]
    message = f"{n_present} of {len(rows)} rows hold every feature and a latent, {MIN_ROWS} or more needed"
    if never:
        return (
            f"{message}; never there: {', '.join(never[:4])}{' ...' if len(never) > 4 else ''}. Choose features of"
            ' what was seen, for one hand --set features.hands=["right"]'
        )
    return f"{message}: record longer, with the hands in sight"

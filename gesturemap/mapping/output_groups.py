"""Latents that are not all known in the same rows, as where some outputs of a Wekinator project were switched off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from audiovae.settings import Settings
from gesturemap.errors import MappingError
from gesturemap.frame import Array
from gesturemap.regressors import make_regressor
from gesturemap.regressors.grouped import GroupedRegressor
from gesturemap.regressors.rows import MIN_ROWS, IntArray
from gesturemap.regressors.settings import LinearMapSettings

OfOutputs = Callable[[IntArray], Any]  # from columns of the latents to an unfitted regressor of these


class OutputGroup(NamedTuple):
    """Latents that are known in the same rows.

    Parameters
    ----------
    outputs : their columns.
    rows : where they are known.
    """

    outputs: IntArray
    rows: IntArray


def group_outputs(latents: Array) -> list[OutputGroup]:
    """Groups of the columns of `latents` (n_rows, latent_size) by where they are numbers; one if that is everywhere."""
    groups: dict[bytes, list[int]] = {}
    known = np.isfinite(latents)
    for output, column in enumerate(known.T):
        groups.setdefault(column.tobytes(), []).append(output)
    return [OutputGroup(np.array(outputs), np.flatnonzero(known[:, outputs[0]])) for outputs in groups.values()]


def check_rows(latents: Array) -> None:
    """Refuse latents known in too few rows to be learned; `MappingError` names them."""
    counts = np.isfinite(latents).sum(axis=0)
    few = [f"latent_{output} in {count}" for output, count in enumerate(counts) if count < MIN_ROWS]
    if few:
        raise MappingError(
            f"of {len(latents)} examples too few say something of every latent: {', '.join(few)}, {MIN_ROWS} or more"
            " needed: record examples with these outputs switched on, or leave them out of the project"
        )


def fit_outputs(of_outputs: OfOutputs, features: Array, latents: Array) -> Any:
    """A fitted regressor of all latents, each learned from every row in which it is known.

    Parameters
    ----------
    of_outputs : makes an unfitted regressor of some outputs.
    features : (n_rows, n_features).
    latents : (n_rows, latent_size), NaN where one is not known. Without any this is ``fit`` of one regressor.

    Raises
    ------
    MappingError
        If a regressor cannot be fitted, as on too few rows.
    """
    groups = group_outputs(latents)
    if len(groups) == 1:
        outputs, rows = groups[0]
        return of_outputs(outputs).fit(features[rows], latents[rows])
    fitted = [of_outputs(outputs).fit(features[rows], latents[np.ix_(rows, outputs)]) for outputs, rows in groups]
    every = np.arange(features.shape[1])
    return GroupedRegressor(fitted, [outputs for outputs, _ in groups], [every] * len(groups), len(every))


def regressor_of_outputs(
    name: str, settings: Settings, feature_names: Sequence[str], latent_size: int, seed: int
) -> OfOutputs:
    """`make_regressor` for some of `latent_size` latents, with what `settings` give for these.

    Raises
    ------
    MappingError
        As `make_regressor` does for all of the latents.
    """
    make_regressor(name, settings, len(feature_names), latent_size, seed, feature_names=feature_names)  # to check

    def make(outputs: IntArray) -> Any:
        own = settings
        if isinstance(settings, LinearMapSettings):
            given = {key: getattr(settings, key) for key in ("columns", "bias", "half_range")}
            chosen = {key: tuple(value[i] for i in outputs) for key, value in given.items() if value is not None}
            own = settings.model_copy(update=chosen)
        return make_regressor(name, own, len(feature_names), len(outputs), seed, feature_names=feature_names)

    return make

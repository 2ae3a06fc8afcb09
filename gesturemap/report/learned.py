"""Did a mapping learn from this very take? By what the takes hold: files are copied, cut and renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gesturemap.features import extract_features

if TYPE_CHECKING:
    from gesturemap.frame import Array
    from gesturemap.mapping import Mapping
    from gesturemap.recording.recording import Take

SHARE = 0.5  # of the different rows of either, found in the other
MIN_ROWS = 10  # different rows; a hand at rest is like another hand at rest
DIGITS = 6  # of a feature's deviation: what a table's decimals and another start of the clock leave the same


def find_learned(mapping: Mapping, takes: list[Take]) -> list[bool]:
    """Whether each take, or a half of it or more, is among the examples of the mapping, or holds half of one of theirs.

    Features are computed as for playing and compared row by row. A mapping without examples learned from none.
    """
    examples = mapping.examples
    if examples.latents is None or not len(examples.features):
        return [False] * len(takes)
    deviation = examples.features.std(axis=0)
    unit = np.where(deviation > 0, deviation, 1.0) / 10**DIGITS
    fitted = [_rows(examples.features[examples.take == number], unit) for number in np.unique(examples.take)]
    found = []
    for take in takes:
        features = extract_features(mapping.features, mapping.layout, take.time_s, take.values)
        rows = _rows(features, unit)
        found.append(any(_is_same(rows, of_one) for of_one in fitted))
    return found


def _is_same(rows: npt.NDArray[Any], others: npt.NDArray[Any]) -> bool:
    n_fewer = min(len(rows), len(others))
    return n_fewer >= MIN_ROWS and len(np.intersect1d(rows, others, assume_unique=True)) >= SHARE * n_fewer


def _rows(features: Array, unit: Array) -> npt.NDArray[Any]:
    """The different whole rows in steps of `unit`, each as one value that can be compared."""
    whole = features[np.isfinite(features).all(axis=1)]
    steps = np.ascontiguousarray(np.round(whole / unit).astype(np.int64))
    return np.unique(steps.view(np.dtype((np.void, steps.dtype.itemsize * steps.shape[1]))).ravel())

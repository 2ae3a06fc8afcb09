"""The rows a regressor learns from: their check at the boundary, and their order in time.

Rows arrive in the order they were recorded; every choice made here (subsets, held-out blocks) keeps
neighbours in time together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gesturemap.errors import MappingError
from gesturemap.frame import Array

MIN_ROWS = 5  # one row a block of the cross-validation
N_BLOCKS = 5

IntArray = npt.NDArray[np.intp]


def check_features(features: Any, n_features: int | None = None) -> Array:
    """`features` as (n_rows, n_features) finite float64.

    Raises
    ------
    MappingError
        If the shape is another, or a number is NaN or infinite.
    """
    rows = np.asarray(features, dtype=np.float64)
    if rows.ndim != 2 or (n_features is not None and rows.shape[1] != n_features):
        wanted = "n_features" if n_features is None else n_features
        raise MappingError(f"features of shape {rows.shape} found, (n_rows, {wanted}) expected")
    if not np.isfinite(rows).all():
        bad = int((~np.isfinite(rows).all(axis=1)).sum())
        raise MappingError(f"{bad} of {len(rows)} feature rows hold NaN or infinity: drop those rows first")
    return rows


def check_pairs(features: Any, latents: Any, min_rows: int = MIN_ROWS) -> tuple[Array, Array]:
    """Features (n_rows, n_features) and latents (n_rows, n_outputs) as finite float64; 1-D is one output.

    Raises
    ------
    MappingError
        If the shapes do not fit, a number is not finite, or there are fewer than `min_rows` rows.
    """
    rows = check_features(features)
    targets = np.asarray(latents, dtype=np.float64)
    targets = targets[:, None] if targets.ndim == 1 else targets
    if targets.ndim != 2 or len(targets) != len(rows):
        raise MappingError(f"latents of shape {targets.shape} found for {len(rows)} feature rows")
    if not np.isfinite(targets).all():
        raise MappingError("latents hold NaN or infinity: drop those rows first")
    if len(rows) < min_rows:
        raise MappingError(f"{len(rows)} examples found, {min_rows} or more needed: record more")
    return rows, targets


def check_labels(features: Any, labels: Any, n_classes: int) -> tuple[Array, IntArray]:
    """Features (n_rows, n_features) as finite float64 and labels (n_rows,) as whole numbers of 0..n_classes.

    Raises
    ------
    MappingError
        If the shapes do not fit, a number is not finite, there is no row, or a label is none of the classes.
    """
    rows = check_features(features)
    found = np.asarray(labels, dtype=np.float64)
    if found.shape != (len(rows),) or not len(rows):
        raise MappingError(f"labels of shape {found.shape} found for {len(rows)} feature rows, 1 or more expected")
    wrong = ~np.isin(found, np.arange(n_classes + 1))
    if wrong.any():
        raise MappingError(f"label {found[wrong][0]:g} found, a whole number of 0..{n_classes} expected")
    return rows, found.astype(np.intp)


def spread_rows(n_rows: int, max_rows: int) -> IntArray:
    """Indices of at most `max_rows` rows, evenly spaced in time."""
    if n_rows <= max_rows:
        return np.arange(n_rows)
    return np.linspace(0, n_rows - 1, max_rows).round().astype(np.intp)


def contiguous_blocks(n_rows: int, n_blocks: int = N_BLOCKS) -> list[IntArray]:
    """Row indices cut into at most `n_blocks` runs of neighbours."""
    return list(np.array_split(np.arange(n_rows), min(n_blocks, n_rows)))

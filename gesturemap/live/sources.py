"""Where latents come from: a mapping, which answers at once, or somebody who answers later."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from gesturemap.frame import Array
from gesturemap.mapping import Mapping
from gesturemap.regressors.compiled import compile_regressor


class LatentSource(Protocol):
    """Features to latents.

    Attributes
    ----------
    poll_s : how long the loop may wait for a frame before it asks for answers that came meanwhile.
    """

    poll_s: float

    def latents(self, time_s: float, features: Array) -> Array | None:
        """(latent_size,) of features (n_features,), NaN where there is no gesture; None: the answer comes later."""

    def arrived(self) -> Array | None:
        """(latent_size,) of an answer that came since it was last asked, the newest; None if there is none."""

    def close(self) -> None:
        """Let go of sockets."""


class MappingSource:
    """A mapping, one row at a time, equal to `Mapping.map_take`."""

    poll_s = 0.02

    def __init__(self, mapping: Mapping) -> None:
        mapping.check_mode(has_base=False)
        self._predict = compile_regressor(mapping.regressor)
        self._low, self._high = mapping.low, mapping.high
        self._smoother = mapping.open_smoother() if mapping.smoothing.method != "none" else None
        self._absent = np.full(mapping.latent_size, np.nan)

    def latents(self, time_s: float, features: Array) -> Array:
        """(latent_size,), NaN if a feature is; see `LatentSource`."""
        if not np.isfinite(features).all():
            row = self._absent
        else:
            row = np.minimum(np.maximum(self._predict(features), self._low), self._high)
        if self._smoother is None:
            return row
        smooth: Array = self._smoother.process(np.array([time_s]), row[None])[0]
        return smooth

    def arrived(self) -> None:
        """Nothing: it has answered already."""

    def close(self) -> None:
        """Nothing to let go of."""

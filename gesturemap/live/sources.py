"""Where latents come from: a mapping, which answers at once, or somebody who answers later."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from gesturemap.frame import Array
from gesturemap.mapping import Mapping
from gesturemap.regressors.compiled import RowPredictor, compile_regressor


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
    """A mapping, one row at a time, equal to `Mapping.control_take`; another can fade in.

    Attributes
    ----------
    fading : whether a mapping fades in.
    """

    poll_s = 0.02

    def __init__(self, mapping: Mapping) -> None:
        self.fading = False
        self._predict = compile_regressor(mapping.regressor)
        self._next: RowPredictor = self._predict
        self._fade_from_s, self._fade_s = 0.0, 1.0
        self._low, self._high = mapping.predicted_range
        self._smoother = mapping.open_smoother() if mapping.smoothing.method != "none" else None
        self._absent = np.full(mapping.latent_size, np.nan)

    def latents(self, time_s: float, features: Array) -> Array:
        """(latent_size,), NaN if a feature is; see `LatentSource`."""
        row = self._answer(time_s, features) if np.isfinite(features).all() else self._absent
        if self._smoother is None:
            return row
        smooth: Array = self._smoother.process(np.array([time_s]), row[None])[0]
        return smooth

    def fade_to(self, mapping: Mapping, time_s: float, fade_s: float) -> None:
        """From `time_s` on, within `fade_s`, the answers become those of `mapping`, which differs in its regressor.

        A fade that has not ended is cut short: wait until `fading` is over, or the sound jumps.
        """
        self._predict, self._next = self._next, compile_regressor(mapping.regressor)
        self._fade_from_s, self._fade_s, self.fading = time_s, max(fade_s, 1e-9), True

    def arrived(self) -> None:
        """Nothing: it has answered already."""

    def close(self) -> None:
        """Nothing to let go of."""

    def _answer(self, time_s: float, features: Array) -> Array:
        """(latent_size,) within the range, of the mapping, the one that fades in, or between."""
        if self.fading and time_s - self._fade_from_s >= self._fade_s:
            self._predict, self.fading = self._next, False
        row = np.minimum(np.maximum(self._predict(features), self._low), self._high)
        if self.fading:
            share = max(time_s - self._fade_from_s, 0.0) / self._fade_s
            new = np.minimum(np.maximum(self._next(features), self._low), self._high)
            row += share * (new - row)
        return row

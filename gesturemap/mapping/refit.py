"""A mapping that learns while it plays: the old one answers until the new one is fitted, which then fades in."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from audiovae.settings import build
from gesturemap.errors import MappingError
from gesturemap.frame import Array
from gesturemap.mapping.mapping import Examples, Mapping
from gesturemap.mapping.pairing import MAX_ROWS
from gesturemap.regressors import find_regressor, make_regressor
from gesturemap.regressors.rows import MIN_ROWS, spread_rows

FADE_S = 0.5


class FitExecutor(Protocol):
    """Runs a fit, in a thread or at once; `concurrent.futures.Executor` is one."""

    def submit(self, function: Callable[[Examples], Any], examples: Examples, /) -> Future[Any]:
        """Begin ``function(examples)``."""

    def shutdown(self, wait: bool = True) -> None:
        """Let go of threads."""


class OnlineRefit:
    """A mapping and the examples that come to it on stage.

    Parameters
    ----------
    mapping : plays from the start; stays as it is.
    executor : runs the fits, one at a time, the next with all that came meanwhile; None for a thread of its own.
    fade_s : how long the new mapping fades in.

    Attributes
    ----------
    n_fits : fits that play, or will.
    problem : why the last fit failed; empty if it did not. The mapping of before goes on playing then.
    """

    def __init__(self, mapping: Mapping, executor: FitExecutor | None = None, fade_s: float = FADE_S) -> None:
        self.n_fits, self.problem = 0, ""
        self._playing, self._next = mapping, mapping
        self._examples = mapping.examples
        self._executor = executor if executor is not None else ThreadPoolExecutor(1, thread_name_prefix="refit")
        self._fade_s, self._fade_from_s = fade_s, -np.inf
        self._pending: tuple[Future[Any], Examples] | None = None
        self._wanted = False

    @property
    def mapping(self) -> Mapping:
        """The newest mapping that is fitted, to be saved; its card says that its errors are older."""
        return self._next

    @property
    def busy(self) -> bool:
        """Whether a fit runs or waits."""
        return self._pending is not None or self._wanted

    def add(self, features: Array, latents: Array) -> None:
        """Keep examples for the next fit.

        Parameters
        ----------
        features : (n_rows, n_features).
        latents : (n_rows, latent_size) that they shall give; rows with a NaN on either side are left out.

        Raises
        ------
        MappingError
            If shapes do not fit.
        """
        known = self._examples
        if features.shape != (len(latents), len(known.feature_names)) or latents.shape[1:] != (
            self._playing.latent_size,
        ):
            raise MappingError(
                f"examples of shapes {features.shape} and {latents.shape}: expected (n_rows,"
                f" {len(known.feature_names)}) and (n_rows, {self._playing.latent_size})"
            )
        whole = np.isfinite(features).all(axis=1) & np.isfinite(latents).all(axis=1)
        features, latents = features[whole], latents[whole]
        # A mapping made without examples begins with those of the stage alone.
        before = slice(0, 0) if known.latents is None else slice(None)
        old_latents = np.empty((0, latents.shape[1])) if known.latents is None else known.latents
        take = int(known.take.max(initial=-1)) + 1
        self._examples = Examples(
            known.feature_names,
            np.concatenate([known.features[before], features]),
            np.concatenate([old_latents, latents]),
            np.concatenate([known.time_s[before], np.arange(len(features), dtype=np.float64)]),
            np.concatenate([known.take[before], np.full(len(features), take, dtype=np.intp)]),
        )

    def request(self) -> None:
        """Fit on all examples so far, in the background; at once or after the fit that runs.

        Raises
        ------
        MappingError
            If there are too few examples.
        """
        n_rows = 0 if self._examples.latents is None else len(self._examples.features)
        if n_rows < MIN_ROWS:
            raise MappingError(f"{n_rows} examples found, {MIN_ROWS} or more needed to fit: add some first")
        self._wanted = True
        self._start()

    def predict(self, features: Array, now_s: float) -> Array:
        """Latents (n_rows, latent_size) as `Mapping.predict` gives them, of the old mapping, the new one or between.

        Parameters
        ----------
        features : (n_rows, n_features).
        now_s : time of the performance, in seconds.
        """
        self._collect(now_s)
        latents = self._playing.predict(features)
        if self._next is self._playing:
            return latents
        share = (now_s - self._fade_from_s) / self._fade_s if self._fade_s > 0 else 1.0
        if share >= 1.0:
            self._playing = self._next
            return self._playing.predict(features)
        faded: Array = latents + max(share, 0.0) * (self._next.predict(features) - latents)
        return faded

    def close(self) -> None:
        """Wait for the fit that runs, and let go of the thread."""
        self._wanted = False
        self._executor.shutdown(wait=True)

    def _start(self) -> None:
        if self._pending is None and self._wanted:
            self._wanted = False
            self._pending = (self._executor.submit(self._fit, self._examples), self._examples)

    def _collect(self, now_s: float) -> None:
        """Take in a fit that is done; one fade has to end before the next begins, or the sound would jump."""
        if self._pending is None or not self._pending[0].done() or self._next is not self._playing:
            return
        (future, examples), self._pending = self._pending, None
        error = future.exception()
        self.problem = "" if error is None else str(error)
        if error is None:
            self._next = self._as_mapping(future.result(), examples)
            self._fade_from_s = now_s
            self.n_fits += 1
        self._start()

    def _fit(self, examples: Examples) -> Any:
        """A fitted regressor of the mapping's kind."""
        mapping = self._playing
        info = find_regressor(mapping.label.regressor)
        settings = build(info.settings, mapping.regressor_settings, mapping.name)
        names = examples.feature_names
        unfitted = make_regressor(
            mapping.label.regressor, settings, len(names), mapping.latent_size, mapping.seed, feature_names=names
        )
        rows = spread_rows(len(examples.features), MAX_ROWS)
        assert examples.latents is not None
        with threadpool_limits(limits=1, user_api="blas"):
            return unfitted.fit(examples.features[rows], examples.latents[rows])

    def _as_mapping(self, regressor: Any, examples: Examples) -> Mapping:
        count = len(examples.features)
        warning = f"fitted again on stage, on {count} examples: the errors are those of the mapping before"
        warnings = [w for w in self._playing.card.get("warnings", []) if not w.startswith("fitted again on stage")]
        card = self._playing.card | {"n_examples": count, "warnings": [*warnings, warning]}
        return replace(self._playing, regressor=regressor, examples=examples, card=card)

"""A mapping that is fitted again while it plays: on its own examples and those that are taught on stage."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from audiovae.latent_space import LatentSpace
from audiovae.settings import build
from gesturemap.errors import MappingError
from gesturemap.frame import Array
from gesturemap.mapping.fit_process import FitProcess
from gesturemap.mapping.held_out import MEASURED, measure_errors
from gesturemap.mapping.mapping import Examples, Mapping
from gesturemap.mapping.output_groups import fit_outputs, regressor_of_outputs
from gesturemap.mapping.pairing import MAX_ROWS
from gesturemap.regressors import find_regressor
from gesturemap.regressors.rows import MIN_ROWS, spread_rows

AGAIN = "fitted again on stage"


class FitExecutor(Protocol):
    """Runs a fit elsewhere; `concurrent.futures.Executor` is one."""

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Begin ``function(*args)``."""

    def shutdown(self, wait: bool = True) -> None:
        """Let go of threads and processes."""


class OnlineRefit:
    """The examples of a mapping, those taught on stage, and the fits on both.

    Parameters
    ----------
    mapping : what is known at the start; stays as it is.
    executor : runs the fits, one at a time, the next with all that came meanwhile; None for a process of its own.

    Attributes
    ----------
    mapping : the newest that is fitted, to be played and saved; its card says that its errors are older.
    n_fits : how often it was.
    problem : why the last fit failed; empty if it did not.
    """

    def __init__(self, mapping: Mapping, executor: FitExecutor | None = None) -> None:
        self.mapping = mapping
        self.n_fits, self.problem = 0, ""
        self._known = mapping.examples
        self._names = list(mapping.card["takes"]) if mapping.examples.latents is not None else []
        self._taught: list[tuple[Array, Array]] = []
        self._undone: list[tuple[Array, Array]] = []
        self._executor = executor if executor is not None else FitProcess(_fit)
        self._pending: tuple[Future[Any], Examples, int] | None = None
        self._wanted = False
        self._changes = self._learned = 0

    @property
    def stale(self) -> bool:
        """Whether something was taught or taken back that no fit has seen."""
        return self._changes != self._learned

    @property
    def busy(self) -> bool:
        """Whether a fit runs or waits."""
        return self._pending is not None or self._wanted

    @property
    def n_taught(self) -> int:
        """Takes that were taught and not taken back."""
        return len(self._taught)

    def add(self, features: Array, latents: Array) -> int:
        """Keep a take for the next fit.

        Parameters
        ----------
        features : (n_rows, n_features).
        latents : (n_rows, latent_size) that they shall give; rows with a NaN on either side are left out.

        Returns
        -------
        Rows that are kept.

        Raises
        ------
        MappingError
            If shapes do not fit.
        """
        n_features, latent_size = len(self._known.feature_names), self.mapping.latent_size
        if features.shape != (len(latents), n_features) or latents.shape[1:] != (latent_size,):
            raise MappingError(
                f"examples of shapes {features.shape} and {latents.shape}: expected (n_rows, {n_features}) and"
                f" (n_rows, {latent_size})"
            )
        whole = np.isfinite(features).all(axis=1) & np.isfinite(latents).all(axis=1)
        if whole.any():
            self._taught.append((features[whole], latents[whole]))
            self._undone.clear()
            self._changes += 1
        return int(whole.sum())

    def undo(self) -> bool:
        """Take back the take that was taught last; False if there is none. What it taught goes at the next fit."""
        if self._taught:
            self._undone.append(self._taught.pop())
            self._changes += 1
            return True
        return False

    def redo(self) -> bool:
        """Bring back what `undo` took last; False if there is none."""
        if self._undone:
            self._taught.append(self._undone.pop())
            self._changes += 1
            return True
        return False

    def request(self) -> None:
        """Fit on all examples as they are now, in the background; at once or after the fit that runs.

        Raises
        ------
        MappingError
            If there are too few examples.
        """
        n_known = 0 if self._known.latents is None else len(self._known.features)
        n_rows = n_known + sum(len(features) for features, _ in self._taught)
        if n_rows < MIN_ROWS:
            raise MappingError(f"{n_rows} examples found, {MIN_ROWS} or more needed to fit: teach some first")
        self._wanted = True
        self._start()

    def poll(self) -> Mapping | None:
        """The new mapping, once, when a fit is done; a failed one leaves the old mapping, and `problem`."""
        if self._pending is None or not self._pending[0].done():
            return None
        (future, examples, n_taught), self._pending = self._pending, None
        error = future.exception()
        self.problem = "" if error is None else str(error)
        if error is None:
            self.mapping = self._as_mapping(future.result(), examples, n_taught)
            self.n_fits += 1
        else:
            self._learned = -1  # nothing was learned by it
        self._start()
        return self.mapping if error is None else None

    def measured(self, space: LatentSpace) -> Mapping:
        """The newest mapping with its own errors on its card, measured now; takes several fits."""
        mapping, examples = self.mapping, self.mapping.examples
        settings = build(find_regressor(mapping.label.regressor).settings, mapping.regressor_settings, mapping.name)
        made = (mapping.label.regressor, settings, examples.feature_names, mapping.latent_size, mapping.seed)
        with threadpool_limits(limits=1, user_api="blas"):
            errors = measure_errors(
                regressor_of_outputs(*made), mapping.regressor, examples, space, mapping.low, mapping.high
            )
        kept = {key: value for key, value in mapping.card.items() if key not in MEASURED}
        return replace(mapping, card=kept | errors)

    def close(self) -> None:
        """Wait for the fits that run or are wanted, take in the last, and let go of the thread."""
        while self._pending is not None:
            wait([self._pending[0]])
            self.poll()
        self._executor.shutdown(wait=True)

    def _start(self) -> None:
        if self._pending is None and self._wanted:
            self._wanted = False
            self._learned = self._changes
            examples = self._examples()
            # Only what the fit reads is sent.
            mapping = self.mapping
            known = (mapping.label.regressor, mapping.regressor_settings, mapping.seed, examples.feature_names)
            fit = self._executor.submit(_fit, *known, examples.features, examples.latents)
            self._pending = (fit, examples, len(self._taught))

    def _examples(self) -> Examples:
        """The mapping's own examples, then take after take; of one made without examples those of the stage alone."""
        known = self._known
        if known.latents is None:
            none = np.empty((0, self.mapping.latent_size))
            known = Examples(known.feature_names, known.features[:0], none, known.time_s[:0], known.take[:0])
        assert known.latents is not None
        first = len(self._names)
        rows = [len(features) for features, _ in self._taught]
        features = np.concatenate([known.features, *(features for features, _ in self._taught)])
        latents = np.concatenate([known.latents, *(latents for _, latents in self._taught)])
        time_s = np.concatenate([known.time_s, *(np.arange(n, dtype=np.float64) for n in rows)])
        take = np.concatenate([known.take, np.repeat(first + np.arange(len(rows)), rows)])
        used = spread_rows(len(features), MAX_ROWS)
        return Examples(known.feature_names, features[used], latents[used], time_s[used], take[used])

    def _as_mapping(self, regressor: Any, examples: Examples, n_taught: int) -> Mapping:
        card, count = self.mapping.card, len(examples.features)
        warning = f"{AGAIN}, on {count} examples: the errors are those of the mapping before"
        changes = {
            "n_examples": count,
            "takes": [*self._names, *(f"taught on stage, {number + 1}" for number in range(n_taught))],
            "lags_s": [*card.get("lags_s", [])[: len(self._names)], *[0.0] * n_taught],
            "warnings": [*(line for line in card.get("warnings", []) if not line.startswith(AGAIN)), warning],
        }
        return replace(self.mapping, regressor=regressor, examples=examples, card=card | changes)


def _fit(regressor: str, values: dict[str, Any], seed: int, names: tuple[str, ...], rows: Array, latents: Array) -> Any:
    """A fitted regressor of this name and these settings."""
    settings = build(find_regressor(regressor).settings, values, regressor)
    with threadpool_limits(limits=1, user_api="blas"):
        return fit_outputs(regressor_of_outputs(regressor, settings, names, latents.shape[1], seed), rows, latents)

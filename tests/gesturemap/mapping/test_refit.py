"""Learning on stage: examples that come and go, and the fits on them; fits run when a test says."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gesturemap.errors import MappingError
from gesturemap.features import FeatureSettings
from gesturemap.frame import Array
from gesturemap.mapping import Mapping
from gesturemap.mapping.fit_process import FitProcess
from gesturemap.mapping.fitting import fit_mapping
from gesturemap.mapping.refit import OnlineRefit
from gesturemap.recording import Recording


class Later:
    """Runs what was submitted when told."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Callable[..., Any], Any]] = []

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, function, args))
        return future

    def run(self) -> None:
        future, function, args = self.waiting.pop(0)
        try:
            future.set_result(function(*args))
        except MappingError as error:
            future.set_exception(error)

    def shutdown(self, wait: bool = True) -> None:
        self.waiting = []


def news(mapping: Mapping, n_rows: int = 40) -> tuple[Array, Array]:
    """Examples in a corner that the mapping never saw, all of which shall give the low end of its range."""
    features = 90.0 + np.random.default_rng(0).normal(size=(n_rows, 3))
    return features, np.tile(mapping.low, (n_rows, 1))


def test_a_fit_on_all_there_is_comes_once(mapping: Mapping) -> None:
    executor = Later()
    refit = OnlineRefit(mapping, executor)
    features, latents = news(mapping)
    here = features[:3]
    old = mapping.predict(here)
    assert refit.add(features, latents) == 40
    assert refit.stale
    refit.request()
    assert refit.busy
    assert not refit.stale
    assert refit.poll() is None  # the fit has not run yet
    executor.run()
    new = refit.poll()
    assert new is refit.mapping
    assert refit.poll() is None
    assert not refit.busy
    assert np.abs(new.predict(here) - mapping.low).max() < 0.2 * np.abs(old - mapping.low).max()
    np.testing.assert_array_equal(mapping.predict(here), old)  # the one given is as it was
    assert (refit.n_fits, refit.problem) == (1, "")


def test_what_comes_while_fitting_is_fitted_after(mapping: Mapping) -> None:
    executor = Later()
    refit = OnlineRefit(mapping, executor)
    features, latents = news(mapping)
    refit.add(features[:20], latents[:20])
    refit.request()
    refit.add(features[20:], latents[20:])
    refit.request()
    refit.request()
    assert len(executor.waiting) == 1
    n_known = len(mapping.examples.features)
    for n_taught in (20, 40):
        executor.run()
        fitted = refit.poll()
        assert fitted is not None
        assert len(fitted.examples.features) == n_known + n_taught
    assert (refit.n_fits, refit.busy, executor.waiting) == (2, False, [])


def test_undo_and_redo_go_by_takes(mapping: Mapping) -> None:
    executor = Later()
    refit = OnlineRefit(mapping, executor)
    features, latents = news(mapping)
    n_known = len(mapping.examples.features)

    def learned() -> tuple[int, list[str]]:
        refit.request()
        executor.run()
        fitted = refit.poll()
        assert fitted is not None
        return len(fitted.examples.features) - n_known, fitted.card["takes"][len(mapping.card["takes"]) :]

    refit.add(features[:25], latents[:25])
    refit.add(features[25:], latents[25:])
    assert learned() == (40, ["taught on stage, 1", "taught on stage, 2"])
    assert refit.undo()
    assert learned() == (25, ["taught on stage, 1"])
    assert refit.redo()
    assert learned() == (40, ["taught on stage, 1", "taught on stage, 2"])
    assert (refit.undo(), refit.undo(), refit.undo()) == (True, True, False)
    assert learned() == (0, [])
    refit.add(features[:5], latents[:5])
    assert not refit.redo()  # something new was taught since
    assert len(refit.mapping.card["lags_s"]) == len(refit.mapping.card["takes"])


def test_the_result_is_that_of_a_fit_from_scratch_and_can_be_kept(mapping: Mapping, tmp_path: Path) -> None:
    executor = Later()
    refit = OnlineRefit(mapping, executor)
    refit.add(*news(mapping))
    refit.request()
    executor.run()
    refit.poll()
    from gesturemap.regressors import make_regressor

    examples = refit.mapping.examples
    scratch = make_regressor("kernel_ridge", None, 3, 4, mapping.seed).fit(examples.features, examples.latents)
    rows = examples.features[::50]
    np.testing.assert_array_equal(
        refit.mapping.predict(rows), np.clip(scratch.predict(rows), mapping.low, mapping.high)
    )
    loaded = Mapping.load(refit.mapping.save(tmp_path / "kept"))
    np.testing.assert_array_equal(loaded.predict(rows), refit.mapping.predict(rows))
    assert loaded.card["warnings"][-1].startswith("fitted again on stage, on")


def test_a_process_of_its_own_does_the_same(mapping: Mapping) -> None:
    refit = OnlineRefit(mapping)
    features, latents = news(mapping)
    refit.add(features[:20], latents[:20])
    refit.request()
    refit.add(features[20:], latents[20:])
    refit.request()
    refit.close()  # waits for both
    assert refit.n_fits == 2
    assert len(refit.mapping.examples.features) == len(mapping.examples.features) + 40


def test_a_mapping_without_examples_learns_from_the_stage_alone(
    play_space: Any, make_recording: Callable[..., Recording], position: FeatureSettings
) -> None:
    executor = Later()
    direct = fit_mapping([make_recording(kind="gesture")], play_space, position, name="d", regressor="linear_map")
    refit = OnlineRefit(direct, executor)
    with pytest.raises(MappingError, match="0 examples found"):
        refit.request()
    features, latents = news(direct)
    refit.add(features, latents)
    refit.request()
    executor.run()
    fitted = refit.poll()
    assert fitted is not None
    assert len(fitted.examples.features) == 40
    assert fitted.card["takes"] == ["taught on stage, 1"]


def test_a_failed_fit_leaves_the_old_one_playing(mapping: Mapping, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MappingError("no memory left")

    executor = Later()
    refit = OnlineRefit(mapping, executor)
    features, latents = news(mapping)
    refit.add(features, latents)
    refit.request()
    with monkeypatch.context() as patch:
        patch.setattr("gesturemap.mapping.refit.fit_outputs", fail)
        executor.run()
    assert refit.poll() is None
    assert refit.mapping is mapping
    assert (refit.problem, refit.n_fits) == ("no memory left", 0)
    assert refit.stale  # what was taught is still to be learned


def test_examples_that_do_not_fit_are_refused_and_holes_left_out(mapping: Mapping) -> None:
    refit = OnlineRefit(mapping, Later())
    features, latents = news(mapping, 4)
    with pytest.raises(MappingError, match=r"expected \(n_rows, 3\) and \(n_rows, 4\)"):
        refit.add(features, latents[:, :2])
    with pytest.raises(MappingError, match=r"examples of shapes \(4, 2\)"):
        refit.add(features[:, :2], latents)
    features[1, 0], latents[2, 3] = np.nan, np.nan
    assert refit.add(features, latents) == 2
    assert refit.add(np.full((3, 3), np.nan), latents[:3]) == 0
    assert refit.n_taught == 1


def fail(text: str) -> None:
    raise MappingError(text)


def test_a_process_answers_fails_and_dies_without_taking_the_stage_along() -> None:
    process = FitProcess(fail)
    assert process.submit(divmod, 7, 2).result(30) == (3, 1)
    with pytest.raises(MappingError, match="two is too few"):
        process.submit(fail, "two is too few").result(30)
    assert process.submit(divmod, 9, 2).result(30) == (4, 1)
    with pytest.raises(MappingError, match="process that fits has ended"):
        process.submit(os._exit, 1).result(30)
    process.shutdown()

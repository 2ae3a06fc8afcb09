"""From examples to answers: one fit for all outputs that share their rows, inputs and regressor."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from audiovae.settings import Settings, apply_overrides, build
from gesturemap.bridge.examples import Examples
from gesturemap.bridge.outputs import ClassOutput, NumericOutput, Output
from gesturemap.frame import Array
from gesturemap.regressors import find_regressor, make_regressor, regressor_settings
from gesturemap.regressors.classifiers import make_classifier
from gesturemap.regressors.dtw import GestureRecogniser
from gesturemap.regressors.rows import MIN_ROWS, contiguous_blocks, spread_rows
from gesturemap.regressors.settings import GaussianProcessSettings

HELD_OUT_ROWS = 500  # of the error report, which must not keep the machine busy after training
FAR = 1e6  # ranges of an input that stand for infinity
HELD_OUT_SHARE = 0.2


@dataclass(frozen=True)
class Choice:
    """A regressor of the table and its settings."""

    name: str
    settings: Settings

    @property
    def spec(self) -> dict[str, Any]:
        """What `choose_regressor` reads, as JSON."""
        return {"name": self.name, "settings": self.settings.model_dump(mode="json", exclude_defaults=True)}


# The best of the table on Wekinator's own ground at 100 to 5000 examples, see benchmarks/bridge.py: fewer rows for
# the likelihood than for mappings, since somebody waits, and all rows kept.
DEFAULT_CHOICE = Choice("gaussian_process", GaussianProcessSettings(max_rows=6000, likelihood_rows=200))


def choose_regressor(name: str, overrides: Sequence[str] = ()) -> Choice:
    """A regressor by name and ``key=value`` settings; `MappingError` or `SettingsError` if there is none such."""
    if name != DEFAULT_CHOICE.name:
        return Choice(name, regressor_settings(name, overrides))
    ours = DEFAULT_CHOICE.settings
    return Choice(name, build(type(ours), apply_overrides(ours.model_dump(), overrides), f"regressor {name!r}"))


def read_choice(spec: dict[str, Any]) -> Choice:
    """The inverse of `Choice.spec`; a pydantic `ValidationError` for wrong settings."""
    return Choice(spec["name"], find_regressor(spec["name"]).settings.model_validate(spec["settings"]))


@dataclass(frozen=True)
class Learned:
    """A fitted regressor and where it belongs.

    Parameters
    ----------
    outputs : indices of the outputs it gives, in its order.
    inputs : indices of the inputs it takes.
    """

    outputs: tuple[int, ...]
    inputs: tuple[int, ...]
    regressor: Any
    center: Array = field(repr=False)
    reach: Array = field(repr=False)

    @cached_property
    def _row(self) -> Callable[[Array], Array]:
        from gesturemap.regressors.compiled import compile_regressor

        return compile_regressor(self.regressor)

    @cached_property
    def _in_order(self) -> bool:
        return self.inputs == tuple(range(len(self.inputs)))

    def answer(self, row: Sequence[float]) -> Array:
        """(len(outputs),) for all inputs of the session, as fast as can be.

        As in the original, NaN is taken for the middle of its input's range and the infinite for very far away.
        """
        values = np.array(row, np.float64)
        if not math.isfinite(math.hypot(*row)):
            return self._row(self._chosen(values[None])[0])
        return self._row(values if self._in_order and len(row) == len(self.inputs) else values[list(self.inputs)])

    def predict(self, rows: Array) -> Array:
        """(n_rows, len(outputs)) for (n_rows, n_inputs), NaN and infinity as in `answer`."""
        return np.asarray(self.regressor.predict(self._chosen(rows))).reshape(len(rows), -1)

    def distribution(self, rows: Array) -> Array:
        """(n_rows, n_classes + 1) share of each class, class 0 first; of classifiers alone."""
        return np.asarray(self.regressor.distribution(self._chosen(rows)))

    def confidence(self, rows: Array) -> float:
        """How near the first of `rows` is to the examples, 0 to 1; NaN where the regressor does not know."""
        if not hasattr(self.regressor, "confidence"):
            return float("nan")
        return float(self.regressor.confidence(self._chosen(rows[:1]))[0])

    def _chosen(self, rows: Array) -> Array:
        """The inputs it takes, made finite."""
        rows = rows[:, self.inputs]
        if np.isfinite(rows).all():
            return rows
        low, high = self.center - FAR * self.reach, self.center + FAR * self.reach
        return np.asarray(np.clip(np.where(np.isnan(rows), self.center, rows), low, high))


@dataclass(frozen=True)
class Lesson:
    """Everything a training needs, so that it can run beside the session.

    Parameters
    ----------
    inputs, outputs : (n_rows, n_inputs) and (n_rows, n_outputs), NaN where an output was not recorded.
    kinds, choices, selections : of each output; `selections` are the inputs it listens to.
    wanted : outputs to train.
    """

    inputs: Array
    outputs: Array
    kinds: tuple[Output, ...]
    choices: tuple[Choice, ...]
    selections: tuple[tuple[int, ...], ...]
    wanted: tuple[int, ...]
    seed: int = 0


@dataclass(frozen=True)
class HeldOut:
    """Error of one output on examples left out of the fit: RMSE and R squared (classes: share of wrong ones, NaN)."""

    output: int
    rmse: float
    r_squared: float


def learn(lesson: Lesson, cancelled: Callable[[], bool] = lambda: False) -> list[Learned]:
    """Fit every wanted output that has examples; `cancelled` is asked between fits, as the original does.

    Raises
    ------
    MappingError
        If a regressor cannot learn from these examples.
    """
    learned = []
    for outputs in group_outputs(lesson):
        if cancelled():
            break
        rows = _usable_rows(lesson, outputs)
        if rows.any():
            learned.append(_fit(lesson, outputs, rows))
    return learned


def learn_gestures(recogniser: GestureRecogniser, examples: Examples) -> None:
    """Compare with these examples from now; a round is one, if it is long enough and all numbers are."""
    recogniser.delete()
    for each in examples.rounds:
        rows = np.array(each.inputs)
        if len(rows) >= recogniser.min_length and np.isfinite(rows).all():
            recogniser.add_example(int(each.outputs[0][0]), rows)


def measure_held_out(lesson: Lesson) -> list[HeldOut]:
    """Errors on a fifth of the examples, contiguous stretches of them, predicted from the rest."""
    report = []
    for outputs in group_outputs(lesson):
        rows = np.flatnonzero(_usable_rows(lesson, outputs))
        rows = rows[spread_rows(len(rows), HELD_OUT_ROWS)]
        held = np.concatenate([block[: round(HELD_OUT_SHARE * len(block))] for block in contiguous_blocks(len(rows))])
        if not len(held) or len(rows) - len(held) < MIN_ROWS:
            continue
        kept = np.zeros(len(lesson.inputs), dtype=bool)
        kept[np.delete(rows, held)] = True
        truth = lesson.outputs[rows[held]][:, outputs]
        error = _fit(lesson, outputs, kept).predict(lesson.inputs[rows[held]]) - truth
        report += [_score(lesson, output, error[:, i], truth[:, i]) for i, output in enumerate(outputs)]
    return report


def group_outputs(lesson: Lesson) -> list[tuple[int, ...]]:
    """The wanted outputs, those together that one regressor can learn at once."""
    groups: dict[Any, list[int]] = {}
    for output in lesson.wanted:
        alone = None if isinstance(lesson.kinds[output], NumericOutput) else output
        choice = lesson.choices[output]
        recorded = np.isfinite(lesson.outputs[:, output]).tobytes()
        key = (alone, choice.name, choice.settings, lesson.selections[output], recorded)
        groups.setdefault(key, []).append(output)
    return [tuple(group) for group in groups.values()]


def _usable_rows(lesson: Lesson, outputs: tuple[int, ...]) -> Any:
    inputs = lesson.inputs[:, lesson.selections[outputs[0]]]
    return np.isfinite(inputs).all(axis=1) & np.isfinite(lesson.outputs[:, outputs[0]])


def _fit(lesson: Lesson, outputs: tuple[int, ...], rows: Any) -> Learned:
    selection, choice = lesson.selections[outputs[0]], lesson.choices[outputs[0]]
    inputs, targets = lesson.inputs[rows][:, selection], lesson.outputs[rows][:, outputs]
    low, high = inputs.min(axis=0), inputs.max(axis=0)
    reach = np.where(high > low, high - low, 1.0)
    kind = lesson.kinds[outputs[0]]
    if isinstance(kind, ClassOutput):
        regressor = make_classifier(kind.classifier, kind.n_classes).fit(inputs, targets[:, 0])
    else:
        # Most of the table want several rows, a performer may have one: the same ones again say nothing new.
        repeats = -(-find_regressor(choice.name).min_rows // len(inputs))
        regressor = make_regressor(choice.name, choice.settings, len(selection), len(outputs), lesson.seed)
        regressor.fit(np.tile(inputs, (repeats, 1)), np.tile(targets, (repeats, 1)))
    return Learned(outputs, selection, regressor, (low + high) / 2, reach)


def _score(lesson: Lesson, output: int, error: Array, truth: Array) -> HeldOut:
    if isinstance(lesson.kinds[output], ClassOutput):
        return HeldOut(output, float((error != 0).mean()), float("nan"))
    spread = float(((truth - truth.mean()) ** 2).sum())
    r_squared = 1.0 - float((error**2).sum()) / spread if spread > 0 else float("nan")
    return HeldOut(output, float(np.sqrt((error**2).mean())), r_squared)

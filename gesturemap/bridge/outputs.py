"""What an output can be: a number with limits, a class, or the distances of gestures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gesturemap.errors import OscError

SPECS = "number[:LOW:HIGH][:integer][:soft|clip|hard], class:COUNT[:knn|svm|naive_bayes][:distribution], dtw:COUNT"
CLASSIFIERS = ("knn", "svm", "naive_bayes")
LARGEST = 3.4e38  # a float32 holds no more
LIMITS = ("soft", "clip", "hard")


@dataclass(frozen=True)
class NumericOutput:
    """A number.

    Parameters
    ----------
    low, high : its range; `low` is its first value.
    integer : truncated toward zero, as the original does.
    limits : ``soft``: the range is advice. ``clip``: outputs stay inside. ``hard``: labels outside are refused too.
    """

    low: float = 0.0
    high: float = 1.0
    integer: bool = False
    limits: str = "soft"

    @property
    def default(self) -> float:
        """Value before anything is set or learned."""
        return self.low

    def accepts(self, value: float) -> bool:
        """Whether `value` may be recorded."""
        return abs(value) <= LARGEST and (self.limits != "hard" or self.low <= value <= self.high)

    def draw(self, rng: np.random.Generator) -> float:
        """A random value."""
        value = float(rng.uniform(self.low, self.high))
        return float(int(value)) if self.integer else value

    @property
    def spec(self) -> str:
        """What `parse_output` reads."""
        kind = ":integer" if self.integer else ""
        return f"number:{self.low!r}:{self.high!r}{kind}:{self.limits}"


@dataclass(frozen=True)
class ClassOutput:
    """A class, 1 to `n_classes`; 0 is none. With `distribution` the share of each class is sent too.

    classifier : a name of `gesturemap.regressors.classifiers`.
    """

    n_classes: int = 2
    classifier: str = "knn"
    distribution: bool = False
    default: float = 1.0

    def accepts(self, value: float) -> bool:
        """Whether `value` is a class or 0."""
        return math.isfinite(value) and value == int(value) and 0 <= value <= self.n_classes

    def draw(self, rng: np.random.Generator) -> float:
        """A random class."""
        return float(rng.integers(1, self.n_classes + 1))

    @property
    def spec(self) -> str:
        """What `parse_output` reads."""
        return f"class:{self.n_classes}:{self.classifier}" + (":distribution" if self.distribution else "")


@dataclass(frozen=True)
class DtwOutput:
    """Gestures in time, told apart by their shape. The only output of its session; sends a distance for each."""

    n_gestures: int = 1
    default: float = math.inf

    def accepts(self, value: float) -> bool:
        """Nothing is recorded as a label: gestures are."""
        return False

    def draw(self, rng: np.random.Generator) -> float:
        """There is nothing to draw."""
        return self.default

    @property
    def spec(self) -> str:
        """What `parse_output` reads."""
        return f"dtw:{self.n_gestures}"


Output = NumericOutput | ClassOutput | DtwOutput


def parse_output(spec: str) -> Output:
    """An output from text as ``number:0:127:integer:hard``, ``class:4:distribution``, ``dtw:3``.

    Raises
    ------
    OscError
        If the text is none of these.
    """
    kind, *words = spec.split(":")
    try:
        if kind == "number":
            return _parse_number(words)
        if kind == "class" and int(words[0]) >= 1:
            return _parse_class(words)
        if kind == "dtw" and len(words) == 1 and int(words[0]) >= 1:
            return DtwOutput(int(words[0]))
    except (ValueError, IndexError):
        pass
    raise OscError(f"output {spec!r} found, expected one of {SPECS}")


def check_outputs(outputs: Sequence[Output]) -> tuple[Output, ...]:
    """`outputs`, refused if gestures stand beside anything else."""
    if len(outputs) > 1 and any(isinstance(output, DtwOutput) for output in outputs):
        raise OscError("a dtw output is the only output of its session: start a second bridge for the others")
    return tuple(outputs)


def _parse_number(words: list[str]) -> NumericOutput:
    limits = words.pop() if words and words[-1] in LIMITS else "soft"
    integer = bool(words) and words[-1] == "integer"
    numbers = [float(word) for word in (words[:-1] if integer else words)]
    if not numbers:
        return NumericOutput(integer=integer, limits=limits)
    low, high = numbers
    if not -math.inf < low < high < math.inf:
        raise ValueError
    return NumericOutput(low, high, integer, limits)


def _parse_class(words: list[str]) -> ClassOutput:
    distribution = words[-1] == "distribution"
    names = words[1:-1] if distribution else words[1:]
    if len(names) > 1 or not set(names) <= set(CLASSIFIERS):
        raise ValueError
    return ClassOutput(int(words[0]), names[0] if names else "knn", distribution)


def as_numbers(arguments: Sequence[Any]) -> list[float] | None:
    """Numbers from OSC arguments, booleans as 0 and 1; None if one is no number."""
    if any(not isinstance(argument, (int, float)) for argument in arguments):
        return None
    try:
        return [float(argument) for argument in arguments]
    except OverflowError:
        return None

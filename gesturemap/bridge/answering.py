"""From inputs to answers: which model gives what, worked out before the first input comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gesturemap.bridge.learning import Learned
from gesturemap.bridge.outputs import ClassOutput, NumericOutput
from gesturemap.bridge.slots import Slot
from gesturemap.frame import Array


@dataclass(frozen=True)
class AnswerPlan:
    """Which model gives which outputs, and their limits, worked out once instead of for every input.

    Parameters
    ----------
    parts : model, its columns that are used, and the outputs they go to.
    whole : whether the only model gives all outputs in their order, so that nothing is copied.
    integers : outputs truncated toward zero.
    low, high : (n_outputs,) limits, infinite where there are none; None if there are none at all.
    distributions : outputs whose shares of classes are sent, and their models.
    """

    parts: tuple[tuple[Learned, list[int], list[int]], ...]
    whole: bool
    integers: list[int]
    low: Array | None
    high: Array | None
    distributions: tuple[tuple[int, Learned], ...]

    @classmethod
    def of(cls, slots: Sequence[Slot]) -> AnswerPlan:
        """The plan of these outputs."""
        models = {id(slot.learned): slot.learned for slot in slots if slot.learned is not None}
        parts = []
        for learned in models.values():
            used = [o for o in learned.outputs if slots[o].running and slots[o].learned is learned]
            if used:
                parts.append((learned, [learned.outputs.index(output) for output in used], used))
        numbers = {i: slot.kind for i, slot in enumerate(slots) if isinstance(slot.kind, NumericOutput)}
        limited = {i: kind for i, kind in numbers.items() if kind.limits != "soft"}
        low, high = np.full(len(slots), -np.inf), np.full(len(slots), np.inf)
        for output, kind in limited.items():
            low[output], high[output] = kind.low, kind.high
        shares = [
            (i, slot.learned)
            for i, slot in enumerate(slots)
            if isinstance(slot.kind, ClassOutput) and slot.kind.distribution and slot.learned and slot.running
        ]
        return cls(
            parts=tuple(parts),
            whole=len(parts) == 1 and parts[0][1] == parts[0][2] == list(range(len(slots))),
            integers=[output for output, kind in numbers.items() if kind.integer],
            low=low if limited else None,
            high=high if limited else None,
            distributions=tuple(shares),
        )

    def answer(self, row: Sequence[float], values: Sequence[float]) -> list[float]:
        """Outputs for inputs `row`; `values` stand where nothing is learned."""
        if self.whole:
            outputs = self.parts[0][0].answer(row)
        else:
            outputs = np.array(values, np.float64)
            for learned, columns, targets in self.parts:
                outputs[targets] = learned.answer(row)[columns]
        if self.integers:
            outputs[self.integers] = np.trunc(outputs[self.integers])
        if self.low is not None and self.high is not None:
            np.minimum(np.maximum(outputs, self.low, out=outputs), self.high, out=outputs)
        answered: list[float] = outputs.tolist()
        return answered

    def confidence(self, row: Sequence[float]) -> float:
        """How near `row` is to the examples, 0 to 1: the least of all models; NaN if none knows."""
        known = [learned.confidence(np.array([row])) for learned, _, _ in self.parts]
        return float(np.nanmin(known)) if known and not np.isnan(known).all() else float("nan")

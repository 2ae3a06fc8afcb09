"""The examples in memory: rounds of recording that can be taken back and brought again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gesturemap.frame import Array


@dataclass
class Round:
    """One stretch of examples, what `undo` takes back as a whole.

    Parameters
    ----------
    number : the recording round, from 1.
    inputs, outputs : one tuple a row; an output that was not recorded is NaN.
    take, first : take of the recording on disk that holds the rows, and which of its rows is the first.
    """

    number: int
    inputs: list[tuple[float, ...]] = field(default_factory=list)
    outputs: list[tuple[float, ...]] = field(default_factory=list)
    take: int = 0
    first: int = 0
    blanked: set[int] = field(default_factory=set)

    @property
    def next_place(self) -> tuple[int, int]:
        """Take and row of an example that would follow; rows of a round are neighbours on disk."""
        return self.take, self.first + len(self.inputs) if self.take else 0


class Examples:
    """Rounds in the order they were recorded."""

    def __init__(self) -> None:
        self.rounds: list[Round] = []
        self.undone: list[Round] = []
        self.last_number = 0

    def __len__(self) -> int:
        """Count of rows."""
        return sum(len(each.inputs) for each in self.rounds)

    def begin(self, take: int = 0, first: int = 0) -> Round:
        """A new round; what was undone before is gone."""
        self.last_number += 1
        self.rounds.append(Round(self.last_number, take=take, first=first))
        self.undone.clear()
        return self.rounds[-1]

    def undo(self) -> bool:
        """Take the last round that holds rows back; False if there is none."""
        while self.rounds:
            last = self.rounds.pop()
            if last.inputs:
                self.undone.append(last)
                return True
        return False

    def redo(self) -> bool:
        """Bring the round back that was undone last; False if there is none."""
        if not self.undone:
            return False
        self.rounds.append(self.undone.pop())
        return True

    def clear(self) -> None:
        """Delete everything, beyond undo."""
        self.rounds.clear()
        self.undone.clear()

    def blank(self, output: int) -> None:
        """Forget one output (counted from 0) of all rows."""
        for each in self.rounds:
            each.blanked.add(output)

    def tables(self, n_inputs: int, n_outputs: int) -> tuple[Array, Array]:
        """Inputs (n_rows, n_inputs) and outputs (n_rows, n_outputs), NaN where an output was not recorded."""
        inputs = [np.empty((0, n_inputs))]
        outputs = [np.empty((0, n_outputs))]
        for each in self.rounds:
            inputs.append(np.array(each.inputs, np.float64).reshape(-1, n_inputs))
            outputs.append(np.array(each.outputs, np.float64).reshape(-1, n_outputs))
            outputs[-1][:, sorted(each.blanked)] = np.nan
        return np.concatenate(inputs), np.concatenate(outputs)


def spread_choice(points: Array, count: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Rows of `points` (n_rows, n) far from each other: each next one is farthest from those chosen before.

    Columns are compared in units of their deviation. At most `count` rows, fewer where points coincide.
    """
    scale = points.std(axis=0)
    scaled = points / np.where(scale > 0, scale, 1.0)
    chosen = [int(rng.integers(len(points)))]
    nearest = np.linalg.norm(scaled - scaled[chosen[0]], axis=1)
    while len(chosen) < count and nearest.max() > 0:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(scaled - scaled[chosen[-1]], axis=1))
    return np.array(chosen, dtype=np.intp)


def morph(stored: Sequence[Sequence[float]], position: float) -> list[float]:
    """Between stored output sets: position 0 is the first, 1 the second, 1.5 half way to the third; ends hold."""
    position = min(max(position, 0.0), len(stored) - 1.0)
    low = min(int(position), len(stored) - 2) if len(stored) > 1 else 0
    high = min(low + 1, len(stored) - 1)
    share = position - low
    return [(1 - share) * a + share * b for a, b in zip(stored[low], stored[high], strict=True)]

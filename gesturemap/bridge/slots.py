"""One output of a session: what it is, what it says now, and its model."""

from __future__ import annotations

from dataclasses import dataclass

from gesturemap.bridge.learning import Choice, Learned
from gesturemap.bridge.outputs import Output


@dataclass
class Slot:
    """One output.

    Parameters
    ----------
    recording, running, training : whether examples keep it, inputs move it, and training touches it.
    inputs : indices of the inputs it listens to; None: all.
    learned : its model, once there is one; `stale` if the examples or inputs are others since.
    """

    kind: Output
    name: str
    choice: Choice
    recording: bool = True
    running: bool = True
    training: bool = True
    inputs: tuple[int, ...] | None = None
    learned: Learned | None = None
    stale: bool = False

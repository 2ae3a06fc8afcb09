"""How a bridge is set up, and what it counts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from gesturemap.bridge.learning import DEFAULT_CHOICE, Choice
from gesturemap.bridge.outputs import Output


class State(Enum):
    """Where the session is, as in the original."""

    NOT_READY = "not_ready"
    READY_TO_TRAIN = "ready_to_train"
    TRAINING = "training"
    DONE_TRAINING = "done_training"


@dataclass(frozen=True)
class BridgeSettings:
    """How a bridge is set up.

    Parameters
    ----------
    n_inputs : numbers of one input message; None: as many as the first one has.
    outputs : what is sent; empty: as many numbers as the first message of labels has.
    choice : regressor of numeric outputs.
    strict : the original's reading of arguments instead of the tolerant one.
    folder : where the session is kept; None: nowhere.
    model_id, model_name : of the audio model whose latents the outputs are.
    rest : outputs that panic sends; empty: the defaults.
    """

    n_inputs: int | None = None
    outputs: tuple[Output, ...] = ()
    choice: Choice = DEFAULT_CHOICE
    input_address: str = "/wek/inputs"
    output_address: str = "/wek/outputs"
    strict: bool = False
    seed: int = 0
    folder: Path | None = None
    model_id: str | None = None
    model_name: str | None = None
    rest: tuple[float, ...] = ()


@dataclass
class Counts:
    """What came and what became of it."""

    packets: int = 0
    malformed: int = 0
    ignored: int = 0
    answered: int = 0

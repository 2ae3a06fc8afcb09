"""What a Wekinator project says: its inputs, its outputs and its examples. No files here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gesturemap.frame import Array

IN_PORT, OUT_PORT = 6448, 12000
IN_MESSAGE, OUT_MESSAGE = "/wek/inputs", "/wek/outputs"
N_META = 3  # ID, time and round come before the inputs


@dataclass(frozen=True)
class ProjectOutput:
    """One output.

    Parameters
    ----------
    name : may be empty, as in Wekinator.
    low, high : range of a numeric output; of no meaning for a class.
    integer, hard : whether a numeric output is truncated, and kept within its range.
    n_classes : 0 for a numeric output.
    distribution : whether a class sends the share of each class.
    """

    name: str
    low: float = 0.0
    high: float = 1.0
    integer: bool = False
    hard: bool = False
    n_classes: int = 0
    distribution: bool = False


@dataclass(frozen=True, eq=False)
class Project:
    """A project of regressions and classifications.

    Parameters
    ----------
    name : of the project.
    input_names : (n_inputs,).
    outputs : (n_outputs,).
    rounds : (n_examples,) recording round of each example, from 1.
    time_s : (n_examples,) seconds since 1970, in the zone of the machine that recorded.
    inputs : (n_examples, n_inputs); NaN where missing.
    targets : (n_examples, n_outputs); NaN where an output was not recorded.
    chosen : for each output the inputs it follows, counted from 0; empty: all of them.
    in_port, in_message, host, out_port, out_message : its addresses.
    """

    name: str
    input_names: tuple[str, ...]
    outputs: tuple[ProjectOutput, ...]
    rounds: npt.NDArray[np.int64]
    time_s: Array
    inputs: Array
    targets: Array
    chosen: tuple[tuple[int, ...], ...] = ()
    in_port: int = IN_PORT
    in_message: str = IN_MESSAGE
    host: str = "localhost"
    out_port: int = OUT_PORT
    out_message: str = OUT_MESSAGE

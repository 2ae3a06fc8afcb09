"""Projects of the original as sessions: opened with their examples, and written for the original to open."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gesturemap.bridge.examples import Examples
from gesturemap.bridge.outputs import ClassOutput, NumericOutput, Output
from gesturemap.bridge.session import Session
from gesturemap.errors import OscError
from gesturemap.wekinator import Project, ProjectOutput, read_project, write_project


def is_project(path: Path) -> bool:
    """Whether `path` is a project of the original: its folder, or the .wekproj in it."""
    return path.suffix == ".wekproj" or any(path.glob("*.wekproj"))


def load_project(session: Session, path: Path, *, then_run: bool = False) -> None:
    """Go on with the outputs and examples of a project, and train. Its addresses are ignored: ours are set already.

    Raises
    ------
    GestureMapError
        If it is no project, or one of gestures; the present session stays as it is then.
    """
    project = read_project(path.parent if path.suffix == ".wekproj" else path)
    kinds = [_read_output(output) for output in project.outputs]
    session.begin(len(project.input_names), kinds, project.input_names)
    chosen = project.chosen or ((),) * len(kinds)
    for slot, output, inputs in zip(session.slots, project.outputs, chosen, strict=True):
        slot.name, slot.inputs = output.name or slot.name, inputs or None
    session.examples = Examples()
    for number in np.unique(project.rounds):
        rows = project.rounds == number
        for values, labels in zip(project.inputs[rows].tolist(), project.targets[rows].tolist(), strict=True):
            session.record(tuple(values), tuple(labels))
        session.end_round()
    if len(session.examples):
        session.train(then_run=then_run)


def save_project(session: Session, folder: Path) -> None:
    """Write outputs and examples as a project that the original opens and trains; times are of no meaning.

    Raises
    ------
    OscError
        If there are gestures instead of outputs, or nothing yet.
    """
    if session.gestures is not None or not session.slots or session.n_inputs is None:
        raise OscError("a project is written of inputs and outputs: there are none yet, or gestures")
    inputs, targets = session.examples.tables(session.n_inputs, len(session.slots))
    rounds = [each.number for each in session.examples.rounds for _ in each.inputs]
    outputs = [_describe_output(slot.name, slot.kind) for slot in session.slots]
    everything = tuple(range(session.n_inputs))
    chosen = tuple(slot.inputs or everything for slot in session.slots)
    time_s = np.arange(len(inputs), dtype=np.float64)
    named = (folder.name, session.names, tuple(outputs))
    write_project(Project(*named, np.array(rounds, np.int64), time_s, inputs, targets, chosen), folder)


def _read_output(output: ProjectOutput) -> Output:
    if output.n_classes:
        return ClassOutput(output.n_classes, distribution=output.distribution)
    return NumericOutput(output.low, output.high, output.integer, "hard" if output.hard else "soft")


def _describe_output(name: str, kind: Output) -> ProjectOutput:
    if isinstance(kind, ClassOutput):
        return ProjectOutput(name, n_classes=kind.n_classes, distribution=kind.distribution)
    assert isinstance(kind, NumericOutput)
    return ProjectOutput(name, kind.low, kind.high, kind.integer, hard=kind.limits == "hard")

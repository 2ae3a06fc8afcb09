"""One output's model and examples as one file: a zip of JSON, a table and a skops regressor. Nothing executable."""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from gesturemap.bridge.learning import Learned
from gesturemap.bridge.outputs import parse_output
from gesturemap.bridge.session import Session
from gesturemap.errors import MappingError, OscError
from gesturemap.frame import Array

FORMAT = 1
MAX_BYTES = 512 * 2**20
_STATE, _EXAMPLES, _REGRESSOR = "model.json", "examples.npy", "regressor.skops"


def save_model(session: Session, number: int, path: Path) -> None:
    """Write the model of output `number` and its examples to `path`.

    Raises
    ------
    OscError
        If that output has no model yet.
    """
    from gesturemap.regressors.storage import save_regressor

    slot = session.slot(number)
    if slot.learned is None:
        raise OscError(f"output {number} has no model yet: train first")
    learned = slot.learned
    inputs, outputs = session.examples.tables(session.n_inputs or 0, len(session.slots))
    table = io.BytesIO()
    np.save(table, np.column_stack([inputs, outputs[:, number - 1]]), allow_pickle=False)
    state = {
        "format": FORMAT,
        "kind": slot.kind.spec,
        "names": session.names,
        "inputs": learned.inputs,
        "column": learned.outputs.index(number - 1),
        "n_outputs": len(learned.outputs),
        "center": learned.center.tolist(),
        "reach": learned.reach.tolist(),
    }
    beside = path.with_name(path.name + ".part")
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(beside, "w") as archive:
        save_regressor(learned.regressor, Path(folder) / _REGRESSOR)
        archive.write(Path(folder) / _REGRESSOR, _REGRESSOR)
        archive.writestr(_EXAMPLES, table.getvalue())
        archive.writestr(_STATE, json.dumps(state, indent=1))
    os.replace(beside, path)


def load_model(session: Session, number: int, path: Path, *, with_data: bool = True) -> None:
    """Answer output `number` by the model in `path`, and add its examples; `train` leaves it alone from now.

    Raises
    ------
    OscError
        If the output is of another kind, the inputs have other names, or the file is none of ours.
    """
    from gesturemap.regressors.storage import load_regressor

    slot = session.slot(number)
    try:
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
                raise OscError(f"{path}: more than {MAX_BYTES} bytes unpacked")
            state = json.loads(archive.read(_STATE))
            rows = np.load(io.BytesIO(archive.read(_EXAMPLES)), allow_pickle=False)
            Path(folder, _REGRESSOR).write_bytes(archive.read(_REGRESSOR))
            regressor = load_regressor(Path(folder) / _REGRESSOR)
        names, kind, inputs = tuple(state["names"]), parse_output(state["kind"]), tuple(state["inputs"])
        center, reach = np.array(state["center"], np.float64), np.array(state["reach"], np.float64)
        column, n_outputs = int(state["column"]), int(state["n_outputs"])
        if rows.ndim != 2 or rows.shape[1] != len(names) + 1 or state["format"] != FORMAT:
            raise ValueError("format or shape")
    except (zipfile.BadZipFile, LookupError, TypeError, ValueError, MappingError) as error:
        raise OscError(f"{path}: no model file of this bridge, or a damaged one ({error})") from None
    if type(kind) is not type(slot.kind):
        raise OscError(f"{path}: an output {kind.spec} found, {slot.kind.spec} expected")
    if session.n_inputs is None:
        session.n_inputs, session.input_names = len(names), names
    if names != session.names:
        raise OscError(f"{path}: inputs named {', '.join(names)} found, {', '.join(session.names)} expected")
    # Its other columns are outputs of the session it comes from: nobody here.
    outputs = tuple(number - 1 if i == column else -1 for i in range(n_outputs))
    slot.learned = Learned(outputs, inputs, regressor, center, reach)
    slot.training, slot.stale, session.trained = False, False, True
    session.refresh()
    if with_data:
        _add_examples(session, number - 1, rows)


def _add_examples(session: Session, output: int, rows: Array) -> None:
    """A round of examples of one output alone."""
    session.stop_recording()
    session.end_round()
    for row in rows.tolist():
        labels = [float("nan")] * len(session.slots)
        labels[output] = row[-1]
        session.record(tuple(row[:-1]), tuple(labels))
    session.end_round()

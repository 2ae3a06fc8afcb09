"""Save and load a session: what the performer set beside the examples, see `folder` for the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audiovae.errors import AudioVAEError
from gesturemap.bridge.folder import copy_rounds, read_folder, write_state
from gesturemap.bridge.learning import read_choice
from gesturemap.bridge.outputs import NumericOutput, parse_output
from gesturemap.bridge.session import Session
from gesturemap.errors import GestureMapError, RecordingError


def settle(session: Session) -> None:
    """After packets and when idle: take up what was learned, bring the folder up to date. A full disk ends nothing."""
    try:
        session.poll()
        write_if_changed(session)
    except (GestureMapError, OSError) as error:
        session.refusal = str(error)


def write_if_changed(session: Session) -> None:
    """Bring `session.json` up to date; cheap if nothing has changed."""
    changed, session.changed = session.changed, False
    if changed and session.log.folder is not None and (len(session.examples) or session.log.folder.exists()):
        write_state(session.log.folder, _describe(session), session.examples, session.log.position)


def save(session: Session, folder: Path) -> None:
    """Write everything into a new `folder` and go on there.

    Raises
    ------
    RecordingError
        If it exists.
    """
    if folder.exists():
        raise RecordingError(f"{folder} exists: choose another name")
    session.stop_recording()
    session.end_round()
    log = session.open_log(folder)
    folder.mkdir(parents=True)
    session.examples.rounds[:] = copy_rounds(session.examples.rounds, session.names, log)
    session.examples.undone.clear()
    session.log.release()
    session.log, session.changed = log, True
    write_if_changed(session)


def load(session: Session, folder: Path, *, then_run: bool = False) -> None:
    """Go on with the session in `folder`; it learns anew from its examples if it had learned.

    Raises
    ------
    RecordingError
        If it is no session, damaged, or in use; the present session stays as it is then.
    """
    if not folder.is_dir():
        raise RecordingError(f"{folder}: no such folder; a session is a folder, as /gesturemap/save writes it")
    log = session.open_log(folder)
    if not session.log.holds(folder):
        log.hold()
    state, examples = read_folder(folder)
    try:
        settings = _read(state, examples.rounds)
    except (LookupError, TypeError, ValueError, AttributeError, GestureMapError, AudioVAEError) as error:
        raise RecordingError(f"{folder}: damaged session.json ({error})") from None
    session.begin(settings["n_inputs"], settings["kinds"], settings["input_names"])
    for slot, stored in zip(session.slots, settings["slots"], strict=False):
        for key, value in stored.items():
            setattr(slot, key, value)
    session.values = settings["values"] or session.values
    session.snapshots = settings["snapshots"]
    session.examples = examples
    session.log.release()
    log.hold()
    session.log = log
    session.log.position = tuple(state.get("decided", (0, 0)))
    session.examples_changed()
    session.refresh()
    if session.gestures is not None:
        session.running = then_run
    elif (settings["trained"] or then_run) and len(examples):
        session.train(then_run=then_run)


def _describe(session: Session) -> dict[str, Any]:
    slots = [
        {
            "kind": slot.kind.spec,
            "name": slot.name,
            "value": value,
            "regressor": slot.choice.spec,
            "recording": slot.recording,
            "running": slot.running,
            "training": slot.training,
            "inputs": slot.inputs,
        }
        for slot, value in zip(session.slots, session.values, strict=True)
    ]
    return {
        "n_inputs": session.n_inputs,
        "input_names": session.input_names,
        "outputs": slots,
        "snapshots": session.snapshots,
        "trained": session.trained,
    }


def _read(state: dict[str, Any], rounds: list[Any]) -> dict[str, Any]:
    """What `_describe` wrote, checked; where there is no `session.json`, what the examples tell."""
    n_inputs = state.get("n_inputs") or (len(rounds[0].inputs[0]) if rounds else None)
    n_outputs = len(rounds[0].outputs[0]) if rounds else 0
    stored = state.get("outputs")
    kinds = [parse_output(each["kind"]) for each in stored] if stored else [NumericOutput()] * n_outputs
    slots = [
        {
            "name": str(each["name"]),
            "choice": read_choice(each["regressor"]),
            "recording": bool(each["recording"]),
            "running": bool(each["running"]),
            "training": bool(each["training"]),
            "inputs": None if each["inputs"] is None else tuple(int(i) for i in each["inputs"]),
        }
        for each in stored or []
    ]
    snapshots = {str(name): [float(v) for v in values] for name, values in state.get("snapshots", {}).items()}
    chosen = [int(i) for each in stored or [] for i in each["inputs"] or ()]
    if any(not 0 <= i < (n_inputs or 0) for i in chosen) or any(len(each.inputs[0]) != n_inputs for each in rounds):
        raise ValueError("counts of inputs do not fit together")
    if any(len(each.outputs[0]) != len(kinds) for each in rounds):
        raise ValueError("counts of outputs do not fit together")
    return {
        "n_inputs": n_inputs,
        "input_names": tuple(str(name) for name in state.get("input_names", ())),
        "kinds": kinds,
        "slots": slots,
        "values": [float(each["value"]) for each in stored or []],
        "snapshots": snapshots,
        "trained": bool(state.get("trained")),
    }

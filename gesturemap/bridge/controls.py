"""What each message of the original does: ``/wekinator/control/...`` and batches. One function a message.

The first line of each docstring is what the documentation says about it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from gesturemap.bridge import model_file, projects, saving
from gesturemap.bridge.session import Session
from gesturemap.errors import OscError
from gesturemap.osc.codec import encode


def set_outputs(session: Session, values: list[float]) -> None:
    """Set the outputs: the labels of what is recorded next. A value its output does not take changes nothing."""
    session.set_outputs(values)


def start_recording(session: Session) -> None:
    """Record: every input is an example with the current outputs. Ends running; a new round."""
    session.start_recording()


def stop_recording(session: Session) -> None:
    """End the recording. Running is not resumed."""
    session.stop_recording()


def start_dtw_recording(session: Session, gesture: int) -> None:
    """Record one example of a gesture, from 1."""
    session.start_gesture(gesture)


def stop_dtw_recording(session: Session, *ignored: object) -> None:
    """End the gesture's example; any argument is ignored. Running is resumed, under --strict it is not."""
    was_running, session.ran_before_gesture = session.ran_before_gesture, False
    session.stop_recording()
    if was_running and not session.settings.strict:
        session.start_running()


def train(session: Session) -> None:
    """Train in the background all outputs that are to be trained; /wekinator/status/done-training follows."""
    session.train()


def cancel_train(session: Session) -> None:
    """Stop training before the next model; done-training is sent all the same."""
    session.training.cancel()


def start_running(session: Session) -> None:
    """Answer each input with one output message. Ends recording; needs a trained model."""
    session.start_running()


def stop_running(session: Session) -> None:
    """Answer no more."""
    session.stop_running()


def delete_all_examples(session: Session) -> None:
    """Delete all examples; models stay as they are."""
    session.examples.clear()
    session.end_round()


def delete_examples_for_output(session: Session, number: int) -> None:
    """Forget one output in all examples, or all examples of one gesture; its model falls back at the next training."""
    if session.gestures is not None:
        kept = [each for each in session.examples.rounds if each.outputs and each.outputs[0][0] != number]
        session.examples.rounds[:] = kept
        session.examples_changed()
        return
    session.slot(number)
    session.examples.blank(number - 1)
    session.examples_changed()


def enable_model_recording(session: Session, numbers: list[int]) -> None:
    """These outputs are recorded."""
    for slot in [session.slot(number) for number in numbers]:
        slot.recording = True


def disable_model_recording(session: Session, numbers: list[int]) -> None:
    """These outputs are left out of the examples recorded next."""
    for slot in [session.slot(number) for number in numbers]:
        slot.recording = False


def enable_model_running(session: Session, numbers: list[int]) -> None:
    """These outputs follow their models."""
    for slot in [session.slot(number) for number in numbers]:
        slot.running = True
    session.refresh()


def disable_model_running(session: Session, numbers: list[int]) -> None:
    """These outputs hold their value."""
    for slot in [session.slot(number) for number in numbers]:
        slot.running = False
    session.refresh()


def set_input_names(session: Session, names: list[str]) -> None:
    """Name the inputs, each differently, before there are examples."""
    if len(session.examples) or len(set(names)) != len(names) or not session.expect_inputs(len(names)):
        raise OscError(f"input names {names}: all different, one an input, and before the first example, please")
    session.input_names = tuple(names)


def set_output_names(session: Session, names: list[str]) -> None:
    """Name the outputs, each differently, before there are examples."""
    if len(session.examples) or len(set(names)) != len(names) or len(names) != len(session.slots):
        raise OscError(f"output names {names}: all different, one an output, and before the first example, please")
    for slot, name in zip(session.slots, names, strict=True):
        slot.name = name


def select_inputs_for_output(session: Session, number: int, inputs: list[int]) -> None:
    """The inputs, from 1, that an output listens to from its next training on."""
    slot = session.slot(number)
    if not inputs or session.n_inputs is None or not all(1 <= i <= session.n_inputs for i in inputs):
        raise OscError(f"inputs {inputs} found, some of 1 to {session.n_inputs} expected")
    slot.inputs = tuple(i - 1 for i in dict.fromkeys(inputs))
    slot.stale = True
    session.changed = True


def save_model_to_file(session: Session, number: int, path: str) -> None:
    """Write an output's model and examples into one file of our own format."""
    model_file.save_model(session, number, Path(path))


def load_model_from_file(session: Session, number: int, path: str, data: str = "WITHDATA") -> None:
    """Replace an output's model by one saved before, with or without (WITHOUTDATA) its examples; train leaves it."""
    model_file.load_model(session, number, Path(path), with_data=data != "WITHOUTDATA")


def run_new_project(session: Session, path: str, mode: str = "CLOSECURRENT") -> None:
    """Open a Wekinator project or a session folder, train, and run. The mode is ignored: there is one session."""
    open_session(session, Path(path), then_run=True)


def open_session(session: Session, path: Path, *, then_run: bool = False) -> None:
    """Go on with a project of the original or a session of ours."""
    if projects.is_project(path):
        projects.load_project(session, path, then_run=then_run)
    else:
        saving.load(session, path, then_run=then_run)


def performance_mode(session: Session) -> None:
    """Accepted: there is no window to make small."""


def inputs_bundle(session: Session, path: str) -> None:
    """A CSV file of inputs, recorded or answered by /wek/outputs/bundle and a CSV file to port 12001."""
    rows = np.loadtxt(path, delimiter=",", ndmin=2, dtype=np.float64)
    if not session.expect_inputs(rows.shape[1]):
        raise OscError(f"{path}: {rows.shape[1]} columns found, {session.n_inputs} inputs expected")
    if session.recording:
        for row in rows.tolist():
            session.record(tuple(row))
    elif session.running and session.gestures is None:
        out = Path(tempfile.gettempdir()) / "wekOutputs.csv"
        answers = [session.plan.answer(row, session.values) for row in rows.tolist()]
        np.savetxt(out, answers, delimiter=",", fmt="%.9g")
        session.send_bundle_reply(encode("/wek/outputs/bundle", [str(out)]))

"""What ``/gesturemap/...`` does, beyond the original. One function a message; answers have the message's own address.

The first line of each docstring is what the documentation says about it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gesturemap.bridge import projects, saving
from gesturemap.bridge.controls import open_session
from gesturemap.bridge.examples import morph as morph_between
from gesturemap.bridge.examples import spread_choice
from gesturemap.bridge.learning import choose_regressor
from gesturemap.bridge.outputs import NumericOutput, parse_output
from gesturemap.bridge.session import Session
from gesturemap.bridge.slots import Slot
from gesturemap.errors import OscError
from gesturemap.osc.codec import encode, encode_bundle

REROLL_POINTS = 8


def example(session: Session, numbers: list[float]) -> None:
    """One example in one message: inputs, then outputs. Recorded at any time; a lost packet mislabels nothing."""
    if session.n_inputs is None or not session.slots or session.gestures is not None:
        raise OscError("say --inputs and --outputs, or send inputs and outputs once, before the first /example")
    count = session.n_inputs
    if len(numbers) != count + len(session.slots):
        raise OscError(f"{len(numbers)} numbers found, {count} inputs and {len(session.slots)} outputs expected")
    session.set_outputs(numbers[count:])
    session.record(tuple(numbers[:count]))
    if not session.recording:
        session.end_example()


def save(session: Session, path: str) -> None:
    """Save the session into a new folder and go on there."""
    saving.save(session, Path(path))


def load(session: Session, path: str) -> None:
    """Open a session folder, also one that was killed, and train it if it was trained; or a Wekinator project."""
    open_session(session, Path(path))


def save_project(session: Session, path: str) -> None:
    """Write outputs and examples as a project that Wekinator opens and trains."""
    projects.save_project(session, Path(path))


def set_regressor(session: Session, name: str, settings: list[str]) -> None:
    """Regressor of all numeric outputs, and key=value of its settings; from the next training on."""
    choice = choose_regressor(name, settings)
    for slot in session.slots:
        if isinstance(slot.kind, NumericOutput):
            slot.choice, slot.stale = choice, True
    session.choice = choice
    session.changed = True


def set_output_regressor(session: Session, number: int, name: str, settings: list[str]) -> None:
    """Regressor of one output, as above."""
    slot = session.slot(number)
    slot.choice, slot.stale = choose_regressor(name, settings), True
    session.changed = True


def set_kind(session: Session, specs: list[str]) -> None:
    """Begin with other outputs, a string each, as --output takes them; only while there are no examples."""
    kinds = [parse_output(spec) for spec in specs]
    if len(session.examples):
        raise OscError("outputs can only be set before there are examples: delete them first")
    session.stop_recording()
    session.set_kinds(kinds)
    session.n_inputs = session.settings.n_inputs


def train_and_run(session: Session) -> None:
    """Train, and run as soon as that is done."""
    session.train(then_run=True)


def state(session: Session) -> None:
    """Answer with pairs of name and value: state, recording, running, examples, rounds, regressor, counts, refusal."""
    counts = session.counts
    pairs = {
        "state": session.state.value,
        "recording": int(session.recording),
        "running": int(session.running),
        "inputs": session.n_inputs or 0,
        "outputs": len(session.slots),
        "examples": len(session.examples),
        "rounds": len(session.examples.rounds),
        "undone": len(session.examples.undone),
        "regressor": session.choice.name,
        "packets": counts.packets,
        "answered": counts.answered,
        "malformed": counts.malformed,
        "ignored": counts.ignored,
        "refusal": session.refusal,
    }
    session.send(encode("/gesturemap/state", [word for pair in pairs.items() for word in pair]))


def model_state(session: Session, number: int) -> None:
    """Answer with one output: number, name, kind, state of its model, regressor, value, recorded, running."""
    slot = session.slot(number)
    words = [number, slot.name, slot.kind.spec, _model_state(session, slot), slot.choice.name]
    flags = [int(slot.recording), int(slot.running)]
    session.send(encode("/gesturemap/model", [*words, session.values[number - 1], *flags]))


def _model_state(session: Session, slot: Slot) -> str:
    """As in the original."""
    if session.training.busy and slot.training:
        return "building"
    if slot.learned is not None:
        return "needs_rebuilding" if slot.stale else "built"
    return "ready_for_building" if len(session.examples) else "not_ready"


def report(session: Session) -> None:
    """Answer for each output with its number, RMSE and R squared on examples left out (classes: share wrong, NaN)."""
    for each in session.training.report:
        session.send(encode("/gesturemap/report", [each.output + 1, each.rmse, each.r_squared]))


def confidence(session: Session, on: int) -> None:
    """1: /gesturemap/confidence follows each output, 1 on an example and 0 far from all; 0: no more."""
    session.confidence = bool(on)


def inputs(session: Session, sequence: int, numbers: list[float], time_tag: bytes | None = None) -> None:
    """Inputs with a sequence number, answered while running by /gesturemap/outputs with that number first.

    The answer to a message from a bundle comes in a bundle with the same time tag.
    """
    if not session.running or session.gestures is not None or not session.expect_inputs(len(numbers)):
        raise OscError("numbered inputs are answered while running, and need as many numbers as there are inputs")
    session.values = session.plan.answer(numbers, session.values)
    packet = encode("/gesturemap/outputs", [sequence, *session.values])
    session.send(packet if time_tag is None else encode_bundle([packet], time_tag))
    session.counts.answered += 1


def store(session: Session, name: str) -> None:
    """Keep the current outputs under a name."""
    session.snapshots[name] = list(session.values)
    session.snapshot = name
    session.changed = True


def recall(session: Session, name: str) -> None:
    """Set and send the outputs kept under a name."""
    session.recall(name)


def forget(session: Session, name: str) -> None:
    """Delete a snapshot."""
    _snapshot(session, name)
    del session.snapshots[name]
    session.changed = True


def morph(session: Session, position: float, names: list[str]) -> None:
    """Set and send outputs between snapshots: 0 is the first named, 1 the second, 1.5 between second and third."""
    if not names:
        raise OscError("a position and the names of snapshots expected")
    session.set_outputs(morph_between([_snapshot(session, name) for name in names], position))
    session.send_outputs()


def snapshots(session: Session) -> None:
    """Answer with the names of the snapshots."""
    session.send(encode("/gesturemap/snapshots", list(session.snapshots)))


def reroll(session: Session, points: list[int]) -> None:
    """Grab and play: pair poses of the last inputs (8, or as many as said) with random outputs, train and run.

    A round of its own: the next roll takes it back, and so does undo. With two or more snapshots the outputs are
    those of snapshots, otherwise random within the range of each output.
    """
    count = points[0] if points else REROLL_POINTS
    if not session.recent or not session.slots or session.gestures is not None or not 2 <= count <= 1000:
        raise OscError("move first, then roll: inputs must have come, of 2 to 1000 poses")
    rows = spread_choice(np.array(session.recent), count, session.rng)
    session.stop_recording()
    session.examples.rounds[:] = [each for each in session.examples.rounds if each is not session.rolled]
    session.end_round()
    before = session.values
    for row in rows:
        session.set_outputs(_random_outputs(session))
        session.record(session.recent[row])
    session.rolled = session.examples.rounds[-1]
    session.end_round()
    session.values = before
    session.train(then_run=True)


def _random_outputs(session: Session) -> list[float]:
    if len(session.snapshots) > 1:
        return list(session.snapshots.values())[session.rng.integers(len(session.snapshots))]
    return [slot.kind.draw(session.rng) for slot in session.slots]


def _snapshot(session: Session, name: str) -> list[float]:
    if name not in session.snapshots:
        raise OscError(f"no snapshot {name!r}; there are: {', '.join(session.snapshots) or 'none'}")
    return session.snapshots[name]

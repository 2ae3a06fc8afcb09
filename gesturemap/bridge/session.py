"""The state of the bridge: outputs, examples, what is recording, running and learning.

No sockets and no threads of its own: messages are given to it, packets are sent through a function, learning is
handed to an executor, time is an injected clock. States as in the original: NOT_READY until there are examples,
READY_TO_TRAIN, TRAINING, DONE_TRAINING; old models answer while new ones learn.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gesturemap.bridge.answering import AnswerPlan
from gesturemap.bridge.examples import Examples, Round
from gesturemap.bridge.folder import TakeLog
from gesturemap.bridge.learning import HeldOut, Learned, Lesson, learn, measure_held_out
from gesturemap.bridge.outputs import DtwOutput, NumericOutput, Output, check_outputs
from gesturemap.bridge.settings import BridgeSettings, Counts, State
from gesturemap.bridge.slots import Slot
from gesturemap.clock import Clock
from gesturemap.errors import OscError, RecordingError
from gesturemap.osc.codec import encode
from gesturemap.regressors.dtw import GestureRecogniser

MAX_RECENT = 3000  # inputs remembered for grab-and-play: half a minute at 100 Hz


class Session:
    """Everything a message can change.

    Parameters
    ----------
    send, send_bundle_reply : where packets go: the out-port, and the port of answers to batches.
    executor : runs the learning; `wake` is called from its thread when `poll` should look.
    """

    def __init__(
        self,
        settings: BridgeSettings,
        send: Callable[[bytes], None],
        executor: Executor,
        clock: Clock,
        wake: Callable[[], None] = lambda: None,
        send_bundle_reply: Callable[[bytes], None] = lambda packet: None,
    ) -> None:
        self.settings, self.send, self.clock = settings, send, clock
        self.send_bundle_reply = send_bundle_reply
        self._executor, self._wake = executor, wake
        self.n_inputs = settings.n_inputs
        self.input_names: tuple[str, ...] = ()
        self.slots: list[Slot] = []
        self.examples, self.counts, self.snapshots = Examples(), Counts(), dict[str, list[float]]()
        self.recent: deque[tuple[float, ...]] = deque(maxlen=MAX_RECENT)
        self.rng = np.random.default_rng(settings.seed)
        self.choice = settings.choice
        self.ran_before_gesture = False
        self.recording = self.running = self.confidence = self.changed = False
        self.refusal = ""
        self.report: list[HeldOut] = []
        self.gestures: GestureRecogniser | None = None
        self.gesture = 0
        self.plan = AnswerPlan.of([])
        self._round: Round | None = None
        self._rolled: Round | None = None
        self._training: Future[list[Learned]] | None = None
        self._measuring: Future[list[HeldOut]] | None = None
        self._cancelled = threading.Event()
        self.trained = False
        self._run_when_trained = False
        self.log = self.open_log(settings.folder)
        if settings.outputs:
            self.set_kinds(settings.outputs)

    def open_log(self, folder: Path | None) -> TakeLog:
        """A log of examples in `folder` for the session's model."""
        return TakeLog(folder, self.clock.now_s, self.settings.model_id, self.settings.model_name)

    @property
    def state(self) -> State:
        """Where the session is."""
        if self._training is not None:
            return State.TRAINING
        if self.trained:
            return State.DONE_TRAINING
        return State.READY_TO_TRAIN if len(self.examples) else State.NOT_READY

    @property
    def values(self) -> list[float]:
        """The outputs as they are now."""
        return [slot.value for slot in self.slots]

    def set_kinds(self, kinds: Sequence[Output]) -> None:
        """Begin with these outputs; models and a running training are dropped."""
        kinds = check_outputs(kinds)
        self.cancel_training()
        self._training = self._measuring = None
        self.running = self.trained = False
        self.report = []
        names = ["output"] if isinstance(kinds[0], DtwOutput) else [f"outputs-{i + 1}" for i in range(len(kinds))]
        self.slots = [Slot(kind, name, kind.default, self.choice) for kind, name in zip(kinds, names, strict=True)]
        self.gestures = GestureRecogniser(kinds[0].n_gestures) if isinstance(kinds[0], DtwOutput) else None
        self.refresh()

    def refresh(self) -> None:
        """Call it when a model, what runs, or a limit has changed."""
        self.plan = AnswerPlan.of(self.slots)

    def begin(self, n_inputs: int | None, kinds: Sequence[Output], input_names: tuple[str, ...]) -> None:
        """Another session: everything that was there before is dropped."""
        self.stop_recording()
        self.log.end_take()
        self.n_inputs, self.input_names = n_inputs, input_names
        self.recent.clear()
        self._round = self._rolled = None
        if kinds:
            self.set_kinds(kinds)

    def expect_inputs(self, count: int) -> bool:
        """Whether `count` is the number of inputs; the first message decides where nobody has said."""
        if self.n_inputs is None and count > 0:
            self.n_inputs = count
        return count == self.n_inputs

    def slot(self, number: int) -> Slot:
        """Output `number`, from 1; `OscError` if there is none."""
        if not 1 <= number <= len(self.slots):
            raise OscError(f"output {number} found, 1 to {len(self.slots)} expected")
        return self.slots[number - 1]

    def set_outputs(self, values: Sequence[float]) -> None:
        """The labels recorded next; a value its output does not accept leaves that output as it is."""
        if not self.slots and values:
            self.set_kinds([NumericOutput()] * len(values))
        if len(values) != len(self.slots):
            raise OscError(f"{len(values)} outputs found, {len(self.slots)} expected")
        for slot, value in zip(self.slots, values, strict=True):
            if slot.kind.accepts(value):
                slot.value = value

    def send_outputs(self) -> None:
        """Say the current outputs, as the original does when a slider moves: a synth plays the label."""
        self.send(encode(self.settings.output_address, self.values))

    def start_recording(self) -> None:
        """Every input from now is an example, in a round of its own; running ends."""
        if self.gestures is not None:
            raise OscError("gestures are recorded with startDtwRecording")
        self.running = False
        self.end_round()
        self.recording = True

    def stop_recording(self) -> None:
        """End the round; running is not resumed."""
        if self.recording:
            self.recording, self.gesture = False, 0
            self.end_round()

    def start_gesture(self, gesture: int) -> None:
        """Every input from now belongs to one example of `gesture`, from 1; running ends."""
        if self.gestures is None or not 1 <= gesture <= self.gestures.n_gestures:
            raise OscError(f"gesture {gesture} found, this session has {self.gestures and self.gestures.n_gestures}")
        self.ran_before_gesture, self.running = self.running, False
        self.end_round()
        self.recording, self.gesture = True, gesture

    def end_round(self) -> None:
        """What is recorded next is another round and another take."""
        self._round = None
        self.log.end_take()
        self.examples_changed()

    def examples_changed(self) -> None:
        """Call it when rounds have come or gone: gestures compare with what there is, and the folder is written."""
        if self.gestures is not None:
            self.gestures.delete()
            for each in self.examples.rounds:
                rows = np.array(each.inputs)
                if len(rows) >= self.gestures.min_length and np.isfinite(rows).all():
                    self.gestures.add_example(int(each.outputs[0][0]), rows)
        for slot in self.slots:
            slot.stale = True
        self.changed = True

    def record(self, inputs: tuple[float, ...], labels: tuple[float, ...] | None = None) -> None:
        """Add one example: `inputs` with `labels`, or with the current outputs of those that record."""
        if not self.slots:
            raise OscError("no outputs yet: say /wekinator/control/outputs first, or start with --outputs")
        if self.gestures is not None:
            labels = (float(self.gesture),)
        elif labels is None:
            labels = tuple(slot.value if slot.recording else float("nan") for slot in self.slots)
        try:
            take, row = self.log.write(self.names, inputs, labels)
        except RecordingError as error:  # a full disk: play on, and say so
            take, row = 0, 0
            self.refusal = str(error)
        if self._round is None or (take, row) != self._round.next_place:
            self._round = self.examples.begin(take, row)
            self.changed = True
        self._round.inputs.append(inputs)
        self._round.outputs.append(labels)

    def end_example(self) -> None:
        """The next example is a round of its own, in the same take on disk."""
        self._round = None

    def hold(self, values: Sequence[float]) -> None:
        """The outputs as they were just sent."""
        for slot, value in zip(self.slots, values, strict=True):
            slot.value = value

    def model_state(self, slot: Slot) -> str:
        """State of one output's model, as in the original."""
        if self._training is not None and slot.training:
            return "building"
        if slot.learned is not None:
            return "needs_rebuilding" if slot.stale else "built"
        return "ready_for_building" if len(self.examples) else "not_ready"

    def reroll(self, rows: npt.NDArray[np.intp]) -> None:
        """A round of these rows of the last inputs with random outputs instead of the roll before; train and run."""
        self.stop_recording()
        rolled = self._rolled
        self.examples.rounds[:] = [each for each in self.examples.rounds if each is not rolled]
        self.end_round()
        values = self.values
        for row in rows:
            self.set_outputs(self._random_outputs())
            self.record(self.recent[row])
        self._rolled = self._round
        self.end_round()
        self.hold(values)
        self.train(then_run=True)

    def _random_outputs(self) -> list[float]:
        if len(self.snapshots) > 1:
            return list(self.snapshots.values())[self.rng.integers(len(self.snapshots))]
        return [slot.kind.draw(self.rng) for slot in self.slots]

    @property
    def names(self) -> tuple[str, ...]:
        """Input names."""
        return self.input_names or tuple(f"inputs-{i + 1}" for i in range(self.n_inputs or 0))

    def start_running(self) -> None:
        """Answer inputs from now; needs one model at least."""
        if self.gestures is None and not any(slot.learned for slot in self.slots):
            raise OscError("nothing has been learned yet: record examples and train")
        self.stop_recording()
        self.running = True

    def train(self, *, then_run: bool = False) -> None:
        """Learn in the background. Ignored without examples and while learning, as in the original."""
        if self._training is not None or not len(self.examples) or self.gestures is not None:
            raise OscError("nothing to train now: no examples, already training, or gestures, which need none")
        self._cancelled = threading.Event()
        self._run_when_trained = then_run
        lesson = self.lesson()
        self._training = self._executor.submit(learn, lesson, self._cancelled.is_set)
        self._training.add_done_callback(lambda future: self._wake())
        self._pending_lesson = lesson

    def lesson(self) -> Lesson:
        """What is to be learned from the examples as they are."""
        inputs, outputs = self.examples.tables(self.n_inputs or 0, len(self.slots))
        everything = tuple(range(self.n_inputs or 0))
        return Lesson(
            inputs,
            outputs,
            tuple(slot.kind for slot in self.slots),
            tuple(slot.choice for slot in self.slots),
            tuple(slot.inputs or everything for slot in self.slots),
            tuple(i for i, slot in enumerate(self.slots) if slot.training),
            self.settings.seed,
        )

    def cancel_training(self) -> None:
        """Stop before the next fit; done-training is sent all the same."""
        self._cancelled.set()

    def poll(self) -> None:
        """Take up what the background has finished; call it often."""
        if self._training is not None and self._training.done():
            done, self._training = self._training, None
            self._adopt(done)
        if self._measuring is not None and self._measuring.done():
            done_measuring, self._measuring = self._measuring, None
            if done_measuring.exception() is None:
                self.report = done_measuring.result()
        self.log.flush_if_due()

    def _adopt(self, done: Future[list[Learned]]) -> None:
        error = done.exception()
        if error is not None:  # whatever it is: the old models play on
            self.refusal = f"training failed: {error}"
        else:
            self.adopt(done.result(), self._pending_lesson.wanted if not self._cancelled.is_set() else ())
            if not self._cancelled.is_set():
                self._measuring = self._executor.submit(measure_held_out, self._pending_lesson)
                self._measuring.add_done_callback(lambda future: self._wake())
        self.trained = True
        self.send(encode("/wekinator/status/done-training"))
        if self._run_when_trained:
            self.running = True
        self.changed = True

    def adopt(self, learned: Sequence[Learned], wanted: Sequence[int]) -> None:
        """Answer with new models; a wanted output that got none falls back to its default."""
        for output in wanted:
            slot = self.slots[output]
            if slot.learned is not None and not any(output in each.outputs for each in learned):
                slot.learned, slot.value = None, slot.kind.default
        for each in learned:
            for output in each.outputs:
                self.slots[output].learned, self.slots[output].stale = each, False
        self.refresh()

    def close(self) -> None:
        """End what is recording; training is left."""
        self.cancel_training()
        self.log.end_take()

"""The state of the bridge: outputs, examples, what is recording, running and learning.

No sockets and no threads of its own: messages are given to it, packets are sent through a function, learning is
handed to an executor (see `training`), time is an injected clock. States as in the original: NOT_READY until there
are examples, READY_TO_TRAIN, TRAINING, DONE_TRAINING; old models answer while new ones learn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path

import numpy as np

from audiovae.errors import AudioVAEError
from gesturemap.bridge.answering import AnswerPlan
from gesturemap.bridge.examples import Examples, Round
from gesturemap.bridge.folder import TakeLog
from gesturemap.bridge.learning import Lesson, learn_gestures
from gesturemap.bridge.outputs import DtwOutput, NumericOutput, Output, check_outputs
from gesturemap.bridge.settings import BridgeSettings, Counts, State
from gesturemap.bridge.slots import Slot
from gesturemap.bridge.training import Outcome, Training
from gesturemap.clock import Clock
from gesturemap.errors import GestureMapError, OscError, RecordingError
from gesturemap.osc.codec import encode
from gesturemap.regressors.dtw import GestureRecogniser

REFUSED = (GestureMapError, AudioVAEError, OSError, ValueError)  # what can be asked for and not be had
MAX_RECENT = 3000  # inputs remembered for grab-and-play: half a minute at 100 Hz


class Session:
    """Everything a message can change.

    Parameters
    ----------
    send, send_bundle_reply : where packets go: the out-port, and the port of answers to batches.
    executor : runs the learning; `wake` is called from its thread when `poll` should look.

    Attributes
    ----------
    values : the outputs as they are now; the labels of the next example.
    refusal : why the last message that could not be done was not.
    """

    def __init__(
        self,
        settings: BridgeSettings,
        send: Callable[[bytes], None],
        executor: Executor,
        clock: Clock,
        wake: Callable[[], object] = lambda: None,
        send_bundle_reply: Callable[[bytes], None] = lambda packet: None,
    ) -> None:
        self.settings, self.send, self.clock = settings, send, clock
        self.send_bundle_reply = send_bundle_reply
        self.training = Training(executor, wake)
        self.n_inputs = settings.n_inputs
        self.input_names: tuple[str, ...] = ()
        self.slots: list[Slot] = []
        self.values: list[float] = []
        self.examples, self.counts, self.snapshots = Examples(), Counts(), dict[str, list[float]]()
        self.recent: deque[tuple[float, ...]] = deque(maxlen=MAX_RECENT)
        self.rng = np.random.default_rng(settings.seed)
        self.choice = settings.choice
        self.ran_before_gesture = False
        self.recording = self.running = self.confidence = self.changed = False
        self.refusal = ""
        self.gestures: GestureRecogniser | None = None
        self.gesture = 0
        self.plan = AnswerPlan.of([])
        self._round: Round | None = None
        self.rolled: Round | None = None
        self.trained = False
        self.run_when_trained = False
        self.snapshot = ""  # heard last
        self.log = self.open_log(settings.folder)
        if settings.outputs:
            self.set_kinds(settings.outputs)

    def open_log(self, folder: Path | None) -> TakeLog:
        """A log of examples in `folder` for the session's model."""
        return TakeLog(folder, self.clock.now_s, self.settings.model_id, self.settings.model_name)

    @property
    def state(self) -> State:
        """Where the session is."""
        if self.training.busy:
            return State.TRAINING
        if self.trained:
            return State.DONE_TRAINING
        return State.READY_TO_TRAIN if len(self.examples) else State.NOT_READY

    def refuse(self, error: Exception) -> None:
        """Count what could not be done, and keep its reason for whoever asks for the state."""
        self.counts.ignored += 1
        self.refusal = str(error).split("\n")[0][:500]

    def set_kinds(self, kinds: Sequence[Output]) -> None:
        """Begin with these outputs; models and a running training are dropped."""
        kinds = check_outputs(kinds)
        self.training.drop()
        self.running = self.trained = False
        names = ["output"] if isinstance(kinds[0], DtwOutput) else [f"outputs-{i + 1}" for i in range(len(kinds))]
        self.slots = [Slot(kind, name, self.choice) for kind, name in zip(kinds, names, strict=True)]
        self.values = [kind.default for kind in kinds]
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
        self._round = self.rolled = None
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
        chosen = zip(self.slots, values, self.values, strict=True)
        self.values = [value if slot.kind.accepts(value) else before for slot, value, before in chosen]

    @property
    def rest(self) -> list[float]:
        """Outputs that are safe: those of the settings where they fit, else the defaults."""
        given = self.settings.rest
        return list(given) if len(given) == len(self.slots) else [slot.kind.default for slot in self.slots]

    def recall(self, name: str) -> None:
        """Set and send the outputs of a snapshot; `OscError` names those there are."""
        if name not in self.snapshots:
            raise OscError(f"no snapshot {name!r}; there are: {', '.join(self.snapshots) or 'none'}")
        self.snapshot = name
        self.set_outputs(self.snapshots[name])
        self.send_outputs()

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
        self.ran_before_gesture |= self.running
        self.running = False
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
            learn_gestures(self.gestures, self.examples)
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
            pairs = zip(self.slots, self.values, strict=True)
            labels = tuple(value if slot.recording else float("nan") for slot, value in pairs)
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

    def stop_running(self) -> None:
        """Answer no more, also after a gesture that is being recorded."""
        self.running = self.ran_before_gesture = False

    def train(self, *, then_run: bool = False) -> None:
        """Learn in the background. Ignored without examples and while learning, as in the original."""
        if self.training.busy or not len(self.examples) or self.gestures is not None:
            raise OscError("nothing to train now: no examples, already training, or gestures, which need none")
        self.run_when_trained = then_run
        self.training.start(self.lesson())

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

    def poll(self) -> None:
        """Take up what the background has finished; call it often."""
        ended = self.training.poll()
        if ended is not None:
            self._adopt(ended)
        self.log.flush_if_due()

    def _adopt(self, ended: Outcome) -> None:
        """Answer with new models; an output that could not be learned falls back to its default."""
        self.refusal = ended.problem or self.refusal
        for output in ended.missed:
            if self.slots[output].learned is not None:
                self.slots[output].learned = None
                self.values[output] = self.slots[output].kind.default
        for each in ended.learned:
            for output in each.outputs:
                self.slots[output].learned, self.slots[output].stale = each, False
        self.refresh()
        self.trained = self.changed = True
        self.send(encode("/wekinator/status/done-training"))
        if self.run_when_trained:
            self.running = True

    def close(self) -> None:
        """End what is recording; training is left."""
        self.training.cancel()
        self.log.end_take()

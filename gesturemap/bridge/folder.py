"""The session on disk: every example as it comes, and what the performer set, so that a killed bridge loses nothing.

::

    NAME.session/
      session.json      outputs, inputs, regressors, snapshots, and which rows are the examples
      examples.rec/     a recording: inputs as channels, outputs as latents

Rows are never deleted from the recording: `session.json` says which of them count, so undo is one small file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from audiovae.latent_space import replace_text
from gesturemap.bridge.examples import Examples, Round
from gesturemap.errors import RecordingError
from gesturemap.frame import Channel, Layout
from gesturemap.recording import Recorder, Recording
from gesturemap.recording.folder_lock import FolderLock

FORMAT = 1
STATE_NAME = "session.json"
RECORDING_NAME = "examples.rec"


class TakeLog:
    """The recording of a session, opened with the first row so that an idle bridge leaves no folder.

    Parameters
    ----------
    folder : of the session; None keeps nothing.
    now_s : monotonic seconds.
    model_id, model_name : of the audio model whose latents the outputs are, if any.
    """

    def __init__(
        self,
        folder: Path | None,
        now_s: Callable[[], float],
        model_id: str | None = None,
        model_name: str | None = None,
    ) -> None:
        self.folder = folder
        self._now_s, self._model = now_s, (model_id, model_name)
        self._recorder: Recorder | None = None
        self._lock: FolderLock | None = None
        self._last_s = -np.inf
        self.position = (0, 0)  # take and count of rows of what was written last

    def write(self, names: Sequence[str], inputs: Sequence[float], outputs: Sequence[float]) -> tuple[int, int]:
        """Add one example, NaN for an output not recorded; returns its take and its row there, take 0 without folder.

        Raises
        ------
        RecordingError
            If the folder cannot be written.
        """
        if self.folder is None:
            return 0, 0
        recorder = self._recorder = self._recorder or self._open(names, len(outputs))
        if recorder.take is None:
            recorder.start_take()
            self._last_s = -np.inf
        self._last_s = max(self._now_s(), float(np.nextafter(self._last_s, np.inf)))
        recorder.write_rows(np.array([self._last_s]), np.array([inputs]), np.array([outputs]))
        assert recorder.take is not None
        self.position = recorder.take, recorder.n_rows
        return recorder.take, recorder.n_rows - 1

    def end_take(self) -> None:
        """What comes next is another take."""
        if self._recorder is not None and self._recorder.take is not None:
            self._recorder.stop_take()

    def hold(self) -> None:
        """Keep other programs out of the folder, which is there; `RecordingError` if one is in."""
        if self._lock is None and self.folder is not None:
            self._lock = FolderLock(self.folder)

    def holds(self, folder: Path) -> bool:
        """Whether it is `folder` that others are kept out of."""
        return self._lock is not None and self.folder is not None and self.folder.samefile(folder)

    def release(self) -> None:
        """End the take, let others in."""
        if self._recorder is not None:
            self._recorder.close()
        if self._lock is not None:
            self._lock.release()
        self._recorder = self._lock = None

    def flush_if_due(self) -> None:
        """Call it now and then while no examples come."""
        if self._recorder is not None:
            self._recorder.flush_if_due()

    def _open(self, names: Sequence[str], n_outputs: int) -> Recorder:
        assert self.folder is not None
        layout = Layout(tuple(Channel(name, "norm", 0.0, 1.0) for name in names))
        path = self.folder / RECORDING_NAME
        model_id, model_name = self._model
        recorder = Recorder(
            path, layout, "osc", "gesturemap bridge", "monotonic", model_id, model_name, n_outputs,
            append=True, now_s=self._now_s,
        )  # fmt: skip
        self.hold()  # now that it is there
        return recorder


def write_state(folder: Path, state: dict[str, Any], examples: Examples, position: tuple[int, int]) -> None:
    """`session.json`: `state`, and which rows of the recording are the examples.

    Parameters
    ----------
    position : take and row up to which `examples` has decided; rows behind it become examples after a kill.
    """
    rounds = [
        {"number": r.number, "take": r.take, "first": r.first, "rows": len(r.inputs), "blanked": sorted(r.blanked)}
        for r in examples.rounds
        if r.inputs and r.take
    ]
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"format": FORMAT} | state | {"rounds": rounds, "decided": position}, indent=1)
    replace_text(folder / STATE_NAME, text)


def read_folder(folder: Path) -> tuple[dict[str, Any], Examples]:
    """State and examples of a session folder, whole or killed.

    Raises
    ------
    RecordingError
        If it is no session, or damaged.
    """
    path = folder / STATE_NAME
    try:
        state = json.loads(path.read_text()) if path.exists() else {"format": FORMAT}
        if state["format"] != FORMAT:
            raise RecordingError(f"{path}: session format {state['format']!r} found, {FORMAT} expected")
        return state, _read_examples(folder / RECORDING_NAME, state)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise RecordingError(f"{path}: no session of the bridge, or a damaged one ({error!r})") from None


def _read_examples(path: Path, state: dict[str, Any]) -> Examples:
    examples = Examples()
    if not path.exists():
        return examples
    takes = {take.index: take for take in Recording.load(path).takes}
    for span in _spans(state, {index: len(take.time_s) for index, take in takes.items()}):
        take, rows = takes[span["take"]], slice(span["first"], span["first"] + span["rows"])
        if take.latents is None:
            raise RecordingError(f"{path}: a recording without outputs, not one of the bridge")
        added = examples.begin(span["take"], span["first"])
        added.inputs = [tuple(row) for row in take.values[rows].tolist()]
        added.outputs = [tuple(row) for row in take.latents[rows].tolist()]
        added.blanked = {int(output) for output in span["blanked"]}
    return examples


def _spans(state: dict[str, Any], lengths: dict[int, int]) -> list[dict[str, Any]]:
    """Which rows of which take are rounds, `lengths` being the rows there are; brings `decided` up to date.

    A kill can leave rows that `session.json` does not know yet, and lose ones that it does.
    """
    decided_take, decided_row = state.get("decided", (0, 0))
    decided_row = min(decided_row, lengths.get(decided_take, 0))
    state["decided"] = decided_take, decided_row
    spans = [dict(entry) for entry in state.get("rounds", []) if lengths.get(entry["take"], 0) > entry["first"]]
    for index, length in sorted(lengths.items()):
        first = decided_row if index == decided_take else 0
        if index < decided_take or length <= first:
            continue
        state["decided"] = index, length
        if spans and (spans[-1]["take"], spans[-1]["first"] + spans[-1]["rows"]) == (index, first):
            spans[-1]["rows"] += length - first
        else:
            spans.append({"take": index, "first": first, "rows": length - first, "blanked": []})
    return spans


def copy_rounds(rounds: Sequence[Round], names: Sequence[str], log: TakeLog) -> list[Round]:
    """Write `rounds` into another folder's log, a take each; returns them with their new places."""
    moved = []
    for each in rounds:
        place = [log.write(names, i, o) for i, o in zip(each.inputs, each.outputs, strict=True)]
        log.end_take()
        if place:
            moved.append(Round(each.number, each.inputs, each.outputs, *place[0], blanked=each.blanked))
    return moved

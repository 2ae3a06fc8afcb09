"""Everything the bridge understands: one table of addresses, what each does, and its arguments.

The documentation is printed from it (`protocol_table`), and the tests walk through it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gesturemap.bridge import controls, extensions
from gesturemap.bridge.actions import ACTIONS
from gesturemap.bridge.outputs import as_numbers
from gesturemap.errors import OscError


class Command(NamedTuple):
    """One message.

    Parameters
    ----------
    handler : ``handler(session, *arguments)``.
    arguments : their kinds in order, see `read_arguments`.
    """

    handler: Callable[..., None]
    arguments: tuple[str, ...] = ()


_CONTROL = {
    "outputs": Command(controls.set_outputs, ("labels*",)),
    "startRecording": Command(controls.start_recording),
    "stopRecording": Command(controls.stop_recording),
    "startDtwRecording": Command(controls.start_dtw_recording, ("integer",)),
    "stopDtwRecording": Command(controls.stop_dtw_recording, ("anything*",)),
    "train": Command(controls.train),
    "cancelTrain": Command(controls.cancel_train),
    "startRunning": Command(controls.start_running),
    "stopRunning": Command(controls.stop_running),
    "deleteAllExamples": Command(controls.delete_all_examples),
    "deleteExamplesForOutput": Command(controls.delete_examples_for_output, ("integer",)),
    "enableModelRecording": Command(controls.enable_model_recording, ("wholes*",)),
    "disableModelRecording": Command(controls.disable_model_recording, ("wholes*",)),
    "enableModelRunning": Command(controls.enable_model_running, ("wholes*",)),
    "disableModelRunning": Command(controls.disable_model_running, ("wholes*",)),
    "setInputNames": Command(controls.set_input_names, ("texts*",)),
    "setOutputNames": Command(controls.set_output_names, ("texts*",)),
    "selectInputsForOutput": Command(controls.select_inputs_for_output, ("whole", "wholes*")),
    "loadModelFromFile": Command(controls.load_model_from_file, ("whole", "text", "text?")),
    "saveModelToFile": Command(controls.save_model_to_file, ("whole", "text")),
    "runNewProject": Command(controls.run_new_project, ("text", "text?")),
    "enablePerformanceMode": Command(controls.performance_mode),
    "disablePerformanceMode": Command(controls.performance_mode),
}
_OWN = {
    "example": Command(extensions.example, ("numbers*",)),
    "inputs": Command(extensions.inputs, ("whole", "numbers*", "time_tag")),
    **{str(action): Command(handler) for action, handler in ACTIONS.items()},
    "save": Command(extensions.save, ("text",)),
    "load": Command(extensions.load, ("text",)),
    "saveProject": Command(extensions.save_project, ("text",)),
    "setOutputs": Command(extensions.set_kind, ("texts*",)),
    "regressor": Command(extensions.set_regressor, ("text", "texts*")),
    "regressorForOutput": Command(extensions.set_output_regressor, ("whole", "text", "texts*")),
    "trainAndRun": Command(extensions.train_and_run),
    "state": Command(extensions.state),
    "model": Command(extensions.model_state, ("whole",)),
    "report": Command(extensions.report),
    "confidence": Command(extensions.confidence, ("whole",)),
    "snapshot/store": Command(extensions.store, ("text",)),
    "snapshot/recall": Command(extensions.recall, ("text",)),
    "snapshot/forget": Command(extensions.forget, ("text",)),
    "snapshot/morph": Command(extensions.morph, ("number", "texts*")),
    "snapshots": Command(extensions.snapshots),
    "reroll": Command(extensions.reroll, ("wholes*",)),
}
COMMANDS: dict[str, Command] = {
    **{f"/wekinator/control/{name}": command for name, command in _CONTROL.items()},
    "/wek/inputs/bundle": Command(controls.inputs_bundle, ("text",)),
    **{f"/gesturemap/{name}": command for name, command in _OWN.items()},
}


def read_arguments(
    kinds: Sequence[str], arguments: Sequence[Any], time_tag: bytes | None = None, *, strict: bool = False
) -> list[Any]:
    """Arguments of a message as its handler takes them.

    Parameters
    ----------
    kinds : ``number``, ``whole`` (truncated), ``integer`` (under `strict` of integer type alone), ``label`` (under
        `strict` anything but a float is 0), ``text``, ``anything``; a trailing ``?`` may be absent, ``s*`` are all
        that is left, in one list (``anything*``: one by one). ``time_tag``: 8 bytes, that of its bundle, or None.

    Raises
    ------
    OscError
        If they are too few, too many or of another kind.
    """
    read: list[Any] = []
    left = list(arguments)
    for kind in kinds:
        if kind == "time_tag":
            read.append(time_tag)
        elif kind == "anything*":
            left.clear()
        elif kind.endswith("*"):
            read.append([_read(kind[:-2], argument, strict) for argument in left])
            left.clear()
        elif left:
            read.append(_read(kind.removesuffix("?"), left.pop(0), strict))
        elif not kind.endswith("?"):
            raise OscError(f"{len(arguments)} arguments found, expected: {', '.join(kinds)}")
    if left:
        raise OscError(f"{len(arguments)} arguments found, expected: {', '.join(kinds) or 'none'}")
    return read


def _read(kind: str, argument: Any, strict: bool) -> Any:
    if kind == "text":
        if not isinstance(argument, str):
            raise OscError(f"{argument!r} found, a string expected")
        return argument
    if strict and kind == "label" and not isinstance(argument, float):
        return 0.0
    if strict and kind == "integer" and (isinstance(argument, bool) or not isinstance(argument, int)):
        raise OscError(f"{argument!r} found, an integer expected")
    numbers = as_numbers([argument])
    if numbers is None:
        raise OscError(f"{argument!r} found, a number expected")
    if kind in ("number", "label"):
        return numbers[0]
    if not -(2**31) <= numbers[0] < 2**63:  # NaN too
        raise OscError(f"{argument!r} found, a whole number expected")
    return int(numbers[0])


def protocol_table() -> str:
    """The table as Markdown."""
    lines = ["| message | arguments | what it does |", "|---|---|---|"]
    for address, command in COMMANDS.items():
        kinds = [kind for kind in command.arguments if kind not in ("time_tag", "anything*")]
        shown = ", ".join(_show(kind) for kind in kinds) or "-"
        summary = (command.handler.__doc__ or "").split("\n")[0]
        lines.append(f"| `{address}` | {shown} | {summary} |")
    return "\n".join(lines)


def _show(kind: str) -> str:
    """A kind of argument, for people."""
    word = "string" if kind.startswith("text") else "number"
    return word + (" ..." if kind.endswith("*") else " (optional)" if kind.endswith("?") else "")

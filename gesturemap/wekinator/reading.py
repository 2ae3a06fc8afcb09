"""A Wekinator project folder read into a `Project`. Its models are Java objects, which nobody here reads."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from gesturemap.errors import RecordingError
from gesturemap.wekinator.arff import read_examples
from gesturemap.wekinator.project import IN_PORT, Project, ProjectOutput
from gesturemap.wekinator.xml_tree import read_tree, real_number, text_of, whole_number

MAX_INPUTS = 10_000
MAX_CLASSES = 10_000
NUMERIC, CLASSES, GESTURES = (f"wekimini.osc.OSC{kind}Output" for kind in ("Numeric", "Classification", "Dtw"))


def read_project(folder: str | Path) -> Project:
    """The project of a folder, or of the folder of a ``.wekproj`` file.

    Raises
    ------
    RecordingError
        If a file is missing or damaged, does not fit the others, or the project is one of gestures in time (DTW).
    """
    folder = Path(folder)
    folder = folder.parent if folder.suffix == ".wekproj" else folder
    if not folder.is_dir():
        raise RecordingError(f"{folder}: no such folder: choose a Wekinator project folder")
    name, in_port = _read_name(folder)
    in_message, input_names = _read_inputs(folder / "inputConfig.xml")
    path = folder / "outputConfig.xml"
    root = read_tree(path)
    outputs = tuple(_read_output(element, path) for element in root.findall("outputs/*"))
    if not outputs:
        raise RecordingError(f"{path}: no output in it")
    rounds, time_s, inputs, targets = read_examples(folder / "current" / "currentData.arff", len(input_names), outputs)
    return Project(
        name,
        input_names,
        outputs,
        rounds,
        time_s,
        inputs,
        targets,
        in_port=in_port,
        in_message=in_message,
        host=text_of(root, "hostName", path),
        out_port=whole_number(root, "outputPort", 1, 65535, path),
        out_message=text_of(root, "oscMessage", path),
    )


def _read_name(folder: Path) -> tuple[str, int]:
    """Name and port of the project file; that of the folder and the default if there is none or several."""
    files = sorted(folder.glob("*.wekproj"))
    if len(files) != 1:
        return folder.resolve().name, IN_PORT
    root = read_tree(files[0])
    port = whole_number(root, "oscReceivePort", 1, 65535, files[0])
    return text_of(root, "projectName", files[0]) or files[0].stem, port


def _read_inputs(path: Path) -> tuple[str, tuple[str, ...]]:
    root = read_tree(path)
    n_inputs = whole_number(root, "numInputs", 1, MAX_INPUTS, path)
    names = tuple(element.text or "" for element in root.findall("inputNames/string"))
    if len(names) != n_inputs:
        raise RecordingError(f"{path}: {len(names)} input names found, {n_inputs} expected by <numInputs>")
    return text_of(root, "oscMessage", path), names


def _read_output(element: ElementTree.Element, path: Path) -> ProjectOutput:
    if element.tag == GESTURES:
        raise RecordingError(
            f"{path}: a project of gestures in time (DTW), whose examples (current/currentData.csv) are not read; only"
            " numbers and classes are: record the gestures again, `gesturemap bridge --output dtw:COUNT` takes"
            " startDtwRecording as Wekinator does"
        )
    name = text_of(element, "name", path)
    if element.tag == CLASSES:
        n_classes = whole_number(element, "numClasses", 1, MAX_CLASSES, path)
        sends = text_of(element, "isSendingDistribution", path).strip() == "true"
        return ProjectOutput(name, n_classes=n_classes, distribution=sends)
    if element.tag != NUMERIC:
        raise RecordingError(f"{path}: output of kind {element.tag[:80]!r}, {NUMERIC} or {CLASSES} expected")
    low, high = (real_number(element, key, path) for key in ("min", "max"))
    if low > high:
        raise RecordingError(f"{path}: output {name!r}: min {low:g} is above max {high:g}")
    integer = text_of(element, "outputType", path).strip() == "INTEGER"
    return ProjectOutput(name, low, high, integer, text_of(element, "limitType", path).strip() == "HARD")

"""A `Project` written as a folder that Wekinator opens and trains.

Its models are written untrained: a model file is Java's serialisation of a description, of the word "null" for the
model and of "null" for its own copy of the examples, which is three strings. Without model files Wekinator takes the
project for one of gestures.
"""

from __future__ import annotations

import os
import shutil
import struct
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gesturemap.errors import RecordingError
from gesturemap.wekinator.arff import write_examples
from gesturemap.wekinator.project import Project, ProjectOutput
from gesturemap.wekinator.reading import CLASSES, NUMERIC

JAVA_STREAM, JAVA_STRING, JAVA_LONG_STRING = b"\xac\xed\x00\x05", b"\x74", b"\x7c"


def write_project(project: Project, folder: str | Path) -> Path:
    """Write a project folder; returns its ``.wekproj`` file. It is there whole or not at all.

    Raises
    ------
    RecordingError
        If the folder exists, a name is used twice or cannot be written, or the disk is full.
    """
    folder = Path(folder)
    if folder.exists():
        raise RecordingError(f"{folder} exists: choose another name")
    names = [*project.input_names, *(output.name for output in project.outputs)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RecordingError(f"{twice[0]!r} names two inputs or outputs: Wekinator needs different names")
    if not all(name.isprintable() for name in (project.name, *names)):
        raise RecordingError("a name with a control character in it: Wekinator's files cannot hold it")
    beside = folder.with_name(f".{folder.name}.part")
    if beside.exists():
        shutil.rmtree(beside)
    try:
        for part in ("current/models", "saved"):
            (beside / part).mkdir(parents=True)
        _write_xml(beside / f"{folder.name}.wekproj", _describe_project(project))
        _write_xml(beside / "inputConfig.xml", _describe_inputs(project))
        _write_xml(beside / "outputConfig.xml", _describe_outputs(project))
        write_examples(beside / "current" / "currentData.arff", project)
        for index in range(len(project.outputs)):
            (beside / "current" / "models" / f"model{index}.xml").write_bytes(_describe_model(project, index))
        os.rename(beside, folder)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise RecordingError(f"{folder}: cannot be written: {error.strerror}") from error
    return folder / f"{folder.name}.wekproj"


def _describe_project(project: Project) -> ElementTree.Element:
    root = ElementTree.Element("WekinatorFileData")
    _add(root, oscReceivePort=project.in_port, projectName=project.name)
    return root


def _describe_inputs(project: Project) -> ElementTree.Element:
    root = ElementTree.Element("OSCInputGroup")
    _add(root, oscMessage=project.in_message, numInputs=len(project.input_names), groupName="Inputs")
    _add_strings(root, "inputNames", project.input_names)
    return root


def _describe_outputs(project: Project) -> ElementTree.Element:
    root = ElementTree.Element("OSCOutputGroup")
    _add(root, oscMessage=project.out_message, hostName=project.host, outputPort=project.out_port)
    # Wekinator adds to this list later: any other kind of list it would read, and then fail on.
    outputs = ElementTree.SubElement(root, "outputs", {"class": "linked-list"})
    for output in project.outputs:
        _fill_output(ElementTree.SubElement(outputs, CLASSES if output.n_classes else NUMERIC), output)
    return root


def _fill_output(element: ElementTree.Element, output: ProjectOutput) -> None:
    if output.n_classes:
        sends = str(output.distribution).lower()
        _add(element, name=output.name, numClasses=output.n_classes, isSendingDistribution=sends)
        return
    _add(
        element,
        name=output.name,
        min=output.low,
        max=output.high,
        outputType="INTEGER" if output.integer else "REAL",
        limitType="HARD" if output.hard else "SOFT",
        trainingDataLimitRestriction="ENFORCE_LIMITS" if output.hard else "DONT_ENFORCE_LIMITS",
        trainingDataIntegerRestriction="DONT_ENFORCE_INTEGER",
    )


def _describe_model(project: Project, index: int) -> bytes:
    """The untrained model of one output: Wekinator's default learner, all its switches on."""
    output = project.outputs[index]
    root = ElementTree.Element("Path")
    if output.n_classes:
        builder = ElementTree.SubElement(root, "modelBuilder", {"class": "wekimini.learning.KNNModelBuilder"})
        _add(builder, numNeighbors=1)
    else:
        builder = ElementTree.SubElement(root, "modelBuilder", {"class": "wekimini.learning.NeuralNetModelBuilder"})
        _add(builder, numHiddenLayers=1, hiddenLayerType="NUM_FEATURES", numNodesPerHiddenLayer=1)
    _fill_output(ElementTree.SubElement(root, "output", {"class": CLASSES if output.n_classes else NUMERIC}), output)
    chosen = project.chosen[index] if project.chosen else range(len(project.input_names))
    names = ElementTree.SubElement(root, "inputNames", {"class": "linked-list"})
    for column in chosen:
        _add(names, string=project.input_names[column])
    n_examples = int(np.isfinite(project.targets[:, index]).sum())
    _add(
        root,
        outputNeedsCorrection=str(output.integer or output.hard).lower(),
        modelState="READY_FOR_BUILDING" if n_examples else "NOT_READY",
        recordEnabled="true",
        runEnabled="true",
        trainEnabled="true",
        numExamples=n_examples,
        currentModelName=output.name,
        lastModelState="NOT_READY",
        trainingCompleted="false",
    )
    ElementTree.indent(root)
    strings = (ElementTree.tostring(root, encoding="unicode"), "null", "null")
    return JAVA_STREAM + b"".join(_java_string(text) for text in strings)


def _java_string(text: str) -> bytes:
    """A string as Java serialises it: UTF-8, with characters beyond 16 bits as two halves and no zero byte."""
    halves = text.encode("utf-16-be", "surrogatepass")
    units = struct.unpack(f">{len(halves) // 2}H", halves)
    data = b"".join(b"\xc0\x80" if unit == 0 else chr(unit).encode("utf-8", "surrogatepass") for unit in units)
    if len(data) < 2**16:
        return JAVA_STRING + struct.pack(">H", len(data)) + data
    return JAVA_LONG_STRING + struct.pack(">Q", len(data)) + data


def _add(parent: ElementTree.Element, **texts: object) -> None:
    for name, text in texts.items():
        ElementTree.SubElement(parent, name).text = str(text)


def _add_strings(parent: ElementTree.Element, name: str, texts: Sequence[str]) -> None:
    element = ElementTree.SubElement(parent, name)
    for text in texts:
        _add(element, string=text)


def _write_xml(path: Path, root: ElementTree.Element) -> None:
    ElementTree.indent(root)
    path.write_bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))

"""Projects as their readers in Java take them: a second, strict reading that shares no code with the package.

Serialised objects: Java Object Serialization Specification, chapter 6, and the modified UTF-8 of `DataInput`. XML: what
XStream needs to know to make Wekinator's objects of it. ARFF: the grammar of Weka's own reader.
"""

from __future__ import annotations

import re
import struct
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesturemap.wekinator import Project, ProjectOutput, write_project

NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d{0,5}[1-9])?")  # at most 6 decimals, no exponent, no zero at the end
TOKEN = re.compile(r"'((?:[^'\\]|\\.)*)'|([^\s,{}'\"%?\\]+|\?)")
CHOICES = {
    "outputType": {"INTEGER", "REAL"},
    "limitType": {"HARD", "SOFT"},
    "trainingDataLimitRestriction": {"ENFORCE_LIMITS", "DONT_ENFORCE_LIMITS"},
    "trainingDataIntegerRestriction": {"ENFORCE_INTEGER", "DONT_ENFORCE_INTEGER"},
    "modelState": {"NOT_READY", "READY_FOR_BUILDING"},
    "lastModelState": {"NOT_READY"},
    "hiddenLayerType": {"NUM_FEATURES", "NUM_NODES"},
}
NUMERIC = ["name", "min", "max", *list(CHOICES)[:4]]
CLASSES = ["name", "numClasses", "isSendingDistribution"]
PATH = [
    *("modelBuilder", "output", "inputNames", "outputNeedsCorrection", "modelState", "recordEnabled", "runEnabled"),
    *("trainEnabled", "numExamples", "currentModelName", "lastModelState", "trainingCompleted"),
]


def java_strings(data: bytes) -> Iterator[str]:
    """Every object of a stream that holds nothing but strings; anything else is an error."""
    assert data[:4] == struct.pack(">HH", 0xACED, 5)
    position = 4
    while position < len(data):
        code, size = data[position], {0x74: 2, 0x7C: 8}[data[position]]
        length = int.from_bytes(data[position + 1 : position + 1 + size], "big")
        assert code == 0x74 or length > 0xFFFF
        position += 1 + size + length
        assert position <= len(data)
        yield modified_utf8(data[position - length : position])


def modified_utf8(data: bytes) -> str:
    """One to three bytes a half character, shortest form but for the zero, which is two."""
    units, rest = [], list(data)
    while rest:
        first = rest.pop(0)
        more = 0 if first < 0x80 else 1 if first >> 5 == 0b110 else 2
        assert first >> 4 == 0b1110 or more < 2
        unit = first & (0x7F, 0x1F, 0x0F)[more]
        for _ in range(more):
            follower = rest.pop(0)
            assert follower >> 6 == 0b10
            unit = unit << 6 | follower & 0x3F
        assert unit >= (1, 0x80, 0x800)[more] or (more, unit) == (1, 0)
        units.append(unit)
    return struct.pack(f">{len(units)}H", *units).decode("utf-16-be")


def check_choices(root: ElementTree.Element) -> None:
    """Enumerations hold one of their names, switches true or false, and nothing has a text beside its children."""
    for element in root.iter():
        text = element.text or ""
        assert text in CHOICES.get(element.tag, {text})
        if element.tag.endswith("Enabled") or element.tag in ("trainingCompleted", "isSendingDistribution"):
            assert text in ("true", "false")
        if len(element):
            assert not text.strip()


def check_output(element: ElementTree.Element, kind: str, output: ProjectOutput) -> None:
    assert kind == f"wekimini.osc.OSC{'Classification' if output.n_classes else 'Numeric'}Output"
    assert [child.tag for child in element] == (CLASSES if output.n_classes else NUMERIC)
    assert (element.findtext("name") or "") == output.name
    if not output.n_classes:
        assert (float(element.findtext("min", "")), float(element.findtext("max", ""))) == (output.low, output.high)


def tokens(line: str) -> list[str]:
    """The words of a line of ARFF, quotes taken off."""
    found, position = [], 0
    while position < len(line):
        match = TOKEN.match(line, position)
        assert match, line[position:]
        found.append(match[2] if match[1] is None else re.sub(r"\\(.)", r"\1", match[1]))
        position = match.end()
        assert position == len(line) or line[position] in ", "
        position += position < len(line)
    return found


def check_arff(text: str, project: Project) -> None:
    head, _, body = text.partition("\n@data\n")
    declared = [line for line in head.split("\n") if line]
    assert declared[:4] == [
        "@relation dataset",
        "@attribute ID numeric",
        "@attribute Time date 'yyyy/MM/dd HH:mm:ss:SSS'",
        "@attribute 'Training round' numeric",
    ]
    kinds = ["numeric"] * len(project.input_names)
    for output in project.outputs:
        classes = ",".join(map(str, range(output.n_classes + 1)))
        kinds.append(f"{{{classes}}}" if output.n_classes else "numeric")
    names = [*project.input_names, *(output.name for output in project.outputs)]
    assert len(declared) == 4 + len(names)
    for line, name, kind in zip(declared[4:], names, kinds, strict=True):
        assert line.endswith(f" {kind}")
        assert tokens(line[: -len(kind) - 1]) == ["@attribute", name]
    assert body.endswith("\n")
    rows = [tokens(line) for line in body.split("\n")[:-1]]
    assert [row[0] for row in rows] == [str(index + 1) for index in range(len(project.rounds))]
    truth = np.concatenate([project.inputs, project.targets], axis=1)
    for row, round_, numbers in zip(rows, project.rounds, truth, strict=True):
        assert len(row) == 3 + len(names)
        datetime.strptime(row[1], "%Y/%m/%d %H:%M:%S:%f")  # noqa: DTZ007  # Weka's dates have no zone
        assert row[2] == str(round_)
        for cell, kind, number in zip(row[3:], kinds, numbers, strict=True):
            assert cell == "?" if np.isnan(number) else NUMBER.fullmatch(cell)
            if cell != "?":
                assert abs(float(cell) - number) <= 5.1e-7
                assert kind == "numeric" or cell in kind[1:-1].split(",")


def check_folder(folder: Path, project: Project) -> None:
    """All that is in a project's folder, and nothing that is not."""
    models = {f"current/models/model{index}.xml" for index in range(len(project.outputs))}
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    # No modelSetDescription.json: nothing is trained, and the original writes it anew.
    written = {f"{folder.name}.wekproj", "inputConfig.xml", "outputConfig.xml", "current/currentData.arff"}
    assert files == models | written
    assert (folder / "saved").is_dir()
    trees = {name: ElementTree.parse(folder / name).getroot() for name in sorted(written) if "arff" not in name}
    for tree in trees.values():
        check_choices(tree)
    assert [child.tag for child in trees[f"{folder.name}.wekproj"]] == ["oscReceivePort", "projectName"]
    inputs, outputs = trees["inputConfig.xml"], trees["outputConfig.xml"]
    assert [child.tag for child in inputs] == ["oscMessage", "numInputs", "groupName", "inputNames"]
    assert tuple(element.text or "" for element in inputs.findall("inputNames/string")) == project.input_names
    assert [child.tag for child in outputs] == ["oscMessage", "hostName", "outputPort", "outputs"]
    # Arrays of strings have no class; lists do, or XStream makes one that cannot grow.
    assert [element.attrib for element in (inputs[3], outputs[3])] == [{}, {"class": "linked-list"}]
    for element, output in zip(outputs[3], project.outputs, strict=True):
        check_output(element, element.tag, output)
    check_arff((folder / "current" / "currentData.arff").read_text(encoding="utf-8"), project)
    for index, output in enumerate(project.outputs):
        xml, *rest = java_strings((folder / "current" / "models" / f"model{index}.xml").read_bytes())
        assert rest == ["null", "null"]
        path = ElementTree.fromstring(xml)
        check_choices(path)
        assert (path.tag, [child.tag for child in path]) == ("Path", PATH)
        check_output(path[1], path[1].attrib["class"], output)
        assert path[2].attrib == {"class": "linked-list"}
        assert path[0].attrib["class"].startswith("wekimini.learning.")
        assert path.findtext("trainEnabled") == path.findtext("recordEnabled") == "true"
        known = int(np.isfinite(project.targets[:, index]).sum())
        assert path.findtext("numExamples") == str(known)
        assert (path.findtext("modelState") == "NOT_READY") == (known == 0)


def test_a_project_with_everything_in_it(project: Project, tmp_path: Path) -> None:
    write_project(project, tmp_path / "songs")
    check_folder(tmp_path / "songs", project)


NAMES = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=8).filter(str.isprintable)
NUMBERS = st.floats(-1e6, 1e6) | st.just(float("nan")) | st.sampled_from([-0.0, 1e-9, -4e-7, 123456.7890125])


@settings(max_examples=40, deadline=None)
@given(names=st.lists(NAMES, min_size=3, max_size=6, unique=True), cells=st.lists(NUMBERS, min_size=6, max_size=6))
def test_any_names_and_numbers(names: list[str], cells: list[float]) -> None:
    inputs, outputs = names[:2], tuple(ProjectOutput(name, -1e-5, 1e20) for name in names[2:])
    rows = np.array(cells).reshape(2, 3)
    targets = np.repeat(rows[:, 2:], len(outputs), axis=1)
    rounds, time_s = np.array([1, 7]), np.array([0.0, 1.7e9])
    project = Project("p", tuple(inputs), outputs, rounds, time_s, rows[:, :2], targets)
    with tempfile.TemporaryDirectory() as folder:
        write_project(project, Path(folder) / "p")
        check_folder(Path(folder) / "p", project)


def test_a_description_of_more_than_64_kilobytes(project: Project, tmp_path: Path) -> None:
    """Java writes such a string in another way."""
    names = tuple(f"feature number {index} of the left hand" for index in range(1500))
    large = replace(project, input_names=names, inputs=np.zeros((len(project.rounds), len(names))))
    write_project(large, tmp_path / "large")
    assert (tmp_path / "large" / "current" / "models" / "model0.xml").read_bytes()[4] == 0x7C
    check_folder(tmp_path / "large", large)


@pytest.mark.parametrize("data", [b"\xc0\xaf", b"\xf0\x9f\x98\x80", b"\x00", b"\xed\xa0"])
def test_the_strict_reader_refuses(data: bytes) -> None:
    """Overlong, four bytes, a bare zero, cut off: what Java would not take."""
    with pytest.raises((AssertionError, IndexError)):
        modified_utf8(data)

"""Projects written and read back, as Wekinator writes them, and as nobody should."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gesturemap.errors import RecordingError
from gesturemap.wekinator import Project, read_project, write_project

# As Wekinator 2.1.1.0 writes it: no name for the output, times that repeat, a quote in a name.
ARFF = r"""@relation dataset

@attribute ID numeric
@attribute Time date 'yyyy/MM/dd HH:mm:ss:SSS'
@attribute 'Training round' numeric
@attribute inputs-1 numeric
@attribute 'bob\'s' numeric
@attribute '' numeric

@data
1,'2024/04/07 20:53:52:740',1,0.374499,-4,1
2,'2024/04/07 20:53:52:740',1,1.5E-4,2,?
"""
INPUTS = """<?xml version="1.0"?>
<OSCInputGroup><oscMessage>/wek/inputs</oscMessage><numInputs>2</numInputs><groupName>Inputs</groupName>
<inputNames><string>inputs-1</string><string>bob's</string></inputNames></OSCInputGroup>"""
OUTPUTS = """<?xml version="1.0"?>
<OSCOutputGroup><oscMessage>/wek/outputs</oscMessage><hostName>localhost</hostName><outputPort>12000</outputPort>
<outputs class="linked-list"><wekimini.osc.OSCNumericOutput><name></name><min>1.0</min><max>2.0</max>
<outputType>INTEGER</outputType><limitType>SOFT</limitType></wekimini.osc.OSCNumericOutput></outputs>
</OSCOutputGroup>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project as Wekinator would have written it, without a project file."""
    (tmp_path / "theirs" / "current").mkdir(parents=True)
    (tmp_path / "theirs" / "inputConfig.xml").write_text(INPUTS)
    (tmp_path / "theirs" / "outputConfig.xml").write_text(OUTPUTS)
    (tmp_path / "theirs" / "current" / "currentData.arff").write_text(ARFF)
    return tmp_path / "theirs"


def test_what_is_written_is_read_back(project: Project, tmp_path: Path) -> None:
    file = write_project(project, tmp_path / "out")
    assert file == tmp_path / "out" / "out.wekproj"
    for place in (file, tmp_path / "out"):
        again = read_project(place)
        assert again.outputs == project.outputs
        assert again.input_names == project.input_names
        assert (again.name, again.in_port, again.out_port) == ("songs", 7000, 7001)
        np.testing.assert_array_equal(again.rounds, project.rounds)
        np.testing.assert_allclose(again.time_s, project.time_s, atol=5.1e-4)
        np.testing.assert_allclose(again.inputs, project.inputs, atol=5.1e-7)
        np.testing.assert_allclose(again.targets, project.targets, atol=5.1e-7)


def test_a_project_of_the_original(folder: Path) -> None:
    project = read_project(folder)
    assert (project.name, project.in_port, project.input_names) == ("theirs", 6448, ("inputs-1", "bob's"))
    assert project.outputs[0].integer
    np.testing.assert_array_equal(project.inputs, [[0.374499, -4.0], [1.5e-4, 2.0]])
    np.testing.assert_array_equal(project.targets, [[1.0], [np.nan]])


def test_models_are_three_java_strings(project: Project, tmp_path: Path) -> None:
    write_project(project, tmp_path / "out")
    data = (tmp_path / "out" / "current" / "models" / "model1.xml").read_bytes()
    assert data[:5] == b"\xac\xed\x00\x05t"
    (length,) = struct.unpack(">H", data[5:7])
    xml = data[7 : 7 + length]
    assert b"<trainEnabled>true</trainEnabled>" in xml
    assert b'<inputNames class="linked-list">' in xml
    assert b"<numExamples>25</numExamples>" in xml
    # A character beyond 16 bits is two of three bytes in Java's own UTF-8.
    assert b"\xed\xa0\xb4\xed\xb4\x9e" in xml
    assert data[7 + length :] == b"t\x00\x04null" * 2


def test_inputs_chosen_for_an_output_are_in_its_model(project: Project, tmp_path: Path) -> None:
    write_project(replace(project, chosen=((0,), (1, 2), (2,))), tmp_path / "out")
    first, second, _ = ((tmp_path / "out" / "current" / "models" / f"model{i}.xml").read_bytes() for i in range(3))
    assert (first.count(b"<string>"), second.count(b"<string>")) == (1, 2)
    assert b"<string>inputs-1</string>" in first


def test_a_folder_that_exists_is_left_alone(project: Project, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(RecordingError, match="exists: choose another name"):
        write_project(project, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("inputConfig.xml", "?>", '?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>', "document type"),
        ("inputConfig.xml", "?>", '?><!DOCTYPE a [<!ENTITY b "bbbbbbbbb">]>', "document type"),
        ("inputConfig.xml", ' version="1.0"', ' version="1.0" encoding="cp037"', None),
        ("inputConfig.xml", "<numInputs>2", "<numInputs>3", "2 input names found, 3 expected"),
        ("inputConfig.xml", "<numInputs>2", "<numInputs>99999999999999999999", "a whole number of 1..10000"),
        ("inputConfig.xml", "</OSCInputGroup>", "", "damaged XML"),
        ("outputConfig.xml", "12000", "-1", "a whole number of 1..65535"),
        ("outputConfig.xml", "2.0", "1e999", "a number expected"),
        ("outputConfig.xml", "2.0", "0.0", "min 1 is above max 0"),
        ("outputConfig.xml", "OSCNumericOutput", "OSCDtwOutput", "gestures in time"),
        ("outputConfig.xml", "wekimini.osc.OSCNumericOutput", "java.lang.ProcessBuilder", "output of kind"),
        ("current/currentData.arff", ",1\n", ",1,1\n", "line 11: 7 columns found, 6 expected"),
        ("current/currentData.arff", "-4", "1e999", "line 11: '1e999' found, a number"),
        ("current/currentData.arff", "-4", "nan", "a number or"),
        ("current/currentData.arff", "2024/04/07", "2024/13/07", "yyyy/MM/dd"),
        ("current/currentData.arff", ":740',1,", ":740',1.5,", "training round"),
        ("current/currentData.arff", "@attribute inputs-1 numeric\n", "", "5 attributes found, 6 expected"),
        ("current/currentData.arff", "@data", "", "no @data"),
        ("current/currentData.arff", "0.374499", "\udcff", "not UTF-8"),
    ],
)
def test_hostile_and_broken_files(folder: Path, file: str, old: str, new: str, message: str | None) -> None:
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_bytes(text.replace(old, new).encode("utf-8", "surrogateescape"))
    if message is None:  # the encoding an XML file claims is not asked
        assert read_project(folder).input_names == ("inputs-1", "bob's")
        return
    with pytest.raises(RecordingError, match=message):
        read_project(folder)


@pytest.mark.parametrize("file", ["inputConfig.xml", "outputConfig.xml", "current/currentData.arff"])
def test_damage_of_any_kind_is_an_error_or_harmless(folder: Path, file: str) -> None:
    rng = np.random.default_rng(0)
    whole, refused = (folder / file).read_bytes(), 0
    for _ in range(300):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), 3):
            data[place : place + int(rng.integers(0, 3))] = bytes(rng.integers(9, 127, int(rng.integers(0, 5))))
        (folder / file).write_bytes(data)
        try:
            read_project(folder)
        except RecordingError:
            refused += 1
    assert refused > 100


def test_what_is_no_project_says_so(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no such folder"):
        read_project(tmp_path / "nothing")
    with pytest.raises(RecordingError, match=r"inputConfig\.xml: cannot be read"):
        read_project(tmp_path)

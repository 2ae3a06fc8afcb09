"""Every message of the table: understood, documented, and harmless with any arguments."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest

from gesturemap.bridge.protocol import COMMANDS, protocol_table, read_arguments
from gesturemap.errors import OscError
from gesturemap.osc.codec import encode_bundle

# From the sheet of the original's protocol, not from our table.
ORIGINAL = set(
    """outputs startRecording stopRecording startDtwRecording stopDtwRecording train cancelTrain startRunning
stopRunning deleteAllExamples deleteExamplesForOutput enableModelRecording disableModelRecording enableModelRunning
disableModelRunning setInputNames setOutputNames selectInputsForOutput loadModelFromFile saveModelToFile runNewProject
enablePerformanceMode disablePerformanceMode""".split()  # noqa: SIM905
)


def test_all_messages_of_the_original_are_there() -> None:
    assert {f"/wekinator/control/{name}" for name in ORIGINAL} == {
        address for address in COMMANDS if address.startswith("/wekinator/")
    }


def test_the_table_documents_every_message() -> None:
    lines = protocol_table().split("\n")[2:]
    assert len(lines) == len(COMMANDS)
    for address, line in zip(COMMANDS, lines, strict=True):
        assert f"`{address}`" in line
        assert len(line.rsplit("|", 2)[1]) > 10


@pytest.mark.parametrize("address", COMMANDS)
def test_wrong_arguments_are_counted_and_change_no_example(bridge, address: str) -> None:
    bridge.record()
    wrong = [b"\xff" * 8, "text", -1, float("nan"), 2**40]
    takes = COMMANDS[address].arguments
    if takes != ("anything*",):
        before = bridge.session.counts.ignored
        for argument in wrong:
            if takes == ("text",) and argument == "text":
                continue
            bridge.say(address, *[argument] * 9)
        assert bridge.session.counts.ignored >= before + (4 if "store" not in address else 1)
    assert len(bridge.session.examples) in (0, 30)
    bridge.session.examples.clear()
    bridge.record()
    bridge.control("train")
    assert bridge.work()[-1].address == "/wekinator/status/done-training"


def test_arguments_by_kind() -> None:
    assert read_arguments(("whole", "wholes*"), [2.9, 1, True]) == [2, [1, 1]]
    assert read_arguments(("text", "text?"), ["a"]) == ["a"]
    assert read_arguments(("number",), [False]) == [0.0]
    for kinds, arguments in ((("text",), [1.0]), (("whole",), [float("nan")]), (("whole",), []), ((), [1])):
        with pytest.raises(OscError):
            read_arguments(kinds, arguments)
    assert read_arguments(("labels*",), [1, 0.5, True], strict=True) == [[0.0, 0.5, 0.0]]
    with pytest.raises(OscError):
        read_arguments(("integer",), [1.0], strict=True)


NUMBERS = [(",ii", struct.pack(">ii", 1, 2)), (",dd", struct.pack(">dd", 1, 2)), (",hh", struct.pack(">qq", 1, 2))]


@pytest.mark.parametrize(("tags", "data"), NUMBERS)
@pytest.mark.parametrize("bundled", [False, True])
def test_every_kind_of_number_is_one_and_strictly_only_floats_are(
    make_bridge: Callable, tags: str, data: bytes, bundled: bool
) -> None:
    for strict, expected in ((False, (1.0, 2.0)), (True, (0.0, 0.0))):
        bridge = make_bridge(strict=strict)
        bridge.control("outputs", 0.0)
        bridge.control("startRecording")
        packet = b"/wek/inputs\0" + tags.encode() + b"\0" + data
        bridge.give(encode_bundle([packet]) if bundled else packet)
        (row,) = bridge.session.examples.rounds[0].inputs
        assert row == expected


def test_strictly_a_gesture_number_is_an_integer_and_labels_are_floats(make_bridge: Callable) -> None:
    bridge = make_bridge(strict=True)
    bridge.control("outputs", 1.0, 2.0)
    bridge.control("outputs", 3, 4.0)
    assert bridge.session.values == [0.0, 4.0]
    bridge.record()
    bridge.control("deleteExamplesForOutput", 1.0)
    assert np.isfinite(bridge.session.examples.tables(2, 2)[1]).all()
    bridge.control("deleteExamplesForOutput", 1)
    assert np.isnan(bridge.session.examples.tables(2, 2)[1][:, 0]).all()


@pytest.mark.parametrize("strict", [False, True])
def test_what_ends_the_original_is_counted(make_bridge: Callable, strict: bool) -> None:
    bridge = make_bridge(strict=strict)
    bridge.train()
    stray = ["/*", "/wek/in?uts", "/wek/[i]nputs", "/{wek,x}/inputs", "/a#b", "/a b", "/wekinator/control/nothing"]
    for address in stray:
        assert bridge.say(address, 1.0) == []
    assert bridge.session.counts.ignored >= len(stray)
    bridge.control("startDtwRecording", 1)  # to a session without gestures
    bridge.control("startRunning")
    for packet in (b"", b"\0", b"/wek/inputs", b"/wek/inputs\0,ff\0\0\0", b"#bundle\0", b"#bundle\0" + b"\xff" * 40):
        bridge.give(packet)
    assert bridge.session.counts.malformed > 0
    assert len(bridge.inputs(0.5, 0.5)) == 1

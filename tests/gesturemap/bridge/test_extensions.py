"""What the bridge can do beyond the original."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from gesturemap.osc.codec import encode


def test_an_example_in_one_message(bridge) -> None:
    bridge.session.n_inputs = 2
    bridge.control("outputs", 0.0, 0.0)
    for a in np.linspace(0, 1, 10).tolist():
        bridge.say("/gesturemap/example", a, 1.0, a, -a)
    assert bridge.state()["examples"] == 10
    assert bridge.say("/gesturemap/example", 1.0, 2.0, 3.0) == []
    assert bridge.state()["ignored"] == 1
    bridge.say("/gesturemap/undo")
    assert bridge.state()["examples"] == 9, "each is a round of its own"
    bridge.say("/gesturemap/redo")
    inputs, outputs = bridge.session.examples.tables(2, 2)
    np.testing.assert_array_equal(inputs[:, 0], outputs[:, 0])


def test_undo_and_redo_of_rounds(bridge) -> None:
    bridge.record(3, seed=1)
    bridge.record(4, seed=2)
    bridge.say("/gesturemap/undo")
    assert (bridge.state()["examples"], bridge.state()["undone"]) == (3, 1)
    bridge.say("/gesturemap/redo")
    assert bridge.state()["examples"] == 7
    bridge.say("/gesturemap/undo")
    bridge.say("/gesturemap/undo")
    bridge.say("/gesturemap/undo")
    assert bridge.state()["refusal"] == "nothing to undo"
    bridge.say("/gesturemap/redo")
    bridge.record(5, seed=3)
    bridge.say("/gesturemap/redo")
    assert bridge.state()["refusal"] == "nothing to redo"
    assert bridge.state()["examples"] == 8


def test_regressors_and_their_settings(bridge) -> None:
    bridge.record()
    bridge.say("/gesturemap/regressor", "ridge", "alpha=0.5")
    bridge.say("/gesturemap/regressorForOutput", 2, "knn")
    bridge.control("train")
    bridge.work()
    assert [slot.choice.name for slot in bridge.session.slots] == ["ridge", "knn"]
    assert bridge.session.slots[0].choice.settings.alpha == 0.5
    assert bridge.session.slots[0].learned is not bridge.session.slots[1].learned
    (message,) = bridge.say("/gesturemap/model", 2)
    assert message.arguments[:5] == (2, "outputs-2", "number:0.0:1.0:soft", "built", "knn")
    bridge.say("/gesturemap/regressor", "ridge", "alpha=-1")
    bridge.say("/gesturemap/regressor", "rigde")
    assert "did you mean 'ridge'" in bridge.state()["refusal"]
    assert bridge.state()["ignored"] == 2


def test_errors_on_examples_left_out_come_after_training(bridge) -> None:
    bridge.record(100)
    bridge.control("train")
    bridge.work()
    first, second = bridge.say("/gesturemap/report")
    assert first.arguments[0] == 1
    assert second.arguments[0] == 2
    assert 0 < first.arguments[1] < 0.05
    assert first.arguments[2] > 0.99


def test_train_and_run(bridge) -> None:
    bridge.record()
    bridge.say("/gesturemap/trainAndRun")
    assert bridge.inputs(0.5, 0.5) == []
    bridge.work()
    assert len(bridge.inputs(0.5, 0.5)) == 1


def test_confidence_falls_with_distance(bridge) -> None:
    bridge.train()
    bridge.say("/gesturemap/confidence", 1)
    said = [bridge.inputs(x, x)[1] for x in (0.5, 3.0)]
    assert {message.address for message in said} == {"/gesturemap/confidence"}
    assert said[0].arguments[0] > 0.1
    assert said[1].arguments[0] < 0.01
    bridge.say("/gesturemap/confidence", 0)
    assert len(bridge.inputs(0.5, 0.5)) == 1


def test_sequence_number_and_time_tag_come_back(bridge) -> None:
    bridge.train()
    (plain,) = bridge.inputs(0.2, 0.4)
    (numbered,) = bridge.say("/gesturemap/inputs", 17, 0.2, 0.4)
    assert numbered.address == "/gesturemap/outputs"
    assert numbered.arguments[0] == 17
    np.testing.assert_allclose(numbered.arguments[1:], plain.arguments, atol=1e-6)
    packet = encode("/gesturemap/inputs", [18, 0.2, 0.4])
    bundle = b"#bundle\0" + struct.pack(">II", 3_900_000_000, 1 << 31) + struct.pack(">i", len(packet)) + packet
    bridge.give(bundle)
    assert bridge.packets[-1].startswith(bundle[:16])
    (tagged,) = bridge.sent
    assert tagged.arguments[0] == 18


def test_snapshots_and_morphing(bridge) -> None:
    for name, values in (("a", (0.0, 1.0)), ("b", (1.0, 0.0)), ("c", (1.0, 4.0))):
        bridge.control("outputs", *values)
        bridge.say("/gesturemap/snapshot/store", name)
    (names,) = bridge.say("/gesturemap/snapshots")
    assert names.arguments == ("a", "b", "c")
    (recalled,) = bridge.say("/gesturemap/snapshot/recall", "a")
    assert recalled.arguments == (0.0, 1.0)
    for position, expected in ((-1, (0, 1)), (0.25, (0.25, 0.75)), (1, (1, 0)), (1.5, (1, 2)), (9, (1, 4))):
        (morphed,) = bridge.say("/gesturemap/snapshot/morph", float(position), "a", "b", "c")
        np.testing.assert_allclose(morphed.arguments, expected, atol=1e-6)
    assert bridge.session.values == [1.0, 4.0], "the next label is what is heard"
    bridge.say("/gesturemap/snapshot/forget", "a")
    assert bridge.say("/gesturemap/snapshot/recall", "a") == []
    bridge.say("/gesturemap/snapshot/morph", 0.5)
    assert bridge.session.values == [1.0, 4.0]


def test_grab_and_play(bridge) -> None:
    bridge.control("outputs", 0.5, 0.5)
    for row in np.random.default_rng(0).uniform(size=(200, 2)).tolist():
        bridge.inputs(*row)
    bridge.say("/gesturemap/reroll", 5)
    bridge.work()
    assert bridge.state()["examples"] == 5
    first = bridge.inputs(0.5, 0.5)[0].arguments
    bridge.say("/gesturemap/reroll", 5)
    bridge.work()
    assert bridge.state()["examples"] == 5, "a roll replaces the one before"
    assert bridge.inputs(0.5, 0.5)[0].arguments != first
    bridge.say("/gesturemap/undo")
    assert bridge.state()["examples"] == 0


def abandon(bridge) -> None:
    """As a killed process does: let others in, and write nothing any more."""
    log = bridge.session.log
    log._lock.release()
    if log._recorder is not None:
        log._recorder._lock.release()


def test_a_saved_session_goes_on_where_it_was(bridge, make_bridge, folder: Path) -> None:
    bridge.train()
    bridge.say("/gesturemap/snapshot/store", "rest")
    bridge.control("selectInputsForOutput", 1, 2)
    bridge.control("train")
    bridge.work()
    bridge.control("startRunning")
    wanted = bridge.inputs(0.3, 0.7)
    bridge.say("/gesturemap/save", str(folder))
    other = make_bridge()
    other.say("/gesturemap/load", str(folder))
    assert "is in use" in other.state()["refusal"]  # two programs would destroy each other's takes
    abandon(bridge)
    other.say("/gesturemap/load", str(folder))
    assert other.work()[-1].address == "/wekinator/status/done-training"
    other.control("startRunning")
    got = other.inputs(0.3, 0.7)
    np.testing.assert_allclose(got[0].arguments, wanted[0].arguments, atol=1e-6)
    assert list(other.session.snapshots) == ["rest"]
    bridge.say("/gesturemap/save", str(folder))
    assert "exists" in bridge.state()["refusal"]
    abandon(other)
    third = make_bridge()
    third.control("runNewProject", str(folder), "CLOSECURRENT")
    third.work()
    assert len(third.inputs(0.3, 0.7)) == 1


def test_what_was_undone_or_deleted_stays_so_after_a_crash(make_bridge, folder: Path) -> None:
    bridge = make_bridge(folder=folder)
    bridge.record(10, seed=1)
    bridge.record(11, seed=2)
    bridge.say("/gesturemap/undo")
    bridge.record(12, seed=3)
    bridge.control("deleteExamplesForOutput", 1)
    expected = bridge.session.examples.tables(2, 2)
    abandon(bridge)
    again = make_bridge()
    again.say("/gesturemap/load", str(folder))
    for got, wanted in zip(again.session.examples.tables(2, 2), expected, strict=True):
        np.testing.assert_array_equal(got, wanted)
    again.record(5, seed=4)
    bridge.control("deleteAllExamples")
    abandon(again)
    third = make_bridge()
    third.say("/gesturemap/load", str(folder))
    assert len(third.session.examples) == 5, "recorded after the deletion, by another process"


DAMAGED = ("{", "{}", "[]", '{"format": 2}', '{"format": 1, "outputs": 3}', '{"format": 1, "snapshots": []}')


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_session_is_refused_and_the_present_one_stays(bridge, folder: Path, text: str) -> None:
    bridge.train()
    folder.mkdir()
    (folder / "session.json").write_text(text)
    bridge.say("/gesturemap/load", str(folder))
    assert "session" in bridge.state()["refusal"]
    assert len(bridge.inputs(0.5, 0.5)) == 1


def test_rows_that_a_kill_has_lost_or_left_behind(make_bridge, folder: Path) -> None:
    bridge = make_bridge(folder=folder)
    bridge.record(3, seed=1)
    bridge.control("startRecording")
    bridge.inputs(0.5, 0.5)
    assert json.loads((folder / "session.json").read_text())["rounds"][1]["rows"] == 1
    abandon(bridge)
    lost = make_bridge()
    lost.say("/gesturemap/load", str(folder))
    assert lost.state()["examples"] == 3, "the row was not flushed yet"
    abandon(lost)
    for _ in range(4):
        bridge.inputs(0.6, 0.6)
    bridge.clock.sleep_s(1.0)
    bridge.session.poll()
    left = make_bridge()
    left.say("/gesturemap/load", str(folder))
    assert [len(each.inputs) for each in left.session.examples.rounds] == [3, 5]


def test_projects_of_the_original_go_both_ways(make_bridge, folder: Path, tmp_path: Path) -> None:
    bridge = make_bridge(folder=folder)
    bridge.control("outputs", 0.0, 0.0)
    bridge.inputs(0.0, 0.0)
    bridge.control("setInputNames", "left", "right")
    bridge.record(seed=1)
    bridge.control("disableModelRecording", 2)
    bridge.record(seed=2)
    bridge.say("/gesturemap/saveProject", str(tmp_path / "mine"))
    other = make_bridge()
    other.control("runNewProject", str(next((tmp_path / "mine").glob("*.wekproj"))))
    assert other.work()[-1].address == "/wekinator/status/done-training"
    assert len(other.inputs(0.5, 0.5)) == 1
    assert other.session.names == ("left", "right")
    for got, wanted in zip(other.session.examples.tables(2, 2), bridge.session.examples.tables(2, 2), strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-6)
    bridge.control("runNewProject", str(tmp_path / "nowhere.wekproj"))
    assert "nowhere" in bridge.state()["refusal"] or str(tmp_path) in bridge.state()["refusal"]

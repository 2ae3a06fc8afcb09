"""The state machine of the original, message by message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gesturemap.bridge.dispatch import rehearse
from gesturemap.bridge.learning import choose_regressor
from gesturemap.bridge.outputs import parse_output
from gesturemap.osc.codec import Message, encode, encode_bundle, encode_floats

DONE = Message("/wekinator/status/done-training", ())


def outputs_of(messages: list[Message]) -> list[tuple[float, ...]]:
    return [message.arguments for message in messages if message.address == "/wek/outputs"]


def test_from_nothing_to_answers(bridge) -> None:
    assert bridge.state()["state"] == "not_ready"
    assert bridge.inputs(0.5, 0.5) == []
    bridge.record()
    assert bridge.state()["state"] == "ready_to_train"
    assert bridge.state()["examples"] == 30
    assert bridge.control("train") == []
    assert bridge.state()["state"] == "training"
    assert bridge.work() == [DONE]
    assert bridge.state()["state"] == "done_training"
    assert bridge.inputs(0.5, 0.25) == [], "training does not start running"
    bridge.control("startRunning")
    (answer,) = bridge.inputs(0.5, 0.25)
    assert answer.address == "/wek/outputs"
    np.testing.assert_allclose(answer.arguments, [0.75, 0.25], atol=0.05)
    bridge.control("stopRunning")
    assert bridge.inputs(0.5, 0.25) == []


def test_one_answer_for_each_input_in_their_order(bridge) -> None:
    bridge.train()
    rows = np.random.default_rng(1).uniform(size=(40, 2))
    alone = [outputs_of(bridge.inputs(*row))[0] for row in rows.tolist()]
    packets = [encode_floats("/wek/inputs", row) for row in rows.tolist()]
    np.testing.assert_allclose(outputs_of(bridge.give(*packets)), alone, atol=1e-6)
    np.testing.assert_allclose(outputs_of(bridge.give(encode_bundle(packets))), alone, atol=1e-6)


def test_rehearsing_answers_nobody_and_changes_nothing(bridge) -> None:
    bridge.train()
    bridge.inputs(0.25, 0.5)
    before = bridge.state()
    bridge.sent.clear()
    for _ in range(3):
        rehearse(bridge.session)
    assert bridge.sent == []
    assert bridge.state() | {"packets": 0} == before | {"packets": 0}
    assert len(bridge.session.recent) == 31
    bridge.session.recent.clear()
    rehearse(bridge.session)


def test_a_message_between_inputs_takes_effect_between_their_answers(bridge) -> None:
    bridge.train()
    asked = encode_floats("/wek/inputs", [0.5, 0.5])
    stop = encode("/wekinator/control/stopRunning")
    state = encode("/gesturemap/state")
    sent = [message.address for message in bridge.give(asked, state, asked, stop, asked)]
    assert sent == ["/wek/outputs", "/gesturemap/state", "/wek/outputs"]


def test_old_models_answer_while_new_ones_learn(bridge) -> None:
    bridge.train()
    before = bridge.inputs(0.2, 0.7)
    bridge.record(seed=5)
    bridge.control("startRunning")
    bridge.control("train")
    assert bridge.inputs(0.2, 0.7) == before
    bridge.control("train")  # ignored
    assert bridge.work() == [DONE]
    assert len(outputs_of(bridge.inputs(0.2, 0.7))) == 1


def test_a_cancelled_training_says_done_and_changes_nothing(bridge) -> None:
    bridge.train()
    before = bridge.inputs(0.2, 0.7)
    bridge.record(seed=5)
    bridge.control("train")
    bridge.control("cancelTrain")
    assert bridge.work() == [DONE]
    bridge.control("startRunning")
    assert bridge.inputs(0.2, 0.7) == before


def test_recording_ends_running_and_stopping_does_not_resume_it(bridge) -> None:
    bridge.train()
    bridge.control("startRecording")
    assert bridge.inputs(0.1, 0.1) == []
    bridge.control("stopRecording")
    assert bridge.inputs(0.1, 0.1) == []
    bridge.control("startRecording")
    bridge.control("startRunning")
    assert not bridge.session.recording
    assert len(bridge.inputs(0.1, 0.1)) == 1


def test_models_outlive_their_examples(bridge) -> None:
    bridge.train()
    before = bridge.inputs(0.3, 0.3)
    bridge.control("deleteAllExamples")
    assert bridge.state()["examples"] == 0
    assert bridge.inputs(0.3, 0.3) == before
    assert bridge.control("train") == []
    assert bridge.state()["state"] == "done_training"


def test_an_output_whose_examples_are_deleted_falls_back_at_the_next_training(bridge) -> None:
    bridge.train()
    bridge.control("deleteExamplesForOutput", 2)
    assert outputs_of(bridge.inputs(0.5, 0.25))[0][1] == pytest.approx(0.25, abs=0.05)
    bridge.control("train")
    bridge.work()
    first, second = outputs_of(bridge.inputs(0.5, 0.25))[0]
    assert first == pytest.approx(0.75, abs=0.05)
    assert second == 0.0


def test_masks_of_recording_and_running(bridge) -> None:
    bridge.control("outputs", 0.0, 0.0)
    bridge.control("disableModelRecording", 2)
    bridge.record(seed=1)
    bridge.control("enableModelRecording", 2.0)
    bridge.record(seed=2)
    _, outputs = bridge.session.examples.tables(2, 2)
    assert np.isnan(outputs[:30, 1]).all()
    assert np.isfinite(outputs[:, 0]).all()
    assert np.isfinite(outputs[30:]).all()
    bridge.control("train")
    bridge.work()
    bridge.control("startRunning")
    bridge.control("disableModelRunning", 1)
    bridge.control("outputs", 7.0, 7.0)
    first, second = outputs_of(bridge.inputs(0.5, 0.25))[0]
    assert first == 7.0
    assert second == pytest.approx(0.25, abs=0.05)
    bridge.control("enableModelRunning", 1)
    assert outputs_of(bridge.inputs(0.5, 0.25))[0][0] == pytest.approx(0.75, abs=0.05)


def test_an_output_listens_to_its_inputs_alone(bridge) -> None:
    bridge.record()
    bridge.control("selectInputsForOutput", 2, 1)
    bridge.control("train")
    bridge.work()
    bridge.control("startRunning")
    answers = [outputs_of(bridge.inputs(0.5, b))[0] for b in (0.1, 0.9)]
    assert answers[0][1] == answers[1][1]
    assert answers[1][0] - answers[0][0] == pytest.approx(0.8, abs=0.1)


def test_limits_and_whole_numbers(make_bridge: Callable) -> None:
    kinds = [parse_output(spec) for spec in ("number:0:1:hard", "number:0:1:clip", "number:-9:9:integer", "number")]
    bridge = make_bridge(outputs=tuple(kinds), n_inputs=2)
    bridge.control("outputs", 2.0, 2.0, 2.5, 2.0)
    assert bridge.session.values == [0.0, 2.0, 2.5, 2.0]
    bridge.control("startRecording")
    for a in np.linspace(0, 1, 20).tolist():
        bridge.control("outputs", a, 4 * a - 2, 8 * a - 4, 4 * a - 2)
        bridge.inputs(a, 0.0)
    bridge.control("train")
    bridge.work()
    bridge.control("startRunning")
    for a in (0.0, 0.4, 1.0):
        first, second, third, fourth = outputs_of(bridge.inputs(a, 0.0))[0]
        assert 0.0 <= first <= 1.0
        assert second == pytest.approx(np.clip(4 * a - 2, 0, 1), abs=0.1)
        assert third == int(third)
        assert fourth == pytest.approx(4 * a - 2, abs=0.1)
    assert outputs_of(bridge.inputs(0.4, 0.0))[0][2] == 0.0, "-0.8 is truncated toward zero"


def test_classes_and_their_distribution(make_bridge: Callable) -> None:
    bridge = make_bridge(outputs=(parse_output("class:3:distribution"),), n_inputs=1)
    for label in (1, 2, 3):
        bridge.control("outputs", float(label))
        bridge.control("startRecording")
        for i in range(5):
            bridge.inputs(label + i / 20)
        bridge.control("stopRecording")
    for illegal in (4.0, -1.0, 1.5):
        bridge.control("outputs", illegal)
        assert bridge.session.values == [3.0]
    bridge.control("train")
    bridge.work()
    bridge.control("startRunning")
    answer, shares = bridge.inputs(2.1)
    assert answer == Message("/wek/outputs", (2.0,))
    assert shares.address == "/outputs-1"
    assert len(shares.arguments) == 4
    assert np.argmax(shares.arguments) == 2


def test_gestures_answer_with_distances_and_tell_a_match(make_bridge: Callable) -> None:
    bridge = make_bridge(outputs=(parse_output("dtw:2"),), n_inputs=1)
    up, down = np.linspace(0, 9, 10).tolist(), np.linspace(9, 0, 10).tolist()
    for gesture, rows in ((1, up), (2, down)):
        bridge.control("startDtwRecording", gesture)
        for value in rows:
            bridge.inputs(value)
        bridge.control("stopDtwRecording", 1)
    bridge.control("startRunning")
    sent = [message for value in up for message in bridge.inputs(value)]
    assert len(outputs_of(sent)) == 10
    assert outputs_of(sent)[-1][0] == pytest.approx(0.0, abs=1e-6)
    assert "/output_1" in [message.address for message in sent]
    bridge.control("deleteExamplesForOutput", 1)
    assert outputs_of([m for value in up for m in bridge.inputs(value)])[-1][0] == np.inf
    bridge.control("startDtwRecording", 3)
    assert bridge.session.running, "there is no gesture 3"


def test_running_goes_on_after_a_gesture_unless_it_was_stopped_meanwhile(make_bridge: Callable) -> None:
    bridge = make_bridge(outputs=(parse_output("dtw:2"),), n_inputs=1)
    bridge.control("startRunning")
    bridge.control("startDtwRecording", 1)
    assert not bridge.session.running
    bridge.control("startDtwRecording", 2)  # corrected while it records
    bridge.control("stopDtwRecording")
    assert bridge.session.running
    bridge.control("startDtwRecording", 1)
    bridge.control("stopRunning")
    bridge.control("stopDtwRecording")
    assert not bridge.session.running


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_inputs_that_are_no_numbers_get_finite_answers(bridge, broken: float) -> None:
    bridge.train()
    bridge.say("/gesturemap/confidence", 1)
    answer, confidence = bridge.inputs(0.5, broken)
    assert np.isfinite(answer.arguments).all()
    assert 0.0 <= confidence.arguments[0] <= 1.0


def test_a_class_is_found_for_inputs_that_are_no_numbers(make_bridge: Callable) -> None:
    bridge = make_bridge(outputs=(parse_output("class:2:svm:distribution"),), n_inputs=2)
    bridge.control("outputs", 1.0)
    bridge.record(5, n_outputs=0)
    bridge.control("train")
    bridge.work()
    bridge.control("startRunning")
    answer, shares = bridge.inputs(np.nan, np.inf)
    assert answer.arguments == (1.0,)
    assert shares.arguments == (0.0, 1.0, 0.0)


def test_one_example_is_enough(make_bridge: Callable) -> None:
    bridge = make_bridge(choice=choose_regressor("gaussian_process"))
    bridge.control("outputs", 0.25, 4.0)
    bridge.control("startRecording")
    bridge.inputs(1.0, 2.0)
    bridge.control("train")
    assert bridge.work() == [DONE]
    bridge.control("startRunning")
    assert outputs_of(bridge.inputs(1.0, 2.0)) == [(0.25, 4.0)]


def test_a_model_goes_from_one_session_into_another(bridge, make_bridge: Callable, tmp_path: Path) -> None:
    bridge.train()
    bridge.control("saveModelToFile", 2, str(tmp_path / "second.model"))
    wanted = outputs_of(bridge.inputs(0.3, 0.6))[0][1]
    other = make_bridge()
    other.record(seed=9)
    other.control("loadModelFromFile", 1, str(tmp_path / "second.model"))
    other.control("startRunning")
    assert outputs_of(other.inputs(0.3, 0.6))[0][0] == wanted
    assert other.state()["examples"] == 60
    other.control("train")  # leaves the loaded one
    other.work()
    assert outputs_of(other.inputs(0.3, 0.6))[0][0] == wanted


def test_names_must_differ_and_come_before_examples(bridge) -> None:
    bridge.control("outputs", 0.0)
    bridge.control("setInputNames", "x", "x")
    assert bridge.session.input_names == ()
    bridge.control("setInputNames", "x", "y")
    bridge.control("setOutputNames", "cutoff")
    assert bridge.session.names == ("x", "y")
    assert bridge.session.slots[0].name == "cutoff"
    bridge.say("/gesturemap/example", 0.0, 0.0, 1.0)
    bridge.control("setInputNames", "a", "b")
    assert bridge.session.names == ("x", "y")


def test_a_batch_is_recorded_or_answered(bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    bridge.train()
    rows = np.random.default_rng(2).uniform(size=(7, 2))
    np.savetxt(tmp_path / "in.csv", rows, delimiter=",")
    bridge.say("/wek/inputs/bundle", str(tmp_path / "in.csv"))
    (reply,) = bridge.batches
    assert reply.address == "/wek/outputs/bundle"
    got = np.loadtxt(reply.arguments[0], delimiter=",")
    np.testing.assert_allclose(got, [outputs_of(bridge.inputs(*row))[0] for row in rows.tolist()], atol=1e-5)
    bridge.control("startRecording")
    bridge.say("/wek/inputs/bundle", str(tmp_path / "in.csv"))
    assert bridge.state()["examples"] == 37
    (tmp_path / "in.csv").write_text("1,a\n")
    bridge.say("/wek/inputs/bundle", str(tmp_path / "in.csv"))
    assert bridge.state()["examples"] == 37


def test_a_training_that_fails_says_why_and_done(bridge) -> None:
    bridge.train()
    before = bridge.inputs(0.1, 0.2)
    bridge.say("/gesturemap/regressor", "linear_map", 'columns=["nowhere"]')
    bridge.control("train")
    assert bridge.work() == [DONE]
    assert "nowhere" in bridge.state()["refusal"]
    assert bridge.inputs(0.1, 0.2) == before


def test_other_outputs_while_training_drop_it(bridge) -> None:
    bridge.train()
    bridge.control("train")
    bridge.control("deleteAllExamples")
    bridge.say("/gesturemap/setOutputs", "class:2")
    assert bridge.work() == []
    assert bridge.state()["state"] == "not_ready"
    assert bridge.inputs(0.1, 0.2) == []


def test_a_full_disk_keeps_the_examples_in_memory(make_bridge: Callable, folder: Path) -> None:
    folder.write_text("a file where the folder should be")
    bridge = make_bridge(folder=folder)
    bridge.record()
    assert bridge.state()["examples"] == 30
    assert str(folder) in bridge.state()["refusal"]

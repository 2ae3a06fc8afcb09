"""Teaching on stage: a sound is held, the pose recorded to it, the mapping learns it and is kept."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiovae.latent_space import LatentSpace
from gesturemap.clock import ManualClock
from gesturemap.errors import GestureMapError, MappingError
from gesturemap.features import extract_features
from gesturemap.frame import Array, Frame
from gesturemap.live.perform import Outputs, perform
from gesturemap.live.settings import LiveSettings
from gesturemap.live.teaching import Teaching, open_teacher
from gesturemap.mapping import Mapping
from gesturemap.osc.codec import decode
from gesturemap.osc.udp import UdpReceiver
from gesturemap.recording import Recording, Take
from gesturemap.recording.hands_free import Triggers
from gesturemap.recording.triggers import Action, Event, TriggerSettings

RATE = 60.0
POSE = np.array([400.0, -400.0, 400.0])  # far from all that the mapping knows


class Script:
    """A pedal board that is pressed at given seconds of the performance."""

    def __init__(self, clock: ManualClock, presses: Sequence[tuple[float, Action]]) -> None:
        self._clock, self._start_s, self._presses = clock, clock.now_s(), list(presses)

    def poll(self) -> list[Event]:
        now_s = self._clock.now_s() - self._start_s
        due = [press for press in self._presses if press[0] <= now_s]
        self._presses = self._presses[len(due) :]
        return [Event(f"osc:/gesturemap/{action}", at_s) for at_s, action in due]

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _fit_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process takes seconds to begin; `test_refit` has one."""
    monkeypatch.setattr("gesturemap.mapping.refit.FitProcess", lambda needs: ThreadPoolExecutor(1))


@pytest.fixture
def model_dir(play_space: LatentSpace, tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    play_space.save(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def teach(mapping: Mapping, list_tracker: Any, clock: ManualClock, model_dir: Path, tmp_path: Path) -> Any:
    """``teach(*presses)``: ten seconds in the pose; counters, (times, latents sent)."""

    def perform_it(*presses: tuple[float, Action], hand: Array = POSE, **teaching: Any) -> tuple[dict[str, Any], Array]:
        time_s = np.arange(int(10 * RATE)) / RATE
        take = Take(1, time_s, np.tile(hand, (len(time_s), 1)), None, None, True)
        receiver = UdpReceiver(0)
        counted = perform(
            mapping,
            list_tracker(take, mapping.layout, clock),
            Outputs(osc=(("127.0.0.1", receiver.port),)),
            model_dir=model_dir,
            settings=LiveSettings(slew_per_s=1e6),
            control=None,
            clock=clock,
            triggers=Triggers(TriggerSettings(), mapping.layout, [Script(clock, presses)]),
            teaching=Teaching(tmp_path / "taught.rec", **teaching),
        )
        rows = []
        while (received := receiver.receive()) is not None:
            rows += [message.arguments for message in decode(received[0]) if message.address == "/latent"]
        receiver.close()
        return counted, np.array(rows)[: len(time_s)]

    return perform_it


def test_a_pose_is_taught_a_sound_and_the_mapping_is_kept(teach: Any, mapping: Mapping, tmp_path: Path) -> None:
    counted, sent = teach(
        *[(1.0, Action.NEXT_SNAPSHOT), (2.0, Action.TOGGLE), (3.0, Action.TOGGLE), (4.0, Action.NEXT_SNAPSHOT)],
        *[(5.0, Action.NEXT_SNAPSHOT), (6.0, Action.TRAIN), (7.0, Action.RUN)],
        sounds=2,
        save=tmp_path / "kept",
    )
    held = sent[[90, 270, 330]]  # the two sounds, and the first again
    np.testing.assert_allclose(sent[65:235], np.tile(held[0], (170, 1)), rtol=1e-5)
    assert np.abs(held[1] - held[0]).max() > 0.1
    np.testing.assert_array_equal(held[2], held[0])
    assert counted["taught"]["takes"] == 1
    assert counted["taught"]["examples"] == pytest.approx(RATE, abs=2)
    assert (counted["taught"]["fits"], counted["in_vain"], counted["taught"]["problem"]) == (1, 0, "")
    (take,) = Recording.load(tmp_path / "taught.rec").takes
    assert take.latents is not None
    np.testing.assert_allclose(take.latents, np.tile(held[0], (len(take.latents), 1)), rtol=1e-5)
    np.testing.assert_array_equal(take.values[0], POSE)
    kept = Mapping.load(counted["taught"]["saved"])
    features = extract_features(kept.features, kept.layout, np.arange(3.0), np.tile(POSE, (3, 1)))
    width = mapping.high - mapping.low
    assert (np.abs(kept.predict(features) - held[0]) / width).max() < 0.05
    assert (np.abs(mapping.predict(features) - held[0]) / width).max() > 0.2  # it did not know before
    assert kept.name == "kept"
    assert kept.card["takes"][-1] == "taught on stage, 1"
    assert "4 takes" in kept.card["held_out"]  # measured again, with what was taught


def test_what_sounds_now_can_be_given_another_pose_and_taken_back(teach: Any, mapping: Mapping, tmp_path: Path) -> None:
    counted, sent = teach(
        *[(1.0, Action.RECORD), (2.0, Action.STOP), (2.5, Action.RECORD), (3.0, Action.STOP)],
        *[(4.0, Action.UNDO), (5.0, Action.UNDO), (6.0, Action.REDO)],
        sounds=0,
    )
    np.testing.assert_allclose(sent, np.tile(sent[0], (len(sent), 1)), rtol=1e-5)
    assert counted["taught"]["takes"] == 1
    assert counted["taught"]["fits"] == 1  # at the end, since nothing asked for it before
    assert counted["taught"]["saved"] is None
    (take,) = Recording.load(tmp_path / "taught.rec").takes
    assert len(take.time_s) == pytest.approx(RATE, abs=2)


def test_a_take_without_a_hand_teaches_nothing(teach: Any, tmp_path: Path) -> None:
    counted, _ = teach(
        (1.0, Action.RECORD), (2.0, Action.NEXT_SNAPSHOT), (3.0, Action.RECORD), hand=np.full(3, np.nan), sounds=1
    )
    assert counted["taught"]["takes"] == 0
    assert "no hand was seen" in counted["taught"]["problem"]
    assert Recording.load(tmp_path / "taught.rec").takes == []


def test_stop_ends_a_take_and_then_the_performance(teach: Any) -> None:
    counted, sent = teach((1.0, Action.RECORD), (2.0, Action.STOP), (3.0, Action.STOP), sounds=1)
    assert counted["ended"] == "stopped"
    assert counted["frames"] == pytest.approx(3 * RATE, abs=3)
    assert counted["taught"]["takes"] == 1
    assert len(sent) <= counted["frames"] + 1


def test_teaching_nothing_plays_as_ever(teach: Any, mapping: Mapping, tmp_path: Path) -> None:
    counted, sent = teach(save=tmp_path / "kept")
    expected = mapping.map_take(np.arange(len(sent)) / RATE, np.tile(POSE, (len(sent), 1)))
    np.testing.assert_allclose(sent, expected, rtol=1e-5, atol=1e-5)
    assert counted["taught"]["saved"] is None
    assert not (tmp_path / "kept").exists()
    assert not (tmp_path / "taught.rec").exists()


def test_refusals(
    mapping: Mapping, play_space: LatentSpace, make_recording: Any, list_tracker: Any, tmp_path: Path, model_dir: Path
) -> None:
    tracker = list_tracker(make_recording(1, 30).takes[0], mapping.layout)
    outputs = Outputs(osc=(("127.0.0.1", 9),))
    with pytest.raises(GestureMapError, match="add --model MODEL_DIR"):
        perform(mapping, tracker, outputs, teaching=Teaching(tmp_path / "a.rec"))
    (tmp_path / "there").mkdir()
    with pytest.raises(MappingError, match="choose another name"):
        open_teacher(mapping, tracker, play_space, Teaching(tmp_path / "a.rec", save=tmp_path / "there"))
    assert not (tmp_path / "a.rec").exists()


def test_the_performer_is_told_what_goes_on(
    mapping: Mapping, play_space: LatentSpace, make_recording: Any, list_tracker: Any, tmp_path: Path
) -> None:
    tracker = list_tracker(make_recording(1, 30).takes[0], mapping.layout)
    teacher = open_teacher(mapping, tracker, play_space, Teaching(tmp_path / "a.rec", sounds=2))
    said = [teacher.state]
    teacher.do(Action.RECORD)
    said.append(teacher.state)
    for index in range(3):
        teacher.latents(float(index), mapping.examples.features[index])
    teacher.do(Action.RECORD)
    said.append(teacher.state)
    teacher.see(Frame(3.0, np.zeros(3)))
    teacher.latents(3.0, mapping.examples.features[3])
    said.append(teacher.state)
    teacher.do(Action.NEXT_SNAPSHOT)  # ends the take as well
    said.append(teacher.state)
    teacher.close()
    assert said == [
        "0 takes taught",
        "0 takes taught, nothing sounds to record a gesture to: show a hand, or step to a sound",
        "this sound held, recording 0, 0 takes taught",
        "this sound held, recording 1, 0 takes taught",
        "sound 1 of 2 held, 1 take taught",
    ]

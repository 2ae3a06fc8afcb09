"""Whole performances: the same as `render` from a file, live over real sockets, and every way to end one."""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from gesturemap.cli import app
from gesturemap.clock import ManualClock
from gesturemap.errors import GestureMapError, MappingError, WrongModelError
from gesturemap.features import load_features
from gesturemap.frame import Channel, Layout
from gesturemap.live.controls import Controls
from gesturemap.live.perform import Outputs, Wekinator, perform
from gesturemap.live.settings import LiveSettings
from gesturemap.mapping import Mapping
from gesturemap.osc.codec import decode
from gesturemap.osc.udp import UdpReceiver
from gesturemap.render import render


def test_a_file_sounds_as_render_makes_it_and_the_same_every_time(
    mapping: Mapping, make_recording: Any, list_tracker: Any, stand_in: Any, tmp_path: Path, clock: ManualClock
) -> None:
    recording = make_recording(1, 240, seed=9)
    recording.takes[0].values[60:120] = np.nan
    render(mapping, recording, "unused", tmp_path / "rendered.wav", player=stand_in)
    counted = []
    for name in ("one.wav", "two.wav"):
        tracker = list_tracker(recording.takes[0], mapping.layout)
        outputs = Outputs(audio_file=tmp_path / name)
        # Back from its absence the hand may jump in `render`; a performance would glide.
        settings = LiveSettings(slew_per_s=1e6)
        counted.append(perform(mapping, tracker, outputs, settings=settings, clock=clock, player=stand_in))
    performed, _ = soundfile.read(tmp_path / "one.wav")
    rendered, _ = soundfile.read(tmp_path / "rendered.wav")
    np.testing.assert_allclose(performed, rendered, atol=1e-6)
    assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "two.wav").read_bytes()
    assert counted[0]["ended"] == "the tracker ended"
    assert (counted[0]["frames"], counted[0]["cut_by_slew"]) == (240, 0)
    assert counted[0]["lost_s"] == pytest.approx(1.0)
    json.dumps(counted)


def test_the_whole_way_live_into_a_real_socket(
    mapping: Mapping, make_recording: Any, list_tracker: Any, clock: ManualClock
) -> None:
    take = make_recording(1, 30, seed=9).takes[0]
    receiver = UdpReceiver(0)
    outputs = Outputs(osc=(("127.0.0.1", receiver.port),))
    counted = perform(mapping, list_tracker(take, mapping.layout, clock), outputs, control=None, clock=clock)
    expected = mapping.map_take(take.time_s, take.values)
    rows = []
    while (received := receiver.receive()) is not None:
        rows += [message.arguments for message in decode(received[0]) if message.address == "/latent"]
    receiver.close()
    np.testing.assert_allclose(rows[:30], expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(rows[-1], mapping.rest, rtol=1e-5, atol=1e-5)
    assert (counted["frames"], counted["late"], counted["dropped"]) == (30, 0, 0)
    assert counted["outputs"][0]["sent"] == len(rows) == 30 + counted["idle"]
    assert list(counted["latency_ms"]) == ["tracker", "features", "mapping", "out", "total"]


def test_a_file_without_audio_file_is_played_in_its_own_time(
    mapping: Mapping, make_recording: Any, list_tracker: Any, clock: ManualClock
) -> None:
    take = make_recording(1, 61, seed=9).takes[0]
    receiver = UdpReceiver(0)
    outputs = Outputs(osc=(("127.0.0.1", receiver.port),))
    counted = perform(mapping, list_tracker(take, mapping.layout), outputs, control=None, clock=clock, seconds=0.5)
    receiver.close()
    assert counted["ended"] == "0.5 s were over"
    assert 29 <= counted["frames"] <= 31
    assert clock.now_s() == pytest.approx(100.5, abs=0.04)


class Pressing:
    """A clock that sends this process a signal after a while."""

    def __init__(self, *presses: tuple[float, int]) -> None:
        self.clock, self.presses = ManualClock(), list(presses)

    def now_s(self) -> float:
        return self.clock.now_s()

    def sleep_s(self, duration_s: float) -> None:
        self.clock.sleep_s(duration_s)
        if self.presses and self.clock.now_s() >= self.presses[0][0]:
            os.kill(os.getpid(), self.presses.pop(0)[1])


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="no SIGUSR1 on this system")
def test_signals_panic_resume_and_end_it_whole(
    mapping: Mapping, make_recording: Any, list_tracker: Any, stand_in: Any, tmp_path: Path
) -> None:
    assert threading.current_thread() is threading.main_thread()
    take = make_recording(1, 600, seed=9).takes[0]
    clock = Pressing((1.0, signal.SIGUSR1), (2.0, signal.SIGUSR2), (3.0, signal.SIGINT))
    before = signal.getsignal(signal.SIGINT)
    counted = perform(
        mapping,
        list_tracker(take, mapping.layout, clock),
        Outputs(audio_file=tmp_path / "a.wav"),
        control=None,
        clock=clock,
        player=stand_in,
    )
    assert counted["ended"] == "stopped"
    assert signal.getsignal(signal.SIGINT) is before
    sound, sample_rate = soundfile.read(tmp_path / "a.wav")
    assert len(sound) / sample_rate == pytest.approx(3.0, abs=0.1)
    np.testing.assert_allclose(sound[int(1.5 * sample_rate)], mapping.rest[0] / 20.0, atol=1e-5)


def test_a_tracker_that_vanishes_is_said_and_the_sound_so_far_is_kept(
    mapping: Mapping, make_recording: Any, list_tracker: Any, stand_in: Any, tmp_path: Path, clock: ManualClock
) -> None:
    take = make_recording(1, 120, seed=9).takes[0]
    tracker = list_tracker(take, mapping.layout, clock, unplug_after=60)
    outputs = Outputs(audio_file=tmp_path / "a.wav")
    counted = perform(mapping, tracker, outputs, control=None, clock=clock, player=stand_in)
    assert (counted["ended"], counted["problem"]) == ("the cable is out", "the cable is out")
    assert counted["lost_s"] == pytest.approx(mapping.output.hold_s + mapping.output.fade_s, abs=0.1)
    assert counted["outputs"][0]["seconds"] == pytest.approx(1.0 + counted["lost_s"], abs=0.1)


def test_refusals_before_anything_is_opened(
    mapping: Mapping, make_recording: Any, list_tracker: Any, stand_in: Any, tmp_path: Path
) -> None:
    take = make_recording(1, 30).takes[0]
    tracker = list_tracker(take, mapping.layout)
    osc = Outputs(osc=(("127.0.0.1", 9),))
    with pytest.raises(GestureMapError, match="nowhere to play to"):
        perform(mapping, tracker, Outputs())
    with pytest.raises(GestureMapError, match="need a model to sound: add --model"):
        perform(mapping, tracker, Outputs(audio_file=tmp_path / "a.wav"))
    with pytest.raises(GestureMapError, match="needs a model's range"):
        perform(Wekinator(("127.0.0.1", 9), load_features("position")), tracker, osc)
    stand_in.space = replace(stand_in.space, model_id="d2" * 32, model_name="voices")
    with pytest.raises(WrongModelError, match="'voices'"):
        perform(mapping, tracker, osc, player=stand_in)
    two = list_tracker(take, Layout((Channel("hand_x", "mm", 0.0, 1.0), Channel("hand_y", "mm", 0.0, 1.0))))
    with pytest.raises(MappingError, match="missing: 'hand_z'"):
        perform(mapping, two, osc, control=None)
    assert list(tmp_path.iterdir()) == []


def test_a_wekinator_answers_in_place_of_a_mapping(
    make_recording: Any, list_tracker: Any, stand_in: Any, mapping: Mapping, tmp_path: Path, clock: ManualClock
) -> None:
    """Nobody answers here: the features go out, and what is played is rest."""
    take = make_recording(1, 60, seed=9).takes[0]
    wekinator = UdpReceiver(0)
    source = Wekinator(("127.0.0.1", wekinator.port), load_features("position"), out_port=0)
    outputs = Outputs(audio_file=tmp_path / "a.wav")
    tracker = list_tracker(take, mapping.layout, clock)
    counted = perform(source, tracker, outputs, control=None, clock=clock, player=stand_in)
    rows = []
    while (received := wekinator.receive()) is not None:
        rows += [message.arguments for message in decode(received[0])]
    wekinator.close()
    np.testing.assert_allclose(rows, take.values, rtol=1e-5, atol=1e-3)
    assert counted["ended"] == "the tracker ended"
    sound, _ = soundfile.read(tmp_path / "a.wav")
    np.testing.assert_allclose(sound[len(sound) // 2], stand_in.space.mean[0] / 20.0, atol=1e-5)


def test_stop_from_another_thread(mapping: Mapping, make_recording: Any, list_tracker: Any, clock: ManualClock) -> None:
    controls = Controls()
    controls.stop = True
    tracker = list_tracker(make_recording(1, 30).takes[0], mapping.layout, clock)
    outputs = Outputs(osc=(("127.0.0.1", 9),))
    counted = perform(mapping, tracker, outputs, control=None, clock=clock, controls=controls)
    assert (counted["ended"], counted["frames"]) == ("stopped", 0)


def test_command_line_on_the_gametrak_capture_and_a_real_model(tiny_model: Path, shared: Path, tmp_path: Path) -> None:
    capture = next((shared / "data" / "gestures" / "gametrak_recording").glob("*.jsonl"))
    runner = CliRunner()

    def run(*words: object) -> str:
        result = runner.invoke(app, [str(word) for word in words], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    spec, recording, library = f"gametrak:{capture}", tmp_path / "a.rec", tmp_path / "library"
    run("record", "--tracker", spec, "--out", recording, "--model", tiny_model, "--seconds", 8)
    fitted = json.loads(run("fit", recording, "--model", tiny_model, "--name", "t", "--library", library, "--json"))
    run("render", fitted["mapping"], recording, "--model", tiny_model, "--out", tmp_path / "rendered.wav")
    words = ["perform", fitted["mapping"], "--tracker", spec, "--model", tiny_model, "--seconds", 8, "--json"]
    counted = json.loads(run(*words, "--audio-file", tmp_path / "a.wav", "--set", "live.slew_per_s=1e6"))
    performed, rendered = (soundfile.read(tmp_path / name)[0] for name in ("a.wav", "rendered.wav"))
    assert counted["frames"] > 100
    n_samples = min(len(performed), len(rendered))
    assert n_samples > 5 * 44100
    np.testing.assert_allclose(performed[: n_samples - 4096], rendered[: n_samples - 4096], atol=1e-4)
    made = json.loads(run("patch", fitted["mapping"], "--model", tiny_model, "--out", tmp_path / "patches", "--json"))
    assert [Path(path).suffix for path in made["files"]] == [".pd", ".pd", ".maxpat"]
    assert "model.ts of a waveform model" in made["note"]

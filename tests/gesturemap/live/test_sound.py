"""Sound to a file and to a sound card that is a list."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audiovae.errors import ModelFolderError
from gesturemap import cli
from gesturemap.clock import ManualClock
from gesturemap.errors import GestureMapError
from gesturemap.live.live_sound import LiveSound
from gesturemap.live.perform import Outputs, perform
from gesturemap.live.settings import LiveSettings
from gesturemap.live.sound_file import SoundFile
from gesturemap.mapping import Mapping
from gesturemap.osc.udp import UdpReceiver
from gesturemap.render import MAX_TAKE_S, resample_to_model


def test_a_file_holds_the_sound_of_the_frames(stand_in: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    time_s, latents = 5.0 + np.arange(120) / 60.0, rng.normal(size=(120, 4))
    sink = SoundFile(tmp_path / "a.wav", stand_in)
    sink.start()
    for now_s, row in zip(time_s.tolist(), latents, strict=True):
        sink.write(now_s, row)
    sink.close()
    sound, sample_rate = soundfile.read(tmp_path / "a.wav")
    space = stand_in.space
    expected = resample_to_model(latents, time_s, space)
    assert sample_rate == space.sample_rate
    assert len(sound) == len(expected) * space.hop_length
    np.testing.assert_allclose(sound[space.hop_length // 2 :: space.hop_length], expected[:, 0] / 20.0, atol=1e-6)
    assert sink.summary()["seconds"] == pytest.approx(len(sound) / sample_rate, abs=1e-3)


def test_nothing_played_writes_nothing_and_a_night_is_cut(stand_in: Any, tmp_path: Path) -> None:
    sink = SoundFile(tmp_path / "a.wav", stand_in)
    sink.close()
    assert list(tmp_path.iterdir()) == []
    sink.write(0.0, np.zeros(4))
    sink.write(MAX_TAKE_S + 1.0, np.zeros(4))
    assert sink.summary()["frames_left_out"] == 1
    with pytest.raises(GestureMapError, match="there is no folder"):
        SoundFile(tmp_path / "absent" / "a.wav", stand_in)


def test_a_full_disk_leaves_nothing_half_written_and_says_so(
    stand_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = SoundFile(tmp_path / "a.wav", stand_in)
    sink.write(0.0, np.zeros(4))
    sink.write(1.0, np.zeros(4))

    def full(path: Path, *rest: Any) -> None:
        Path(path).write_bytes(b"RIFF")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("scipy.io.wavfile.write", full)
    sink.close()
    assert list(tmp_path.iterdir()) == []
    problem, space = sink.summary()["problem"], stand_in.space
    assert "a.wav: the sound of 1.0 s was not written" in problem
    assert "No space left on device" in problem
    assert f"needs {4e-6 * space.channels * space.sample_rate:.1f} MB at most" in problem
    assert sink.summary()["seconds"] == 0.0


@pytest.mark.parametrize(("name", "reason"), [("a.xyz", r"a\.xyz: cannot write \.xyz"), ("a.wav", "Permission denied")])
def test_a_place_that_takes_no_sound_is_refused_at_the_start(
    name: str, reason: str, stand_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *rest: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("scipy.io.wavfile.write", refuse)
    with pytest.raises(GestureMapError, match=reason):
        SoundFile(tmp_path / name, stand_in)
    assert list(tmp_path.iterdir()) == []


def test_a_performance_whose_sound_finds_no_room_ends_with_its_counters(
    mapping: Mapping, make_recording: Any, list_tracker: Any, stand_in: Any, tmp_path: Path, clock: ManualClock
) -> None:
    """A real limit of the system: the file breaks off in the middle of its writing."""
    resource = pytest.importorskip("resource")
    take, receiver = make_recording(1, 60, seed=9).takes[0], UdpReceiver(0)
    outputs = Outputs(osc=(("127.0.0.1", receiver.port),), audio_file=tmp_path / "a.wav")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, before[1]))
    try:
        tracker = list_tracker(take, mapping.layout)
        counted = perform(mapping, tracker, outputs, control=None, clock=clock, player=stand_in)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    receiver.close()
    sound, osc = counted["outputs"]
    assert counted["frames"] == 60
    assert osc["sent"] >= 60
    assert "File too large" in sound["problem"]
    assert list(tmp_path.iterdir()) == []


def test_a_problem_of_an_output_ends_the_command_with_an_error_after_the_counters(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = {"ended": "stopped", "outputs": [{"output": "file", "problem": "a.wav: no room"}]}
    monkeypatch.setattr("gesturemap.live.start.start_performance", lambda *given, **options: counted)
    monkeypatch.setattr(sys, "argv", ["gesturemap", "perform", "m", "--tracker", "synthetic", "--json"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out) == counted
    assert "error: a.wav: no room" in printed.err


class Card:
    """A sound card that keeps what it gets, runs dry at its second block, and can be unplugged."""

    def __init__(self, sample_rate: int, channels: int, without: str, **options: Any) -> None:
        self.options = options
        self.blocks: list[np.ndarray] = []
        self.calls: list[str] = []
        self.unplugged = False

    def start(self) -> None:
        self.calls.append("start")

    def write(self, block: np.ndarray) -> bool:
        if self.unplugged:
            raise RuntimeError("device unavailable")
        assert block.dtype == np.float32
        assert block.flags.c_contiguous
        self.blocks.append(block)
        return len(self.blocks) == 2

    def stop(self) -> None:
        self.calls.append("stop")

    def close(self) -> None:
        self.calls.append("close")


def make_sound(player: Any, clock: ManualClock, **settings: float) -> LiveSound:
    return LiveSound(player, np.full(4, 2.0), LiveSettings(**settings), clock, open_stream=Card)


def test_blocks_go_straight_from_where_latents_were_to_the_newest(stand_in: Any, clock: ManualClock) -> None:
    sound = make_sound(stand_in, clock, block_s=0.09)  # four frames of the model
    assert "blocksize" not in sound._stream.options
    assert len(sound.next_block()) == 4 * 512
    stand_in.reset()
    assert sound._stream.options["latency"] == pytest.approx(2 * 4 * 512 / 22050)
    sound.next_block()
    sound.write(0.0, np.full(4, 10.0))
    sound.next_block()
    sound.next_block()
    first = [block[:, 0].tolist() for block in stand_in.blocks]
    assert first == [[2.0] * 4, [4.0, 6.0, 8.0, 10.0], [10.0] * 4]


def test_a_base_sound_goes_on_under_the_hand(stand_in: Any, clock: ManualClock) -> None:
    class Counting:
        """Moves its own frame numbers."""

        def moved(self, control: np.ndarray, first: int) -> np.ndarray:
            return control + first + np.arange(len(control))[:, None]

    settings = LiveSettings(block_s=0.09)
    sound = LiveSound(stand_in, np.zeros(4), settings, clock, base=Counting(), open_stream=Card)  # type: ignore[arg-type]
    stand_in.reset()
    sound.next_block()
    sound.write(0.0, np.full(4, 8.0))
    sound.next_block()
    first = [block[:, 0].tolist() for block in stand_in.blocks]
    assert first == [[0.0, 1.0, 2.0, 3.0], [2.0 + 4, 4.0 + 5, 6.0 + 6, 8.0 + 7]]


def test_sound_fades_in_out_for_panic_and_in_again_without_a_step(stand_in: Any, clock: ManualClock) -> None:
    sound = make_sound(stand_in, clock, fade_s=0.05)
    blocks = [sound.next_block() for _ in range(6)]
    sound.mute(True)
    blocks += [sound.next_block() for _ in range(6)]
    sound.mute(False)
    blocks += [sound.next_block() for _ in range(6)]
    signal = np.concatenate(blocks)[:, 0] / 0.1
    assert np.abs(np.diff(signal, prepend=0.0)).max() <= 1.001 / (0.05 * 22050)
    levels = [float(block[-1, 0]) for block in blocks]
    assert [levels[index] for index in (5, 11, 17)] == pytest.approx([0.1, 0.0, 0.1])


def test_closing_plays_the_fade_to_its_end_then_lets_go(stand_in: Any, clock: ManualClock) -> None:
    sound = make_sound(stand_in, clock)
    card = sound._stream
    sound.start()
    sound.close()
    assert card.calls == ["start", "stop", "close"]
    if card.blocks:
        assert card.blocks[-1][-1, 0] == 0.0
    summary = sound.summary()
    assert summary["blocks"] == len(card.blocks)
    assert summary["underflows"] == (len(card.blocks) >= 2)


def test_an_unplugged_card_is_reported_and_nothing_else_stops(stand_in: Any, clock: ManualClock) -> None:
    sound = make_sound(stand_in, clock)
    sound._stream.unplugged = True
    sound.start()
    sound._thread.join(5.0)
    sound.write(0.0, np.zeros(4))
    sound.close()
    assert sound.summary()["problem"] == "device unavailable"


def test_a_decoder_slower_than_its_sound_is_counted(stand_in: Any, clock: ManualClock) -> None:
    sound = make_sound(stand_in, clock)
    stand_in.reset()
    process = stand_in.process
    stand_in.process = lambda latents: (clock.sleep_s(0.2), process(latents))[1]
    sound.next_block()
    assert sound.summary()["late"] == 1
    assert sound.summary()["decode_ms"]["max"] == pytest.approx(200.0)


def test_a_model_that_decodes_whole_sounds_only_is_refused(stand_in: Any, clock: ManualClock) -> None:
    def refuse() -> None:
        raise ModelFolderError("whole")

    stand_in.open_decoder = refuse
    with pytest.raises(GestureMapError, match=r"'loops' \(spectral\) decodes whole sounds only .* --audio-file"):
        make_sound(stand_in, clock)


def test_a_waveform_model_streams_what_it_would_decode_whole(tiny_waveform_model: Path, clock: ManualClock) -> None:
    from audiovae.player import Player

    player = Player(tiny_waveform_model)
    rest = player.space.mean.astype(np.float64)
    sound = LiveSound(player, rest, LiveSettings(fade_s=1e-6), clock, open_stream=Card)
    target = rest + player.space.std
    sound.next_block()
    sound.write(0.0, target)
    played = np.concatenate([sound.next_block() for _ in range(30)])
    n_frames = len(played) // player.space.hop_length
    assert np.isfinite(played).all()
    whole = player.decode(np.tile(target, (n_frames, 1)).astype(np.float32))
    assert played.shape == whole.T.shape

"""Rendering with a stand-in decoder whose sound is its first latent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiovae.latent_space import LatentSpace
from audiovae.latent_table import read_latents, resample_latents
from gesturemap.errors import GestureMapError, MappingError, RecordingError, WrongModelError
from gesturemap.frame import Channel, Layout
from gesturemap.mapping import Mapping
from gesturemap.recording import Recording
from gesturemap.render import EDGE_S, PAUSE_S, latents_of, render

Maker = Callable[..., Recording]


class StandIn:
    """Decodes a latent frame to a hop of constant level."""

    def __init__(self, space: LatentSpace) -> None:
        self.space = space

    def decode(self, latents: np.ndarray) -> np.ndarray:
        self.space.check(latents)
        return np.repeat(latents[:, 0] / 10.0, self.space.hop_length)[None].astype(np.float32)


@pytest.fixture
def player(play_space: LatentSpace) -> StandIn:
    return StandIn(play_space)


def test_latents_are_those_of_the_take_at_the_latent_rate(
    mapping: Mapping, make_recording: Maker, play_space: LatentSpace
) -> None:
    take = make_recording(1, seed=9).takes[0]
    latents = latents_of(mapping, take, play_space)
    at_s = take.time_s[0] + np.arange(len(latents)) / play_space.latent_rate
    assert take.time_s[-1] - 1 / play_space.latent_rate < at_s[-1] <= take.time_s[-1]
    expected = resample_latents(mapping.map_take(take.time_s, take.values), take.time_s, at_s)
    np.testing.assert_array_equal(latents, expected)


def test_sound_and_table_of_one_take(mapping: Mapping, make_recording: Maker, player: StandIn, tmp_path: Path) -> None:
    recording = make_recording(3, seed=9)
    result = render(mapping, recording, "unused", tmp_path / "a.wav", tmp_path / "a.parquet", take=2, player=player)
    sound, sample_rate = soundfile.read(tmp_path / "a.wav")
    space = player.space
    assert sample_rate == space.sample_rate == result.sample_rate
    assert len(sound) == len(result.latents) * space.hop_length == round(result.duration_s * sample_rate)
    np.testing.assert_array_equal(result.latents, latents_of(mapping, recording.takes[1], space))
    np.testing.assert_allclose(read_latents(tmp_path / "a.parquet", space), result.latents, atol=1e-5)
    middles = sound[space.hop_length // 2 :: space.hop_length]
    np.testing.assert_allclose(middles, result.latents[:, 0] / 10.0, atol=1e-3)
    assert sound[0] == 0.0
    assert sound[-1] == 0.0
    assert (result.takes, sorted(path.name for path in tmp_path.iterdir())) == ((2,), ["a.parquet", "a.wav"])


def test_takes_follow_each_other_with_silence_between(
    mapping: Mapping, make_recording: Maker, player: StandIn, tmp_path: Path
) -> None:
    recording = make_recording(2, seed=9)
    result = render(mapping, recording, "unused", tmp_path / "a.wav", player=player)
    first = len(latents_of(mapping, recording.takes[0], player.space))
    pause = round(PAUSE_S * player.space.latent_rate)
    assert len(result.latents) == 2 * first + pause
    np.testing.assert_array_equal(result.latents[first : first + pause], np.tile(mapping.rest, (pause, 1)))
    sound, _ = soundfile.read(tmp_path / "a.wav")
    hop = player.space.hop_length
    assert not sound[first * hop : (first + pause) * hop].any()
    assert sound[(first - 1) * hop : first * hop - round(EDGE_S * player.space.sample_rate)].any()


def test_a_lost_hand_is_heard_as_rest_never_as_nan(
    mapping: Mapping, make_recording: Maker, player: StandIn, tmp_path: Path
) -> None:
    recording = make_recording(1, 300, seed=9)
    recording.takes[0].values[60:] = np.nan
    result = render(mapping, recording, "unused", tmp_path / "a.wav", player=player)
    assert np.isfinite(result.latents).all()
    np.testing.assert_allclose(result.latents[-1], mapping.rest)


def test_refusals_write_nothing(mapping: Mapping, make_recording: Maker, player: StandIn, tmp_path: Path) -> None:
    recording = make_recording(2)
    other = StandIn(replace(player.space, model_id="d2" * 32, model_name="voices"))
    out = tmp_path / "a.wav"
    with pytest.raises(WrongModelError, match="'voices'"):
        render(mapping, recording, "unused", out, player=other)
    with pytest.raises(RecordingError, match="no take 5 to render; there are: 1, 2"):
        render(mapping, recording, "unused", out, take=5, player=player)
    with pytest.raises(RecordingError, match="there are: none"):
        render(mapping, replace(recording, takes=[]), "unused", out, player=player)
    with pytest.raises(GestureMapError, match="there is no folder .*absent: make it"):
        render(mapping, recording, "unused", tmp_path / "absent" / "a.wav", player=player)
    day = replace(recording.takes[1], time_s=np.linspace(0.0, 86400.0, len(recording.takes[1].time_s)))
    with pytest.raises(RecordingError, match="take 2 lasts 86400 s, at most 1800 s .* was its time unit right"):
        render(mapping, replace(recording, takes=[recording.takes[0], day]), "unused", out, player=player)
    two = Layout((Channel("hand_x", "mm", 0.0, 1.0), Channel("hand_y", "mm", 0.0, 1.0)))
    with pytest.raises(MappingError, match="missing: 'hand_z'"):
        render(mapping, replace(recording, layout=two), "unused", out, player=player)
    assert list(tmp_path.iterdir()) == []
    assert render(mapping, recording, "unused", out, player=other, force=True).takes == (1, 2)

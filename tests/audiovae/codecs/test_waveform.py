"""The waveform codec: whole sounds and streams are one, whatever comes in, whatever the size of blocks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from audiovae.codecs.codec import DecoderStream, EncoderStream
from audiovae.codecs.waveform import WaveformCodec
from audiovae.errors import ShapeError
from audiovae.latent_space import LatentSpace
from audiovae.player import Player, load_audio

HOP = 128
Stream = EncoderStream | DecoderStream


@pytest.fixture(scope="module")
def codec(tiny_waveform_model: Path) -> WaveformCodec:
    return WaveformCodec(tiny_waveform_model)


@pytest.fixture(scope="module")
def audio(tiny_waveform_model: Path) -> np.ndarray:
    return load_audio(tiny_waveform_model.parent / "sounds" / "tone_2.wav", 44100, 1)[:, : 100 * HOP]


@pytest.fixture(scope="module")
def latents(codec: WaveformCodec, audio: np.ndarray) -> np.ndarray:
    return codec.encode(audio)


def run_blocks(process: Callable[[np.ndarray], np.ndarray], x: np.ndarray, size: int) -> list[np.ndarray]:
    return [process(x[start : start + size]) for start in range(0, len(x), size)]


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_a_stream_of_blocks_is_the_whole_sound(
    codec: WaveformCodec, audio: np.ndarray, latents: np.ndarray, size: int
) -> None:
    encoder, decoder = codec.open_encoder(), codec.open_decoder()
    streamed = np.concatenate(run_blocks(lambda rows: encoder.process(rows.T), audio.T, size * HOP))
    delay = encoder.delay_frames
    np.testing.assert_allclose(streamed[delay:], latents[: len(latents) - delay], atol=1e-5)
    sound = np.concatenate(run_blocks(decoder.process, latents, size), axis=1)
    whole = codec.decode(latents)
    assert sound.shape == whole.shape == (1, 100 * HOP)
    np.testing.assert_allclose(sound[:, decoder.delay_samples :], whole[:, : -decoder.delay_samples], atol=1e-5)


@pytest.mark.parametrize("samples", [1, HOP - 1, HOP, HOP + 1, 5000])
def test_lengths_are_whole_latent_frames(codec: WaveformCodec, audio: np.ndarray, samples: int) -> None:
    latents = codec.encode(audio[:, :samples])
    assert latents.shape == (-(-samples // HOP), codec.latent_size)
    sound = codec.decode(latents)
    assert sound.shape == (1, len(latents) * HOP)
    assert latents.dtype == sound.dtype == np.float32


def test_latents_lie_under_the_sound_they_are_of(codec: WaveformCodec, latents: np.ndarray) -> None:
    click = np.zeros((1, 100 * HOP), np.float32)
    click[0, 50 * HOP + HOP // 2] = 1.0
    change = np.abs(codec.encode(click) - codec.encode(np.zeros_like(click))).sum(axis=1)
    assert change.argmax() in (49, 50, 51)
    moved = latents.copy()
    moved[50] += 5.0
    change = np.abs(codec.decode(moved) - codec.decode(latents))[0]
    assert abs((change * np.arange(len(change))).sum() / change.sum() / HOP - 50.5) < 1


def test_two_streams_of_one_codec_are_apart_and_reset_is_a_new_one(codec: WaveformCodec, latents: np.ndarray) -> None:
    first, second = codec.open_decoder(), codec.open_decoder()
    expected = first.process(latents[:40])
    np.testing.assert_array_equal(second.process(latents[:40]), expected)
    assert not np.array_equal(first.process(latents[:40]), expected)
    first.reset()
    np.testing.assert_array_equal(first.process(latents[:40]), expected)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf, 1e300])
def test_a_broken_block_is_over_with_the_next(
    codec: WaveformCodec, audio: np.ndarray, latents: np.ndarray, broken: float
) -> None:
    for opened, x in ((codec.open_encoder, audio), (codec.open_decoder, latents)):
        axis = 1 if x is audio else 0
        found = []
        for value in (0.0, broken):
            stream: Stream = opened()
            blocks = np.array_split(x[:, : 30 * HOP] if axis else x[:30], 3, axis=axis)
            blocks[1] = np.full(blocks[1].shape, value)
            found.append([stream.process(block) for block in blocks])
        for one, other in zip(*found, strict=True):
            np.testing.assert_array_equal(one, other)
            assert np.isfinite(one).all()


def test_far_latents_give_bounded_sound(codec: WaveformCodec) -> None:
    assert np.abs(codec.decode(np.full((20, codec.latent_size), 1e30))).max() <= 1


@pytest.mark.parametrize("shape", [(2, HOP), (1, HOP + 1), (1, 0)])
def test_blocks_of_audio_that_do_not_fit_are_refused(codec: WaveformCodec, shape: tuple[int, int]) -> None:
    with pytest.raises(ShapeError, match=rf"a block of shape .* found, \(1, k \* {HOP}\) expected"):
        codec.open_encoder().process(np.zeros(shape, np.float32))


@pytest.mark.parametrize("shape", [(1, 3), (0, 8)])
def test_blocks_of_latents_that_do_not_fit_are_refused(codec: WaveformCodec, shape: tuple[int, int]) -> None:
    with pytest.raises(ShapeError, match=r"a block of shape .* found, \(k, 8\) expected"):
        codec.open_decoder().process(np.zeros(shape))


def test_the_sidecar_was_measured_with_it(tiny_waveform_model: Path, codec: WaveformCodec) -> None:
    space, player = LatentSpace.load(tiny_waveform_model), Player(tiny_waveform_model)
    audio = load_audio(tiny_waveform_model.parent / "sounds" / "tone_0.wav", 44100, 1)
    index = [Path(name).name for name in space.cloud.file_names].index("tone_0.wav")
    latents = player.encode(audio)
    np.testing.assert_allclose(latents, space.cloud.latents[space.cloud.file_index == index], atol=1e-4)
    train = space.cloud.latents[space.cloud.select("train")]
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-4)
    stream = player.open_encoder(), player.open_decoder()
    assert space.latency_samples == (stream[0].delay_frames + 1) * HOP + stream[1].delay_samples
    assert np.isfinite(player.decode(latents)).all()

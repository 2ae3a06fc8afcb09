"""Audio to log-mel frames and back: shapes, inverses, refusals, and a real loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audiovae.corpus.audio_file import read_audio
from audiovae.dsp import transform as transform_module
from audiovae.dsp.mel import mel_filter_bank
from audiovae.dsp.stft import stft
from audiovae.dsp.transform import AudioTransform, TransformSettings
from audiovae.errors import ShapeError


@pytest.fixture(scope="module")
def transform() -> AudioTransform:
    return AudioTransform(TransformSettings())


@pytest.fixture(scope="module")
def small() -> AudioTransform:
    return AudioTransform(TransformSettings(n_fft=512, hop_length=128, n_mels=32))


def noise(*shape: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(0).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("samples", [1, 511, 512, 30000])
def test_forward_is_the_log_of_mel_magnitudes(transform: AudioTransform, samples: int) -> None:
    audio = noise(2, samples)
    spec = transform.forward(audio)
    assert spec.shape == (2, 128, 1 + samples // 512)
    assert spec.dtype == np.float32
    mel = mel_filter_bank(44100, 2048, 128) @ np.abs(stft(audio.astype(np.float64), 2048, 512))
    np.testing.assert_allclose(spec, np.log1p(100 * mel), atol=1e-4)


def test_silence_is_zero_and_comes_back_silent(transform: AudioTransform) -> None:
    assert not transform.forward(np.zeros(5000)).any()
    assert not transform.invert(np.zeros((128, 9))).any()


@pytest.mark.parametrize("block_frames", [1, 3, 7, 40])
@pytest.mark.parametrize("samples", [0, 127, 5000, 128 * 21])
def test_working_by_blocks_changes_nothing(
    small: AudioTransform, monkeypatch: pytest.MonkeyPatch, samples: int, block_frames: int
) -> None:
    audio = noise(2, samples)
    whole = small.mel(audio)
    monkeypatch.setattr(transform_module, "_BLOCK_FRAMES", block_frames)
    blocks = small.mel(audio)
    assert blocks.shape == whole.shape
    np.testing.assert_allclose(blocks, whole, atol=1e-6)


def test_compress_and_expand_are_inverses(transform: AudioTransform) -> None:
    mel = np.geomspace(1e-6, 1e3, 100)
    np.testing.assert_allclose(transform.compress(mel), np.log1p(100 * mel))
    np.testing.assert_allclose(transform.expand(transform.compress(mel)), mel, rtol=1e-9)
    assert transform.expand(np.array(-3.0)) == 0.0


@pytest.mark.parametrize("samples", [1, 2047, 2048, 2049, 4096, 10000])
@pytest.mark.parametrize("stride", [1, 4, 5])
def test_blocks_are_whole_latent_frames(transform: AudioTransform, samples: int, stride: int) -> None:
    audio = noise(1, samples)
    mel = transform.mel_blocks(audio, stride)
    latent_frames = -(-samples // (512 * stride))
    assert mel.shape == (1, 128, latent_frames * stride)
    sound = transform.invert_blocks(transform.compress(mel))
    assert sound.shape == (1, latent_frames * stride * 512)
    # The frames of a block are those of the sound itself.
    inside = max(samples // 512 - 1, 0)
    np.testing.assert_allclose(mel[..., :inside], transform.mel(audio)[..., :inside], atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "samples", "message"),
    [
        ((64, 10), None, r"spec of shape \(64, 10\) found, \(..., 128, frames\) expected"),
        ((128,), None, r"spec of shape \(128,\) found"),
        ((128, 0), None, r"spec of shape \(128, 0\) found"),
        ((128, 10), 5120, "10 frames are 4608 to 5119 samples, not 5120"),
        ((128, 10), 4607, "10 frames are 4608 to 5119 samples, not 4607"),
    ],
)
def test_what_does_not_fit_is_refused(transform: AudioTransform, shape, samples, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        transform.invert(np.zeros(shape), samples)


def test_frames_far_beyond_full_scale_still_give_finite_sound(small: AudioTransform) -> None:
    assert np.isfinite(small.invert(np.full((32, 20), 1e6))).all()


def test_inversion_is_deterministic(small: AudioTransform) -> None:
    spec = small.forward(noise(4000))
    np.testing.assert_array_equal(small.invert(spec, 4000), small.invert(spec, 4000))


@pytest.mark.parametrize("name", ["loop_breakbeat", "loop_safari"])
def test_a_real_loop_keeps_its_mel_frames(shared: Path, transform: AudioTransform, name: str) -> None:
    audio = read_audio(shared / f"data/audio/sonic_pi/train/{name}.flac", 44100, 1)[0][0, :88200]
    spec = transform.forward(audio)
    again = transform.forward(transform.invert(spec, len(audio)))
    # 0.10 and 0.07 measured, where the frames' own deviation is above 1.
    assert np.sqrt(((again - spec) ** 2).mean()) < 0.15
    assert spec.std() > 1

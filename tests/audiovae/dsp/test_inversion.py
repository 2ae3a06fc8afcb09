"""Fast Griffin-Lim: how near its magnitudes come, and that it always gives the same sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audiovae.analysis.reconstruction import spectral_convergence_db
from audiovae.corpus.audio_file import read_audio
from audiovae.dsp.inversion import griffin_lim
from audiovae.dsp.stft import stft

N_FFT, HOP_LENGTH = 2048, 512


def convergence_db(audio: np.ndarray, **options: float) -> float:
    magnitudes = np.abs(stft(audio, N_FFT, HOP_LENGTH))
    estimate = griffin_lim(magnitudes, N_FFT, HOP_LENGTH, audio.shape[-1], **options)  # type: ignore[arg-type]
    assert estimate.shape == audio.shape
    return spectral_convergence_db(magnitudes[None], np.abs(stft(estimate, N_FFT, HOP_LENGTH))[None])


@pytest.fixture(scope="module")
def sines() -> np.ndarray:
    time_s = np.arange(44100) / 44100
    return sum(0.2 * np.sin(2 * np.pi * f * time_s) for f in (220, 554, 1300, 4001)).astype(np.float32)


def test_a_mix_of_sines_comes_back(sines: np.ndarray) -> None:
    assert convergence_db(sines) < -15


@pytest.mark.parametrize("name", ["loop_breakbeat", "loop_mika", "loop_safari", "loop_industrial"])
def test_real_loops_come_back(shared: Path, name: str) -> None:
    audio, _ = read_audio(shared / f"data/audio/sonic_pi/train/{name}.flac", 44100, 1)
    assert convergence_db(audio[0, :88200]) < -17  # -17.3 is the worst of 17 loops in the fact sheet


def test_it_is_the_fast_one_and_more_iterations_help(sines: np.ndarray) -> None:
    fast = convergence_db(sines, iterations=32)
    assert fast < convergence_db(sines, iterations=32, momentum=0.0) - 1
    assert fast < convergence_db(sines, iterations=8) - 1


def test_the_same_seed_gives_the_same_sound(sines: np.ndarray) -> None:
    magnitudes = np.abs(stft(sines, N_FFT, HOP_LENGTH))
    first, again, other = (griffin_lim(magnitudes, N_FFT, HOP_LENGTH, 44100, iterations=4, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01
    assert first.dtype == np.float32


def test_silence_stays_silent() -> None:
    assert not griffin_lim(np.zeros((N_FFT // 2 + 1, 9)), N_FFT, HOP_LENGTH, 8 * HOP_LENGTH).any()

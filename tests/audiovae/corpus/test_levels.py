"""Peak, RMS and the share of silence."""

from __future__ import annotations

import numpy as np
import pytest

from audiovae.corpus.levels import SILENCE_DB, measure_levels


def test_levels_of_a_sine_are_closed_form() -> None:
    sine = 0.5 * np.sin(2 * np.pi * 100 * np.arange(44100) / 44100)
    levels = measure_levels(sine[:, None].astype(np.float32), 44100)
    assert levels.peak == pytest.approx(0.5, abs=1e-5)
    assert levels.rms_db == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=1e-4)
    assert levels.silent_share == 0.0


def test_digital_silence() -> None:
    levels = measure_levels(np.zeros((1000, 2), dtype=np.float32), 44100)
    assert (levels.peak, levels.rms_db, levels.silent_share) == (0.0, SILENCE_DB, 1.0)


@pytest.mark.parametrize("channels", [1, 2])
def test_silent_share_counts_blocks_of_50_ms(channels: int) -> None:
    audio = np.zeros((8000 * 3, channels), dtype=np.float32)  # 60 blocks of 400 samples
    audio[400 * 15 : 400 * 45] = 0.1
    assert measure_levels(audio, 8000).silent_share == 0.5


@pytest.mark.parametrize(("level", "share"), [(0.00101, 0.0), (0.00099, 1.0)])
def test_the_threshold_is_60_db_below_full_scale(level: float, share: float) -> None:
    assert measure_levels(np.full((2000, 1), level), 8000).silent_share == share


def test_a_tail_shorter_than_a_block_counts_as_one() -> None:
    audio = np.zeros((401, 1))
    audio[400] = 0.5
    assert measure_levels(audio, 8000).silent_share == 0.5


def test_long_audio_is_measured_in_pieces_without_seams() -> None:
    audio = np.random.default_rng(0).uniform(-1, 1, (400 * 1300 + 7, 2))
    levels = measure_levels(audio, 8000)
    assert levels.peak == np.abs(audio).max()
    assert levels.rms_db == pytest.approx(10 * np.log10((audio**2).mean()), abs=1e-9)

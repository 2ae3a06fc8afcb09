"""Embeddings of sounds: what a gain, silence, length and rate do to the points."""

from __future__ import annotations

import numpy as np
import pytest

from audiovae.analysis.patches import SAMPLE_RATE, embed, embed_descriptors, embed_mel, to_analysis

RNG = np.random.default_rng(0)
NOISE = 0.1 * RNG.standard_normal((1, 3 * SAMPLE_RATE)).astype(np.float32)
TIME_S = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE


def test_points_have_the_stated_shape_and_count() -> None:
    points = embed(NOISE)
    n_frames = 1 + NOISE.shape[1] // 1024
    assert points["mel"].shape == (1 + (n_frames - 16) // 8, 64)
    assert points["descriptors"].shape[1] == 14
    assert points["descriptors"].dtype == points["mel"].dtype == np.float64


def test_a_gain_moves_mel_points_by_so_many_db() -> None:
    moved = embed_mel(2 * NOISE) - embed_mel(NOISE)
    # within the sound, where no frame reaches beyond the end: all bands up by 6.02 dB, only the mean coefficient moves
    np.testing.assert_allclose((moved[1:-1] ** 2).sum(axis=1), (20 * np.log10(2)) ** 2, rtol=1e-4)
    np.testing.assert_allclose(np.abs(moved[:, 1:]).max(), 0.0, atol=1e-2)


def test_a_gain_moves_loudness_by_its_unit_and_no_other_descriptor() -> None:
    moved = embed_descriptors(2 * NOISE) - embed_descriptors(NOISE)
    np.testing.assert_allclose(moved[:, 0], 20 * np.log10(2) / 6, rtol=1e-6)
    np.testing.assert_allclose(moved[:, 1:], 0.0, atol=2e-2)  # flux has a floor


def test_an_octave_is_one_in_the_centroid() -> None:
    low, high = (embed_descriptors(0.3 * np.sin(2 * np.pi * hz * TIME_S)[None])[1:-1] for hz in (1000.0, 2000.0))
    np.testing.assert_allclose((high - low)[:, 1], 1.0, atol=0.02)


def test_silence_has_no_points_and_silent_parts_no_weight() -> None:
    assert all(points.shape[0] == 0 for points in embed(0 * NOISE).values())
    padded = np.concatenate([NOISE, np.zeros((1, 10 * SAMPLE_RATE))], axis=1)
    for name, points in embed(padded).items():
        assert len(points) - len(embed(NOISE)[name]) in (0, 1, 2), name  # the end of the noise reaches a little on


@pytest.mark.parametrize("samples", [1, 500, 20000])
def test_a_short_sound_is_one_point(samples: int) -> None:
    short = np.full((1, samples), 0.5) * RNG.choice([-1.0, 1.0], size=(1, samples))
    assert len(embed_mel(short)) == 1
    assert np.isfinite(embed_mel(short)).all()
    assert len(embed_descriptors(short)) == int(samples == 20000)  # too little of a second is not described


def test_other_rates_and_channels_are_brought_to_one() -> None:
    sine = 0.3 * np.sin(2 * np.pi * 1000 * np.arange(48000) / 16000)
    there = to_analysis(np.stack([sine, np.zeros_like(sine)]), 16000)
    assert there.shape == (1, 3 * SAMPLE_RATE)
    np.testing.assert_allclose(there[0, 5000:-5000], 0.15 * np.sin(2 * np.pi * 1000 * TIME_S)[5000:-5000], atol=1e-3)
    assert to_analysis(NOISE, SAMPLE_RATE) is not None

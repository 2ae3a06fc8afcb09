"""Reconstruction distances: what a copy, a known gain, silence and rising noise must score."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiovae.analysis.reconstruction import (
    CONVERGENCE_FLOOR_DB,
    FIGURES,
    METRICS,
    compare,
    evaluate_files,
    log_spectral_distance,
    multi_scale_distance,
    spectral_convergence_db,
)
from audiovae.errors import AudioFileError, ShapeError

SAMPLE_RATE = 44100
DOUBLE_DB = 20 * np.log10(2.0)


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    """(2, 1 s) of white noise: none of its bins is near the floor."""
    return 0.1 * np.random.default_rng(0).standard_normal((2, SAMPLE_RATE)).astype(np.float32)


def test_distances_of_two_spectra_by_hand() -> None:
    reference = np.array([[[1.0, 1.0], [1.0, 1.0]]])  # (1 channel, 2 bands, 2 frames)
    estimate = np.array([[[10.0, 1.0], [1.0, 1.0]]])
    # frame 0 is off by 20 and 0 dB, frame 1 by nothing
    assert log_spectral_distance(reference, estimate) == pytest.approx(np.sqrt(20.0**2 / 2) / 2)
    assert spectral_convergence_db(reference, estimate) == pytest.approx(20 * np.log10(9.0 / 2.0))


def test_what_lies_under_the_floor_is_equal() -> None:
    reference = np.array([[[1.0], [1e-5]]])
    assert log_spectral_distance(reference, np.array([[[1.0], [0.0]]])) == 0.0
    # the floor is the reference's: an estimate of nothing is 80 dB off at the peak, 0 below
    assert log_spectral_distance(reference, np.zeros((1, 2, 1))) == pytest.approx(80.0 / np.sqrt(2.0))


def test_a_copy_is_at_zero_and_at_the_floor(noise: np.ndarray) -> None:
    result = compare(noise, noise, SAMPLE_RATE)
    assert result["status"] == "compared"
    assert result["lsd_db"] == result["mel_lsd_db"] == result["loudness_error_db"] == 0.0
    assert result["spectral_convergence_db"] == pytest.approx(CONVERGENCE_FLOOR_DB)
    assert result["reference_level_db"] == result["estimate_level_db"] == pytest.approx(-20.0, abs=0.1)


def test_opposite_sign_sounds_the_same(noise: np.ndarray) -> None:
    assert compare(noise, -noise, SAMPLE_RATE)["lsd_db"] == 0.0


@pytest.mark.parametrize("gain", [2.0, 0.5])
def test_a_known_gain_is_its_own_distance(noise: np.ndarray, gain: float) -> None:
    result = compare(noise, gain * noise, SAMPLE_RATE)
    # white noise has a few bins below -80 dB re its maximum, hence the tolerance
    for name in ("lsd_db", "mel_lsd_db", "loudness_error_db"):
        assert result[name] == pytest.approx(DOUBLE_DB, abs=0.01), name
    assert result["spectral_convergence_db"] == pytest.approx(20 * np.log10(abs(gain - 1.0)), abs=1e-3)
    assert result["estimate_level_db"] - result["reference_level_db"] == pytest.approx(20 * np.log10(gain))


def test_log_spectral_distance_is_symmetric_where_the_floor_is(noise: np.ndarray) -> None:
    other = noise[:, ::-1]  # of the same level, so of nearly the same floor
    there, back = compare(noise, other, SAMPLE_RATE), compare(other, noise, SAMPLE_RATE)
    for name in ("lsd_db", "mel_lsd_db", "loudness_error_db"):
        assert there[name] == pytest.approx(back[name], rel=1e-3), name
        assert there[name] > 0.1


def test_more_noise_is_further_in_every_metric(noise: np.ndarray) -> None:
    disturbance = np.random.default_rng(1).standard_normal(noise.shape)
    results = [compare(noise, noise + gain * disturbance, SAMPLE_RATE) for gain in (1e-4, 1e-3, 1e-2, 1e-1)]
    for name in METRICS:
        assert np.all(np.diff([result[name] for result in results]) > 0), name


def test_a_silent_estimate_scores_zero_convergence_and_a_finite_distance(noise: np.ndarray) -> None:
    result = compare(noise, np.zeros_like(noise), SAMPLE_RATE)
    assert result["spectral_convergence_db"] == pytest.approx(0.0, abs=1e-6)
    assert 40.0 < result["lsd_db"] < 80.0
    assert result["loudness_error_db"] == pytest.approx(80.0, abs=3.0)


@pytest.mark.parametrize("level", [0.0, 1e-5])
def test_a_silent_reference_is_reported_not_divided_by(noise: np.ndarray, level: float) -> None:
    result = compare(level * noise, noise, SAMPLE_RATE)
    assert result["status"] == "silent"
    assert [result[name] for name in METRICS] == [None] * len(METRICS)
    assert result["estimate_level_db"] == pytest.approx(-20.0, abs=0.1)


def test_a_diverged_model_is_reported(noise: np.ndarray) -> None:
    broken = noise.copy()
    broken[0, 7] = np.nan
    result = compare(noise, broken, SAMPLE_RATE)
    assert (result["status"], result["lsd_db"]) == ("not finite", None)
    json.dumps(result, allow_nan=False)


def test_the_longer_sound_is_cut_and_the_difference_told(noise: np.ndarray) -> None:
    result = compare(noise[:, :30000], noise, SAMPLE_RATE)
    assert result["lsd_db"] == 0.0
    assert result["length_difference"] == SAMPLE_RATE - 30000
    assert result["duration_s"] == 30000 / SAMPLE_RATE


@pytest.mark.parametrize("samples", [1, 100, 3000])
def test_sounds_shorter_than_a_window_are_compared(noise: np.ndarray, samples: int) -> None:
    assert compare(noise[:, :samples], noise[:, :samples], SAMPLE_RATE)["lsd_db"] == 0.0


@pytest.mark.parametrize("sample_rate", [8000, 16000, 48000, 96000])
def test_other_sample_rates_have_a_mel_bank(noise: np.ndarray, sample_rate: int) -> None:
    assert compare(noise, 2 * noise, sample_rate)["mel_lsd_db"] == pytest.approx(DOUBLE_DB, abs=0.01)


def test_wrong_shapes_are_refused(noise: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="as many channels"):
        compare(noise, noise[:1], SAMPLE_RATE)
    with pytest.raises(ShapeError, match="channels, samples"):
        compare(noise[0], noise[0], SAMPLE_RATE)
    with pytest.raises(ShapeError, match="nothing to compare"):
        compare(noise, noise[:, :0], SAMPLE_RATE)


def test_files_are_evaluated_and_the_unusable_ones_told(tmp_path: Path, noise: np.ndarray) -> None:
    soundfile.write(tmp_path / "a.wav", noise.T, SAMPLE_RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "b.wav", 0.5 * noise.T, SAMPLE_RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "silent.wav", np.zeros((5000, 1)), SAMPLE_RATE)
    (tmp_path / "torn.wav").write_bytes(b"RIFF")
    files = sorted(tmp_path.iterdir())
    seen = []

    def progress(paths: Sequence[Path]) -> Iterable[Path]:
        for path in paths:
            seen.append(path)
            yield path

    result = evaluate_files(lambda audio: 2 * audio[:, :-10], files, SAMPLE_RATE, 2, progress)
    assert seen == files
    assert [row["status"] for row in result["files"]] == ["compared", "compared", "silent", "unreadable"]
    assert result["counts"] == {"compared": 2, "silent": 1, "unreadable": 1}
    assert "torn.wav" in result["files"][3]["reason"]
    assert result["means"]["lsd_db"] == pytest.approx(DOUBLE_DB, abs=0.01)
    assert result["files"][0]["length_difference"] == -10
    assert len({frozenset(row) for row in result["files"]}) == 1  # one table: the same columns in every row
    json.dumps(result, allow_nan=False)


def test_nothing_compared_has_no_means_and_no_files_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros((5000, 1)), SAMPLE_RATE)
    result = evaluate_files(lambda audio: audio, [tmp_path / "silent.wav"], SAMPLE_RATE, 1)
    assert result["means"] == result["medians"] == dict.fromkeys(FIGURES)
    with pytest.raises(AudioFileError, match="no audio files"):
        evaluate_files(lambda audio: audio, [], SAMPLE_RATE, 1)


def test_the_multi_scale_distance_is_the_one_that_models_train_on(noise: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    from audiovae.training import losses

    other = 0.5 * noise[:, ::-1].copy()
    trained_on = losses.multi_scale_distance(torch.from_numpy(other)[None], torch.from_numpy(noise)[None], power=2)
    linear, log = multi_scale_distance(noise, other)
    assert linear + log == pytest.approx(float(trained_on), rel=1e-5)
    result = compare(noise, other, SAMPLE_RATE)
    assert (result["msd"], result["msd_linear"], result["msd_log"]) == pytest.approx((linear + log, linear, log))


def test_the_two_terms_of_a_gain_by_hand(noise: np.ndarray) -> None:
    # five windows, each | 1 - 1/2 |^2 and ln 2
    assert multi_scale_distance(noise, 0.5 * noise) == pytest.approx((5 * 0.25, 5 * np.log(2.0)), rel=1e-4)


def test_phase_is_compared_only_where_it_is_kept(noise: np.ndarray) -> None:
    late = np.roll(noise, 44, axis=1)
    assert compare(noise, late, SAMPLE_RATE)["si_sdr_db"] is None
    result = compare(noise, late, SAMPLE_RATE, keeps_phase=True)
    assert result["si_sdr_db"] == 120.0
    assert result["si_sdr_lag_ms"] == pytest.approx(44 / 44.1)
    silent = compare(noise, np.zeros_like(noise), SAMPLE_RATE, keeps_phase=True)
    assert (silent["status"], silent["si_sdr_db"]) == ("compared", None)
    json.dumps(result, allow_nan=False)


def test_what_was_compared_can_be_listened_to(tmp_path: Path, noise: np.ndarray) -> None:
    for name, gain in (("a.wav", 1.0), ("silent.wav", 0.0)):
        soundfile.write(tmp_path / name, gain * noise.T, SAMPLE_RATE, subtype="FLOAT")
    heard = []
    evaluate_files(
        lambda audio: 2 * audio,
        sorted(tmp_path.iterdir()),
        SAMPLE_RATE,
        2,
        listen=lambda path, reference, estimate: heard.append((path.name, float(np.ptp(estimate) / np.ptp(reference)))),
    )
    assert heard == [("a.wav", pytest.approx(2.0))]

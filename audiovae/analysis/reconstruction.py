"""How far a model's sound is from the sound it was given: distances of one pair, and of a folder of files.

The distances compare magnitudes, not waveforms, and do not align in time: undo a model's latency first. SI-SDR, the one
that compares waveforms, aligns within a few ms, and is measured only where the model keeps phase.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.analysis.waveform_distance import MAX_LAG_S, align, find_lag, si_sdr_db
from audiovae.corpus.audio_file import read_audio
from audiovae.dsp.descriptors import describe, frame_levels_db
from audiovae.dsp.mel import mel_filter_bank
from audiovae.dsp.stft import stft
from audiovae.errors import AudioFileError, ShapeError

FloatArray = npt.NDArray[np.floating[Any]]

N_FFTS = (512, 1024, 2048, 4096)  # the hop is a quarter of each
FLOOR_DB = -80.0  # re the reference's maximum: what lies below counts as equal
CONVERGENCE_FLOOR_DB = -120.0  # about what float32 resolves; a perfect copy would be at minus infinity
SILENCE_DB = -80.0  # re full scale: a reference whose loudest hop is not above it is called silent
_LEVEL_HOP_LENGTH = 1024
_N_MELS = 128
MSD_N_FFTS = (2048, 1024, 512, 256, 128)
_MSD_FLOOR = 1e-7  # of magnitudes whose full scale is n_fft / 2: far below what 16 bits resolve
METRICS = ("lsd_db", "spectral_convergence_db", "mel_lsd_db", "loudness_error_db", "msd", "msd_linear", "msd_log")
"""Distances: the lower, the nearer."""
FIGURES = (*METRICS, "si_sdr_db")
"""All that is averaged over files; of SI-SDR more is nearer."""
SI_SDR_LIMIT_DB = 120.0  # as far as float32 resolves: beyond, it is told as this
_MEASURED = ("duration_s", "length_difference", "reference_level_db", "estimate_level_db", *FIGURES, "si_sdr_lag_ms")

Listener = Callable[[Path, FloatArray, FloatArray], None]


def compare(reference: FloatArray, estimate: FloatArray, sample_rate: int, keeps_phase: bool = False) -> dict[str, Any]:
    """Distances of an estimate from its reference, ready for JSON.

    Parameters
    ----------
    reference, estimate : (channels, samples) in [-1, 1], the reference finite. The longer one is cut to the
        length of the other.
    sample_rate : Hz.
    keeps_phase : the estimate's waveform is meant to be the reference's, not only its spectrum.

    Returns
    -------
    dict of
        status : ``compared``; ``silent`` if the reference is (no distance from silence is defined);
            ``not finite`` if the estimate holds NaN or infinity. The metrics are None in the last two.
        duration_s : length that was compared.
        length_difference : samples of the estimate minus samples of the reference, before the cut.
        reference_level_db, estimate_level_db : level of the whole, dB re full scale; None if not finite.
        lsd_db : `log_spectral_distance`, mean over windows of 512, 1024, 2048 and 4096 samples.
        spectral_convergence_db : `spectral_convergence_db`, mean over the same windows.
        mel_lsd_db : `log_spectral_distance` of 128 mel bands through a window of about 46 ms.
        loudness_error_db : mean absolute difference of A-weighted level over hops of 1024 samples,
            floored 80 dB below the reference's loudest, where one of the two is above that floor.
        msd : `multi_scale_distance`, the sum of msd_linear and msd_log, its two terms.
        si_sdr_db : `si_sdr_db` after the estimate is moved by si_sdr_lag_ms, at most 5 ms, not beyond
            +-120 dB; both None where phase is not kept, or the estimate is all 0.

    Raises
    ------
    ShapeError
        If an array is not (channels, samples), the counts of channels differ, or one has no samples.
    """
    _check_shapes(reference, estimate)
    samples = min(reference.shape[1], estimate.shape[1])
    result: dict[str, Any] = {
        "status": "compared",
        "duration_s": samples / sample_rate,
        "length_difference": estimate.shape[1] - reference.shape[1],
        "reference_level_db": float(frame_levels_db(reference, samples, 1)[0]),
        "estimate_level_db": None,
        **dict.fromkeys((*FIGURES, "si_sdr_lag_ms")),
    }
    reference, estimate = (np.asarray(audio[:, :samples], dtype=np.float32) for audio in (reference, estimate))
    if not np.isfinite(estimate).all():
        return result | {"status": "not finite"}
    result["estimate_level_db"] = float(frame_levels_db(estimate, samples, 1)[0])
    if frame_levels_db(reference, _LEVEL_HOP_LENGTH, -(-samples // _LEVEL_HOP_LENGTH)).max() <= SILENCE_DB:
        return result | {"status": "silent"}
    result |= _distances(reference, estimate, sample_rate)
    return result | (_waveform_distance(reference, estimate, sample_rate) if keeps_phase else {})


def evaluate_files(
    encode_decode: Callable[[npt.NDArray[np.float32]], FloatArray],
    files: Sequence[Path],
    sample_rate: int,
    channels: int,
    progress: Callable[[Sequence[Path]], Iterable[Path]] = iter,
    keeps_phase: bool = False,
    listen: Listener | None = None,
) -> dict[str, Any]:
    """Distances of a model's reconstructions from the files it is given, ready for JSON.

    Parameters
    ----------
    encode_decode : (channels, samples) to (channels, about as many samples), aligned in time.
    files : audio files of any rate and channel count.
    sample_rate, channels : what `encode_decode` takes; files are resampled and folded to it.
    progress : wraps the files while they are worked through, for example ``rich.progress.track``.
    keeps_phase : as for `compare`.
    listen : gets every file that was compared, the sound that went in and the sound that came out.

    Returns
    -------
    dict of
        files : one row a file, in order: ``file``, ``reason`` and what `compare` returns. A file that
            cannot be read has the status ``unreadable``, the reason, and None elsewhere.
        means, medians : figure -> mean and median over the compared files, each counting the same; None if no
            file has one.
        counts : status -> count of files.

    Raises
    ------
    AudioFileError
        If there are no files.
    """
    if not files:
        raise AudioFileError("no audio files to evaluate: give a folder that holds some")
    rows = []
    for path in progress(files):
        row, pair = _evaluate_file(encode_decode, path, sample_rate, channels, keeps_phase)
        rows.append(row)
        if listen and pair and row["status"] == "compared":
            listen(path, *pair)
    values = {name: [row[name] for row in rows if row[name] is not None] for name in FIGURES}
    return {
        "files": rows,
        "means": {name: float(np.mean(known)) if known else None for name, known in values.items()},
        "medians": {name: float(np.median(known)) if known else None for name, known in values.items()},
        "counts": dict(Counter(row["status"] for row in rows)),
    }


def log_spectral_distance(reference: FloatArray, estimate: FloatArray) -> float:
    """Root mean square difference of levels over frequency, averaged over frames and channels, in dB.

    Parameters
    ----------
    reference, estimate : (channels, bands, frames) magnitudes, floored 80 dB below the reference's maximum,
        which must not be 0.

    mean over frames of sqrt(mean over bands of (20 log10(estimate / reference))^2).
    """
    floor = float(reference.max()) * 10.0 ** (FLOOR_DB / 20.0)
    difference_db = 20.0 * np.log10(np.maximum(estimate, floor) / np.maximum(reference, floor))
    return float(np.sqrt((difference_db**2).mean(axis=-2)).mean())


def spectral_convergence_db(reference: FloatArray, estimate: FloatArray) -> float:
    """20 log10 of ||estimate - reference|| / ||reference||, norms over all bins, frames and channels.

    0 dB is what silence scores, a perfect copy is at `CONVERGENCE_FLOOR_DB`. `reference` must not be all 0.
    """
    ratio = float(np.linalg.norm((estimate - reference).ravel()) / np.linalg.norm(reference.ravel()))
    return 20.0 * float(np.log10(max(ratio, 10.0 ** (CONVERGENCE_FLOOR_DB / 20.0))))


def multi_scale_distance(reference: FloatArray, estimate: FloatArray) -> tuple[float, float]:
    """The two terms of RAVE's multi-scale spectral distance, without units; its value is their sum.

    Parameters
    ----------
    reference, estimate : (channels, samples) of one shape.

    Returns
    -------
    linear : sum over windows of 2048, 1024, 512, 256 and 128 samples of || |X| - |Y| ||^2 / || X ||^2.
    log : sum over the same of mean | ln(|X| + 1e-7) - ln(|Y| + 1e-7) |. Where a sound is digital silence and the
        other is not this term is large: read the two apart.

    The same as `audiovae.training.losses.multi_scale_distance` of power 2.
    Source: Caillon and Esling 2021, arXiv:2111.05011, section 3.1.
    """
    linear = log = 0.0
    for n_fft in MSD_N_FFTS:
        x, y = _magnitudes(reference, estimate, n_fft)
        linear += (float(np.linalg.norm((x - y).ravel())) / max(float(np.linalg.norm(x.ravel())), 1e-3)) ** 2
        log += float(np.abs(np.log(x + _MSD_FLOOR) - np.log(y + _MSD_FLOOR)).mean(dtype=np.float64))
    return linear, log


def _distances(reference: FloatArray, estimate: FloatArray, sample_rate: int) -> dict[str, float]:
    """The metrics of two sounds of one shape, the reference not silent."""
    pairs = (_magnitudes(reference, estimate, n_fft) for n_fft in N_FFTS)  # one at a time: they are large
    scores = [(log_spectral_distance(*pair), spectral_convergence_db(*pair)) for pair in pairs]
    lsd_db, convergence_db = np.mean(scores, axis=0)
    mel_n_fft = 2 ** round(np.log2(0.046 * sample_rate))  # 2048 at 44.1 and 48 kHz
    bank = mel_filter_bank(sample_rate, mel_n_fft, _N_MELS).astype(np.float32)
    mel_pair = (bank @ magnitudes for magnitudes in _magnitudes(reference, estimate, mel_n_fft))
    linear, log = multi_scale_distance(reference, estimate)
    return {
        "lsd_db": float(lsd_db),
        "spectral_convergence_db": float(convergence_db),
        "mel_lsd_db": log_spectral_distance(*mel_pair),
        "loudness_error_db": _loudness_error_db(reference, estimate, sample_rate),
        "msd": linear + log,
        "msd_linear": linear,
        "msd_log": log,
    }


def _waveform_distance(reference: FloatArray, estimate: FloatArray, sample_rate: int) -> dict[str, float]:
    lag = find_lag(reference, estimate, min(round(MAX_LAG_S * sample_rate), reference.shape[1] - 1))
    ratio_db = si_sdr_db(*align(reference, estimate, lag))
    if np.isnan(ratio_db):
        return {}
    limited_db = float(np.clip(ratio_db, -SI_SDR_LIMIT_DB, SI_SDR_LIMIT_DB))
    return {"si_sdr_db": limited_db, "si_sdr_lag_ms": 1000.0 * lag / sample_rate}


def _magnitudes(reference: FloatArray, estimate: FloatArray, n_fft: int) -> tuple[FloatArray, FloatArray]:
    return np.abs(stft(reference, n_fft, n_fft // 4)), np.abs(stft(estimate, n_fft, n_fft // 4))


def _loudness_error_db(reference: FloatArray, estimate: FloatArray, sample_rate: int) -> float:
    loudness_db = [
        describe(audio, sample_rate, _LEVEL_HOP_LENGTH, ["loudness"])["loudness"] for audio in (reference, estimate)
    ]
    floor_db = loudness_db[0].max() + FLOOR_DB
    floored_db = np.maximum(loudness_db, floor_db)
    audible = floored_db.max(axis=0) > floor_db
    return float(np.abs(floored_db[1] - floored_db[0])[audible].mean())


def _evaluate_file(
    encode_decode: Callable[[npt.NDArray[np.float32]], FloatArray],
    path: Path,
    sample_rate: int,
    channels: int,
    keeps_phase: bool,
) -> tuple[dict[str, Any], tuple[FloatArray, FloatArray] | None]:
    """The row of a file, and what went in and came out; None of a file that cannot be read."""
    try:
        audio, _ = read_audio(path, sample_rate, channels)
    except AudioFileError as error:
        return {"file": str(path), "status": "unreadable", "reason": str(error), **dict.fromkeys(_MEASURED)}, None
    decoded = encode_decode(audio)
    row = {"file": str(path), "reason": None, **compare(audio, decoded, sample_rate, keeps_phase)}
    return row, (audio, decoded)


def _check_shapes(reference: FloatArray, estimate: FloatArray) -> None:
    if reference.ndim != 2 or estimate.ndim != 2 or len(reference) != len(estimate):
        raise ShapeError(
            f"reference of shape {reference.shape} and estimate of shape {estimate.shape} found, "
            "(channels, samples) with as many channels expected"
        )
    if reference.size == 0 or estimate.size == 0:
        raise ShapeError(
            f"reference of {reference.shape[1]} and estimate of {estimate.shape[1]} samples: "
            "nothing to compare, leave this sound out"
        )

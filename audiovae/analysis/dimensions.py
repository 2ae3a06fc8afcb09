"""What each latent dimension is worth: its share of the variance, how far it moves, and whether one hears it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.analysis.corpus_frames import CorpusFrames, Model
from audiovae.dsp.mel import mel_filter_bank
from audiovae.dsp.stft import stft
from audiovae.latent_space import LatentSpace

FloatArray = npt.NDArray[np.floating[Any]]

FIDELITIES = (0.80, 0.90, 0.95, 0.99)
LOW, HIGH = 0.01, 0.99  # quantiles of the corpus between which a dimension is moved
DEAD_SHARE = 0.05  # of the largest: what moves or sounds less is called dead
HELD_S = 0.75
_N_FFT, _N_MELS = 2048, 64
_FLOOR_DB = -80.0


@dataclass(frozen=True)
class Dimension:
    """One latent dimension.

    Parameters
    ----------
    index : which.
    std : over the analysed frames.
    variance_share : of the sum over all dimensions.
    informative_share : of the variance, what of this dimension is in the principal components kept at fidelity 0.95.
    low, high : 1 % and 99 % quantile.
    response_db : how different the sound is at both ends of that range, see `measure_responses`.
    dead : why, if it is: ``never moves`` (the encoder does not use it) or ``not heard`` (the decoder does not).
    """

    index: int
    std: float
    variance_share: float
    informative_share: float
    low: float
    high: float
    response_db: float
    dead: str | None


def measure_dimensions(
    model: Model,
    frames: CorpusFrames,
    space: LatentSpace,
    progress: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> list[Dimension]:
    """Every dimension of a model.

    Parameters
    ----------
    space : of `frames`, as `CorpusFrames.describe_space` gives it.
    """
    std, rank = frames.latents.std(axis=0), space.fidelity_rank()
    total = max(float(space.pca_variance.sum()), 1e-30)
    informative = (space.pca_variance[:rank, None] * space.pca_basis[:rank] ** 2).sum(axis=0) / total
    low, high = (np.quantile(frames.latents, level, axis=0) for level in (LOW, HIGH))
    response_db = measure_responses(model, find_centre(frames, space), low, high, progress)
    return [
        Dimension(
            index=i,
            std=float(std[i]),
            variance_share=float(std[i] ** 2 / total),
            informative_share=float(informative[i]),
            low=float(low[i]),
            high=float(high[i]),
            response_db=float(response_db[i]),
            dead=_find_dead(
                float(std[i] / max(std.max(), 1e-30)), float(response_db[i] / max(response_db.max(), 1e-9))
            ),
        )
        for i in range(space.latent_size)
    ]


def rank_informative(dimensions: list[Dimension], count: int) -> list[int]:
    """The dimensions with the largest informative share, those that are not dead, largest first."""
    alive = [one for one in dimensions if one.dead is None]
    return [one.index for one in sorted(alive, key=lambda one: -one.informative_share)[:count]]


def find_centre(frames: CorpusFrames, space: LatentSpace) -> FloatArray:
    """(latent_size,) of the audible frame nearest to the median of all: a sound, which the mean need not be."""
    rows = np.flatnonzero(frames.audible)
    white = space.whiten(frames.latents[rows])
    return np.asarray(frames.latents[rows[np.linalg.norm(white - np.median(white, axis=0), axis=1).argmin()]])


def measure_responses(
    model: Model,
    centre: FloatArray,
    low: FloatArray,
    high: FloatArray,
    progress: Callable[[Sequence[int]], Iterable[int]] = iter,
) -> FloatArray:
    """(latent_size,) dB between the sounds of each dimension held at `low` and at `high`, the others at `centre`.

    Mean absolute difference of the mean power in 64 mel bands, bands below -80 dB re the louder sound's loudest
    counting as that.
    """
    n_held = max(4, round(HELD_S * model.space.latent_rate))
    response_db = np.zeros(len(centre))
    for i in progress(range(len(centre))):
        powers = []
        for end in (low[i], high[i]):
            held = np.tile(centre, (n_held, 1))
            held[:, i] = end
            powers.append(_mel_power(model.decode(held), model.space.sample_rate))
        floor = max(power.max() for power in powers) * 10.0 ** (_FLOOR_DB / 10.0)
        levels_db = [10.0 * np.log10(np.maximum(power, max(floor, 1e-20))) for power in powers]
        response_db[i] = np.abs(levels_db[1] - levels_db[0]).mean()
    return response_db


def _mel_power(audio: FloatArray, sample_rate: int) -> FloatArray:
    """(n_mels,) mean power of the second half of a sound, when what came before is over."""
    half = np.asarray(audio[:, audio.shape[1] // 2 :], np.float32)
    padded = np.pad(half, ((0, 0), (0, max(0, _N_FFT - half.shape[1]))))
    power = (np.abs(stft(padded, _N_FFT, _N_FFT // 4)) ** 2).mean(axis=(0, 2))
    return np.asarray(mel_filter_bank(sample_rate, _N_FFT, _N_MELS) @ power)


def _find_dead(std_share: float, response_share: float) -> str | None:
    if std_share < DEAD_SHARE:
        return "never moves"
    return "not heard" if response_share < DEAD_SHARE else None

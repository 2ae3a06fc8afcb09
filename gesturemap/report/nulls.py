"""What coverage is read against: held-out recordings as the ceiling, motions without intent as the floor.

All have the frame count of the gesture and the model's latent rate, and go through the same whitening:

============  ==========================================================================================
held_out      recordings the model never trained on (the validation files of the cloud), in random order
prior         independent draws of N(0, I) in latent coordinates: what sampling the model's prior sends. Our
              exporters give latents in PCA coordinates of the encoder means: a rotation, which leaves N(0, I)
              as it is, and a shift to their mean. A dimension that the encoder hardly uses has means of small
              spread; there the prior is far wider than the sounds
uniform       independent draws from the box of the 1 and 99 % quantiles of every dimension: sliders at random
shuffled      the gesture with the time of every dimension permuted on its own: same ranges, no joint structure
walk          a smooth random walk: Gaussian, with the gesture's mean and power spectrum in every dimension (so
              its spread and autocorrelation) and random phases, take by take
static        the gesture's median, held: a hand that does not move
============  ==========================================================================================
"""

from __future__ import annotations

import numpy as np

from audiovae.latent_space import LatentSpace
from gesturemap.report.neighbours import Index, Points


def held_out(space: LatentSpace, gate_db: float, n_frames: int, rng: np.random.Generator) -> Index:
    """Rows of the cloud that are audible and held out: whole files in random order, the last one cut.

    Returns
    -------
    (n,) with n = `n_frames`, or fewer where there is less held-out sound.
    """
    rows = np.flatnonzero(space.cloud.select("validation", gate_db))
    place = rng.permutation(len(space.cloud.file_names))[space.cloud.file_index[rows]]
    return np.asarray(rows[np.argsort(place, kind="stable")][:n_frames])


def prior(space: LatentSpace, n_frames: int, rng: np.random.Generator) -> Points:
    """(n_frames, latent_size) draws of N(0, I)."""
    return rng.standard_normal((n_frames, space.latent_size))


def uniform(space: LatentSpace, n_frames: int, rng: np.random.Generator) -> Points:
    """(n_frames, latent_size) draws from the box of the 1 and 99 % quantiles."""
    return rng.uniform(space.quantile(0.01), space.quantile(0.99), (n_frames, space.latent_size))


def shuffled(latents: Points, rng: np.random.Generator) -> Points:
    """`latents` (n_frames, latent_size) with every column permuted on its own."""
    return rng.permuted(latents, axis=0)


def walk(latents: Points, take: Index, rng: np.random.Generator) -> Points:
    """A smooth random walk with the mean and power spectrum of every column, take by take.

    Parameters
    ----------
    latents : (n_frames, latent_size). take : (n_frames,) number of the take of every frame.

    An Ornstein-Uhlenbeck walk has one time constant a dimension; hand motion has a whole spectrum, so this is the
    phase-randomised surrogate of it. Source: Schreiber and Schmitz 1999, arXiv:chao-dyn/9909037, section 4.
    """
    result = np.empty_like(latents)
    for number in np.unique(take):
        rows = take == number
        spectrum = np.fft.rfft(latents[rows], axis=0)
        turned = spectrum * np.exp(2j * np.pi * rng.random(spectrum.shape))
        turned[0] = spectrum[0]  # the mean stays
        if rows.sum() % 2 == 0:
            turned[-1] = spectrum[-1]  # the Nyquist bin is real
        result[rows] = np.fft.irfft(turned, n=int(rows.sum()), axis=0)
    return result


def static(latents: Points) -> Points:
    """(1, latent_size) median of `latents`; held for any time, it has the statistics of this one frame."""
    return np.median(latents, axis=0, keepdims=True)

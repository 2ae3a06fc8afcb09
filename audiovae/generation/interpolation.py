"""From one sound's latents to another's."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from audiovae.latent_space import LatentSpace

FloatArray = npt.NDArray[np.floating[Any]]
Way = Literal["linear", "spherical"]


def interpolate(first: FloatArray, second: FloatArray, n_frames: int, way: Way, space: LatentSpace) -> FloatArray:
    """Latents that begin in `first` and end in `second`, both going on in time and repeated where too short.

    Parameters
    ----------
    first, second : (any number of frames, latent_size).
    n_frames : of what is made.
    way : ``linear``, straight in the latents; ``spherical``, see `slerp`, in whitened coordinates, where the corpus
        is round: halfway it is as far from the mean as the ends are, and not nearer.

    Returns
    -------
    (n_frames, latent_size) float64.
    """
    share = np.linspace(0.0, 1.0, n_frames)[:, None]
    frame = np.arange(n_frames)
    a, b = (np.asarray(latents, np.float64)[frame % len(latents)] for latents in (first, second))
    if way == "linear":
        return np.asarray((1.0 - share) * a + share * b)
    rank = space.latent_size
    return space.mean + _colour(slerp(space.whiten(a, rank), space.whiten(b, rank), share), space)


def slerp(a: FloatArray, b: FloatArray, share: FloatArray) -> FloatArray:
    """Points on the way from `a` to `b`, both (n, size): direction turns evenly, length changes evenly.

    Where both point the same way, or nowhere, it is the straight line. Source: Shoemake 1985, for unit vectors.
    """
    lengths = [np.linalg.norm(points, axis=1, keepdims=True) for points in (a, b)]
    units = [points / np.maximum(length, 1e-12) for points, length in zip((a, b), lengths, strict=True)]
    angle = np.arccos(np.clip((units[0] * units[1]).sum(axis=1, keepdims=True), -1.0, 1.0))
    # Opposite directions have no shortest turn between them: there too it goes straight.
    turns = (np.sin(angle) > 1e-6) & (lengths[0] > 1e-12) & (lengths[1] > 1e-12)
    sine = np.where(turns, np.sin(angle), 1.0)
    direction = (np.sin((1.0 - share) * angle) * units[0] + np.sin(share * angle) * units[1]) / sine
    length = (1.0 - share) * lengths[0] + share * lengths[1]
    return np.where(turns, length * direction, (1.0 - share) * a + share * b)


def _colour(white: FloatArray, space: LatentSpace) -> FloatArray:
    """What `LatentSpace.whiten` of all components undoes, without the mean."""
    return np.asarray((white * np.sqrt(np.maximum(space.pca_variance, 1e-12))) @ space.pca_basis)

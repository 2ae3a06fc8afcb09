"""A latent space on a plane, and its clusters: PCA, which keeps distances, and UMAP or t-SNE, which keep neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]
Index = npt.NDArray[np.intp]

CLUSTERS = range(2, 11)
MAX_CLASSES = 24  # more colours than this cannot be told apart


@dataclass(frozen=True)
class Clusters:
    """A partition of points.

    Parameters
    ----------
    label : (n,) from 0, the largest cluster first.
    silhouette : from -1 to 1, of the chosen count; above 0.5 clusters are distinct, below 0.25 they are not.
    """

    label: Index
    silhouette: float


def project(points: FloatArray, seed: int) -> dict[str, FloatArray]:
    """Planes of points: ``PCA``, and ``UMAP``, or ``t-SNE`` where umap-learn is not installed.

    Parameters
    ----------
    points : (n, rank), whitened, the principal components in order; n above 10.

    Returns
    -------
    name -> (n, 2).
    """
    plane = points[:, :2] if points.shape[1] > 1 else np.column_stack([points, np.zeros(len(points))])
    spec = find_spec("umap")  # without an origin it is a mere folder of that name
    neighbours = ("UMAP", _umap) if spec is not None and spec.origin else ("t-SNE", _tsne)
    return {"PCA": plane, neighbours[0]: neighbours[1](points, seed)}


def find_clusters(points: FloatArray, seed: int) -> Clusters:
    """K-means, in as many clusters (2 to 10) as the mean silhouette is best with."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    best: tuple[float, Index] | None = None
    distinct = len(np.unique(points, axis=0))
    for count in (count for count in CLUSTERS if count < distinct):
        label = KMeans(count, n_init=4, random_state=seed).fit_predict(points)
        score = float(silhouette_score(points, label))
        if best is None or score > best[0]:
            best = score, label
    if best is None:
        return Clusters(np.zeros(len(points), np.intp), 0.0)
    order = np.argsort(-np.bincount(best[1]), kind="stable")
    return Clusters(np.argsort(order)[best[1]].astype(np.intp), best[0])


def name_classes(file_names: Sequence[str]) -> tuple[list[str], str]:
    """The class of every file, and what it was taken from: its folder, or else the first word of its name.

    The first word ("bass" of bass_hit_c.flac) is taken where all files are in one folder and the words fall into 2 to
    `MAX_CLASSES` groups; otherwise all are of one class.
    """
    folders = [name.rpartition("/")[0] for name in file_names]
    if len(set(folders)) > 1:
        return _merge_rare(folders), "folder"
    words = [name.rpartition("/")[2].partition(".")[0].replace("-", "_").partition("_")[0] for name in file_names]
    if 1 < len(set(words)) <= MAX_CLASSES and len(set(words)) < len(words):
        return words, "first word of the file's name"
    return ["all"] * len(file_names), "none: the files are in one folder"


def agree(first: Sequence[Any], second: Sequence[Any]) -> float:
    """Adjusted Rand index of two partitions: 1 if they are the same, 0 as by chance."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(list(first), list(second)))


def _merge_rare(names: list[str]) -> list[str]:
    kept = {name for name, _ in Counter(names).most_common(MAX_CLASSES - 1)}
    return names if len(set(names)) <= MAX_CLASSES else [name if name in kept else "others" for name in names]


def _umap(points: FloatArray, seed: int) -> FloatArray:
    import warnings

    import umap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it says of numba and threads is nothing a user can act on
        reducer = umap.UMAP(n_neighbors=min(15, len(points) - 1), random_state=seed, n_jobs=1)
        return np.asarray(reducer.fit_transform(points), np.float64)


def _tsne(points: FloatArray, seed: int) -> FloatArray:
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(points) - 1) / 3)
    return np.asarray(TSNE(perplexity=perplexity, random_state=seed, init="random").fit_transform(points), np.float64)

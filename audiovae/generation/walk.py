"""A smooth random walk through the reference cloud of a model, along the sounds it was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.errors import LatentsError
from audiovae.latent_space import LatentSpace
from audiovae.latent_table import resample_latents

FloatArray = npt.NDArray[np.floating[Any]]
Rows = npt.NDArray[np.intp]
SPEED = 3.0  # deviations a second: slow enough for an arm to follow, fast enough to meet much of the cloud
LEG_S = 0.8  # shortest leg
CORNER_S = 0.1
AUDIBLE_DB = -60.0
N_NEIGHBOURS = 10
MAX_CLOUD = 4000  # frames of the cloud to walk among; the graph of more is searched for seconds


def walk_cloud(space: LatentSpace, duration_s: float, seed: int) -> FloatArray:
    """A smooth random walk through all that the model knows, along the sounds it was trained on.

    Each leg goes to a random moment of a random training file, so that rare sounds are visited like common ones.
    It does not go straight, which would leave the cloud, where the model was never trained, but from frame to
    neighbouring frame: the shortest path in the graph that joins every audible frame of the cloud to its 10
    nearest in whitened coordinates, a step of length d costing d^1.5, so that short steps through dense sound are
    preferred. Along the path it starts and ends at rest, at 3 deviations a second on average; a Gaussian of 0.1 s
    rounds the corners.

    Parameters
    ----------
    duration_s : seconds.
    seed : same seed and model, same walk.

    Returns
    -------
    (n_frames, latent_size) at the model's latent rate.

    Raises
    ------
    LatentsError
        If the cloud holds too few audible training frames.
    """
    from scipy.ndimage import gaussian_filter1d

    rows = np.flatnonzero(space.cloud.select("train", AUDIBLE_DB))
    if len(rows) <= 2 * N_NEIGHBOURS:
        raise LatentsError(
            f"{len(rows)} audible training frames in the cloud of model {space.model_name!r}, a walk needs more "
            f"than {2 * N_NEIGHBOURS}: train on more sound"
        )
    rng = np.random.default_rng(seed)
    if len(rows) > MAX_CLOUD:
        rows = np.sort(rng.choice(rows, MAX_CLOUD, replace=False))
    frames = np.asarray(space.cloud.latents[rows], np.float64)
    white, file_index = np.asarray(space.whiten(frames), np.float64), space.cloud.file_index[rows]
    graph = _neighbour_graph(white)
    place = int(rng.integers(len(rows)))
    pieces, n_frames, n_wanted = [], 0, max(1, round(duration_s * space.latent_rate))
    while n_frames < n_wanted:
        path = _find_path(graph, place, file_index, rng)
        length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(white[path], axis=0), axis=1))])
        n = max(1, round(max(LEG_S, length[-1] / SPEED) * space.latent_rate))
        along = minimum_jerk(np.arange(n) / n) * length[-1]
        pieces.append(np.asarray(resample_latents(frames[path], length, along)))
        place, n_frames = int(path[-1]), n_frames + n
    latents = np.concatenate(pieces)[:n_wanted]
    return np.asarray(gaussian_filter1d(latents, CORNER_S * space.latent_rate, axis=0, mode="nearest"))


def minimum_jerk(share: FloatArray) -> FloatArray:
    """Share of the way done after a `share` of the time: 10 u^3 - 15 u^4 + 6 u^5, at rest at 0 and 1."""
    return share**3 * (10.0 + share * (-15.0 + 6.0 * share))


def _neighbour_graph(white: FloatArray) -> Any:
    """Every frame joined to its nearest, an edge costing its length to the power 1.5."""
    from scipy.sparse import csr_array
    from scipy.spatial import cKDTree

    found: Any = cKDTree(white).query(white, N_NEIGHBOURS + 1)
    distance, neighbour = found
    # Equal frames are no edge of cost 0, which a sparse graph takes for no edge at all.
    cost = distance[:, 1:].ravel() ** 1.5 + 1e-9
    row = np.repeat(np.arange(len(white)), N_NEIGHBOURS)
    return csr_array((cost, (row, neighbour[:, 1:].ravel())), shape=(len(white), len(white)))


def _find_path(graph: Any, place: int, file_index: npt.NDArray[np.int32], rng: np.random.Generator) -> Rows:
    """Frames from `place` to a random frame of a random file that can be reached, both included."""
    from scipy.sparse.csgraph import dijkstra

    searched: Any = dijkstra(graph, directed=False, indices=place, return_predecessors=True)  # type: ignore[call-overload]
    cost, before = searched
    reachable = np.flatnonzero(np.isfinite(cost) & (np.arange(len(cost)) != place))
    file = rng.choice(np.unique(file_index[reachable]))
    path = [int(rng.choice(reachable[file_index[reachable] == file]))]
    while path[-1] != place:
        path.append(int(before[path[-1]]))
    return np.array(path[::-1])

"""What a performer plays along with: latents over time, from a sound, a table, or a walk through a model's cloud."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.latent_space import LatentSpace, read_latents, resample_latents
from gesturemap.errors import RecordingError
from gesturemap.frame import Array

Rows = npt.NDArray[np.intp]
WALK_S = 60.0
SPEED = 3.0  # deviations a second: slow enough for an arm to follow, fast enough to meet much of the cloud
LEG_S = 0.8  # shortest leg
CORNER_S = 0.1
AUDIBLE_DB = -60.0
N_NEIGHBOURS = 10
MAX_PLAY_S = 1800.0  # it is decoded in one piece, which takes 4.4 MB of memory a second of sound
MAX_CLOUD = 4000  # frames of the cloud to walk among; the graph of more is searched for seconds


@dataclass(frozen=True)
class Trajectory:
    """Latents over time.

    Parameters
    ----------
    latents : (n_frames, latent_size).
    latent_rate : Hz; latent frame i is at i / latent_rate seconds.
    source : where it comes from, for people.
    """

    latents: Array
    latent_rate: float
    source: str

    @property
    def duration_s(self) -> float:
        """Seconds of sound it decodes to."""
        return len(self.latents) / self.latent_rate

    def at(self, time_s: Array) -> Array:
        """(n, latent_size) latents at the times (n,) in seconds, linearly interpolated; the ends are held."""
        own_s = np.arange(len(self.latents)) / self.latent_rate
        return np.asarray(resample_latents(self.latents, own_s, time_s), dtype=np.float64)


def load_trajectory(spec: str, model_dir: str | Path, seed: int = 0) -> Trajectory:
    """The trajectory that `spec` asks for, in the latent space of a model.

    Parameters
    ----------
    spec : a sound file, which the model encodes; a latent table ``.parquet`` of this model; ``walk`` or
        ``walk:SECONDS``, see `walk_cloud`.
    model_dir : an exported model.
    seed : of the walk; another seed walks another way.

    Raises
    ------
    RecordingError
        If there is no such file, the seconds of a walk are no positive number, or it lasts over `MAX_PLAY_S`.
    audiovae.errors.AudioVAEError
        If the model folder, the sound or the table is damaged or belongs to another model.
    """
    space = LatentSpace.load(model_dir)
    if spec == "walk" or spec.startswith("walk:"):
        return walk_cloud(space, _walk_seconds(spec), seed)
    path = Path(spec)
    if not path.is_file():
        raise RecordingError(
            f"--play {spec}: no such file; expected a sound file, a latent table .parquet, or walk[:SECONDS]"
        )
    if path.suffix == ".parquet":
        latents = read_latents(path, space)
    else:
        from audiovae.player import Player, load_audio

        latents = Player(model_dir).encode(load_audio(path, space.sample_rate, space.channels))
    _check_length(spec, len(latents) / space.latent_rate)
    return Trajectory(np.asarray(latents, np.float64), space.latent_rate, spec)


def walk_cloud(space: LatentSpace, duration_s: float, seed: int) -> Trajectory:
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
    Trajectory at the model's latent rate.

    Raises
    ------
    RecordingError
        If the cloud holds too few audible training frames.
    """
    from scipy.ndimage import gaussian_filter1d

    rows = np.flatnonzero(space.cloud.select("train", AUDIBLE_DB))
    if len(rows) <= 2 * N_NEIGHBOURS:
        raise RecordingError(
            f"{len(rows)} audible training frames in the cloud of model {space.model_name!r}, a walk needs more "
            f"than {2 * N_NEIGHBOURS}: train on more sound, or --play a sound file"
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
    latents = gaussian_filter1d(np.concatenate(pieces)[:n_wanted], CORNER_S * space.latent_rate, axis=0, mode="nearest")
    return Trajectory(latents, space.latent_rate, f"walk:{duration_s:g}, seed {seed}")


def minimum_jerk(share: Array) -> Array:
    """Share of the way done after a `share` of the time: 10 u^3 - 15 u^4 + 6 u^5, at rest at 0 and 1."""
    return share**3 * (10.0 + share * (-15.0 + 6.0 * share))


def _neighbour_graph(white: Array) -> Any:
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


def _walk_seconds(spec: str) -> float:
    _, _, text = spec.partition(":")
    if not text:
        return WALK_S
    try:
        seconds = float(text)
    except ValueError:
        seconds = np.nan
    if not 0.0 < seconds < np.inf:
        raise RecordingError(f"--play {spec}: expected walk:SECONDS with a positive number, as walk:30")
    _check_length(spec, seconds)
    return seconds


def _check_length(spec: str, duration_s: float) -> None:
    if duration_s > MAX_PLAY_S:
        raise RecordingError(
            f"--play {spec} lasts {duration_s:.0f} s, at most {MAX_PLAY_S:.0f} s can be played in one piece: record"
            " shorter takes (--seconds), or repeat a shorter piece (--loop)"
        )

"""What a performer plays along with: latents over time, from a sound, a table, or a walk through a model's cloud."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audiovae.latent_space import LatentSpace, read_latents, resample_latents
from gesturemap.errors import RecordingError
from gesturemap.frame import Array

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

WALK_S = 60.0
SEGMENT_S = (0.8, 2.0)  # slow enough for an arm to follow, fast enough to meet much of the cloud
AUDIBLE_DB = -60.0
N_CANDIDATES = 24  # next waypoints to choose from
MAX_CLOUD = 20_000  # frames of the cloud to walk among; more changes nothing but the time it takes


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
        If there is no such file, or the seconds of a walk are no positive number.
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
        return Trajectory(np.asarray(read_latents(path, space), np.float64), space.latent_rate, spec)
    from audiovae.player import Player, load_audio

    latents = Player(model_dir).encode(load_audio(path, space.sample_rate, space.channels))
    return Trajectory(np.asarray(latents, np.float64), space.latent_rate, spec)


def walk_cloud(space: LatentSpace, duration_s: float, seed: int) -> Trajectory:
    """A smooth random walk through the latents that the model's own training sounds have.

    Waypoints are audible training frames of the reference cloud. From one to the next it goes straight, in 0.8 to
    2 s, starting and ending at rest: the path s = 10 u^3 - 15 u^4 + 6 u^5, whose speed and acceleration are zero
    at both ends. A straight line between two frames can leave the cloud, where the model was never trained. So of
    24 frames drawn at random the nearest quarter is left out, which keeps the walk going, and of the rest the one
    is next whose midway points lie nearest to the cloud, in whitened coordinates.

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
        If the cloud holds fewer than 24 audible training frames.
    """
    from scipy.spatial import cKDTree

    audible = np.asarray(space.cloud.latents[space.cloud.select("train", AUDIBLE_DB)], np.float64)
    if len(audible) < N_CANDIDATES:
        raise RecordingError(
            f"{len(audible)} audible training frames in the cloud of model {space.model_name!r}, a walk needs "
            f"{N_CANDIDATES}: train on more sound, or --play a sound file"
        )
    rng = np.random.default_rng(seed)
    if len(audible) > MAX_CLOUD:
        audible = audible[np.sort(rng.choice(len(audible), MAX_CLOUD, replace=False))]
    white = np.asarray(space.whiten(audible), np.float64)
    tree = cKDTree(white)
    place = int(rng.integers(len(audible)))
    pieces, n_frames, n_wanted = [], 0, max(1, round(duration_s * space.latent_rate))
    while n_frames < n_wanted:
        following = _next_waypoint(place, white, tree, rng)
        n = round(rng.uniform(*SEGMENT_S) * space.latent_rate)
        share = minimum_jerk(np.arange(n) / n)[:, None]
        pieces.append(audible[place] + share * (audible[following] - audible[place]))
        place, n_frames = following, n_frames + n
    return Trajectory(np.concatenate(pieces)[:n_wanted], space.latent_rate, f"walk:{duration_s:g}, seed {seed}")


def minimum_jerk(share: Array) -> Array:
    """Share of the way done after a `share` of the time: 10 u^3 - 15 u^4 + 6 u^5, at rest at 0 and 1."""
    return share**3 * (10.0 + share * (-15.0 + 6.0 * share))


def _next_waypoint(place: int, white: Array, tree: cKDTree, rng: np.random.Generator) -> int:
    """Index of the frame to go to: far enough, and the way there as near to the cloud as any."""
    drawn = rng.integers(len(white), size=N_CANDIDATES)
    length = np.linalg.norm(white[drawn] - white[place], axis=1)
    drawn = drawn[length >= np.quantile(length, 0.25)]
    midway = np.array([0.25, 0.5, 0.75])[:, None, None]
    away, _ = tree.query(white[place] + midway * (white[drawn] - white[place]))
    return int(drawn[np.argmin(np.mean(away, axis=0))])


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
    return seconds

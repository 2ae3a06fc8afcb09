"""What to play next: sounds of the model that no gesture has met yet, the commonest first.

Farthest-first traversal of the model's own training frames (Gonzalez 1985): each suggestion is the frame farthest from
all that was met or suggested. Far is counted in the frame's own radius, its distance to its fifth neighbour among
frames of other files, as coverage counts it: so a frame where sounds lie close together is worth more than a lonely
one, and a frame met within one radius is covered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from audiovae.latent_space import LatentSpace
from gesturemap.errors import RecordingError, WrongModelError
from gesturemap.frame import Array
from gesturemap.recording.recording import Recording

AUDIBLE_DB = -60.0
N_NEIGHBOURS = 5
MAX_CLOUD = 4000  # frames looked at; more are drawn from evenly
INSIDE = 1.0 + 1e-9  # radii; a frame that is a neighbour exactly shall not fall out by rounding
HOLD_S, MOVE_S = 2.0, 1.0


@dataclass(frozen=True)
class Suggestions:
    """Latents to record next.

    Parameters
    ----------
    latents : (n, latent_size), the most wanted first.
    distance : (n,) how many radii each was from everything met, when it was chosen; above 1 is not covered. ``inf``
        for the first of a model of which nothing was met.
    covered : share of the model's frames that were met before.
    covered_after : the same, had the suggestions been met.
    """

    latents: Array
    distance: Array
    covered: float
    covered_after: float

    @property
    def rows(self) -> list[tuple[float, Array]]:
        """Distance and latents of each."""
        return list(zip(self.distance.tolist(), self.latents, strict=True))


def suggest_latents(space: LatentSpace, met: Array, count: int = 8, seed: int = 0) -> Suggestions:
    """Frames of the model's cloud to record next.

    Parameters
    ----------
    met : (n, latent_size) latents that gestures reach already; may be empty. Rows with a NaN are no whole sound.
    count : how many to suggest; fewer come if the cloud has no more.
    seed : of the draw from a large cloud.

    Raises
    ------
    RecordingError
        If the cloud holds too few audible frames.
    """
    rows = np.flatnonzero(space.cloud.select("train", AUDIBLE_DB))
    if len(rows) <= N_NEIGHBOURS:
        raise RecordingError(
            f"{len(rows)} audible training frames in the cloud of model {space.model_name!r}, more than {N_NEIGHBOURS} "
            "are needed to suggest any: train on more sound"
        )
    if len(rows) > MAX_CLOUD:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MAX_CLOUD, replace=False))
    frames = np.asarray(space.cloud.latents[rows], np.float64)
    white = np.asarray(space.whiten(frames), np.float64)
    radius = _radius(white, space.cloud.file_index[rows])
    met = met[np.isfinite(met).all(axis=1)]
    distance = _nearest(np.asarray(space.whiten(met), np.float64), white) / radius
    covered = float((distance <= INSIDE).mean())
    chosen: list[int] = []
    at_choice: list[float] = []
    for _ in range(min(count, len(rows))):
        # Where nothing was met all are infinitely far: then the densest place comes first.
        best = int(distance.argmax()) if np.isfinite(distance).all() else int(radius.argmin())
        if distance[best] == 0.0:
            break
        chosen.append(best)
        at_choice.append(float(distance[best]))
        distance = np.minimum(distance, np.linalg.norm(white - white[best], axis=1) / radius)
    return Suggestions(frames[chosen], np.array(at_choice), covered, float((distance <= INSIDE).mean()))


def hold_poses(latents: Array, latent_rate: float, hold_s: float = HOLD_S, move_s: float = MOVE_S) -> Array:
    """Each row held, then moved on from, at rest at both ends of the way.

    Parameters
    ----------
    latents : (n, latent_size).
    latent_rate : Hz.

    Returns
    -------
    (n_frames, latent_size) at `latent_rate`; ``n * hold_s + (n - 1) * move_s`` long.
    """
    from audiovae.generation.walk import minimum_jerk

    n_hold, n_move = max(1, round(hold_s * latent_rate)), round(move_s * latent_rate)
    share = minimum_jerk(np.arange(1, n_move + 1)[:, None] / (n_move + 1))
    pieces = [np.repeat(latents[:1], n_hold, axis=0)]
    for here, there in zip(latents, latents[1:], strict=False):
        pieces += [here + share * (there - here), np.repeat(there[None], n_hold, axis=0)]
    return np.concatenate(pieces)


def recorded_latents(recording: Recording, space: LatentSpace) -> Array:
    """(n, latent_size) of all takes; none of a recording of gestures alone."""
    if recording.latent_size and recording.model_id != space.model_id:
        raise WrongModelError(
            f"{recording.path} holds latents of model {recording.model_name!r} ({str(recording.model_id)[:12]}), this"
            f" is {space.model_name!r} ({space.model_id[:12]})"
        )
    rows = [take.latents for take in recording.takes if take.latents is not None]
    return np.concatenate([np.empty((0, space.latent_size)), *rows])


def _radius(white: Array, file_index: np.ndarray[tuple[int], np.dtype[np.int32]]) -> Array:
    """(n,) distance of each frame to its fifth neighbour in another file, or anywhere if there are no other files."""
    radius = np.full(len(white), np.inf)
    for file in np.unique(file_index):
        own = file_index == file
        if (~own).sum() >= N_NEIGHBOURS:
            radius[own] = _kth_distance(white[~own], white[own], N_NEIGHBOURS)
    if not np.isfinite(radius).all():
        radius = _kth_distance(white, white, N_NEIGHBOURS + 1)  # one more: each frame is its own first
    # Equal frames have no distance: then the least there is, or they would be wanted without end.
    least = radius[radius > 0].min(initial=1.0)
    return np.asarray(np.maximum(radius, least))


def _nearest(points: Array, white: Array) -> Array:
    """(n,) distance of each row of `white` to the nearest of `points`; inf if there are none."""
    return _kth_distance(points, white, 1) if len(points) else np.full(len(white), np.inf)


def _kth_distance(points: Array, rows: Array, k: int) -> Array:
    """(n_rows,) distance of each row to its k-th nearest of `points`."""
    found: Any = cKDTree(points).query(rows, [k])
    return np.asarray(found[0][:, 0])

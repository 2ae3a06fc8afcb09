"""Coverage, precision and density of a motion through latent space, against the sounds of a model.

The definition, in the space `LatentSpace.whiten` gives, cut at fidelity 0.95:

* ``rho_k(i)``, the radius of reference frame i, is its distance to its k-th neighbour among frames of OTHER
  source files. Without that exclusion a frame's neighbours are the frames just before and after it, and at
  8 dimensions even held-out recordings of the same instruments score 8 %.
* **coverage** is the share of reference frames with a frame of the motion inside their ball;
* **precision** is the share of frames of the motion inside any ball;
* **density** is how many balls a frame of the motion lies in, over k. Source: Naeem et al. 2020,
  arXiv:2002.09797, as their package prdc computes it (it compares with < where we say <=).

Shrinking a motion raises precision and lowers coverage: the two are only ever read together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import sparse

from audiovae.latent_space import FIDELITY, LatentSpace
from audiovae.settings import Settings
from gesturemap.errors import ReportError
from gesturemap.report.cells import EXACT_POINTS, find_cells, kth_distance_in_cells
from gesturemap.report.left_out import LargerBalls, find_larger_balls
from gesturemap.report.neighbours import Index, Points, kth_distance, pairs_in_balls

MIN_REFERENCE_FRAMES = 50


class CoverageSettings(Settings):
    """What the numbers depend on; the report prints all of it."""

    n_neighbours: int = Field(5, ge=1, description="k of the radius")
    fidelity: float = Field(FIDELITY, gt=0, le=1, description="share of variance the PCA basis is cut at")
    trim: float = Field(0.02, ge=0, lt=0.5, description="share of the largest radii left out, as outliers")
    gate_db: float = Field(-60.0, description="quieter reference frames are silence, dB re full scale")
    max_reference: int = Field(
        20_000,
        ge=50,
        description="frames; more than these are subsampled by file. Beyond 100 000 radii are approximate",
    )
    step_s: float = Field(0.5, gt=0, description="resolution of coverage against time")
    block_s: float = Field(5.0, gt=0, description="length of the pieces left out when there are few takes")
    n_permutations: int = Field(199, ge=19, description="surrogates that a p-value is counted over")
    test_frames: int = Field(2000, ge=50, description="reference frames that p-values are counted on")
    confidence: float = Field(0.95, gt=0, lt=1, description="of the intervals")


@dataclass(frozen=True)
class Reference:
    """The sounds a model knows, as balls in whitened latent space.

    Parameters
    ----------
    points : (n_frames, rank) whitened latents of audible training frames.
    radius : (n_frames,) distance to the k-th frame of another source file.
    file_index : (n_frames,) index into `file_names`.
    file_names : source files that have a frame here.
    rows : (n_frames,) row of every frame in the model's cloud.
    n_neighbours : k.
    n_audible, n_used : frames above the gate, and those kept by the subsampling, before trimming.
    larger : balls that grow without one other file; none beyond `EXACT_POINTS` frames, where that costs too much.
    """

    points: Points
    radius: Points
    file_index: Index
    file_names: tuple[str, ...]
    rows: Index
    n_neighbours: int
    n_audible: int
    n_used: int
    larger: LargerBalls

    @property
    def rank(self) -> int:
        """Count of whitened dimensions."""
        return int(self.points.shape[1])

    @cached_property
    def file_sizes(self) -> npt.NDArray[np.intp]:
        """(n_files,) count of frames of every file."""
        return np.bincount(self.file_index, minlength=len(self.file_names))


@dataclass(frozen=True)
class Motion:
    """A path through whitened latent space, sampled at the model's latent rate.

    Parameters
    ----------
    points : (n_frames, rank).
    take : (n_frames,) number of the take (or audio file) of every frame, 0, 1, ..., never decreasing.
    rate : Hz.
    """

    points: Points
    take: Index
    rate: float

    @property
    def duration_s(self) -> float:
        """Seconds of motion."""
        return len(self.points) / self.rate

    def pieces(self, length_s: float) -> Index:
        """(n_frames,) number of the piece of `length_s` that every frame is in; none spans two takes."""
        length = max(1, round(length_s * self.rate))
        starts = np.searchsorted(self.take, self.take)
        code = self.take * (len(self.take) + 1) + (np.arange(len(self.take)) - starts) // length
        return np.unique(code, return_inverse=True)[1]


@dataclass(frozen=True)
class Reach:
    """Which balls a motion enters, and when: all statistics of coverage come from here.

    Parameters
    ----------
    reference, motion : what was compared.
    step : (n_motion,) number of the time step (`CoverageSettings.step_s`) of every frame of the motion.
    hits : (n_reference, n_steps) sparse, non-zero where a step enters the ball of a reference frame.
    balls : (n_motion, n_files) sparse, in how many balls of each source file a frame of the motion lies.
    """

    reference: Reference
    motion: Motion
    step: Index
    hits: sparse.csr_array[Any]
    balls: sparse.csr_array[Any]

    @cached_property
    def reached(self) -> npt.NDArray[np.bool_]:
        """(n_reference,) reference frames with a frame of the motion in their ball."""
        return np.diff(self.hits.indptr) > 0

    @property
    def coverage(self) -> float:
        """Share of the reference frames that the motion reaches, 0 to 1."""
        return float(self.reached.mean())

    @property
    def precision(self) -> float:
        """Share of the motion that lies where the model has sounds, 0 to 1."""
        return float((np.diff(self.balls.indptr) > 0).mean())

    @property
    def density(self) -> float:
        """Mean count of balls a frame of the motion lies in, over k; about 1 for more of the same sounds."""
        return float(self.balls.sum() / (self.reference.n_neighbours * len(self.motion.points)))

    @cached_property
    def file_coverage(self) -> Points:
        """(n_files,) share of every source file that the motion reaches."""
        count = np.bincount(self.reference.file_index, self.reached, minlength=len(self.reference.file_names))
        return np.asarray(count / self.reference.file_sizes)


def build_reference(space: LatentSpace, settings: CoverageSettings, seed: int = 0) -> Reference:
    """Audible training frames of a model with the radius of each.

    Raises
    ------
    ReportError
        If fewer than two source files or `MIN_REFERENCE_FRAMES` frames are audible.
    """
    chosen = np.flatnonzero(space.cloud.select("train", settings.gate_db))
    files = space.cloud.file_index[chosen]
    n_files, n_audible = len(np.unique(files)), len(chosen)
    if n_files < 2 or n_audible < MIN_REFERENCE_FRAMES:
        raise ReportError(
            f"model {space.model_name!r} has {n_audible} training frames above {settings.gate_db:g} dB from "
            f"{n_files} source files; coverage needs {MIN_REFERENCE_FRAMES} frames from 2 or more files: "
            f"train and export it on a corpus of several files, or lower gate_db"
        )
    chosen = chosen[subsample_by_file(files, settings.max_reference, np.random.default_rng(seed))]
    rank = space.fidelity_rank(settings.fidelity)
    points = whiten(space, space.cloud.latents[chosen], rank)
    of_files, k = space.cloud.file_index[chosen], settings.n_neighbours
    if len(points) <= EXACT_POINTS:
        radius = kth_distance(points, of_files, k)
    else:
        radius = kth_distance_in_cells(points, of_files, k, find_cells(points, seed))
    names = tuple(space.cloud.file_names)
    return trim_outliers(points, radius, space.cloud.file_index[chosen], names, chosen, settings, n_audible)


def trim_outliers(
    points: Points,
    radius: Points,
    file_index: Index,
    file_names: tuple[str, ...],
    rows: Index,
    settings: CoverageSettings,
    n_audible: int,
) -> Reference:
    """A reference of all but the largest radii: an outlier's ball is easy to reach, and no sound is near most of it."""
    kept = np.sort(np.argsort(radius, kind="stable")[: int(np.ceil(len(radius) * (1 - settings.trim)))])
    used, of_kept = np.unique(file_index[kept], return_inverse=True)
    none = np.empty(0, dtype=np.intp)
    larger = LargerBalls(none, none, np.empty(0))
    if len(points) <= EXACT_POINTS:
        larger = _keep(find_larger_balls(points, file_index, settings.n_neighbours, radius), kept, used)
    return Reference(
        points=points[kept],
        radius=radius[kept],
        file_index=of_kept,
        file_names=tuple(file_names[i] for i in used),
        rows=rows[kept],
        n_neighbours=settings.n_neighbours,
        n_audible=n_audible,
        n_used=len(points),
        larger=larger,
    )


def _keep(larger: LargerBalls, frames: Index, files: Index) -> LargerBalls:
    """Of these frames and files, both ascending, numbered by their places."""
    chosen = np.isin(larger.frame, frames) & np.isin(larger.file, files)
    return LargerBalls(
        np.searchsorted(frames, larger.frame[chosen]),
        np.searchsorted(files, larger.file[chosen]),
        larger.radius[chosen],
    )


def whiten(space: LatentSpace, latents: npt.NDArray[np.floating[Any]], rank: int) -> Points:
    """(n_frames, rank) float64 whitened latents of (n_frames, latent_size)."""
    return np.asarray(space.whiten(np.asarray(latents, dtype=np.float64), rank), dtype=np.float64)


def subsample_by_file(file_index: Index, n_frames: int, rng: np.random.Generator) -> Index:
    """Indices of at most `n_frames` frames, each file represented by its share (to a frame), in order."""
    if len(file_index) <= n_frames:
        return np.arange(len(file_index))
    # Shuffled in its file, a frame's rank over the file's size spreads evenly over 0..1 for every file.
    order = np.lexsort((rng.random(len(file_index)), file_index))
    sizes = np.bincount(file_index)[file_index[order]]
    rank = np.arange(len(order)) - np.searchsorted(file_index[order], file_index[order])
    position = (rank + rng.random(len(order)) * 1e-6 + 0.5) / sizes
    return np.sort(order[np.argsort(position, kind="stable")[:n_frames]])


def measure(reference: Reference, motion: Motion, step_s: float = 0.5) -> Reach:
    """Which reference frames a motion reaches, and when.

    Parameters
    ----------
    step_s : seconds of motion pooled into one step.

    Raises
    ------
    ReportError
        If the motion is empty or has another count of dimensions than the reference.
    """
    if motion.points.ndim != 2 or not len(motion.points) or motion.points.shape[1] != reference.rank:
        raise ReportError(
            f"a motion of shape {motion.points.shape} found, (1 or more frames, {reference.rank}) expected: "
            f"whiten it with the rank of the reference"
        )
    step = motion.pieces(step_s)
    n_steps, n_files = int(step[-1]) + 1, len(reference.file_names)
    hits, balls = [], []
    for i, j in pairs_in_balls(reference.points, reference.radius, motion.points):
        hits.append(np.unique(i * n_steps + step[j]))
        balls.append(np.unique(j * n_files + reference.file_index[i], return_counts=True))
    hit = np.unique(np.concatenate([*hits, np.empty(0, dtype=np.intp)]))
    ball = np.concatenate([*(code for code, _ in balls), np.empty(0, dtype=np.intp)])
    count = np.concatenate([*(count for _, count in balls), np.empty(0, dtype=np.intp)])
    return Reach(
        reference,
        motion,
        step,
        _table(hit, np.ones(len(hit)), (len(reference.points), n_steps)),
        _table(ball, count, (len(motion.points), n_files)),
    )


def _table(code: Index, value: npt.NDArray[Any], shape: tuple[int, int]) -> sparse.csr_array[Any]:
    """Sparse table from codes ``row * columns + column``; values of the same code add up."""
    table = sparse.csr_array((value.astype(np.float64), np.divmod(code, shape[1])), shape=shape)
    table.sum_duplicates()
    return table

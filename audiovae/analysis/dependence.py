"""Which dimension goes with which descriptor, and how sure that is where neighbouring frames are alike.

Frames of one sound follow each other smoothly: of two unrelated smooth curves of a thousand frames most are
"significantly" correlated. So tests see one frame a block, the block as long as both series remember themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft, stats

FloatArray = npt.NDArray[np.floating[Any]]
Index = npt.NDArray[np.intp]

FORGOTTEN = 0.05  # product of two autocorrelations from which on frames count as independent
MIN_PAIRS = 30  # pairs of frames that an autocorrelation is estimated from
N_DRAWS = 8
N_NEIGHBOURS = 3  # of the estimator of mutual information
MI_SIZES = (16, 32, 64, 128, 256)  # frames it is estimated from, the largest there are: one null for each size
ALPHA = 0.05
MAX_PERMUTATIONS = 20_000


@dataclass(frozen=True)
class Association:
    """A latent dimension beside a descriptor.

    Parameters
    ----------
    dimension, descriptor : which.
    rho : Spearman's rank correlation.
    n_blocks : independent blocks it is tested on.
    block_frames : length of a block; None: a whole file.
    p, p_holm : two-sided p-value, alone and among all associations that were looked at (Holm).
    information_bits : mutual information beyond its mean under independence, not below 0; None with too few blocks.
    information_p, information_p_holm : of the mutual information, against permutations.
    """

    dimension: int
    descriptor: str
    rho: float
    n_blocks: int
    block_frames: int | None
    p: float
    p_holm: float
    information_bits: float | None
    information_p: float
    information_p_holm: float


def associate(
    latents: FloatArray, descriptors: dict[str, FloatArray], run: Index, place: Index, file_index: Index, seed: int
) -> list[Association]:
    """Every dimension beside every descriptor.

    Parameters
    ----------
    latents : (n_frames, latent_size).
    descriptors : name -> (n_frames,), NaN where it says nothing: such frames are left out.
    run, place, file_index : (n_frames,) as of `CorpusFrames`.
    seed : of the blocks' offsets and the permutations.
    """
    names = list(descriptors)
    columns = np.column_stack([latents, *descriptors.values()])
    memory = autocorrelations(rank_columns(columns), run)
    n_pairs = latents.shape[1] * len(names)
    null = InformationNull(min(MAX_PERMUTATIONS, int(np.ceil(4 * n_pairs / ALPHA))), seed)
    rng = np.random.default_rng([seed, 1])
    found: list[dict[str, Any]] = []
    for i in range(latents.shape[1]):
        for j, name in enumerate(names):
            block = block_length(memory[:, i], memory[:, latents.shape[1] + j])
            valid = np.isfinite(latents[:, i]) & np.isfinite(descriptors[name])
            draws = [draw_blocks(file_index, run, place, valid, block, rng) for _ in range(N_DRAWS)]
            pairs = [(latents[rows, i], descriptors[name][rows]) for rows in draws]
            rho, n_blocks, p = rank_correlation(pairs)
            bits, information_p = null.compare(*pairs[0], rng)
            found.append({"dimension": i, "descriptor": name, "rho": rho, "n_blocks": n_blocks, "p": p})
            found[-1] |= {"block_frames": block, "information_bits": bits, "information_p": information_p}
    p_holm = holm([one["p"] for one in found])
    information_p_holm = holm([one["information_p"] for one in found])
    return [
        Association(**one, p_holm=float(p), information_p_holm=float(q))
        for one, p, q in zip(found, p_holm, information_p_holm, strict=True)
    ]


def autocorrelations(columns: FloatArray, run: Index) -> FloatArray:
    """Autocorrelation of every column within its runs, pooled over them, around the mean of all frames.

    A column that is steady within a sound and different from sound to sound therefore never forgets.

    Parameters
    ----------
    columns : (n_frames, n_columns), NaN where there is nothing.
    run : (n_frames,) ascending.

    Returns
    -------
    (n_lags, n_columns) for lags 0, 1, ...; NaN where fewer than `MIN_PAIRS` pairs of frames are so far apart.
    """
    present = np.isfinite(columns)
    count = np.maximum(present.sum(axis=0), 1)
    centred = np.where(present, columns - np.where(present, columns, 0.0).sum(axis=0) / count, 0.0)
    variance = (centred**2).sum(axis=0) / count
    edges = np.flatnonzero(np.diff(run, prepend=run[0] - 1, append=run[-1] + 1))
    n_lags = int(np.diff(edges).max())
    products, pairs = np.zeros((n_lags, columns.shape[1])), np.zeros((n_lags, columns.shape[1]))
    for start, end in zip(edges[:-1], edges[1:], strict=True):
        products[: end - start] += _lagged_products(centred[start:end])
        pairs[: end - start] += np.round(_lagged_products(present[start:end].astype(np.float64)))
    enough = (pairs >= MIN_PAIRS) & (variance > 0)
    unknown = np.full_like(products, np.nan)
    return np.asarray(np.divide(products, pairs * variance, out=unknown, where=enough))


def block_length(first: FloatArray, second: FloatArray) -> int | None:
    """Frames after which two series are as if new to each other; None if they never are within a sound.

    The variance of a correlation grows with the sum of the product of both autocorrelations (Bartlett 1935), so the
    block ends where that product first falls below `FORGOTTEN`.
    """
    product = np.abs(first * second)[1:]
    unknown = np.flatnonzero(np.isnan(product))
    product = product[: unknown[0]] if len(unknown) else product
    below = np.flatnonzero(product < FORGOTTEN)
    return int(below[0]) + 1 if len(below) else None


def draw_blocks(
    file_index: Index,
    run: Index,
    place: Index,
    valid: npt.NDArray[np.bool_],
    block: int | None,
    rng: np.random.Generator,
) -> Index:
    """Rows of one frame a block, `block` frames apart within a run, at a random offset; one a file if None.

    A file too short for its offset gives one random frame all the same: different files count as independent.
    """
    rows = np.flatnonzero(valid)
    shuffled = rng.permutation(rows)
    _, first = np.unique(file_index[shuffled], return_index=True)
    one_a_file: Index = shuffled[first]
    if block is None:
        return np.sort(one_a_file)
    offset = rng.integers(block, size=int(run.max()) + 1)
    spaced = rows[(place[rows] - offset[run[rows]]) % block == 0]
    left_out = ~np.isin(file_index[one_a_file], file_index[spaced])
    return np.sort(np.concatenate([spaced, one_a_file[left_out]]))


def rank_correlation(pairs: Sequence[tuple[FloatArray, FloatArray]]) -> tuple[float, int, float]:
    """Spearman's correlation, count of blocks and two-sided p-value of several draws of the same blocks.

    The mean over the draws is less scattered than one of them, but tested as if it were one: on the safe side.
    """
    n_blocks = min(len(x) for x, _ in pairs)
    if n_blocks < 5:
        return 0.0, n_blocks, 1.0
    values = []
    for x, y in pairs:
        centred = [ranks - ranks.mean() for ranks in (stats.rankdata(x), stats.rankdata(y))]
        norm = np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum())
        values.append(float(centred[0] @ centred[1] / norm) if norm > 0 else 0.0)
    rho = float(np.clip(np.mean(values), -1.0, 1.0))
    t = abs(rho) * np.sqrt((n_blocks - 2) / max(1.0 - rho**2, 1e-15))
    return rho, n_blocks, float(2.0 * stats.t.sf(t, n_blocks - 2))


def holm(p: Sequence[float]) -> FloatArray:
    """Holm's p-values: any one below alpha is wrong with a chance of alpha over all tests. Source: Holm 1979."""
    values = np.asarray(p, np.float64)
    order = np.argsort(values)
    scaled = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(scaled, 1.0)
    return adjusted


class InformationNull:
    """Mutual information of ranks, beside that of permutations.

    Between ranks it does not depend on how the two are distributed, so all pairs of one size share one null.

    Parameters
    ----------
    n_permutations : of each null.
    """

    def __init__(self, n_permutations: int, seed: int) -> None:
        self.n_permutations, self.seed = n_permutations, seed
        self._of_size: dict[int, FloatArray] = {}

    def compare(self, x: FloatArray, y: FloatArray, rng: np.random.Generator) -> tuple[float | None, float]:
        """Bits beyond the mean of the null, and the p-value, of (n,) each; None and 1 where too few are there."""
        sizes = [size for size in MI_SIZES if size <= len(x)]
        if not sizes:
            return None, 1.0
        rows = rng.choice(len(x), sizes[-1], replace=False)
        # What is equal is ranked at random: a floor that half the frames sit on carries no information.
        order = rng.permutation(len(rows))
        ranks = [stats.rankdata(values[rows][order], "ordinal").astype(np.intp) for values in (x, y)]
        if np.ptp(x[rows]) == 0 or np.ptp(y[rows]) == 0:
            return 0.0, 1.0
        value, null = _information(ranks[0], ranks[1]), self._null(sizes[-1])
        return max(0.0, value - float(null.mean())), float((1 + (null >= value).sum()) / (1 + len(null)))

    def _null(self, size: int) -> FloatArray:
        if size not in self._of_size:
            rng = np.random.default_rng([self.seed, 2, size])
            ranks = np.arange(1, size + 1)
            values = [_information(ranks, rng.permutation(ranks)) for _ in range(self.n_permutations)]
            self._of_size[size] = np.array(values)
        return self._of_size[size]


def _information(x: Index, y: Index) -> float:
    """Mutual information in bits of ranks (n,) from 1 to n, by their nearest neighbours.

    It is scikit-learn's `mutual_info_regression`, twenty times as fast: how many ranks lie within a distance needs
    no search. Source: Kraskov et al. 2004, their first estimator, as in sklearn/feature_selection/_mutual_info.py.
    """
    from scipy.spatial import cKDTree
    from scipy.special import digamma

    size = len(x)
    points = np.column_stack([x, y]).astype(np.float64)
    found: Any = cKDTree(points).query(points, N_NEIGHBOURS + 1, p=np.inf)
    reach = found[0][:, -1] - 0.5  # ranks as far as the furthest neighbour are ties, and count half
    within = [np.minimum(reach, ranks - 1) + np.minimum(reach, size - ranks) for ranks in points.T]
    nats = digamma(size) + digamma(N_NEIGHBOURS) - sum(float(digamma(count + 1).mean()) for count in within)
    return max(0.0, float(nats) / float(np.log(2.0)))


def rank_columns(columns: FloatArray) -> FloatArray:
    """Ranks within every column, NaN where it is NaN."""
    return np.asarray(stats.rankdata(columns, axis=0, nan_policy="omit"), np.float64)


def _lagged_products(columns: FloatArray) -> FloatArray:
    """(n, n_columns): sum over t of x[t] x[t + lag], for lag 0 to n - 1."""
    n_fft = fft.next_fast_len(2 * len(columns), real=True)
    spectra = np.abs(fft.rfft(columns, n_fft, axis=0)) ** 2
    return np.asarray(fft.irfft(spectra, n_fft, axis=0)[: len(columns)])

"""The LatentSpace sidecar: what a model's latents mean, without the model. THE contract between the packages.

numpy only, no torch. A model folder holds it as ``latent_space.json`` (numbers a person can read) and
``latent_space.npz`` (the reference cloud). Latents are always time first here: (n_frames, latent_size).
Latents of a sound as a file are in `audiovae.latent_table`.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audiovae.errors import LatentsError, ModelFolderError

FloatArray = npt.NDArray[np.floating[Any]]

FORMAT = 1
IDENTITY = (
    "model_id",
    "model_name",
    "family",
    "sample_rate",
    "hop_length",
    "latent_size",
    "latency_samples",
    "channels",
)
STATISTICS = ("mean", "std", "quantiles", "explained_variance", "pca_basis", "pca_variance")
QUANTILE_LEVELS = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
FIDELITY = 0.95  # the share of variance at which coverage cuts the PCA basis


@dataclass(frozen=True)
class Cloud:
    """Encoder means of a corpus, the reference that coverage is measured against.

    Parameters
    ----------
    latents : (n_frames, latent_size) float32.
    file_index : (n_frames,) int32, the source file of every frame, an index into `file_names`.
    loudness_db : (n_frames,) float32, level of the sound under every frame, dB re full scale.
    file_names : names of the source files.
    file_splits : ``train`` or ``validation`` for every file; validation files are never trained on.
    """

    latents: FloatArray
    file_index: npt.NDArray[np.int32]
    loudness_db: FloatArray
    file_names: tuple[str, ...]
    file_splits: tuple[str, ...]

    def select(self, split: str, gate_db: float = -np.inf) -> npt.NDArray[np.bool_]:
        """(n_frames,) mask of the frames of one split that are louder than `gate_db`."""
        in_split = np.array([s == split for s in self.file_splits], dtype=bool)
        return in_split[self.file_index] & (self.loudness_db > gate_db)


@dataclass(frozen=True)
class LatentSpace:
    """Identity, geometry and reference cloud of one exported model.

    Parameters
    ----------
    model_id : sha256 over the decoder's weights, hexadecimal.
    model_name, family : what the user called it; ``spectral`` or ``waveform``.
    sample_rate : Hz.
    hop_length : samples per latent frame.
    latent_size : count of latent dimensions.
    latency_samples : samples between sound in and the same sound out, encode plus decode.
    channels : audio channels.
    mean, std : (latent_size,) over the training frames.
    quantiles : (len(QUANTILE_LEVELS), latent_size) over the training frames.
    explained_variance : (latent_size,) cumulative share of the PCA, the fidelity curve.
    pca_basis : (latent_size, latent_size), one unit component a row, largest variance first.
    pca_variance : (latent_size,) variance along each component.
    cloud : the reference cloud.
    """

    model_id: str
    model_name: str
    family: str
    sample_rate: int
    hop_length: int
    latent_size: int
    latency_samples: int
    channels: int
    mean: FloatArray
    std: FloatArray
    quantiles: FloatArray
    explained_variance: FloatArray
    pca_basis: FloatArray
    pca_variance: FloatArray
    cloud: Cloud

    @classmethod
    def from_cloud(
        cls,
        cloud: Cloud,
        *,
        model_id: str,
        model_name: str,
        family: str,
        sample_rate: int,
        hop_length: int,
        latency_samples: int,
        channels: int,
    ) -> LatentSpace:
        """Sidecar of a model, every statistic from the training frames of `cloud`.

        Raises
        ------
        LatentsError
            If fewer than two training frames are there, or one is not finite.
        """
        latents = np.asarray(cloud.latents, dtype=np.float64)[cloud.select("train")]
        if len(latents) < 2 or not np.isfinite(latents).all():
            raise LatentsError(f"a cloud needs 2 or more finite training frames, found {len(latents)}")
        mean = latents.mean(axis=0)
        variance, components = np.linalg.eigh(np.cov(latents, rowvar=False).reshape(latents.shape[1], -1))
        order = np.argsort(variance)[::-1]
        variance = np.maximum(variance[order], 0.0)
        basis = components[:, order].T
        # A component's sign is arbitrary: make its largest entry positive, so that two exports agree.
        basis *= np.sign(basis[np.arange(len(basis)), np.abs(basis).argmax(axis=1)])[:, None]
        total = variance.sum()
        return cls(
            model_id=model_id,
            model_name=model_name,
            family=family,
            sample_rate=sample_rate,
            hop_length=hop_length,
            latent_size=latents.shape[1],
            latency_samples=latency_samples,
            channels=channels,
            mean=mean,
            std=latents.std(axis=0),
            quantiles=np.quantile(latents, QUANTILE_LEVELS, axis=0),
            explained_variance=np.cumsum(variance) / total if total > 0 else np.ones(latents.shape[1]),
            pca_basis=basis,
            pca_variance=variance,
            cloud=cloud,
        )

    @property
    def latent_rate(self) -> float:
        """Latent frames per second."""
        return self.sample_rate / self.hop_length

    @property
    def latent_names(self) -> tuple[str, ...]:
        """Column names of the dimensions: ``latent_0``, ``latent_1``, ..."""
        return tuple(f"latent_{i}" for i in range(self.latent_size))

    def fidelity_rank(self, fidelity: float = FIDELITY) -> int:
        """Smallest count of PCA components that explains `fidelity` of the variance.

        r_f = min{r : sum_(i<=r) lambda_i / sum lambda_i >= f}; RAVE's own code returns r_f - 1.
        Source: Caillon and Esling 2021, arXiv:2111.05011, section 3.2.
        """
        return min(int(np.searchsorted(self.explained_variance, fidelity - 1e-12)) + 1, self.latent_size)

    def whiten(self, latents: FloatArray, rank: int | None = None) -> FloatArray:
        """PCA coordinates of unit variance: Lambda^(-1/2) V (z - mean).

        Parameters
        ----------
        latents : (n_frames, latent_size).
        rank : components kept; `fidelity_rank()` if None.

        Returns
        -------
        (n_frames, rank).
        """
        self.check(latents)
        rank = self.fidelity_rank() if rank is None else rank
        scale = np.sqrt(np.maximum(self.pca_variance[:rank], 1e-12))
        return np.asarray((latents - self.mean) @ self.pca_basis[:rank].T / scale)

    def quantile(self, level: float) -> FloatArray:
        """(latent_size,) value that a share `level` of the training frames stays below."""
        return np.array([np.interp(level, QUANTILE_LEVELS, column) for column in self.quantiles.T])

    def check(self, latents: FloatArray) -> None:
        """Raise `LatentsError` unless `latents` is (n_frames, latent_size)."""
        if latents.ndim != 2 or latents.shape[1] != self.latent_size:
            raise LatentsError(
                f"latents of shape {tuple(latents.shape)} found; model {self.model_name!r} "
                f"takes (n_frames, {self.latent_size})"
            )

    def save(self, folder: str | Path) -> None:
        """Write ``latent_space.json`` and ``latent_space.npz`` into `folder`."""
        folder = Path(folder)
        document: dict[str, Any] = {"format": FORMAT}
        document |= {name: getattr(self, name) for name in IDENTITY}
        document |= {name: getattr(self, name).tolist() for name in STATISTICS}
        document |= {
            "quantile_levels": list(QUANTILE_LEVELS),
            "file_names": list(self.cloud.file_names),
            "file_splits": list(self.cloud.file_splits),
        }
        beside = folder / "latent_space.part.npz"  # numpy adds .npz to any other suffix
        np.savez_compressed(
            beside,
            latents=self.cloud.latents.astype(np.float32),
            file_index=self.cloud.file_index.astype(np.int32),
            loudness_db=self.cloud.loudness_db.astype(np.float32),
        )
        os.replace(beside, folder / "latent_space.npz")
        replace_text(folder / "latent_space.json", json.dumps(document, indent=1))

    @classmethod
    def load(cls, folder: str | Path) -> LatentSpace:
        """The sidecar of a model folder.

        Raises
        ------
        ModelFolderError
            If the folder holds no sidecar, or one that is damaged or of another format.
        """
        folder = Path(folder)
        path = folder / "latent_space.json"
        if not path.is_file():
            raise ModelFolderError(
                f"{folder} is no model folder: no latent_space.json in it; make one with `audiovae export`"
            )
        try:
            document = json.loads(path.read_text())
            if document["format"] != FORMAT:
                raise ModelFolderError(
                    f"{path}: format {document['format']} found, {FORMAT} expected: export the model again"
                )
            # Opened here, because numpy leaves the file open where it finds it damaged.
            with (folder / "latent_space.npz").open("rb") as file, np.load(file, allow_pickle=False) as data:
                cloud = Cloud(
                    data["latents"],
                    data["file_index"],
                    data["loudness_db"],
                    tuple(document["file_names"]),
                    tuple(document["file_splits"]),
                )
            plain: dict[str, Any] = {key: document[key] for key in IDENTITY}
            arrays: dict[str, Any] = {key: np.array(document[key]) for key in STATISTICS}
            space = cls(**plain, **arrays, cloud=cloud)
            _check_shapes(space)
            return space
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error) as error:
            # What numpy takes for a pickle is no archive: its advice to unpickle it is not passed on.
            why = "latent_space.npz is no archive of arrays" if "allow_pickle" in str(error) else error
            raise ModelFolderError(f"{folder}: damaged latent_space files ({why}): export the model again") from None


def _check_shapes(space: LatentSpace) -> None:
    """Raise `ValueError` where the arrays of a sidecar do not fit each other, as after mixing two models' files."""
    cloud, size = space.cloud, space.latent_size
    for name, array, shape in (
        ("mean", space.mean, (size,)),
        ("std", space.std, (size,)),
        ("quantiles", space.quantiles, (len(QUANTILE_LEVELS), size)),
        ("explained_variance", space.explained_variance, (size,)),
        ("pca_basis", space.pca_basis, (size, size)),
        ("pca_variance", space.pca_variance, (size,)),
        ("latents", cloud.latents, (len(cloud.latents), size)),
        ("file_index", cloud.file_index, (len(cloud.latents),)),
        ("loudness_db", cloud.loudness_db, (len(cloud.latents),)),
        ("file_splits", np.array(cloud.file_splits), (len(cloud.file_names),)),
    ):
        if array.shape != shape:
            raise ValueError(f"{name} of shape {array.shape} found, {shape} expected")
    if not np.isin(cloud.file_index, np.arange(len(cloud.file_names))).all():
        raise ValueError(f"file_index does not fit {len(cloud.file_names)} file names")


def replace_text(path: Path, text: str) -> None:
    """Write `text` beside `path`, then rename: a reader sees the old file or the new one, never half."""
    beside = path.with_name(path.name + ".part")
    beside.write_text(text)
    os.replace(beside, path)

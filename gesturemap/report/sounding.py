"""The decoded sound of a gesture, of held-out recordings and of a part of the model: descriptors of every frame.

Coverage of latents says where a gesture goes; whether that sounds different is a question of the decoder. Here the
same definition is applied to what is heard: loudness, spectral centroid and bandwidth, flatness and flux.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from audiovae.dsp.descriptors import describe
from audiovae.latent_space import LatentSpace
from audiovae.settings import Settings
from gesturemap.errors import ReportError
from gesturemap.report.coverage import CoverageSettings, Motion, Reach, Reference, measure, trim_outliers
from gesturemap.report.neighbours import Index, Points, kth_distance

if TYPE_CHECKING:
    from audiovae.player import Player

FloatArray = npt.NDArray[np.floating[Any]]

# Heard evenly: levels in dB, frequencies in octaves.
DESCRIPTORS = ("loudness", "centroid", "bandwidth", "flatness", "flux")
UNITS = ("dBA", "octaves re 1 kHz", "octaves re 1 kHz", "dB", "dB a frame")
LOWEST_HZ = 20.0
QUIETEST_DBA = -80.0


class SoundSettings(Settings):
    """How much is decoded; decoding is what takes a report's time."""

    reference_s: float = Field(90.0, gt=0, description="seconds of the model's sounds that are decoded")
    piece_s: float = Field(5.0, gt=0, description="at most this much of a source file")
    gesture_s: float = Field(120.0, gt=0, description="seconds of the gesture, and of held-out sound, that are decoded")
    n_parts: int = Field(8, ge=2, description="parts that the model's sounds are told apart in, by descriptors")
    n_regions: int = Field(3, ge=1, description="of these, as many are named: the least reached")
    snippet_s: float = Field(2.0, gt=0, description="length of the sounds to listen to")


@dataclass(frozen=True)
class Sounding:
    """Descriptors of decoded frames.

    Parameters
    ----------
    rows : (n_frames,) where each frame comes from: a row of the model's cloud, or a frame of the gesture.
    heard : (n_frames, n_descriptors) in `UNITS`.
    piece : (n_frames,) number of the file or take.
    segment : (n_frames,) number of the unbroken stretch that was decoded in one go.
    """

    rows: Index
    heard: Points
    piece: Index
    segment: Index

    def louder(self, gate_db: float) -> Sounding:
        """The frames above `gate_db`; silence has no timbre. A silent frame ends a stretch."""
        kept = self.heard[:, 0] > gate_db
        edges = (np.diff(self.segment, prepend=-1) != 0) | ~kept
        return Sounding(self.rows[kept], self.heard[kept], self.piece[kept], np.cumsum(edges)[kept])


def sound_of(player: Player, latents: FloatArray, rows: Index, piece: Index, segment: Index) -> Sounding:
    """Decode ``latents[rows]`` stretch by stretch and describe every frame.

    Parameters
    ----------
    rows, piece, segment : (n_frames,), see `Sounding`.
    """
    space, heard = player.space, []
    for stretch in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(segment)) + 1):
        audio = player.decode(np.asarray(latents[rows[stretch]], dtype=np.float32))
        found = describe(audio, space.sample_rate, space.hop_length, DESCRIPTORS)
        heard.append(np.stack([scale(name, found[name][: len(stretch)]) for name in DESCRIPTORS], axis=1))
    return Sounding(rows, np.concatenate(heard), piece, segment)


def scale(name: str, values: FloatArray) -> Points:
    """A descriptor as it is heard: frequencies in octaves re 1 kHz, flatness in dB."""
    if name in ("centroid", "bandwidth"):
        return np.asarray(np.log2(np.maximum(values, LOWEST_HZ) / 1000.0))
    if name == "flatness":
        return np.asarray(10 * np.log10(np.maximum(values, 1e-6)))
    return np.asarray(np.maximum(values, QUIETEST_DBA)) if name == "loudness" else np.asarray(values)


def sound_of_model(player: Player, settings: SoundSettings, seed: int) -> Sounding:
    """Stretches of the training files of the cloud, in random order of the files, up to `settings.reference_s`."""
    cloud, rate = player.space.cloud, player.space.latent_rate
    rows = np.flatnonzero(cloud.select("train"))
    order = np.random.default_rng([seed, 200]).permutation(np.unique(cloud.file_index[rows]))
    chosen, left = [], round(settings.reference_s * rate)
    for file in order:
        of_file = rows[cloud.file_index[rows] == file][: min(left, round(settings.piece_s * rate))]
        chosen.append(of_file)
        left -= len(of_file)
        if left <= 0:
            break
    rows = np.sort(np.concatenate(chosen))
    files = cloud.file_index[rows]
    return sound_of(player, cloud.latents, rows, files, np.asarray(np.cumsum(np.diff(files, prepend=files[0]) != 0)))


def heard_reference(sounding: Sounding, space: LatentSpace, settings: CoverageSettings) -> tuple[Reference, Points]:
    """The audible frames of `sounding` as balls in whitened descriptor space, and the whitening.

    Returns
    -------
    reference, and (1 + n_descriptors, n_descriptors): the mean above the matrix that whitens.

    Raises
    ------
    ReportError
        If nothing in it is audible.
    """
    sounding = sounding.louder(settings.gate_db)
    if len(np.unique(sounding.piece)) < 2:
        raise ReportError(
            f"hardly anything that model {space.model_name!r} decodes is louder than {settings.gate_db} dB"
        )
    heard = sounding.heard
    variance, basis = np.linalg.eigh(np.cov(heard, rowvar=False))
    whitening = np.vstack([heard.mean(axis=0), basis / np.sqrt(np.maximum(variance, 1e-6 * variance.max()))])
    files, file_index = np.unique(sounding.piece, return_inverse=True)
    points = apply_whitening(whitening, heard)
    radius = kth_distance(points, file_index, settings.n_neighbours)
    names = tuple(space.cloud.file_names[file] for file in files)
    return trim_outliers(points, radius, file_index, names, sounding.rows, settings, len(points)), whitening


def apply_whitening(whitening: Points, heard: Points) -> Points:
    """`heard` (n, n_descriptors) less the first row of `whitening`, times the rest."""
    return np.asarray((heard - whitening[0]) @ whitening[1:])


def measure_heard(
    reference: Reference, whitening: Points, sounding: Sounding, rate: float, settings: CoverageSettings
) -> Reach | None:
    """The `Reach` of the audible frames of a sounding; None where less than a second is audible."""
    sounding = sounding.louder(settings.gate_db)
    if len(sounding.rows) < rate:
        return None
    # Files of the cloud are numbered in any order; a motion counts its takes upwards.
    take = np.cumsum(np.diff(sounding.piece, prepend=sounding.piece[0]) != 0)
    motion = Motion(apply_whitening(whitening, sounding.heard), take, rate)
    return measure(reference, motion, settings.step_s)

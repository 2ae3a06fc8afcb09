"""Latents and descriptors of a corpus, frame by frame: what an analysis is made from. Excerpts bound the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from audiovae.analysis.descriptor_set import AUDIBLE_DB, UNITS, describe_sound
from audiovae.corpus.audio_file import fold_channels
from audiovae.corpus.corpus import Corpus, CorpusFile
from audiovae.errors import CorpusError
from audiovae.latent_space import Cloud, LatentSpace

FloatArray = npt.NDArray[np.floating[Any]]
Index = npt.NDArray[np.intp]

EXCERPT_S = 20.0
EXCERPT_FRAMES = 2048  # of a model with many frames a second: describing one takes about 40 kB


class Model(Protocol):
    """What is analysed: an `audiovae.player.Player`, or anything with its two methods."""

    space: LatentSpace

    def encode(self, audio: FloatArray) -> FloatArray:
        """Latents (n_frames, latent_size) of audio (channels, samples)."""

    def decode(self, latents: FloatArray) -> FloatArray:
        """Audio (channels, n_frames * hop_length) of latents (n_frames, latent_size)."""


@dataclass(frozen=True)
class Excerpt:
    """A stretch of a corpus file, in samples at the corpus' rate."""

    file: int
    start: int
    length: int


@dataclass(frozen=True)
class CorpusFrames:
    """Every analysed frame.

    Parameters
    ----------
    latents : (n_frames, latent_size) float64, encoder means.
    descriptors : name -> (n_frames,), see `describe_sound`.
    run : (n_frames,) which excerpt a frame is of; frames of one are neighbours in time.
    place : (n_frames,) count of frames between the start of its excerpt and a frame.
    file_index : (n_frames,) the source file of every frame, an index into `file_names`.
    file_names, file_splits : of the corpus.
    excerpts : of every run.
    total_s : seconds of sound in the corpus.
    """

    latents: FloatArray
    descriptors: dict[str, FloatArray]
    run: Index
    place: Index
    file_index: Index
    file_names: tuple[str, ...]
    file_splits: tuple[str, ...]
    excerpts: tuple[Excerpt, ...]
    total_s: float

    @property
    def audible(self) -> npt.NDArray[np.bool_]:
        """(n_frames,) mask of the frames above `AUDIBLE_DB`."""
        return self.descriptors["loudness"] > AUDIBLE_DB

    def describe_space(self, space: LatentSpace) -> LatentSpace:
        """`space` with every statistic taken from these frames instead of the sounds it was exported with."""
        cloud = Cloud(
            self.latents.astype(np.float32),
            self.file_index.astype(np.int32),
            self.descriptors["loudness"].astype(np.float32),
            self.file_names,
            ("train",) * len(self.file_names),
        )
        names = ("model_id", "model_name", "family", "sample_rate", "hop_length", "latency_samples", "channels")
        return LatentSpace.from_cloud(cloud, **{name: getattr(space, name) for name in names})


def read_frames(
    model: Model,
    corpus: Corpus,
    max_frames: int,
    seed: int,
    progress: Callable[[Sequence[Excerpt]], Iterable[Excerpt]] = iter,
) -> CorpusFrames:
    """Latents and descriptors of a corpus, of a seeded choice of excerpts if it is longer than `max_frames`.

    Raises
    ------
    CorpusError
        If fewer than ten frames are audible.
    """
    chosen = choose_excerpts(corpus, model.space, max_frames, seed)
    latents, described, runs, places, used = [], [], [], [], []
    for run, excerpt in enumerate(progress(chosen)):
        audio = read_excerpt(corpus, excerpt, model.space)
        frames = np.asarray(model.encode(audio), np.float64)
        sound = describe_sound(audio, model.space.sample_rate, model.space.hop_length)
        latents.append(frames)
        described.append({name: values[: len(frames)] for name, values in sound.items()})
        runs.append(np.full(len(frames), run))
        places.append(np.arange(len(frames)))
        used.append(np.full(len(frames), excerpt.file))
    found = CorpusFrames(
        np.concatenate(latents),
        {name: np.concatenate([one[name] for one in described]) for name in UNITS},
        np.concatenate(runs),
        np.concatenate(places),
        np.concatenate(used),
        tuple(file.name for file in corpus.files),
        tuple(file.split for file in corpus.files),
        tuple(chosen),
        corpus.duration_s,
    )
    if found.audible.sum() < 10:
        raise CorpusError(
            f"{corpus.path}: {found.audible.sum()} audible frames found (above {AUDIBLE_DB:g} dBA), 10 or more "
            "expected: analyse a corpus with more sound in it"
        )
    return found


def choose_excerpts(corpus: Corpus, space: LatentSpace, max_frames: int, seed: int) -> list[Excerpt]:
    """Excerpts of the corpus in its own order, all of it or up to `max_frames`, every file in turn."""
    rate = space.latent_rate
    length = round(min(EXCERPT_S, EXCERPT_FRAMES / rate) * corpus.sample_rate)
    rng = np.random.default_rng([seed, 0])
    turns: list[tuple[int, float, Excerpt]] = []
    for number, file in enumerate(corpus.files):
        cuts = [Excerpt(number, at, size) for at, size in _cut(file, length)]
        turns += [(turn, rng.random(), cuts[i]) for turn, i in enumerate(rng.permutation(len(cuts)))]
    chosen: list[Excerpt] = []
    n_frames = 0
    for _, _, excerpt in sorted(turns, key=lambda one: one[:2]):
        n_frames += int(np.ceil(excerpt.length / corpus.sample_rate * rate))
        if chosen and n_frames > max_frames:
            break
        chosen.append(excerpt)
    return sorted(chosen, key=lambda excerpt: (excerpt.file, excerpt.start))


def read_excerpt(corpus: Corpus, excerpt: Excerpt, space: LatentSpace) -> FloatArray:
    """Audio (channels, samples) of an excerpt at the rate and channels of a model."""
    import soxr

    audio = corpus.read(corpus.files[excerpt.file], excerpt.start, excerpt.length)
    folded = fold_channels(audio.T, space.channels)
    if corpus.sample_rate != space.sample_rate:
        folded = soxr.resample(folded, corpus.sample_rate, space.sample_rate)
    return np.ascontiguousarray(folded.T, np.float32)


def _cut(file: CorpusFile, length: int) -> list[tuple[int, int]]:
    """(start, length) of pieces of about `length`, the last up to half as long again."""
    count = max(1, round(file.length / length))
    starts = [length * i for i in range(count)]
    return [(at, min(length, file.length - at) if at != starts[-1] else file.length - at) for at in starts]

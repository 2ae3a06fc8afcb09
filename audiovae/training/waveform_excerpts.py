"""Excerpts of waveforms read from the memory-mapped corpus, varied so that little audio goes further."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from audiovae.corpus.corpus import Corpus
from audiovae.corpus.waveform_augmentation import WaveformAugmentationSettings, apply_variation, draw_variation
from audiovae.errors import CorpusError

__all__ = ["WaveformAugmentationSettings", "WaveformExcerpts"]

FloatArray = npt.NDArray[np.float32]

MARGIN = 128  # samples read beyond either end where the speed changes: resampling fades in and out over them


class WaveformExcerpts:
    """Random excerpts of the training files; the audio stays on disk, each excerpt is read when it is drawn.

    Parameters
    ----------
    corpus : where the training files are.
    length : samples an excerpt.

    Raises
    ------
    CorpusError
        If all training files together are shorter than an excerpt.

    Notes
    -----
    Files are drawn by the square root of their length, so that long ones do not drown the rest. An excerpt longer
    than a file goes on with another file, each with a variation of its own, so that none of it is empty.
    """

    def __init__(self, corpus: Corpus, length: int, settings: WaveformAugmentationSettings) -> None:
        self._corpus, self._length, self._settings = corpus, length, settings
        self._files = corpus.split("train")
        lengths = np.array([file.length for file in self._files])
        if lengths.sum() < length:
            raise CorpusError(
                f"{corpus.path}: {lengths.sum()} training samples found, training.excerpt_samples is {length}: "
                "add sounds or lower it"
            )
        weight = np.sqrt(lengths)
        self._share = weight / weight.sum()

    def draw(self, rng: np.random.Generator, batch_size: int) -> FloatArray:
        """(batch_size, channels, length) float32 in [-1, 1]."""
        batch = np.empty((batch_size, self._corpus.channels, self._length), np.float32)
        for excerpt in batch:
            filled = 0
            while filled < self._length:
                piece = self._piece(rng, self._length - filled)
                excerpt[:, filled : filled + piece.shape[1]] = piece
                filled += piece.shape[1]
        return batch

    def _piece(self, rng: np.random.Generator, at_most: int) -> FloatArray:
        file = self._files[int(rng.choice(len(self._files), p=self._share))]
        variation = draw_variation(rng, self._settings, self._corpus.sample_rate)
        wanted = at_most if variation.speed == 1 else math.ceil(at_most * variation.speed) + 2 * MARGIN
        length = min(wanted, file.length)
        audio = self._corpus.read(file, int(rng.integers(file.length - length + 1)), length)
        piece = apply_variation(audio, self._corpus.sample_rate, variation)
        start = max(0, piece.shape[1] - at_most) // 2
        return piece[:, start : start + at_most]

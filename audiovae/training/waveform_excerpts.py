"""Excerpts of waveforms read from the memory-mapped corpus, varied so that little audio goes further."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from audiovae.corpus.corpus import Corpus
from audiovae.errors import CorpusError
from audiovae.settings import Settings

FloatArray = npt.NDArray[np.float32]


class WaveformAugmentationSettings(Settings):
    """How much excerpts vary."""

    gain_low_db: float = -12.0
    """Softest gain."""
    gain_high_db: float = 6.0
    """Loudest gain; less where it would take a file beyond full scale."""
    flip: float = Field(0.5, ge=0, le=1)
    """Share of pieces with the polarity turned round."""

    @model_validator(mode="after")
    def _check(self) -> WaveformAugmentationSettings:
        if self.gain_low_db > self.gain_high_db:
            raise ValueError(f"gain_low_db {self.gain_low_db} is above gain_high_db {self.gain_high_db}")
        return self


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
    than a file goes on with another file, each with a gain and polarity of its own, so that none of it is empty.
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
        s = self._settings
        file = self._files[int(rng.choice(len(self._files), p=self._share))]
        length = min(at_most, file.length)
        audio = self._corpus.read(file, int(rng.integers(file.length - length + 1)), length)
        gain = 10 ** (rng.uniform(s.gain_low_db, s.gain_high_db) / 20)
        gain = min(gain, max(1.0, 1.0 / max(file.peak, 1e-6)))
        sign = -1.0 if rng.uniform() < s.flip else 1.0
        return np.asarray(audio * np.float32(sign * gain))

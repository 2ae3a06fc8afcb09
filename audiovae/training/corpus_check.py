"""What every task asks of a corpus."""

from __future__ import annotations

from audiovae.corpus.corpus import Corpus
from audiovae.errors import CorpusError


def check_corpus(corpus: Corpus, sample_rate: int, channels: int) -> None:
    """Refuse a corpus of another sample rate or other channels, or without held-out files."""
    if corpus.sample_rate != sample_rate or corpus.channels != channels:
        raise CorpusError(
            f"corpus of {corpus.sample_rate} Hz, {corpus.channels} channels found; this preset takes "
            f"{sample_rate} Hz {('mono', 'stereo')[channels - 1]}: prepare it with --sample-rate {sample_rate} "
            f"--channels {channels}"
        )
    for split in ("train", "validation"):
        if not corpus.split(split):
            raise CorpusError(f"no {split} files: a corpus needs two or more files, it is split by source file")

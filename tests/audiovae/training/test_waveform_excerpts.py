"""Excerpts of waveforms: the corpus' own samples, varied."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from audiovae.corpus.audio_file import write_audio
from audiovae.corpus.corpus import Corpus
from audiovae.corpus.prepare import prepare
from audiovae.errors import CorpusError
from audiovae.training.waveform_excerpts import WaveformAugmentationSettings, WaveformExcerpts

PLAIN = WaveformAugmentationSettings(gain=0, flip=0, phase=0, speed=0, equaliser=0, mute=0, dither=0)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Stereo files whose samples say where they are; the second channel is the first, negative."""
    folder = tmp_path_factory.mktemp("excerpts")
    (folder / "sounds").mkdir()
    for index, length in enumerate([300, 900, 50, 700]):
        ramp = (0.1 * (index + 1) + np.arange(length) / 20000).astype(np.float32)
        write_audio(folder / "sounds" / f"{index}.wav", np.stack([ramp, -ramp]), 44100)
    prepare([folder / "sounds"], folder / "corpus", channels=2, progress=False)
    return Corpus.open(folder / "corpus")


def test_an_excerpt_is_pieces_of_files_end_to_end(corpus: Corpus) -> None:
    batch = WaveformExcerpts(corpus, 400, PLAIN).draw(np.random.default_rng(0), 8)
    assert batch.shape == (8, 2, 400)
    assert batch.dtype == np.float32
    np.testing.assert_array_equal(batch[:, 1], -batch[:, 0])
    known = np.concatenate([corpus.read(file)[0] for file in corpus.split("train")])
    assert np.isin(batch[:, 0], known).all()
    steps = np.diff(batch[:, 0], axis=1)
    assert (np.abs(steps - 1 / 20000) < 5e-5).mean() > 0.9  # in order, but where one file ends


def test_gain_keeps_within_full_scale_and_polarity_turns_both_channels(corpus: Corpus) -> None:
    settings = PLAIN.model_copy(update={"gain": 1, "gain_low_db": -20, "gain_high_db": 40, "flip": 0.5})
    batch = WaveformExcerpts(corpus, 40, settings).draw(np.random.default_rng(0), 64)
    assert np.abs(batch).max() <= 1
    np.testing.assert_array_equal(batch[:, 1], -batch[:, 0])
    assert 0.3 < (batch[:, 0, 0] > 0).mean() < 0.7


def test_speed_reads_more_or_less_of_the_file(tmp_path: Path) -> None:
    """Excerpts of a sine are sines of its frequency times the speed, whole up to their ends."""
    sine = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(44100) / 44100)
    write_audio(tmp_path / "sine.wav", sine, 44100)
    prepare([tmp_path / "sine.wav"], tmp_path / "corpus", progress=False)
    settings = PLAIN.model_copy(update={"speed": 1, "speed_semitones": 12})
    batch = WaveformExcerpts(Corpus.open(tmp_path / "corpus"), 4096, settings).draw(np.random.default_rng(0), 64)
    crossings = (np.diff(np.signbit(batch[:, 0]), axis=1)).sum(axis=1) / 2 * 44100 / 4096
    assert 490 < crossings.min() < 600
    assert 1700 < crossings.max() < 2010
    for end in (batch[:, 0, :256], batch[:, 0, -256:]):
        np.testing.assert_allclose(np.abs(end).max(axis=1), 0.5, atol=0.02)


def test_everything_on_stays_within_full_scale(corpus: Corpus) -> None:
    every = dict.fromkeys(("gain", "phase", "speed", "equaliser", "dither", "flip"), 1.0)
    settings = WaveformAugmentationSettings(**every, gain_low_db=20, gain_high_db=40, equaliser_db=24)
    batch = WaveformExcerpts(corpus, 400, settings).draw(np.random.default_rng(0), 32)
    assert batch.dtype == np.float32
    assert 0.9 < np.abs(batch).max() <= 1


def test_the_same_seed_draws_the_same(corpus: Corpus) -> None:
    excerpts = WaveformExcerpts(corpus, 100, WaveformAugmentationSettings())
    one, same, other = (excerpts.draw(np.random.default_rng(seed), 3) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_what_cannot_be_is_refused(corpus: Corpus) -> None:
    with pytest.raises(CorpusError, match="training samples found, training.excerpt_samples is 4096"):
        WaveformExcerpts(corpus, 4096, PLAIN)
    with pytest.raises(ValidationError, match="gain_low_db 9.0 is above gain_high_db 6.0"):
        WaveformAugmentationSettings(gain_low_db=9)

"""Reading a corpus, and refusing what is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiovae.corpus.audio_file import read_audio
from audiovae.corpus.corpus import Corpus
from audiovae.corpus.prepare import prepare
from audiovae.errors import CorpusError


@pytest.fixture
def corpus(loops: Path, tmp_path: Path) -> Corpus:
    prepare([loops], tmp_path / "corpus", channels=2, progress=False)
    return Corpus.open(tmp_path / "corpus")


def edit_index(path: Path, change: Any) -> None:
    index = json.loads((path / "corpus.json").read_text())
    change(index)
    (path / "corpus.json").write_text(json.dumps(index))


def test_every_file_reads_as_its_source_does(corpus: Corpus, loops: Path) -> None:
    assert len(corpus.files) == 12
    for file in corpus.files:
        expected, _ = read_audio(loops / file.name, 44100, 2)
        np.testing.assert_array_equal(corpus.read(file), expected)
        assert file.duration_s == file.length / 44100
    assert corpus.duration_s == pytest.approx(sum(file.duration_s for file in corpus.files))


def test_a_window_is_a_piece_of_the_file_and_a_copy(corpus: Corpus) -> None:
    file = corpus.files[3]
    whole = corpus.read(file)
    window = corpus.read(file, 100, 50)
    assert (window.shape, window.dtype) == ((2, 50), np.float32)
    assert window.flags.writeable
    assert window.flags.c_contiguous
    np.testing.assert_array_equal(window, whole[:, 100:150])
    window[:] = 9.0
    np.testing.assert_array_equal(corpus.read(file), whole)
    assert corpus.read(file, file.length).shape == (2, 0)


@pytest.mark.parametrize(("start", "length"), [(-1, 5), (0, 10**9), (10**9, None), (0, -1)])
def test_a_window_outside_the_file_is_refused(corpus: Corpus, start: int, length: int | None) -> None:
    with pytest.raises(CorpusError, match="asked for, it has 0 to"):
        corpus.read(corpus.files[0], start, length)


def test_splits_share_no_file_and_miss_none(corpus: Corpus) -> None:
    train, validation = corpus.split("train"), corpus.split("validation")
    assert len(validation) == 1
    assert sorted(f.name for f in [*train, *validation]) == sorted(f.name for f in corpus.files)
    with pytest.raises(CorpusError, match="no split 'test'"):
        corpus.split("test")


def test_a_folder_that_is_no_corpus_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(CorpusError, match=r"no corpus here.*audiovae corpus prepare"):
            Corpus.open(path)


def test_an_unfinished_corpus_is_refused(tmp_path: Path) -> None:
    (tmp_path / "corpus.part").mkdir()
    with pytest.raises(CorpusError, match="interrupted"):
        Corpus.open(tmp_path)


def test_truncated_and_missing_audio_is_refused(corpus: Corpus) -> None:
    audio = corpus.path / "audio.f32"
    data = audio.read_bytes()
    for wrong in (data[:-4], data + b"1234", b""):
        audio.write_bytes(wrong)
        with pytest.raises(CorpusError, match=f"{len(wrong)} bytes found, {len(data)} expected"):
            Corpus.open(corpus.path)
    audio.unlink()
    with pytest.raises(CorpusError, match="0 bytes found"):
        Corpus.open(corpus.path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null"])
def test_a_damaged_index_is_refused(corpus: Corpus, text: str) -> None:
    (corpus.path / "corpus.json").write_text(text)
    with pytest.raises(CorpusError, match="damaged"):
        Corpus.open(corpus.path)


def test_another_format_is_refused(corpus: Corpus) -> None:
    edit_index(corpus.path, lambda index: index.update(format="audiovae corpus 99"))
    with pytest.raises(CorpusError, match=r"'audiovae corpus 99' found, 'audiovae corpus 1' expected"):
        Corpus.open(corpus.path)


@pytest.mark.parametrize(
    "change",
    [
        lambda index: index["files"][2].update(start=7),
        lambda index: index["files"][2].update(length=0),
        lambda index: index["files"][2].update(length="many"),
        lambda index: index["files"][2].update(split="test"),
        lambda index: index["files"][2].pop("sha256"),
        lambda index: index.update(files=[], samples=0),
        lambda index: index.update(samples=index["samples"] - 1),
        lambda index: index["settings"].update(channels=0),
        lambda index: index["settings"].update(extra=1),
    ],
)
def test_an_index_that_contradicts_itself_is_refused(corpus: Corpus, change: Any) -> None:
    edit_index(corpus.path, change)
    with pytest.raises(CorpusError, match="damaged"):
        Corpus.open(corpus.path)

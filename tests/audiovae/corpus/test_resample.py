"""A folder mirrored at another rate."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiovae.corpus.audio_file import read_audio, write_audio
from audiovae.corpus.prepare import prepare
from audiovae.corpus.resample import resample
from audiovae.corpus.split import name_source
from audiovae.corpus.waveform_augmentation import Variation, apply_variation
from audiovae.errors import AudioFileError, CorpusError

SPLITS = ("train", "validation")


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_the_folder_is_mirrored(loops: Path, tmp_path: Path, suffix: str) -> None:
    summary = resample(loops, tmp_path / "out", 22050, suffix=suffix, progress=False)
    assert (summary.written, summary.unchanged, summary.skipped) == (12, 0, ())
    for source in loops.rglob("*.*"):
        copy = tmp_path / "out" / source.relative_to(loops).with_suffix(suffix)
        expected, _ = read_audio(source, 22050)
        found, rate = read_audio(copy)
        assert rate == 22050
        np.testing.assert_allclose(found, expected, atol=2**-23)


def test_run_again_it_does_what_is_left(loops: Path, tmp_path: Path, make_sine: Any) -> None:
    out = tmp_path / "out"
    resample(loops, out, 22050, workers=1, progress=False)
    whole = contents(out)
    (out / "tone_1.wav").unlink()
    (out / "tone_2.wav").write_bytes(whole["tone_2.wav"][:100])
    write_audio(loops / "tone_3.wav", make_sine(44100, 0.4), 44100)
    summary = resample(loops, out, 22050, workers=4, progress=False)
    assert (summary.written, summary.unchanged) == (3, 9)
    after = contents(out)
    assert {name for name in whole if whole[name] != after[name]} == {"tone_3.wav"}
    assert resample(loops, out, 16000, progress=False).written == 12


def test_bad_files_are_listed(loops: Path, bad_files: dict[Path, str], tmp_path: Path) -> None:
    folder = next(iter(bad_files)).parent
    write_audio(folder / "good.wav", np.zeros((1, 100)), 44100)
    summary = resample(folder, tmp_path / "out", 22050, progress=False)
    assert summary.written == 1
    assert {name for name, _ in summary.skipped} == {path.name for path in bad_files}
    assert "empty.wav: empty, 0 bytes" in str(summary)
    (folder / "good.wav").unlink()
    with pytest.raises(CorpusError, match="no usable audio"):
        resample(folder, tmp_path / "out", 22050, progress=False)


def test_names_that_differ_in_suffix_only_keep_it(tmp_path: Path, make_sine: Any) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.wav", "a.flac", "b.wav"):
        write_audio(tmp_path / "in" / name, make_sine(44100), 44100)
    resample(tmp_path / "in", tmp_path / "out", 22050, progress=False)
    assert sorted(contents(tmp_path / "out")) == ["a.flac.wav", "a.wav.wav", "b.wav"]


def test_flac_that_would_clip_is_listed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    square = np.sign(np.sin(2 * np.pi * 441 * np.arange(44100) / 44100 + 0.01))[None]
    write_audio(tmp_path / "in" / "square.flac", square, 44100)
    write_audio(tmp_path / "in" / "soft.flac", 0.5 * square, 44100)
    summary = resample(tmp_path / "in", tmp_path / "out", 22050, suffix=".flac", progress=False)
    assert summary.written == 1
    assert "over full scale" in summary.skipped[0][1]
    assert resample(tmp_path / "in", tmp_path / "out", 22050, progress=False).written == 2


def test_copies_never_mix_with_their_sources(loops: Path, tmp_path: Path) -> None:
    before = contents(loops)
    for source, out in ((loops, loops), (loops, loops / "out"), (loops / "tone_0.wav", loops)):
        with pytest.raises(CorpusError, match="would mix with their sources"):
            resample(source, out, 22050, progress=False)
    assert contents(loops) == before


def test_augmented_copies_are_the_same_again(loops: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    summary = resample(loops, out, 22050, augment=2, progress=False)
    assert (summary.written, summary.unchanged) == (36, 0)
    whole = contents(out)
    listing = json.loads((out / "augmentation.json").read_text())
    assert set(listing) == {name for name in whole if "__aug" in name}
    assert (out / "deep" / "pair_0__aug2.wav").is_file()
    (out / "tone_1__aug2.wav").unlink()
    assert resample(loops, out, 22050, augment=2, workers=1, progress=False).written == 1
    assert contents(out) == whole
    assert resample(loops, tmp_path / "other", 22050, augment=2, seed=1, progress=False).written == 36
    assert contents(tmp_path / "other")["tone_1.wav"] == whole["tone_1.wav"]
    assert contents(tmp_path / "other")["tone_1__aug1.wav"] != whole["tone_1__aug1.wav"]


def test_a_copy_is_what_the_listing_says(loops: Path, tmp_path: Path) -> None:
    resample(loops, tmp_path / "out", 22050, augment=1, progress=False)
    listing = json.loads((tmp_path / "out" / "augmentation.json").read_text())
    for name, drawn in listing.items():
        plain, _ = read_audio(tmp_path / "out" / name.replace("__aug1", ""))
        copy, _ = read_audio(tmp_path / "out" / name)
        np.testing.assert_array_equal(copy, apply_variation(plain, 22050, Variation(**drawn)))


def test_another_seed_makes_the_copies_again(loops: Path, tmp_path: Path) -> None:
    resample(loops, tmp_path / "out", 22050, augment=1, progress=False)
    resample(loops, tmp_path / "fresh", 22050, augment=1, seed=1, progress=False)
    assert resample(loops, tmp_path / "out", 22050, augment=1, seed=1, progress=False).written == 12
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_a_corpus_of_copies_holds_out_whole_sources(loops: Path, tmp_path: Path) -> None:
    resample(loops, tmp_path / "out", 22050, augment=3, progress=False)
    for seed in range(5):
        corpus = tmp_path / f"corpus{seed}"
        index = prepare([tmp_path / "out"], corpus, validation_share=0.3, seed=seed, progress=False).index
        sides = [{name_source(file.name) for file in index.files if file.split == split} for split in SPLITS]
        assert all(sides)
        assert not sides[0] & sides[1]


def test_augmenting_copies_is_refused(loops: Path, tmp_path: Path) -> None:
    resample(loops, tmp_path / "out", 22050, augment=1, progress=False)
    with pytest.raises(CorpusError, match="augment the originals"):
        resample(tmp_path / "out", tmp_path / "more", 22050, augment=1, progress=False)
    with pytest.raises(CorpusError, match="-1 augmented copies"):
        resample(loops, tmp_path / "out", 22050, augment=-1, progress=False)


def test_settings_and_missing_sources_are_refused(loops: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="sample rate 0 Hz"):
        resample(loops, tmp_path / "out", 0, progress=False)
    with pytest.raises(CorpusError, match=r"suffix '\.mp3'"):
        resample(loops, tmp_path / "out", 22050, suffix=".mp3", progress=False)
    with pytest.raises(AudioFileError, match="no such file or folder"):
        resample(tmp_path / "none", tmp_path / "out", 22050, progress=False)


def test_a_full_disk_stops_the_run(loops: Path, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(CorpusError, match=r"File too large.*run again"):
            resample(loops, tmp_path / "out", 44100, progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list((tmp_path / "out").rglob("*.part"))
    assert resample(loops, tmp_path / "out", 44100, progress=False).skipped == ()

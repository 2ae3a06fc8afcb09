"""Making a corpus: nothing dropped, the same bytes however it is run, and clear refusals."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiovae.corpus.audio_file import write_audio
from audiovae.corpus.corpus import Corpus
from audiovae.corpus.duration import measure_duration
from audiovae.corpus.prepare import prepare
from audiovae.corpus.resample import resample
from audiovae.errors import AudioFileError, CorpusError

# Runs prepare and kills itself with SIGKILL at call number COUNT of a function.
KILLED = """
import os, signal, sys
module, name, count, source, out = sys.argv[1:]
import importlib
from audiovae.corpus.prepare import prepare
module = importlib.import_module(module)
call, calls = getattr(module, name), 0
def killed(*args, **kwargs):
    global calls
    calls += 1
    if calls == int(count):
        os.kill(os.getpid(), signal.SIGKILL)
    return call(*args, **kwargs)
setattr(module, name, killed)
prepare([source], out, workers=1, progress=False)
"""


def contents(corpus: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(corpus.iterdir())}


def test_a_sine_keeps_frequency_level_and_length(tmp_path: Path, make_sine: Any, measure_sine: Any) -> None:
    source = write_audio(tmp_path / "sine.wav", make_sine(48000, 3.0), 48000)
    prepare([source], tmp_path / "corpus", progress=False)
    corpus = Corpus.open(tmp_path / "corpus")
    (file,) = corpus.files
    assert (file.name, file.length, file.duration_s, file.split) == ("sine.wav", 132300, 3.0, "train")
    amplitude, residual = measure_sine(corpus.read(file)[0], 44100)
    assert amplitude == pytest.approx(0.5, rel=1e-4)
    assert residual < 1e-4
    assert file.peak == pytest.approx(0.5, abs=1e-3)
    assert file.rms_db == pytest.approx(-9.03, abs=0.01)


@pytest.mark.parametrize("workers", [2, 4, None])
def test_workers_do_not_change_a_byte(loops: Path, tmp_path: Path, workers: int | None) -> None:
    prepare([loops], tmp_path / "one", workers=1, progress=False)
    prepare([loops], tmp_path / "more", workers=workers, progress=False)
    assert contents(tmp_path / "one") == contents(tmp_path / "more")
    assert list(contents(tmp_path / "one")) == ["audio.f32", "corpus.json"]


@pytest.mark.parametrize(
    ("module", "name", "count", "left"),
    [
        ("audiovae.corpus.decode", "read_blocks", 1, 12),  # before the first file
        ("audiovae.corpus.decode", "measure_levels", 5, 8),  # a file decoded, its note not written
        ("audiovae.corpus.decode", "replace_text", 9, 4),
        ("audiovae.corpus.prepare", "_assemble", 1, 0),
        ("shutil", "copyfileobj", 6, 0),  # half of the audio put together
        ("audiovae.corpus.prepare", "replace_text", 1, 0),  # all audio there, no index
        ("shutil", "rmtree", 1, 0),  # finished, not cleaned up
    ],
)
def test_killed_and_run_again_gives_the_same_bytes(
    loops: Path, tmp_path: Path, module: str, name: str, count: int, left: int
) -> None:
    prepare([loops], tmp_path / "whole", progress=False)
    out = tmp_path / "killed"
    run = subprocess.run([sys.executable, "-c", KILLED, module, name, str(count), str(loops), str(out)])
    assert run.returncode == -signal.SIGKILL
    if name != "rmtree":
        with pytest.raises(CorpusError, match=r"interrupted|no corpus here"):
            Corpus.open(out)
    again = prepare([loops], out, progress=False)
    assert again.decoded == left
    assert contents(out) == contents(tmp_path / "whole")


def test_an_unusable_leftover_is_decoded_again(loops: Path, tmp_path: Path) -> None:
    """After a power cut a renamed file may be there without its contents."""
    prepare([loops], tmp_path / "whole", progress=False)
    out = tmp_path / "cut"
    run = [sys.executable, "-c", KILLED, "audiovae.corpus.prepare", "_assemble", "1", str(loops), str(out)]
    subprocess.run(run)
    parts = sorted((out / "corpus.part").iterdir())
    next(path for path in parts if path.suffix == ".json").write_text("")
    next(path for path in reversed(parts) if path.suffix == ".f32").write_bytes(b"")
    assert prepare([loops], out, progress=False).index.samples > 0
    assert contents(out) == contents(tmp_path / "whole")


def test_bad_files_are_listed_and_the_rest_is_kept(
    loops: Path, bad_files: dict[Path, str], tmp_path: Path
) -> None:
    summary = prepare([loops, *bad_files], tmp_path / "corpus", progress=False)
    assert len(summary.index.files) == 12
    skipped = {file.name: file.reason for file in summary.index.skipped}
    assert len(skipped) == len(bad_files)
    for path, word in bad_files.items():
        assert word in skipped[path.name]
        assert str(tmp_path) not in skipped[path.name]
        assert f"{path.name}: " in str(summary)
    assert prepare([loops, *bad_files], tmp_path / "corpus", progress=False).decoded == 0


def test_nothing_usable_is_an_error_that_leaves_nothing(bad_files: dict[Path, str], tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"no usable audio: .*empty\.wav: empty"):
        prepare([next(iter(bad_files)).parent], tmp_path / "corpus", progress=False)
    assert not (tmp_path / "corpus").exists()
    (tmp_path / "nothing").mkdir()
    with pytest.raises(CorpusError, match="no audio file found"):
        prepare([tmp_path / "nothing"], tmp_path / "corpus", progress=False)
    with pytest.raises(AudioFileError, match="no such file or folder"):
        prepare([tmp_path / "missing"], tmp_path / "corpus", progress=False)


def test_silence_and_the_shortest_files_are_kept(tmp_path: Path) -> None:
    write_audio(tmp_path / "in_one.wav", np.ones((1, 1)), 44100)
    write_audio(tmp_path / "in_silent.wav", np.zeros((1, 44100)), 44100)
    sources = [tmp_path / "in_one.wav", tmp_path / "in_silent.wav"]
    index = prepare(sources, tmp_path / "corpus", progress=False).index
    assert [(f.name, f.length, f.silent_share) for f in index.files] == [
        ("in_one.wav", 1, 0.0),
        ("in_silent.wav", 44100, 1.0),
    ]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("sample_rate", [16000, 44100])
def test_any_rate_and_channel_count(loops: Path, tmp_path: Path, sample_rate: int, channels: int) -> None:
    out = tmp_path / "corpus"
    prepare([loops], out, sample_rate=sample_rate, channels=channels, progress=False)
    corpus = Corpus.open(out)
    assert corpus.duration_s == pytest.approx(measure_duration(loops).duration_s, abs=12 / sample_rate)
    assert corpus.read(corpus.files[0]).shape[0] == channels


def test_a_finished_corpus_is_left_alone(loops: Path, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    first = prepare([loops], out, progress=False)
    before = (out / "corpus.json").stat().st_mtime_ns
    again = prepare([loops], out, progress=False)
    assert (first.decoded, again.decoded) == (12, 0)
    assert "all was done before" in str(again)
    assert (out / "corpus.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "change", [{"sample_rate": 22050}, {"channels": 2}, {"seed": 1}, {"validation_share": 0.5}]
)
def test_other_settings_are_refused_unless_overwritten(
    loops: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    out = tmp_path / "corpus"
    prepare([loops], out, progress=False)
    with pytest.raises(CorpusError, match=r"a finished corpus of other settings \(sample_rate=44100"):
        prepare([loops], out, progress=False, **change)
    assert Corpus.open(out).sample_rate == 44100
    prepare([loops], out, progress=False, overwrite=True, **change)
    prepare([loops], tmp_path / "fresh", progress=False, **change)
    assert contents(out) == contents(tmp_path / "fresh")


def test_a_damaged_corpus_does_not_pass_for_finished(loops: Path, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    prepare([loops], out, progress=False)
    whole = contents(out)
    (out / "audio.f32").write_bytes(whole["audio.f32"][:-4])
    with pytest.raises(CorpusError, match=r"damaged; .*--overwrite"):
        prepare([loops], out, progress=False)
    prepare([loops], out, progress=False, overwrite=True)
    assert contents(out) == whole


def test_names_that_are_no_utf_8_are_read_and_printable(tmp_path: Path, make_sine: Any) -> None:
    """Sample packs unpacked from old archives have such names."""
    source = tmp_path / "in"
    source.mkdir()
    path = write_audio(source / os.fsdecode(b"caf\xe9.flac"), make_sine(44100), 44100)
    (source / os.fsdecode(b"\xe9.wav")).write_bytes(b"")
    summary = prepare([source], tmp_path / "corpus", progress=False)
    assert [file.name for file in Corpus.open(tmp_path / "corpus").files] == ["caf\\xe9.flac"]
    assert "\\xe9.wav: empty" in str(summary)
    str(summary).encode()
    str(measure_duration(source)).encode()
    assert resample(source, tmp_path / "out", 22050, suffix=".flac", progress=False).written == 1
    assert (tmp_path / "out" / path.name).is_file()


def test_changed_sources_are_refused_unless_overwritten(loops: Path, tmp_path: Path, make_sine: Any) -> None:
    out = tmp_path / "corpus"
    prepare([loops], out, progress=False)
    write_audio(loops / "tone_0.wav", make_sine(44100, 0.3), 44100)
    with pytest.raises(CorpusError, match="other or changed source files"):
        prepare([loops], out, progress=False)
    summary = prepare([loops], out, progress=False, overwrite=True)
    assert summary.decoded == 12
    assert next(f.length for f in summary.index.files if f.name == "tone_0.wav") == 13230


def test_a_folder_of_other_things_is_refused(loops: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "song.txt").write_text("mine")
    with pytest.raises(CorpusError, match=r"holds 'song\.txt' and is no corpus"):
        prepare([loops], tmp_path / "mine", progress=False)
    with pytest.raises(CorpusError, match="cannot be written: Not a directory"):
        prepare([loops], tmp_path / "mine" / "song.txt", progress=False)
    assert contents(tmp_path / "mine") == {"song.txt": b"mine"}


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ({"sample_rate": 0}, "sample rate 0 Hz: expected"),
        ({"channels": 0}, "0 channels: expected"),
        ({"validation_share": 1.0}, "validation share 1.0: expected"),
        ({"workers": 0}, "0 workers: expected"),
    ],
)
def test_settings_out_of_range_are_refused(
    loops: Path, tmp_path: Path, setting: dict[str, Any], word: str
) -> None:
    with pytest.raises(CorpusError, match=word):
        prepare([loops], tmp_path / "corpus", progress=False, **setting)
    assert not (tmp_path / "corpus").exists()


@pytest.fixture
def small_files_only() -> Iterator[None]:
    """No file of this process may grow over 20 kB: what a full disk looks like to a writer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_a_clear_error_and_no_corpus(
    loops: Path, tmp_path: Path, small_files_only: None
) -> None:
    with pytest.raises(CorpusError, match=r"cannot be written: File too large; free space"):
        prepare([loops], tmp_path / "corpus", progress=False)
    with pytest.raises(CorpusError, match="interrupted"):
        Corpus.open(tmp_path / "corpus")
    resource.setrlimit(resource.RLIMIT_FSIZE, resource.getrlimit(resource.RLIMIT_FSIZE)[1:] * 2)
    prepare([loops], tmp_path / "corpus", progress=False)
    prepare([loops], tmp_path / "whole", progress=False)
    assert contents(tmp_path / "corpus") == contents(tmp_path / "whole")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_an_unwritable_folder_is_a_clear_error(loops: Path, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(CorpusError, match="cannot be written: Permission denied"):
        prepare([loops], tmp_path / "locked" / "corpus", progress=False)


def test_progress_goes_to_stderr(loops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare([loops], tmp_path / "corpus")
    assert capsys.readouterr().out == ""


def test_sonic_pi_is_kept_whole(shared: Path, tmp_path: Path) -> None:
    """152 files and 237 s of CC0 samples; RAVE's tool drops four fifths of them for being short."""
    source = shared / "data" / "audio" / "sonic_pi" / "train"
    summary = prepare([source], tmp_path / "corpus", progress=False)
    facts = summary.to_json()
    assert (facts["files"], facts["skipped"]) == (152, [])
    assert summary.index.samples == round(measure_duration(source).duration_s * 44100)
    assert facts["validation_files"] == 15
    corpus = Corpus.open(tmp_path / "corpus")
    assert all(np.isfinite(corpus.read(file)).all() for file in corpus.files)
    shutil.rmtree(tmp_path / "corpus")

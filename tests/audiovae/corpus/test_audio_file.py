"""Reading, writing and finding audio files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audiovae.corpus.audio_file import (
    WRITABLE,
    find_audio,
    fold_channels,
    probe_audio,
    read_audio,
    write_audio,
)
from audiovae.errors import AudioFileError

LOSSY = {".mp3": 3e-2, ".ogg": 3e-2, ".opus": 3e-2}
LOSSLESS = {".wav": 0.0, ".flac": 2**-23, ".aiff": 2**-23, ".aif": 2**-23}


@pytest.mark.parametrize(("suffix", "tolerance"), LOSSLESS.items())
def test_lossless_formats_give_back_what_was_written(
    tmp_path: Path, make_sine: Any, suffix: str, tolerance: float
) -> None:
    audio = make_sine(44100, channels=2)
    path = write_audio(tmp_path / f"a{suffix}", audio, 44100)
    found, rate = read_audio(path)
    assert rate == 44100
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, audio, rtol=0, atol=tolerance)


@pytest.mark.parametrize("suffix", LOSSY)
@pytest.mark.parametrize("channels", [1, 2])
def test_lossy_formats_keep_length_level_and_pitch(
    tmp_path: Path, make_sine: Any, measure_sine: Any, suffix: str, channels: int
) -> None:
    path = write_audio(tmp_path / f"a{suffix}", make_sine(48000, 1.0, channels=channels), 48000)
    found, rate = read_audio(path)
    assert (found.shape, rate) == ((channels, 48000), 48000)
    amplitude, residual = measure_sine(found[0], 48000)
    assert amplitude == pytest.approx(0.5, rel=0.05)
    assert residual < 0.05


def test_every_written_format_is_tested() -> None:
    assert set(WRITABLE) == set(LOSSY) | set(LOSSLESS)


@pytest.mark.parametrize("suffix", [".flac", ".wav", ".aiff"])
def test_same_audio_same_bytes(tmp_path: Path, make_sine: Any, suffix: str) -> None:
    first = write_audio(tmp_path / f"a{suffix}", make_sine(44100), 44100).read_bytes()
    assert write_audio(tmp_path / f"b{suffix}", make_sine(44100), 44100).read_bytes() == first


@pytest.mark.parametrize("source_rate", [8000, 11025, 16000, 22050, 48000, 88200, 96000])
def test_resampling_keeps_frequency_level_and_duration(
    tmp_path: Path, make_sine: Any, measure_sine: Any, source_rate: int
) -> None:
    path = write_audio(tmp_path / "a.wav", make_sine(source_rate, 1.0), source_rate)
    audio, rate = read_audio(path, sample_rate=44100)
    assert (audio.shape, rate) == ((1, 44100), 44100)
    amplitude, residual = measure_sine(audio[0], 44100)
    assert amplitude == pytest.approx(0.5, rel=1e-4)
    assert residual < 1e-4


def test_what_the_lower_rate_cannot_hold_is_filtered_out(tmp_path: Path, make_sine: Any) -> None:
    path = write_audio(tmp_path / "a.wav", make_sine(48000, 1.0, hz=15000.0), 48000)
    audio, _ = read_audio(path, sample_rate=22050)
    assert np.abs(audio[0, 2000:-2000]).max() < 0.5e-4  # 80 dB down, not folded to 7050 Hz


def test_long_files_decode_like_short_ones(tmp_path: Path) -> None:
    """Blocks of decoding leave no mark: the file is several of them long."""
    import soxr

    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 700_000)).astype(np.float32)
    path = write_audio(tmp_path / "a.wav", audio, 48000)
    np.testing.assert_array_equal(read_audio(path)[0], audio)
    whole = soxr.resample(audio.T, 48000, 44100, quality="HQ").T
    np.testing.assert_allclose(read_audio(path, 44100)[0], whole, atol=1e-6)


def test_fold_channels_is_mean_or_copy() -> None:
    audio = np.arange(12, dtype=np.float32).reshape(2, 6)
    np.testing.assert_array_equal(fold_channels(audio, 1), [[2.5], [8.5]])
    np.testing.assert_array_equal(fold_channels(audio, 2), [[2, 3], [8, 9]])
    np.testing.assert_array_equal(fold_channels(audio[:, :1], 3), [[0, 0, 0], [6, 6, 6]])
    np.testing.assert_array_equal(fold_channels(audio[:, :2], 3), [[0, 1, 0], [6, 7, 6]])
    assert fold_channels(audio, 6) is audio


@pytest.mark.parametrize("found", [1, 2, 3, 6])
@pytest.mark.parametrize("wanted", [1, 2, 4])
def test_any_channel_count(tmp_path: Path, make_sine: Any, found: int, wanted: int) -> None:
    audio = make_sine(48000, 0.2, channels=found)
    path = write_audio(tmp_path / "a.wav", audio, 48000)
    result, _ = read_audio(path, 48000, wanted)
    np.testing.assert_allclose(result, fold_channels(audio.T, wanted).T, atol=1e-7)
    assert read_audio(path, 44100, wanted)[0].shape == (wanted, 8820)


def test_float_files_over_full_scale_are_not_clipped(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "loud.wav", np.full((1, 8), 1.5), 44100)
    np.testing.assert_array_equal(read_audio(path)[0], np.full((1, 8), 1.5, dtype=np.float32))


@pytest.mark.parametrize("suffix", [".flac", ".mp3", ".ogg"])
def test_formats_that_would_clip_refuse(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(AudioFileError, match=r"1\.500 is over full scale"):
        write_audio(tmp_path / f"loud{suffix}", np.full((1, 8), 1.5), 44100)
    assert list(tmp_path.iterdir()) == []


def test_probe_states_the_header(tmp_path: Path, make_sine: Any) -> None:
    info = probe_audio(write_audio(tmp_path / "a.flac", make_sine(48000, 0.5, channels=2), 48000))
    assert (info.format, info.sample_rate, info.channels, info.samples) == ("FLAC", 48000, 2, 24000)
    assert info.duration_s == 0.5


def test_bad_files_are_refused_with_name_and_reason(bad_files: dict[Path, str]) -> None:
    for path, word in bad_files.items():
        with pytest.raises(AudioFileError, match=word) as error:
            read_audio(path, 44100, 1)
        assert str(error.value).startswith(str(path))


def test_an_mp3_cut_short_is_read_up_to_the_cut(tmp_path: Path, make_sine: Any) -> None:
    path = write_audio(tmp_path / "a.mp3", make_sine(44100, 2.0), 44100)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    audio, _ = read_audio(path)
    assert 44100 < audio.shape[1] < 88200


def test_a_stream_without_a_length_is_refused(tmp_path: Path, make_sine: Any) -> None:
    """The count of samples in a FLAC's STREAMINFO is 36 bits from the low half of byte 21; 0 means unknown."""
    path = write_audio(tmp_path / "a.flac", make_sine(44100), 44100)
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    path.write_bytes(data)
    with pytest.raises(AudioFileError, match="states no length"):
        read_audio(path)


def test_one_sample_that_a_lower_rate_swallows_is_refused(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.wav", np.ones((1, 1)), 96000)
    with pytest.raises(AudioFileError, match="make none at 8000 Hz"):
        read_audio(path, 8000)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.wav", tmp_path):
        with pytest.raises(AudioFileError, match="no such audio file"):
            read_audio(path)
    with pytest.raises(AudioFileError, match="no such file or folder"):
        find_audio([tmp_path / "none"])


@pytest.mark.parametrize(
    ("name", "audio", "rate", "word"),
    [
        ("a.xyz", np.zeros((1, 8)), 44100, "cannot write .xyz"),
        ("a", np.zeros((1, 8)), 44100, "cannot write no suffix"),
        ("a.wav", np.zeros((1, 0)), 44100, "empty or not finite"),
        ("a.wav", np.full((1, 8), np.nan), 44100, "empty or not finite"),
        ("a.opus", np.zeros((1, 8)), 44100, "cannot be written at 44100 Hz"),
        ("none/a.wav", np.zeros((1, 8)), 44100, "cannot be written"),
        ("none/a.flac", np.zeros((1, 8)), 44100, "cannot be written"),
    ],
)
def test_what_cannot_be_written_leaves_nothing(
    tmp_path: Path, name: str, audio: Any, rate: int, word: str
) -> None:
    with pytest.raises(AudioFileError, match=word):
        write_audio(tmp_path / name, audio, rate)
    assert list(tmp_path.iterdir()) == []


def test_minutes_of_vorbis_can_be_written(tmp_path: Path) -> None:
    """One call of libsndfile with this much overflows its stack."""
    n_samples = 12_000_000
    path = write_audio(tmp_path / "long.ogg", np.zeros((1, n_samples), dtype=np.float32), 44100)
    assert soundfile.info(path).frames == n_samples


def test_find_audio_is_sorted_and_passes_over_what_is_odd(tmp_path: Path, make_sine: Any) -> None:
    for name in ("b.wav", "a.flac", "sub/c.WAV", ".hidden/d.wav", "sub/._b.wav", "notes.txt", "x.m4a"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"1")
    os.mkfifo(tmp_path / "in" / "pipe.wav")
    (tmp_path / "in" / "folder.wav").mkdir()
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "dangling.wav").symlink_to(tmp_path / "none")
    names = [path.relative_to(tmp_path / "in").as_posix() for path in find_audio([tmp_path / "in"])]
    assert names == ["a.flac", "b.wav", "sub/c.WAV", "x.m4a"]


def test_find_audio_takes_named_files_and_no_file_twice(tmp_path: Path) -> None:
    odd = tmp_path / "odd.name"
    wav = tmp_path / "a.wav"
    odd.write_bytes(b"1")
    wav.write_bytes(b"1")
    assert find_audio([wav, odd, tmp_path]) == [wav, odd]

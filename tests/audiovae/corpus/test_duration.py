"""Durations of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from audiovae.corpus.duration import format_duration, measure_duration
from audiovae.errors import AudioFileError


def test_durations_by_kind(loops: Path) -> None:
    summary = measure_duration(loops)
    found = {(g.suffix, g.sample_rate, g.channels): (g.files, round(g.duration_s, 4)) for g in summary.groups}
    # tone_i lasts .1 + .03 i seconds, its rate by i modulo 3; silence.wav .1 s; three pairs of .2 s.
    assert found == {
        (".wav", 44100, 1): (4, 0.67),
        (".wav", 48000, 1): (3, 0.66),
        (".wav", 22050, 1): (2, 0.41),
        (".flac", 44100, 2): (3, 0.6),
    }
    assert (summary.files, round(summary.duration_s, 3)) == (12, 2.34)
    assert [g.duration_s for g in summary.groups] == sorted(
        (g.duration_s for g in summary.groups), reverse=True
    )
    assert "total                           12     0:00:02.3" in str(summary)


def test_unreadable_files_are_listed(bad_files: dict[Path, str]) -> None:
    summary = measure_duration(next(iter(bad_files)).parent)
    names = {name for name, _ in summary.unreadable}
    # Headers only are read here: what breaks later in a file, and NaN, shows when it is decoded.
    assert names == {path.name for path in bad_files} - {"half.flac", "nan.wav"}
    assert all(f"  {name}: {reason}" in str(summary) for name, reason in summary.unreadable)


def test_one_file_and_no_file(loops: Path, tmp_path: Path) -> None:
    assert measure_duration(loops / "silence.wav").duration_s == pytest.approx(0.1)
    with pytest.raises(AudioFileError, match="no such file or folder"):
        measure_duration(tmp_path / "none")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00:00.0"), (59.96, "0:01:00.0"), (3661.25, "1:01:01.2"), (36000 * 10, "100:00:00.0")],
)
def test_format_duration(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_sonic_pi(shared: Path) -> None:
    summary = measure_duration(shared / "data" / "audio" / "sonic_pi")
    assert (summary.files, round(summary.duration_s, 1)) == (165, 323.8)
    assert {group.sample_rate for group in summary.groups} == {44100}

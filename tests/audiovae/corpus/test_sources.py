"""Names of the files of a corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from audiovae.corpus.sources import list_sources


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a/kick.wav", "a/sub/kick.wav", "b/kick.wav", "x/a/kick.wav"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def test_names_are_paths_below_the_source(tree: Path) -> None:
    assert [f.name for f in list_sources([tree / "a"])] == ["kick.wav", "sub/kick.wav"]
    assert [f.name for f in list_sources([tree / "a" / "kick.wav"])] == ["kick.wav"]


def test_several_sources_put_their_folder_in_front(tree: Path) -> None:
    names = [f.name for f in list_sources([tree / "a", tree / "b", tree / "x" / "a"])]
    assert names == ["a/kick (2).wav", "a/kick.wav", "a/sub/kick.wav", "b/kick.wav"]


def test_overlapping_sources_give_every_file_once(tree: Path) -> None:
    files = list_sources([tree / "a", tree / "a" / "sub", tree / "a" / "kick.wav", tree / "a"])
    assert [f.name for f in files] == ["a/kick.wav", "a/sub/kick.wav"]


def test_the_key_follows_the_file_and_the_settings(tree: Path) -> None:
    (file,) = list_sources([tree / "b"])
    keys = {file.key(44100, 1), file.key(48000, 1), file.key(44100, 2)}
    (tree / "b" / "kick.wav").write_bytes(b"another length")
    (changed,) = list_sources([tree / "b"])
    assert len(keys | {changed.key(44100, 1)}) == 4
    assert file.key(44100, 1) in keys

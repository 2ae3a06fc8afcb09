"""Train and validation."""

from __future__ import annotations

import numpy as np
import pytest

from audiovae.corpus.split import name_source, split_files


def split(n: int, share: float = 0.1, seed: int = 0) -> dict[str, str]:
    names = [f"{i}.wav" for i in range(n)]
    return dict(zip(names, split_files(names, names, share, seed), strict=True))


@pytest.mark.parametrize(
    ("n", "share", "expected"),
    [(1, 0.1, 0), (2, 0.1, 1), (2, 0.9, 1), (5, 0.1, 1), (24, 0.1, 2), (100, 0.25, 25), (10, 0.0, 0)],
)
def test_counts(n: int, share: float, expected: int) -> None:
    assert list(split(n, share).values()).count("validation") == expected


def test_the_seed_chooses_and_order_does_not_matter() -> None:
    assert split(40) == split(40)
    assert split(40) != split(40, seed=1)
    names = [f"{i}.wav" for i in range(40)][::-1]
    assert dict(zip(names, split_files(names, names, 0.1, 0), strict=True)) == split(40)


def test_another_file_moves_at_most_one() -> None:
    before, after = split(39), split(40)
    assert sum(before[name] != after[name] for name in before) <= 1


def test_equal_audio_stays_on_one_side() -> None:
    names = [f"{i}.wav" for i in range(60)]
    sha256 = [str(i // 3) for i in range(60)]
    for seed in range(10):
        splits = split_files(names, sha256, 0.2, seed)
        assert all(len(set(splits[i : i + 3])) == 1 for i in range(0, 60, 3))
        assert splits.count("validation") == 12


def test_copies_of_one_file_alone_give_no_validation() -> None:
    assert split_files(["a", "b"], ["same", "same"], 0.5, 0) == ["train", "train"]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("x.wav", "x"),
        ("x__aug1.wav", "x"),
        ("deep/x__a__aug2.flac", "deep/x"),
        ("one__two/x.wav", "one__two/x"),
        ("a.wav.flac", "a.wav"),
        ("a.wav__aug1.flac", "a.wav"),
        ("__x.wav", "__x"),
    ],
)
def test_the_source_of_a_version(name: str, source: str) -> None:
    assert name_source(name) == source


def test_versions_of_a_source_stay_on_one_side() -> None:
    names = [f"{i}{version}.wav" for i in range(20) for version in ("", "__aug1", "__aug2")]
    for seed in range(10):
        splits = split_files(names, names, 0.2, seed)
        assert all(len(set(splits[i : i + 3])) == 1 for i in range(0, 60, 3))
        assert splits.count("validation") == 12
        shuffled = np.random.default_rng(seed).permutation(60)
        other = split_files([names[i] for i in shuffled], [names[i] for i in shuffled], 0.2, seed)
        assert other == [splits[i] for i in shuffled]


def test_links_join_over_several_files() -> None:
    """File b is a copy of a's audio, and b__aug1 is a version of b: the three are one."""
    names = ["a.wav", "b.wav", "b__aug1.wav", "c.wav"]
    for seed in range(10):
        splits = split_files(names, ["1", "1", "2", "3"], 0.25, seed)
        assert len(set(splits[:3])) == 1
        assert len(set(splits)) == 2

"""Train and validation."""

from __future__ import annotations

import pytest

from audiovae.corpus.split import split_files


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

"""Checkpoints: what comes back is what was saved, and a failed save costs nothing."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import nn

from audiovae.errors import CheckpointError
from audiovae.training import checkpoint
from audiovae.training.checkpoint import load_checkpoint, load_network, save_checkpoint

Parts = tuple[dict[str, nn.Module], dict[str, torch.optim.Optimizer]]


def make_parts(seed: int = 0, width: int = 5, steps: int = 3) -> Parts:
    """A network with a buffer and an optimiser that has moved."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(4, width), nn.BatchNorm1d(width), nn.Linear(width, 2))
    optimiser = torch.optim.AdamW(network.parameters(), 1e-2, betas=(0.9, 0.99))
    for _ in range(steps):
        optimiser.zero_grad()
        network(torch.randn(8, 4)).square().mean().backward()
        optimiser.step()
    optimiser.param_groups[0]["lr"] = 0.1 + 0.2  # a rate that no short decimal spells
    return {"model": network}, {"model": optimiser}


def assert_equal(one: Parts, other: Parts) -> None:
    for first, second in zip(one[0].values(), other[0].values(), strict=True):
        for name, value in first.state_dict().items():
            assert torch.equal(value, second.state_dict()[name])
    for first_optimiser, second_optimiser in zip(one[1].values(), other[1].values(), strict=True):
        left, right = first_optimiser.state_dict(), second_optimiser.state_dict()
        assert left["param_groups"][0]["lr"] == right["param_groups"][0]["lr"]
        assert left["state"].keys() == right["state"].keys()
        for index, slots in left["state"].items():
            for slot, value in slots.items():
                assert torch.equal(value, right["state"][index][slot])


def test_a_round_trip_is_equal_bit_for_bit_and_trains_on_equally(tmp_path: Path) -> None:
    path, parts, other = tmp_path / "deep" / "a.safetensors", make_parts(), make_parts(seed=1, steps=1)
    state = {"step": 3, "best_score": 1 / 3}
    save_checkpoint(path, *parts, state)
    assert load_checkpoint(path, *other) == state
    assert_equal(parts, other)
    batch = torch.randn(8, 4)
    for networks, optimisers in (parts, other):
        optimisers["model"].zero_grad()
        networks["model"](batch).square().mean().backward()
        optimisers["model"].step()
    assert_equal(parts, other)
    assert [entry.name for entry in path.parent.iterdir()] == ["a.safetensors"]


def test_shared_weights_are_saved(tmp_path: Path) -> None:
    one = nn.Linear(3, 3)
    save_checkpoint(tmp_path / "a.safetensors", {"model": nn.Sequential(one, one)}, {}, {})
    other = nn.Linear(3, 3)
    load_network(tmp_path / "a.safetensors", "model", nn.Sequential(other, other))
    assert torch.equal(one.weight, other.weight)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, *make_parts(), {"step": 1})
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(CheckpointError, match="a.safetensors is damaged"):
        load_checkpoint(path, *make_parts())


def test_no_file_and_other_networks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint .*: nothing was saved there yet"):
        load_checkpoint(tmp_path / "absent.safetensors", *make_parts())
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, *make_parts(), {})
    with pytest.raises(CheckpointError, match="does not fit this model"):
        load_checkpoint(path, *make_parts(width=6))
    networks, _ = make_parts()
    with pytest.raises(CheckpointError, match="does not fit this model"):
        load_checkpoint(path, {"critic": networks["model"]}, {})
    with pytest.raises(CheckpointError, match="does not fit this model"):
        load_checkpoint(path, networks, {"critic": torch.optim.AdamW(networks["model"].parameters())})


def test_a_kill_between_write_and_rename_keeps_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, old = tmp_path / "a.safetensors", make_parts()
    save_checkpoint(path, *old, {"step": 1})

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint.os, "replace", kill)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, *make_parts(seed=1), {"step": 2})
    monkeypatch.undo()
    found = make_parts(seed=2)
    assert load_checkpoint(path, *found) == {"step": 1}
    assert_equal(old, found)
    save_checkpoint(path, *make_parts(seed=1), {"step": 2})  # what the kill left is no obstacle
    assert load_checkpoint(path, *found) == {"step": 2}


@contextmanager
def tiny_files() -> Iterator[None]:
    """Inside, no file may grow past 2000 bytes, which a program meets as it meets a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_save_that_fails_says_so_and_keeps_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    small = nn.Linear(2, 2)
    save_checkpoint(path, {"model": small}, {}, {"step": 1})
    full = pytest.raises(CheckpointError, match="cannot be written .*what was saved before is whole: free space")
    with full, tiny_files():
        save_checkpoint(path, {"model": nn.Linear(200, 200)}, {}, {"step": 2})
    assert load_network(path, "model", nn.Linear(2, 2)) == {"step": 1}
    assert os.listdir(tmp_path) == ["a.safetensors"]

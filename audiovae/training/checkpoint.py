"""Checkpoints: one safetensors file each, written beside and renamed, so that a kill leaves the old one whole."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from audiovae.errors import CheckpointError

Optimisers = Mapping[str, torch.optim.Optimizer]


def save_checkpoint(
    path: Path, networks: Mapping[str, nn.Module], optimisers: Optimisers, state: dict[str, Any]
) -> None:
    """Write networks, optimisers and a JSON state into one file.

    Parameters
    ----------
    path : ``*.safetensors``.
    networks, optimisers : by name; the same names are needed to load.
    state : anything JSON can hold: step, best score.

    Raises
    ------
    CheckpointError
        If it cannot be written, as on a full disk; what was there before is whole.
    """
    tensors: dict[str, Tensor] = {}
    for name, network in networks.items():
        tensors |= {f"network/{name}/{key}": value for key, value in network.state_dict().items()}
    groups: dict[str, Any] = {}
    for name, optimiser in optimisers.items():
        content = optimiser.state_dict()
        groups[name] = content["param_groups"]
        for index, slots in content["state"].items():
            tensors |= {f"optimiser/{name}/{index}/{slot}": value for slot, value in slots.items()}
    metadata = {"state": json.dumps(state), "groups": json.dumps(groups)}
    beside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Cloned because a file may not hold two names for one storage, as shared weights would be.
        save_file({key: value.detach().clone().contiguous() for key, value in tensors.items()}, beside, metadata)
        os.replace(beside, path)
    except (SafetensorError, OSError) as error:
        beside.unlink(missing_ok=True)
        raise CheckpointError(
            f"{path}: cannot be written ({error}); what was saved before is whole: free space, then --resume"
        ) from None


def load_checkpoint(
    path: Path, networks: Mapping[str, nn.Module], optimisers: Optimisers
) -> dict[str, Any]:
    """Restore networks and optimisers in place, strictly; gives the state back.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, or of networks of another shape.
    """
    tensors, metadata = _read(path)
    try:
        for name, network in networks.items():
            network.load_state_dict(_below(tensors, f"network/{name}/"), strict=True)
        groups = json.loads(metadata["groups"])
        for name, optimiser in optimisers.items():
            slots: dict[int, dict[str, Tensor]] = {}
            for key, value in _below(tensors, f"optimiser/{name}/").items():
                index, _, slot = key.partition("/")
                slots.setdefault(int(index), {})[slot] = value
            optimiser.load_state_dict({"state": slots, "param_groups": groups[name]})
        return dict(json.loads(metadata["state"]))
    except (RuntimeError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"{path} does not fit this model: {str(error).splitlines()[0]}; "
            "resume with the settings the run was started with"
        ) from None


def load_network(path: Path, name: str, network: nn.Module) -> dict[str, Any]:
    """Restore one network of a checkpoint in place, strictly; gives the state back."""
    return load_checkpoint(path, {name: network}, {})


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    if not path.is_file():
        raise CheckpointError(f"no checkpoint {path}: nothing was saved there yet; train first")
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is damaged ({error}): resume from another checkpoint") from None


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}

"""Fixtures for the tests of audiovae."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

MakeOnce = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def tiny_prior(tiny_model: Path, make_once: MakeOnce) -> Path:
    """The run of a prior trained for seconds on the latents of `tiny_model`."""

    def train(folder: Path) -> None:
        from audiovae.training.run import start_training

        overrides = [f"model={tiny_model}"]
        start_training("debug_prior", tiny_model.parent / "corpus", folder / "run", overrides=overrides, device="cpu")

    return make_once("tiny_prior", train) / "run"


@pytest.fixture(scope="session")
def tiny_model_with_prior(tiny_model: Path, tiny_prior: Path, make_once: MakeOnce) -> Path:
    """`tiny_model` with `tiny_prior` in its folder."""

    def write(folder: Path) -> None:
        from audiovae.export.prior import write_prior

        shutil.copytree(tiny_model, folder / "tiny")
        parity = write_prior(folder / "tiny", tiny_prior)
        assert max(parity.values()) <= 1e-4

    return make_once("tiny_with_prior", write) / "tiny"

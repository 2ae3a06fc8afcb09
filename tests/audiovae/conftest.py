"""Fixtures for the tests of audiovae."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_prior(tiny_model: Path) -> Path:
    """The run of a prior trained for seconds on the latents of `tiny_model`."""
    from audiovae.training.run import start_training

    run = tiny_model.parent / "prior"
    overrides = [f"model={tiny_model}"]
    start_training("debug_prior", tiny_model.parent / "corpus", run, overrides=overrides, device="cpu")
    return run

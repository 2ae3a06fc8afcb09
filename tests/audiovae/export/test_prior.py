"""An exported prior says what the trained one says, in blocks of any size, and goes with its own model only."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from audiovae.errors import CheckpointError, ExportError, LatentsError
from audiovae.export import prior as exported
from audiovae.export.prior import PriorStream, write_prior
from audiovae.generation.prior import open_prior, sample_prior
from audiovae.generation.prior_run import RunPrior
from audiovae.latent_space import LatentSpace


def script(module: nn.Module) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch.jit.script: nn~ needs it
        return torch.jit.script(module.eval())


def stream(module: Any, temperature: Tensor, sizes: list[int]) -> Tensor:
    with torch.no_grad():
        return torch.cat([module(block) for block in temperature.split(sizes, dim=2)], dim=2)


def test_the_file_makes_what_the_run_makes_without_it(tiny_model_with_prior: Path, tiny_prior: Path) -> None:
    space = LatentSpace.load(tiny_model_with_prior)
    paths = tiny_model_with_prior, tiny_prior
    found, expected = (sample_prior(open_prior(path, space), 20, 1.0, seed=3) for path in paths)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_stream_is_the_same_in_blocks_of_any_size_scripted_or_not(tiny_prior: Path) -> None:
    prior = RunPrior(tiny_prior).model
    heat = torch.rand(2, 1, 40, generator=torch.Generator().manual_seed(0))
    whole = stream(PriorStream(prior), heat, [40])
    assert whole.shape == (2, prior.latent_size, 40)
    assert not torch.equal(whole[0], whole[1])  # each of a batch has its own noise
    scripted = script(PriorStream(prior))
    torch.testing.assert_close(stream(scripted, heat, [1, 1, 6, 32]), whole, atol=1e-5, rtol=0)
    scripted.reset(2)
    torch.testing.assert_close(stream(scripted, heat, [16, 24]), whole, atol=1e-5, rtol=0)
    assert not torch.equal(stream(scripted, heat, [40]), whole)  # it goes on


def test_a_broken_temperature_is_over_with_its_block(tiny_prior: Path) -> None:
    module = PriorStream(RunPrior(tiny_prior).model)
    broken = torch.tensor([float("nan"), float("inf"), -1.0, 1e30])[None, None]
    assert stream(module, torch.cat([broken, torch.ones(1, 1, 20)], dim=2), [4, 20]).isfinite().all()


def test_another_model_and_a_run_of_another_family_are_refused(
    tiny_model: Path, tiny_prior: Path, other_model: Path
) -> None:
    with pytest.raises(LatentsError, match=r"a prior of model tiny \(.*\) found; this is again"):
        write_prior(other_model, tiny_prior)
    with pytest.raises(LatentsError, match=r"a prior of model tiny \(.*\) found; this is again"):
        open_prior(tiny_prior, LatentSpace.load(other_model))
    with pytest.raises(CheckpointError, match="of the spectral family, one of a prior expected"):
        write_prior(other_model, tiny_model.parent / "run")
    assert not list(other_model.glob("prior*"))


def test_nothing_is_left_of_a_file_that_differs(
    tiny_model: Path, tiny_prior: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_model, tmp_path / "tiny")
    monkeypatch.setattr(exported, "measure_stream", lambda _: float("nan"))
    with pytest.raises(ExportError, match="differs from the model by nan"):
        write_prior(tmp_path / "tiny", tiny_prior)
    assert not list((tmp_path / "tiny").glob("prior*"))

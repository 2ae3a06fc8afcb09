"""model.ts: what nn~ asks of it, what a patch may do with it, and that nothing a patch does breaks it."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from audiovae.errors import ExportError
from audiovae.export import parity
from audiovae.export.nn_tilde import NNTildeWithPrior, read_torchscript, script_nn_tilde, write_torchscript
from audiovae.export.prior import PriorStream
from audiovae.export.stream_parity import run_blocks
from audiovae.export.streaming_halves import StreamingDecoder, StreamingEncoder
from audiovae.models.prior import LatentPrior, LatentPriorSettings
from audiovae.nn.projection import LatentProjection


@pytest.fixture(autouse=True)
def unoptimised() -> Iterator[None]:
    """TorchScript as it is: optimising takes a second a file, which its parity check (`written`) spends already."""
    with torch.jit.optimized_execution(False):
        yield


@pytest.fixture
def module(written: Any) -> Any:
    """As nn~ opens it."""
    return read_torchscript(written.folder / "model.ts")


def noise(*shape: int, seed: int = 0) -> Tensor:
    return 0.3 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def audio(written: Any) -> Tensor:
    return noise(1, written.export.channels, 24 * 64)


@pytest.fixture(scope="session")
def lint(shared: Path) -> Any:
    """The checker of what nn~ needs: what it finds in a file, (level, message) each."""
    spec = importlib.util.spec_from_file_location("lint_ts", shared / "acceptance" / "lint_ts.py")
    assert spec
    assert spec.loader
    checker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(checker)

    def check(path: Path) -> list[tuple[str, str]]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # torch.jit.load, in the checker
            return list(checker.lint(str(path)))

    return check


def test_the_contract_of_nn_tilde_is_kept(written: Any, lint: Any) -> None:
    found = lint(written.folder / "model.ts")
    assert [line for line in found if line[0] != "ok"] == []
    assert len(found) == 4


@torch.no_grad()
def test_a_prior_is_a_method_beside_the_others(make_export: Any, lint: Any, tmp_path: Path) -> None:
    export = make_export()
    prior = LatentPrior(LatentPriorSettings(), 5)
    prior.initialise(np.random.default_rng(0).standard_normal((400, 5)))
    projection = LatentProjection(torch.zeros(5), torch.eye(5))
    halves = StreamingEncoder(export.model, projection).eval(), StreamingDecoder(export.model, projection).eval()
    playable = NNTildeWithPrior(*halves, 44100, export.latency_samples, PriorStream(prior.eval()))
    write_torchscript(tmp_path / "model.ts", script_nn_tilde(playable.eval()))
    found = lint(tmp_path / "model.ts")
    assert [line for line in found if line[0] != "ok"] == []
    assert len(found) == 5
    module = read_torchscript(tmp_path / "model.ts")
    assert module.prior_params.tolist() == [1, 64, 5, 64]
    warm = torch.ones(1, 1, 20)
    first, again = module.prior(warm), module.prior(warm)
    assert not torch.equal(first, again)
    module.set_reset(True)
    torch.testing.assert_close(run_blocks(module.prior, warm, 1), first)
    assert module.prior(torch.full((1, 1, 5), float("nan"))).isfinite().all()


def test_every_form_gives_the_same_sound(written: Any) -> None:
    assert set(written.parity) == {"streaming", "encoder.onnx", "decoder.onnx", "model.ts"}
    assert max(written.parity.values()) < 1e-5
    assert {path.name for path in written.folder.iterdir()} == {"encoder.onnx", "decoder.onnx", "model.ts"}


def test_ratios_labels_and_facts(written: Any, module: Any) -> None:
    channels = written.export.channels
    assert module.encode_params.tolist() == [channels, 1, 3, 64]
    assert module.decode_params.tolist() == [3, 64, channels, 1]
    assert module.forward_params.tolist() == [channels, 1, channels, 1]
    assert module.encode_output_labels == ["(signal) latent 1", "(signal) latent 2", "(signal) latent 3"]
    assert list(module.get_sample_rate()) == [44100]
    assert list(module.get_latency_samples()) == [written.export.latency_samples]


@torch.inference_mode()
def test_methods_of_one_object_do_not_disturb_each_other(written: Any, module: Any, audio: Tensor) -> None:
    latents = noise(1, 3, 24, seed=1)
    alone = {
        method: run_blocks(getattr(read_torchscript(written.folder / "model.ts"), method), x, x.shape[2] // 24)
        for method, x in (("encode", audio), ("decode", latents), ("forward", audio))
    }
    together: dict[str, list[Tensor]] = {method: [] for method in alone}
    for index in range(24):
        block = audio[:, :, 64 * index : 64 * (index + 1)]
        together["encode"].append(module.encode(block))
        together["decode"].append(module.decode(latents[:, :, index : index + 1]))
        together["forward"].append(module(block))
    for method, blocks in together.items():
        torch.testing.assert_close(torch.cat(blocks, dim=2), alone[method], atol=1e-6, rtol=0)


@torch.inference_mode()
def test_reset_is_the_state_of_the_file(module: Any, audio: Tensor) -> None:
    latents = noise(1, 3, 24)
    first = module.encode(audio), module.decode(latents), module(audio)
    again = module.encode(audio), module.decode(latents), module(audio)
    assert module.set_reset(True) == 0
    reset = module.encode(audio), module.decode(latents), module(audio)
    for one, other, third in zip(first, again, reset, strict=True):
        assert not torch.equal(one, other)
        assert torch.equal(one, third)


@torch.inference_mode()
def test_another_batch_starts_anew_and_every_signal_in_it_is_alone(module: Any, audio: Tensor) -> None:
    expected = module(audio)
    torch.testing.assert_close(module(torch.cat([audio, audio, -audio]))[:2], expected.repeat(2, 1, 1))


@torch.inference_mode()
@pytest.mark.parametrize("broken", [float("nan"), float("inf"), -float("inf")])
def test_a_broken_block_is_silence_and_over_with_the_next(module: Any, audio: Tensor, broken: float) -> None:
    latents = noise(1, 3, 24)
    for method, x in (("encode", audio), ("decode", latents), ("forward", audio)):
        call, size = getattr(module, method), x.shape[2] // 3
        expected, found = [], []
        for value, out in ((0.0, expected), (broken, found)):
            module.set_reset(True)
            for index in range(3):
                block = x[:, :, index * size : (index + 1) * size]
                out.append(call(torch.full_like(block, value) if index == 1 else block))
        for one, other in zip(found, expected, strict=True):
            assert torch.equal(one, other)
            assert one.isfinite().all()


@torch.inference_mode()
def test_huge_input_gives_finite_sound_and_is_forgotten(written: Any, module: Any, audio: Tensor) -> None:
    for method, channels, stride in (("encode", audio.shape[1], 64), ("decode", 3, 1), ("forward", audio.shape[1], 64)):
        call = getattr(module, method)
        for _ in range(3):
            assert call(torch.full((1, channels, 16 * stride), 3e38)).isfinite().all()
    assert module.decode(torch.full((1, 3, 4), -3e38)).abs().max() <= 1


@torch.inference_mode()
def test_bias_and_scale_steer_decode_and_forward(module: Any, audio: Tensor) -> None:
    latents = noise(1, 3, 24)
    scale, bias = torch.tensor([2.0, 0.5, 0.0]), torch.tensor([0.1, -0.2, 0.3])
    steered = latents * scale[:, None] + bias[:, None]
    expected = module.decode(steered)
    encoded = module.encode(audio)
    assert module.set_latent_scale(2.0, 0.5, 0.0) == 0
    assert module.set_latent_bias(0.1, -0.2, 0.3) == 0
    assert list(module.get_latent_bias()) == pytest.approx([0.1, -0.2, 0.3])
    assert list(module.get_latent_scale()) == [2.0, 0.5, 0.0]
    assert module.set_latent_bias(float("nan"), 0.0, 0.0) == 1
    module.set_reset(True)
    torch.testing.assert_close(module.decode(latents), expected)
    assert torch.equal(module.encode(audio), encoded)
    sound = module(audio)
    module.set_reset(True)
    torch.testing.assert_close(sound, module.decode(encoded))


@torch.inference_mode()
def test_temperature_draws_the_same_latents_in_blocks_of_any_size(written: Any, module: Any, audio: Tensor) -> None:
    means = module.encode(audio)
    assert module.set_temperature(-1.0) == module.set_temperature(float("nan")) == 1
    draws = []
    for temperature, blocks in ((1.0, (1,)), (1.0, (5, 2)), (2.0, (24,)), (0.0, (3,))):
        assert module.set_temperature(temperature) == 0
        assert list(module.get_temperature()) == [temperature]
        module.set_reset(True)
        draws.append(run_blocks(module.encode, audio, 64, blocks))
    torch.testing.assert_close(draws[0], draws[1], atol=1e-6, rtol=0)
    torch.testing.assert_close(draws[2] - means, 2 * (draws[0] - means), atol=1e-5, rtol=0)
    torch.testing.assert_close(draws[3], means, atol=1e-6, rtol=0)
    assert (draws[0] - means).abs().mean() > 0.1
    module.set_temperature(1.0)
    module.set_reset(True)
    assert not torch.equal(module.encode(audio), module.encode(audio))


def test_facts_cannot_be_set(written: Any, module: Any) -> None:
    assert module.set_latency_samples(1) == 1
    assert module.set_latency_samples(written.export.latency_samples) == 0
    assert module.set_sample_rate(-2147483648) == 0  # as nn~ does after a reload
    assert list(module.get_sample_rate()) == [44100]


def test_a_file_that_differs_is_refused(written: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parity, "TOLERANCE", -1.0)
    with pytest.raises(ExportError, match="streaming differs from the model by"):
        written.export.write_files(tmp_path, written.projection)
    assert list(tmp_path.iterdir()) == []

"""The waveform VAE in all its sizes: counts, delays, and one sound from one set of weights, offline and in a stream."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from audiovae.errors import ShapeError
from audiovae.models.waveform import WaveformVAE, WaveformVAESettings
from audiovae.nn.waveform_blocks import bound

LONG, SHORT = (1, 3, 9, 1, 3, 9), (1, 1, 1, 1, 1, 1)
SIZES: dict[str, dict[str, Any]] = {
    "v1": {
        "capacity": 64,
        "encoder_dilations": [[]] * 4,
        "decoder_dilations": [LONG, LONG, LONG, SHORT],  # what looks ahead at the slowest rate costs most delay
        "noise": True,
    },
    "v2": {},
    "v2_small": {"capacity": 48, "ratios": [4, 2, 2, 2]},
    "low_latency": {
        "capacity": 64,
        "ratios": [2, 2, 2],
        "latent_size": 32,
        "attenuation_db": 60,
        "causal": True,
        "encoder_dilations": [[1, 3, 9]] * 3,
        "decoder_dilations": [[1, 3, 9]] * 3,
    },
    "tiny": {
        "channels": 2,
        "n_bands": 8,
        "capacity": 8,
        "ratios": [4, 4],
        "latent_size": 4,
        "encoder_dilations": [[1, 3], [1]],
        "decoder_dilations": [[1, 3], [1]],
        "noise": True,
    },
}
FACTS = {  # parameters in millions (the peer's where there is one), hop length, delay of a stream in samples
    "v1": (17.61, 2048, 22880),
    "v2": (31.54, 2048, 26704),
    "v2_small": (7.76, 512, 10000),
    "low_latency": (3.62, 128, 192),
    "tiny": (0.0184, 128, 736),
}


def make_model(size: str, **settings: Any) -> WaveformVAE:
    torch.manual_seed(0)
    return WaveformVAE(WaveformVAESettings.model_validate(SIZES[size] | settings)).eval()


class EncoderStream(nn.Module):
    """What the exporter scripts."""

    def __init__(self, model: WaveformVAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        return self.model.encode_step(x, state)


class DecoderStream(nn.Module):
    """What the exporter scripts."""

    def __init__(self, model: WaveformVAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        return self.model.decode_step(x, state)


def script(module: nn.Module) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch.jit.script: nn~ needs it
        return torch.jit.script(module)


def stream(step: Any, state: list[Tensor], x: Tensor, blocks: list[int]) -> Tensor:
    out = []
    while x.shape[2]:
        size = blocks[len(out) % len(blocks)]
        block, state = step(x[:, :, :size], state)
        out.append(block)
        x = x[:, :, size:]
    return torch.cat(out, dim=2)


def audio_of(model: WaveformVAE, frames: int, batch: int = 1) -> Tensor:
    return 0.3 * torch.randn(batch, model.channels, frames * model.hop_length)


@pytest.mark.parametrize("size", SIZES)
def test_parameters_hop_and_delay(size: str) -> None:
    model = make_model(size)
    millions, hop_length, delay_samples = FACTS[size]
    assert sum(parameter.numel() for parameter in model.parameters()) / 1e6 == pytest.approx(millions, rel=0.1)
    assert model.hop_length == hop_length
    assert model.delay_samples == delay_samples
    assert model.delay_samples == model.encode_delay * hop_length + model.decode_delay
    assert model.latency_samples == delay_samples + hop_length


def test_low_latency_is_below_ten_milliseconds_with_its_hop() -> None:
    assert make_model("low_latency").latency_samples / 44100 < 0.010


@torch.no_grad()
@pytest.mark.parametrize(("batch", "blocks"), [(1, [1]), (4, [3, 1, 2])])
@pytest.mark.parametrize("scripted", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_tiny_streams_in_any_blocks(batch: int, blocks: list[int], scripted: bool, causal: bool) -> None:
    check_streams(make_model("tiny", causal=causal), batch, blocks, scripted=scripted)


@torch.no_grad()
@pytest.mark.parametrize("size", ["v1", "v2", "v2_small", "low_latency"])
def test_real_sizes_stream(size: str) -> None:
    check_streams(make_model(size), 1, [3, 1], scripted=True)


def check_streams(model: WaveformVAE, batch: int, blocks: list[int], *, scripted: bool) -> None:
    """Latents and sound of a stream are those of the whole, `delay` later, past the `memory` of the start."""
    hop = model.hop_length
    encode = script(EncoderStream(model).eval()) if scripted else model.encode_step
    decode = script(DecoderStream(model).eval()) if scripted else model.decode_step
    audio = audio_of(model, model.encode_memory + model.encode_delay + 4, batch)
    streamed = stream(encode, model.init_encode_state(batch), audio, [hop * block for block in blocks])
    check_equal(streamed, model.encode(audio), model.encode_delay, model.encode_memory, tolerance=1e-5)
    frames = -(-(model.decode_memory + model.decode_delay) // hop) + 2
    latents = torch.randn(batch, model.latent_size, frames)
    streamed = stream(decode, model.init_decode_state(batch), latents, blocks)
    check_equal(streamed, model.decode(latents), model.decode_delay, model.decode_memory, tolerance=1e-5)


def check_equal(streamed: Tensor, offline: Tensor, delay: int, memory: int, tolerance: float) -> None:
    assert streamed.shape == offline.shape
    late, aligned = streamed[:, :, delay:], offline[:, :, : offline.shape[2] - delay]
    assert late.shape[2] > memory
    torch.testing.assert_close(late[:, :, memory:], aligned[:, :, memory:], atol=tolerance, rtol=0)


@torch.no_grad()
def test_shapes_of_a_pass() -> None:
    model = make_model("tiny")
    audio = audio_of(model, 5, batch=3)
    result = model(audio)
    assert result.audio.shape == audio.shape
    assert result.bands.shape == result.target_bands.shape == (3, 2 * 8, 5 * 16)
    assert result.mean.shape == result.log_variance.shape == (3, 4, 5)
    torch.testing.assert_close(model.posterior(audio)[0], result.mean, atol=0, rtol=0)


@torch.no_grad()
def test_encode_and_decode_are_deterministic_and_training_is_not() -> None:
    model = make_model("tiny")
    audio = audio_of(model, 5)
    latents = model.encode(audio)
    torch.testing.assert_close(model.encode(audio), latents, atol=0, rtol=0)
    torch.testing.assert_close(model.decode(latents), model.decode(latents), atol=0, rtol=0)
    model.train()
    assert not torch.equal(model.decode(latents), model.decode(latents))


@torch.no_grad()
@pytest.mark.parametrize("output_bound", ["soft_clip", "tanh"])
def test_sound_is_bounded_whatever_the_latents(output_bound: str) -> None:
    model = make_model("tiny", output_bound=output_bound)
    audio = model.decode(1e6 * torch.randn(1, 4, 50))
    assert 0.9 < audio.abs().max() <= 1.0


@torch.no_grad()
def test_what_a_soft_clip_leaves_alone() -> None:
    quiet = torch.linspace(-0.9, 0.9, 50)[None, None]
    torch.testing.assert_close(bound(quiet, "soft_clip"), quiet, atol=0, rtol=0)


@torch.no_grad()
def test_a_causal_model_does_not_look_ahead_beyond_its_filter_bank() -> None:
    model = make_model("low_latency")
    latents = torch.randn(1, 32, 8)
    changed = latents.clone()
    changed[:, :, 5:] += 1
    same = 5 * model.hop_length - model.decode_delay
    before, after = model.decode(latents)[:, :, :same], model.decode(changed)[:, :, :same]
    torch.testing.assert_close(before, after, atol=1e-7, rtol=0)


@torch.no_grad()
def test_other_shapes_are_refused() -> None:
    model = make_model("tiny")
    with pytest.raises(ShapeError, match=r"\(1, 1, 128\) found, \(batch, 2, samples\) expected"):
        model.encode(torch.zeros(1, 1, 128))
    with pytest.raises(ShapeError, match="a multiple of 128"):
        model.posterior(torch.zeros(1, 2, 130))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ratios": [4, 4, 4, 3]}, "hop length of 3072"),
        ({"n_bands": 12}, "powers of two expected"),
        ({"kernel_size": 4}, "must be odd"),
        ({"ratios": []}, "one or more"),
        ({"ratios": [4, 4]}, "one list of positive dilations for each of the 2 ratios"),
        ({"decoder_dilations": [[0], [1], [1], [1]]}, "decoder_dilations"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        WaveformVAESettings.model_validate(settings)

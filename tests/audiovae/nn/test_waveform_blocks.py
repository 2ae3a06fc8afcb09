"""The synthesiser of bands: its formula, and noise that does not know how it was cut into blocks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from audiovae.nn.waveform_blocks import BandSynthesiser, Contraction, Expansion

StreamCheck = Callable[..., None]


def make_synthesiser(*, loudness: bool = False, noise: bool = False, causal: bool = False) -> BandSynthesiser:
    torch.manual_seed(0)
    return BandSynthesiser(3, 4, 7, loudness=loudness, noise=noise, causal=causal).eval()


def set_head(layer: BandSynthesiser, *values: float) -> None:
    """The head says these constants: wave, loudness, level."""
    with torch.no_grad():
        layer.head.convolution.weight.zero_()
        assert layer.head.convolution.bias is not None
        layer.head.convolution.bias.copy_(torch.tensor(values).repeat_interleave(4))


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("loudness", "noise"), [(False, False), (True, False), (False, True), (True, True)])
def test_synthesiser_streams(check_stream: StreamCheck, loudness: bool, noise: bool, causal: bool) -> None:
    check_stream(make_synthesiser(loudness=loudness, noise=noise, causal=causal), channels=3)


@torch.no_grad()
def test_bands_are_wave_times_loudness() -> None:
    layer = make_synthesiser(loudness=True)
    set_head(layer, 0.5, -1.0)
    expected = torch.tanh(torch.tensor(0.5)) * 2 * torch.sigmoid(torch.tensor(-1.0))
    torch.testing.assert_close(layer(torch.randn(1, 3, 20)), expected.expand(1, 4, 20))


@torch.no_grad()
def test_noise_is_white_of_its_level_and_independent_in_each_band() -> None:
    layer = make_synthesiser(noise=True)
    set_head(layer, 0.0, 0.0)  # level sigmoid(0) = 0.5
    bands = layer(torch.zeros(1, 3, 20000))[0]
    torch.testing.assert_close(torch.cov(bands), 0.25 * torch.eye(4), atol=0.01, rtol=0)
    spectrum = torch.fft.rfft(bands).abs().square().mean(dim=0)[1:]
    level = spectrum.reshape(10, -1).mean(dim=1)
    assert level.max() / level.min() < 1.2


@torch.no_grad()
def test_noise_goes_on_where_its_period_ends() -> None:
    layer = make_synthesiser(noise=True)
    x = torch.randn(1, 6, 3)

    def play(blocks: list[int]) -> Tensor:
        state = layer.init_state(1)
        state[-1] += layer.period - 3
        out = []
        for block in x.split(blocks, dim=1):
            bands, state = layer.step(block, state)
            out.append(bands)
        assert state[-1].item() == 3
        return torch.cat(out, dim=1)

    torch.testing.assert_close(play([6]), play([2, 2, 2]), atol=1e-6, rtol=0)


@pytest.mark.parametrize("causal", [True, False])
def test_networks_stream(check_stream: StreamCheck, causal: bool) -> None:
    torch.manual_seed(0)
    check_stream(Contraction(4, 6, 5, (4, 2), ((1, 3), (9,)), 3, causal), channels=4, grid=8, ratio=1 / 8)
    check_stream(Expansion(6, 5, (4, 2), ((1, 3), (9,)), 3, causal), channels=6, ratio=8)

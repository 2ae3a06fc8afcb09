"""Bands and back: the signal again, offline and in a stream."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from audiovae.nn.pqmf import Analysis, Synthesis
from audiovae.nn.streaming import Chain

StreamCheck = Callable[..., None]


@torch.no_grad()
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("n_bands", [4, 8, 16, 32])
def test_reconstruction_error_is_below_minus_85_db(n_bands: int, channels: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, channels, 256 * n_bands)
    rebuilt = Synthesis(channels, n_bands, 100)(Analysis(channels, n_bands, 100)(x))
    inside = slice(14 * n_bands, -14 * n_bands)  # the ends lose what lies beyond them
    error = (rebuilt - x)[:, :, inside].square().mean() / x.square().mean()
    assert 10 * torch.log10(error) < -85


@torch.no_grad()
def test_a_sine_is_in_its_band_of_its_channel_at_its_amplitude() -> None:
    n_bands, band = 16, 5
    sine = 0.5 * torch.sin(torch.pi * (band + 0.4) / n_bands * torch.arange(4096))
    bands = Analysis(2, n_bands, 100)(torch.stack([torch.zeros(4096), sine])[None])[0, :, 20:-20]
    rms = bands.square().mean(dim=1).sqrt()
    assert rms[n_bands + band] == pytest.approx(0.5 / 2**0.5, rel=1e-2)
    rms[n_bands + band - 1 : n_bands + band + 2] = 0  # neighbours overlap
    assert rms.max() < 1e-4


@pytest.mark.parametrize("n_bands", [4, 16])
def test_both_halves_stream(check_stream: StreamCheck, n_bands: int) -> None:
    torch.manual_seed(0)
    check_stream(Analysis(2, n_bands, 80), channels=2, grid=n_bands, ratio=1 / n_bands)
    check_stream(Synthesis(2, n_bands, 80), channels=2 * n_bands, ratio=n_bands)
    check_stream(Chain([Analysis(1, n_bands, 80), Synthesis(1, n_bands, 80)]), channels=1, grid=n_bands)


@torch.no_grad()
def test_a_streamed_round_trip_is_the_signal_after_the_stated_delay() -> None:
    bank = Chain([Analysis(1, 16, 100), Synthesis(1, 16, 100)])
    delay = bank.align(0)
    assert delay == 224
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 1, 4096)).astype(np.float32))
    state, blocks = bank.init_state(1), []
    for block in x.split(48, dim=2):
        out, state = bank.step(block.transpose(1, 2), state)
        blocks.append(out)
    streamed = torch.cat(blocks, dim=1).transpose(1, 2)
    torch.testing.assert_close(streamed[:, :, delay:], x[:, :, :-delay], atol=3e-4, rtol=0)


def test_no_optimiser_sees_the_filters_and_they_are_saved() -> None:
    bank = Chain([Analysis(1, 16, 100), Synthesis(1, 16, 100)])
    assert not list(bank.parameters())
    assert len(bank.state_dict()) == 2


def test_a_delay_off_the_grid_of_the_bands_is_refused() -> None:
    with pytest.raises(ValueError, match="delay of 3 samples found, a multiple of 16"):
        Analysis(1, 16, 100).align(3)

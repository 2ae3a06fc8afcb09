"""Discriminators: what they look at, how they are laid out, and that sounds do not meet within a batch."""

from __future__ import annotations

import pytest
import torch

from audiovae.nn.discriminators import DiscriminatorSettings, WaveformDiscriminators, fold


def make(channels: int = 1, **settings: object) -> WaveformDiscriminators:
    torch.manual_seed(0)
    small = {"capacity": 2, "scales": 2, "periods": [2, 3]} | settings
    return WaveformDiscriminators(DiscriminatorSettings.model_validate(small), channels)


def test_a_fold_puts_every_pth_sample_in_one_column() -> None:
    rows = fold(torch.arange(7.0)[None, None], 3)
    assert rows.tolist() == [[[[0, 1, 2], [3, 4, 5], [6, 0, 0]]]]


@torch.no_grad()
@pytest.mark.parametrize("channels", [1, 2])
def test_features_of_every_layer_end_in_scores(channels: int) -> None:
    judgement = make(channels)(torch.randn(3, channels, 1000))
    assert [[layer.shape[1] for layer in layers] for layers in judgement] == [[2, 8, 32, 32, 1]] * 4
    assert all(layer.shape[0] == 3 for layers in judgement for layer in layers)
    assert [layers[-1].shape[-1] for layers in judgement[:2]] == [2, 3]  # a column of scores a phase of the period
    assert [layers[-1].shape[-1] for layers in judgement[2:]] == [8, 4]  # half the rate, half the scores


@torch.no_grad()
def test_sounds_of_a_batch_are_judged_apart() -> None:
    network, audio = make(), torch.randn(2, 1, 500)
    for layers, alone in zip(network(audio), network(audio[:1]), strict=True):
        for both, one in zip(layers, alone, strict=True):
            torch.testing.assert_close(both[:1], one, atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_a_period_discriminator_sees_one_phase_at_a_time() -> None:
    network, audio = make(scales=0, periods=[3]), torch.randn(1, 1, 300)
    changed = audio.clone()
    changed[:, :, 1::3] += 1
    moved = (network(changed)[0][-1] - network(audio)[0][-1]).abs().amax(dim=(0, 1, 2))
    assert moved[1] > 0
    assert moved[[0, 2]].tolist() == [0, 0]

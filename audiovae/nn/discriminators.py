"""Discriminators of waveforms: networks that tell decoded sound from recorded, used only in training.

Each gives the features of all its layers; the last entry is its scores, one for each stretch of sound it looks at.
"""

from __future__ import annotations

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from audiovae.settings import Settings

Judgement = list[list[Tensor]]
"""For each discriminator the features of its layers, the scores last."""

_WIDTHS = (1, 4, 16, 16)
_SLOPE = 0.2


class DiscriminatorSettings(Settings):
    """Which discriminators there are and how large they are."""

    capacity: int = Field(8, ge=1)
    """Channels after the first layer, 16 times as many at the end: cost grows with its square."""
    scales: int = Field(3, ge=0)
    """Discriminators of the waveform at its own rate, half of it, a quarter..."""
    periods: tuple[int, ...] = (2, 3, 5, 7, 11)
    """Discriminators of every p-th sample, primes: they hear pitch where the others hear noise."""


class WaveformDiscriminators(nn.Module):
    """The multi-scale and the multi-period discriminators of one model.

    Source: Kumar et al. 2019, arXiv:1910.06711 (scales); Kong et al. 2020, arXiv:2010.05646
    (periods). Both narrower than there.
    """

    def __init__(self, settings: DiscriminatorSettings, channels: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList(_scale_layers(channels, settings.capacity) for _ in range(settings.scales))
        self.periods = nn.ModuleList(_period_layers(channels, settings.capacity) for _ in settings.periods)
        self.period_lengths = settings.periods

    def forward(self, audio: Tensor) -> Judgement:
        """Features of audio (batch, channels, samples), discriminator by discriminator, layer by layer."""
        judgement = [
            _features(layers, fold(audio, period))
            for layers, period in zip(self.periods, self.period_lengths, strict=True)
        ]
        for layers in self.scales:
            judgement.append(_features(layers, audio))
            audio = functional.avg_pool1d(audio, 4, 2, padding=1)
        return judgement


def fold(audio: Tensor, period: int) -> Tensor:
    """Rows of `period` samples, the end filled with zeros: (batch, channels, samples) to (.., rows, period)."""
    padded = functional.pad(audio, (0, -audio.shape[2] % period))
    return padded.reshape(*padded.shape[:2], -1, period)


def _features(layers: nn.Module, x: Tensor) -> list[Tensor]:
    features: list[Tensor] = []
    assert isinstance(layers, nn.ModuleList)
    for layer in layers:
        x = layer(x if not features else functional.leaky_relu(x, _SLOPE))
        features.append(x)
    return features


def _scale_layers(channels: int, capacity: int) -> nn.ModuleList:
    layers: list[nn.Module] = [nn.Conv1d(channels, capacity, 15, stride=2, padding=7)]
    for low, high in zip(_WIDTHS, _WIDTHS[1:], strict=False):
        layers.append(nn.Conv1d(low * capacity, high * capacity, 17, stride=4, padding=8))
    layers.append(nn.Conv1d(_WIDTHS[-1] * capacity, 1, 3, padding=1))
    return nn.ModuleList(weight_norm(layer) for layer in layers)


def _period_layers(channels: int, capacity: int) -> nn.ModuleList:
    layers: list[nn.Module] = []
    before = channels
    for width in _WIDTHS:
        layers.append(nn.Conv2d(before, width * capacity, (5, 1), stride=(3, 1), padding=(2, 0)))
        before = width * capacity
    layers.append(nn.Conv2d(before, 1, (3, 1), padding=(1, 0)))
    return nn.ModuleList(weight_norm(layer) for layer in layers)

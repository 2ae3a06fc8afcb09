"""Waveform models of all kinds, untrained and written once for all tests of their files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from audiovae.export.principal_axes import fit_projection
from audiovae.export.waveform import WaveformExport
from audiovae.models.waveform import WaveformVAE
from audiovae.nn.projection import LatentProjection
from audiovae.settings import build
from audiovae.training.waveform_task import WaveformSettings

MakeOnce = Callable[[str, Callable[[Path], object]], Path]
SMALL = {
    "n_bands": 8,
    "ratios": [8],
    "capacity": 4,
    "latent_size": 5,
    "encoder_dilations": [[1]],
    "decoder_dilations": [[1, 3]],
}
# Mono, looking ahead, with noise: that is `tiny_waveform_model`. Each costs ten seconds.
KINDS: dict[str, dict[str, Any]] = {"causal": {"causal": True}, "stereo": {"channels": 2, "noise": True}}


@dataclass(frozen=True)
class Written:
    """What an export wrote, and what it was made of: five latents, of which the first three are kept."""

    export: WaveformExport
    projection: LatentProjection
    folder: Path
    parity: dict[str, float]


def build_export(**model: Any) -> WaveformExport:
    settings = build(WaveformSettings, {"training": {"excerpt_samples": 65536}, "model": SMALL | model}, "test")
    torch.manual_seed(0)
    return WaveformExport(WaveformVAE(settings.model).eval(), settings)


@pytest.fixture(scope="session", params=KINDS)
def written(request: pytest.FixtureRequest, make_once: MakeOnce) -> Written:
    """A written model of each kind."""
    export = build_export(**KINDS[request.param])
    generator = torch.Generator().manual_seed(0)
    projection = fit_projection([torch.randn(5, 40, generator=generator)], 3, None)

    def write(folder: Path) -> None:
        (folder / "model").mkdir()
        parity = export.write_files(folder / "model", projection)
        (folder / "parity.json").write_text(json.dumps(parity))

    folder = make_once(f"waveform_{request.param}", write)
    return Written(export, projection, folder / "model", json.loads((folder / "parity.json").read_text()))


@pytest.fixture
def make_export() -> Callable[..., WaveformExport]:
    """An untrained waveform model of the settings given, ready to be written."""
    return build_export

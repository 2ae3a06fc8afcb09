"""A mapping that fades into another: the old answers, then between, then the new ones; never a jump."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gesturemap.features import SmoothingSettings
from gesturemap.frame import Array
from gesturemap.live.sources import MappingSource
from gesturemap.mapping import Mapping


class Constant:
    """A regressor that always answers the same."""

    def __init__(self, row: Array) -> None:
        self._row = row

    def predict(self, rows: Array) -> Array:
        return np.tile(self._row, (len(rows), 1))


def constant(mapping: Mapping, share: float) -> Mapping:
    return replace(mapping, regressor=Constant(mapping.low + share * (mapping.high - mapping.low)))


def test_it_is_the_mapping_then_between_then_the_next(mapping: Mapping) -> None:
    old, new = constant(mapping, 0.2), constant(mapping, 0.6)
    source, features = MappingSource(old), np.zeros(3)
    width = mapping.high - mapping.low

    def share(time_s: float) -> float:
        shares = (source.latents(time_s, features) - mapping.low) / width
        assert np.ptp(shares) < 1e-9
        return float(shares[0])

    assert np.isclose(share(0.0), 0.2)
    source.fade_to(new, 1.0, 2.0)
    assert source.fading
    np.testing.assert_allclose([share(1.0), share(2.0), share(2.5)], [0.2, 0.4, 0.5])
    np.testing.assert_allclose([share(3.0), share(9.0)], 0.6)
    assert not source.fading
    source.fade_to(old, 10.0, 0.0)
    np.testing.assert_allclose([share(10.0), share(10.1)], [0.6, 0.2])


def test_a_fade_goes_on_behind_a_lost_hand_and_through_the_smoother(mapping: Mapping) -> None:
    smooth = SmoothingSettings(method="one_euro", min_cutoff_hz=2.0)
    old = replace(constant(mapping, 0.0), output=mapping.output.model_copy(update={"smoothing": smooth}))
    source = MappingSource(old)
    source.latents(-0.01, np.zeros(3))
    source.fade_to(constant(mapping, 1.0), 0.0, 1.0)
    rows: list[Any] = []
    for index in range(300):
        features = np.full(3, np.nan) if 20 <= index < 40 else np.zeros(3)
        rows.append(source.latents(index / 100.0, features))
    latents = np.stack(rows)
    assert np.isnan(latents).all(axis=1).sum() == 20
    steps = np.abs(np.diff(latents, axis=0)) / (mapping.high - mapping.low)
    assert np.nanmax(steps) < 0.02
    np.testing.assert_allclose(latents[-1], mapping.high, rtol=1e-3)

"""The cycle of models that return what they got, late, turned round, or not at all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from audiovae.analysis.cycle import find_shift, measure_cycle


class Echo:
    """Its sound is its latents, which come back `late` frames later; dimension 1 does not come back."""

    def __init__(self, late: int) -> None:
        self.space: Any = SimpleNamespace(latent_rate=40.0, latent_size=3)
        self.late = late

    def encode(self, audio: Any) -> Any:
        back = np.roll(audio.T, self.late, axis=0)
        return back * [1.0, 0.0, 0.5]

    def decode(self, latents: Any) -> Any:
        return latents.T


def path(seed: int = 0, n: int = 200) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).standard_normal((n, 3)), axis=0)


@pytest.mark.parametrize("late", [0, 3, -2])
def test_the_delay_is_found_and_taken_out(late: int) -> None:
    latents = path()
    std = latents.std(axis=0)
    found = measure_cycle(Echo(late), [(latents, latents.T)], std)
    assert found["shift_frames"] == late
    assert found["correlation"][0] == pytest.approx(1.0)
    assert found["correlation"][1] == 0.0
    assert found["correlation"][2] == pytest.approx(1.0)
    assert found["error"][0] == pytest.approx(0.0, abs=1e-9)
    assert found["error"][2] > 0.1


def test_a_latent_that_does_not_move_has_no_correlation() -> None:
    latents = path()
    latents[:, 2] = 1.0
    found = measure_cycle(Echo(0), [(latents, latents.T)], latents.std(axis=0))
    assert found["correlation"][2] is None
    assert found["mean_correlation"] == pytest.approx(0.5)


def test_what_does_not_move_is_not_shifted() -> None:
    assert find_shift([(np.ones((50, 2)), np.ones((50, 2)))], 8) == 0

"""What counts as met: recorded latents, or what a mapping answers where it is sure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audiovae.latent_space import LatentSpace
from audiovae.latent_table import read_latents
from gesturemap.errors import WrongModelError
from gesturemap.mapping import Mapping
from gesturemap.mapping.suggest import suggest
from gesturemap.recording import Recording

Maker = Callable[..., Recording]


@pytest.fixture
def folder(play_space: LatentSpace, tmp_path: Path) -> Path:
    play_space.save(tmp_path)
    return tmp_path


def test_recorded_latents_count_and_suggestions_raise_coverage(folder: Path, make_recording: Maker) -> None:
    nothing = suggest([], folder, count=4)
    something = suggest([make_recording()], folder, count=4, out=folder / "next.parquet")
    assert nothing.covered == 0.0
    assert something.covered < something.covered_after
    assert (something.distance > 1.0).all()
    space = LatentSpace.load(folder)
    table = read_latents(folder / "next.parquet", space)
    assert len(table) / space.latent_rate == pytest.approx(4 * 2.0 + 3 * 1.0, abs=0.2)
    np.testing.assert_allclose(table[0], something.latents[0], rtol=1e-6)


def test_a_guess_of_the_mapping_is_not_met(folder: Path, mapping: Mapping, make_recording: Maker) -> None:
    """The same gestures: one mapping is sure of them, the other never is; to it all is still to be recorded."""

    class Unsure:
        def predict(self, rows: np.ndarray) -> np.ndarray:
            return mapping.regressor.predict(rows)

        def confidence(self, rows: np.ndarray) -> np.ndarray:
            return np.full(len(rows), 0.4)

    recording = make_recording(kind="gesture")
    sure = suggest([recording], folder, mapping, count=3)
    assert sure.covered > 0.0
    assert suggest([recording], folder, replace(mapping, regressor=Unsure()), count=3).covered == 0.0
    confidence = mapping.confidence(np.array([[1e4] * 3, [np.nan] * 3, mapping.examples.features[5]]))
    np.testing.assert_allclose(confidence, [0.0, 0.0, 1.0], atol=0.05)


def test_another_model_is_refused(folder: Path, mapping: Mapping, make_recording: Maker) -> None:
    with pytest.raises(WrongModelError, match="holds latents of model 'other'"):
        suggest([replace(make_recording(), model_id="0" * 64, model_name="other")], folder)
    with pytest.raises(WrongModelError, match="a gesture space does not carry"):
        suggest([], folder, replace(mapping, model_id="0" * 64))

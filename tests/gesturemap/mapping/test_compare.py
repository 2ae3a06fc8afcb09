"""Comparing mappings: a distance that is known, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gesturemap.errors import MappingError, WrongModelError
from gesturemap.library import list_mappings
from gesturemap.mapping import Mapping
from gesturemap.mapping.card import read_coverage, write_coverage
from gesturemap.mapping.compare import compare_mappings, output_difference
from gesturemap.recording import Recording


class Shifted:
    """A regressor whose latents are half a half range above those of another, in the first dimension alone."""

    def __init__(self, mapping: Mapping) -> None:
        self._regressor, self._by = mapping.regressor, 0.25 * (mapping.high - mapping.low)

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self._regressor.predict(rows) + self._by * np.eye(len(self._by))[0]


def test_the_distance_is_in_half_ranges(mapping: Mapping, make_recording: Callable[..., Recording]) -> None:
    wide = replace(mapping, low=mapping.low - 1e3, high=mapping.high + 1e3)
    other = replace(wide, regressor=Shifted(mapping))
    recording = make_recording(n_takes=2, n_frames=50, seed=4)
    apart = output_difference(wide, other, recording)
    by = 0.25 * (mapping.high - mapping.low)[0] / ((wide.high - wide.low)[0] / 2)
    assert apart.shape == (100, 4)
    np.testing.assert_allclose(apart, [[by, 0, 0, 0]] * 100, atol=1e-12)
    assert not output_difference(mapping, mapping, recording).any()
    for take in recording.takes:
        take.values[:] = np.nan
    with pytest.raises(MappingError, match="no frame that both mappings answer"):
        output_difference(mapping, mapping, recording)


def test_facts_are_those_of_the_cards_and_of_the_report(mapping: Mapping, tmp_path: Path) -> None:
    library = tmp_path / "lib"
    folders = [mapping.save(library / "synthetic" / "loops" / name) for name in ("a", "b")]
    write_coverage(folders[1], "It reaches much.", 0.42)
    result = compare_mappings(*folders)
    assert (result.first.coverage, result.second.coverage) == (None, 0.42)
    assert result.first.held_out_r2 == mapping.card["held_out_r2_all"]
    assert result.first.held_out_error == pytest.approx(np.sqrt(np.mean(np.square(mapping.card["held_out_rmse"]))))
    assert (result.same_model, result.distance) == (True, None)
    listed = {entry.path: entry for entry in list_mappings(library) if entry.folder.is_relative_to(library)}
    assert listed["synthetic/loops/b"].coverage == 0.42
    assert listed["synthetic/loops/a"].held_out_error == result.first.held_out_error
    (folders[1] / "coverage.json").write_text("{")
    assert read_coverage(folders[1]) is None


def test_two_models_have_no_distance(mapping: Mapping, tmp_path: Path) -> None:
    one = mapping.save(tmp_path / "one")
    other = replace(mapping, model_id="ee" * 32, model_name="organ").save(tmp_path / "other")
    assert not compare_mappings(one, other).same_model
    with pytest.raises(WrongModelError, match="'loops' .* plays 'organ' .* no distance"):
        compare_mappings(one, other, tmp_path / "a.rec")

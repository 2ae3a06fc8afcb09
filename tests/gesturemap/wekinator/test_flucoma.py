"""FluCoMa's data sets and label sets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gesturemap.errors import RecordingError
from gesturemap.wekinator import export_flucoma, import_flucoma

POINTS = {"cols": 2, "data": {"a": [0.1, 0.2], "c": [3, -4e-3], "b": [5.5, 6.0]}}
TARGETS = {"cols": 3, "data": {"b": [7, 8, 9], "a": [1, 2, 3], "c": [4, 5, 6]}}
LABELS = {"cols": 1, "data": {"a": ["snare"], "b": ["kick"], "c": ["snare"]}}


@pytest.fixture
def points(tmp_path: Path) -> Path:
    return write(tmp_path / "points.json", POINTS)


def write(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document))
    return path


def test_points_are_rows_and_targets_latents_by_name(points: Path, tmp_path: Path) -> None:
    targets = write(tmp_path / "targets.json", TARGETS)
    recording = import_flucoma(points, tmp_path / "out.rec", targets=targets, rate_hz=10.0)
    take = recording.takes[0]
    np.testing.assert_array_equal(take.values, [[0.1, 0.2], [3.0, -0.004], [5.5, 6.0]])
    np.testing.assert_array_equal(take.latents, [[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    np.testing.assert_allclose(take.time_s, [0.0, 0.1, 0.2])


def test_labels_are_classes_in_alphabetical_order(points: Path, tmp_path: Path) -> None:
    recording = import_flucoma(points, tmp_path / "out.rec", labels=write(tmp_path / "labels.json", LABELS))
    np.testing.assert_array_equal(recording.takes[0].latents, [[2.0], [2.0], [1.0]])
    assert "latent_0 is a class: 1 kick, 2 snare" in recording.notes


def test_there_and_back_is_exact(points: Path, tmp_path: Path) -> None:
    targets = write(tmp_path / "targets.json", TARGETS)
    recording = import_flucoma(points, tmp_path / "out.rec", targets=targets)
    export_flucoma(recording, tmp_path / "p.json", tmp_path / "t.json")
    found = json.loads((tmp_path / "p.json").read_text())
    assert found == {"cols": 2, "data": {"1-0": [0.1, 0.2], "1-1": [3.0, -0.004], "1-2": [5.5, 6.0]}}
    again = import_flucoma(tmp_path / "p.json", tmp_path / "again.rec", targets=tmp_path / "t.json")
    np.testing.assert_array_equal(again.takes[0].latents, recording.takes[0].latents)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"cols": 2, "data": {"a": [1]}}', "1 values found, a list of 2 numbers"),
        ('{"cols": 1, "data": {"a": 1}}', "int found, a list of 1 numbers"),
        ('{"cols": 1, "data": {"a": [true]}}', "'True' found, a number"),
        ('{"cols": 1, "data": {"a": [1e999]}}', "'inf' found, a number"),
        ('{"cols": 1, "data": {"a": [Infinity]}}', "Infinity is no number"),
        ('{"cols": 1, "data": {"a": [' + "9" * 5000 + "]}}", "damaged JSON"),
        ('{"cols": 1000000000, "data": {"a": [1]}}', "cols 1000000000"),
        ('{"cols": 1, "data": {}}', "0 points found"),
        ('{"cols": 1, "data": []}', "no {"),
        ("[1, 2", "damaged JSON"),
    ],
)
def test_hostile_and_broken_files(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "points.json").write_text(text)
    with pytest.raises(RecordingError, match=message):
        import_flucoma(tmp_path / "points.json", tmp_path / "out.rec")
    assert not (tmp_path / "out.rec").exists()


def test_sets_that_do_not_fit_together(points: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other.json", {"cols": 1, "data": {"a": ["x"], "b": ["y"]}})
    with pytest.raises(RecordingError, match="no point 'c'"):
        import_flucoma(points, tmp_path / "out.rec", labels=other)
    with pytest.raises(RecordingError, match="give one of them"):
        import_flucoma(points, tmp_path / "out.rec", labels=other, targets=other)
    with pytest.raises(RecordingError, match="one label for each point expected"):
        import_flucoma(points, tmp_path / "out.rec", labels=points)

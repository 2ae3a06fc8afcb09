"""Projects as recordings and mappings, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiovae.latent_space import LatentSpace
from gesturemap.errors import RecordingError
from gesturemap.features import load_features
from gesturemap.mapping import Mapping
from gesturemap.mapping.fitting import fit_mapping
from gesturemap.recording import Recording
from gesturemap.wekinator import Project, ProjectOutput, export_project, import_project, read_project, write_project
from gesturemap.wekinator.conversion import import_mapping


@pytest.fixture
def plain(project: Project) -> Project:
    """The project with every output a recorded number."""
    outputs = tuple(ProjectOutput(name) for name in "abc")
    return replace(project, outputs=outputs, targets=np.nan_to_num(project.targets))


def test_rounds_are_takes_and_outputs_latents(project: Project, tmp_path: Path) -> None:
    write_project(project, tmp_path / "songs")
    recording = import_project(tmp_path / "songs", tmp_path / "songs.rec")
    assert [len(take.time_s) for take in recording.takes] == [10, 10, 10]
    assert recording.layout.names == project.input_names
    assert "latent_1 is output 'b, c', -1 to 2.5, not recorded in 5 rows" in recording.notes
    latents = np.concatenate([take.latents for take in recording.takes if take.latents is not None])
    np.testing.assert_allclose(latents, project.targets, atol=5.1e-7)
    np.testing.assert_allclose(recording.takes[1].time_s, 0.033 * np.arange(10), atol=1.1e-3)


def test_a_recording_goes_there_and_back(plain: Project, tmp_path: Path) -> None:
    write_project(plain, tmp_path / "songs")
    recording = import_project(tmp_path / "songs", tmp_path / "songs.rec")
    write_project(export_project(recording, "again"), tmp_path / "again")
    again = read_project(tmp_path / "again")
    np.testing.assert_array_equal(again.inputs, read_project(tmp_path / "songs").inputs)
    np.testing.assert_array_equal(again.targets, read_project(tmp_path / "songs").targets)
    np.testing.assert_array_equal(again.rounds, np.repeat([1, 2, 3], 10))


def test_names_and_times_that_a_recording_cannot_have(plain: Project, tmp_path: Path) -> None:
    odd = replace(plain, input_names=("", "time_s", "latent_0"), time_s=1.7e9 - np.arange(30.0))
    write_project(odd, tmp_path / "odd")
    recording = import_project(tmp_path / "odd", tmp_path / "odd.rec")
    assert recording.layout.names == ("input_1", "time_s_", "latent_0_")
    assert all((np.diff(take.time_s) > 0).all() for take in recording.takes)


def test_an_empty_project_and_one_of_another_size_are_refused(
    project: Project, play_space: LatentSpace, tmp_path: Path
) -> None:
    empty = replace(project, **{k: getattr(project, k)[:0] for k in ("rounds", "time_s", "inputs", "targets")})
    write_project(empty, tmp_path / "empty")
    with pytest.raises(RecordingError, match="no example in the project"):
        import_project(tmp_path / "empty", tmp_path / "empty.rec")
    write_project(project, tmp_path / "songs")
    with pytest.raises(RecordingError, match=f"3 outputs found, model .* has {play_space.latent_size} latents"):
        import_project(tmp_path / "songs", tmp_path / "songs.rec", space=play_space)
    assert not (tmp_path / "songs.rec").exists()


def test_a_project_becomes_a_mapping_that_plays_its_networks(
    play_space: LatentSpace, weka_model: dict[str, Any], describe: Callable[..., None], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    outputs = tuple(ProjectOutput(f"o{i}") for i in range(play_space.latent_size))
    inputs, targets = rng.uniform(size=(20, 3)), rng.uniform(size=(20, play_space.latent_size))
    project = Project("p", ("x0", "x 1", "x2"), outputs, np.ones(20, np.int64), np.arange(20.0), inputs, targets)
    write_project(project, tmp_path / "p")
    models = [weka_model | {"outBase": float(middle), "outRange": 1e-3} for middle in play_space.mean]
    describe(tmp_path / "p" / "current" / "modelSetDescription.json", *models)
    mapping = import_mapping(tmp_path / "p", play_space, "theirs")
    mapping.save(tmp_path / "mapping")
    again = Mapping.load(tmp_path / "mapping", play_space)
    read = read_project(tmp_path / "p")
    latents = again.map_take(read.time_s, read.inputs)
    np.testing.assert_array_equal(latents, np.clip(mapping.regressor.predict(read.inputs), mapping.low, mapping.high))
    np.testing.assert_allclose(latents, np.broadcast_to(play_space.mean, latents.shape), atol=2e-3)
    assert "trained in Wekinator" in (tmp_path / "mapping" / "README.md").read_text()


def test_a_mapping_is_exported_with_its_features_and_range(play_space: LatentSpace, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    outputs = tuple(ProjectOutput(f"o{i}") for i in range(play_space.latent_size))
    inputs = rng.uniform(size=(40, 2))
    targets = play_space.mean + 0.1 * rng.normal(size=(40, play_space.latent_size))
    write_project(
        Project("p", ("x", "y"), outputs, np.repeat([1, 2], 20), np.arange(40.0), inputs, targets), tmp_path / "p"
    )
    recording = import_project(tmp_path / "p", tmp_path / "p.rec", space=play_space)
    mapping = fit_mapping([recording], play_space, load_features("position"), name="m", regressor="ridge")
    project = export_project(mapping, "m")
    assert project.input_names == mapping.examples.feature_names
    assert project.outputs[0].hard
    assert project.outputs[0].low == mapping.low[0]
    np.testing.assert_array_equal(np.unique(project.rounds), [1, 2])
    write_project(project, tmp_path / "m")
    np.testing.assert_allclose(read_project(tmp_path / "m").targets, targets, atol=1.1e-6)


def test_a_recording_without_latents_is_refused(tmp_path: Path) -> None:
    from gesturemap.wekinator import export_flucoma, import_flucoma

    (tmp_path / "points.json").write_text('{"cols": 1, "data": {"a": [1], "b": [2]}}')
    recording = import_flucoma(tmp_path / "points.json", tmp_path / "points.rec")
    assert isinstance(recording, Recording)
    with pytest.raises(RecordingError, match="no row with every channel and latents"):
        export_project(recording, "x")
    with pytest.raises(RecordingError, match="holds no latents"):
        export_flucoma(recording, tmp_path / "a.json", tmp_path / "b.json")

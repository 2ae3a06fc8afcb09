"""The four commands, each once there and back."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from gesturemap.cli import app
from gesturemap.wekinator import Project, read_project, write_project


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_projects_and_data_sets_there_and_back(project: Project, tmp_path: Path) -> None:
    write_project(project, tmp_path / "songs")
    found = json.loads(run("import-wekinator", tmp_path / "songs", "--out", tmp_path / "songs.rec", "--json"))
    assert [take["rows"] for take in found["takes"]] == [10, 10, 10]
    run("export-wekinator", tmp_path / "songs.rec", "--out", tmp_path / "again")
    assert len(read_project(tmp_path / "again").rounds) == 30
    points, latents = tmp_path / "points.json", tmp_path / "latents.json"
    run("export-flucoma", tmp_path / "songs.rec", "--out", points, "--targets", latents)
    found = json.loads(run("import-flucoma", points, "--targets", latents, "--out", tmp_path / "p.rec", "--json"))
    assert found["takes"][0]["rows"] == 25
    assert found["latents"] == 3


def test_a_mapping_needs_a_model(project: Project, tmp_path: Path) -> None:
    write_project(project, tmp_path / "songs")
    arguments = ["import-wekinator", tmp_path / "songs", "--out", tmp_path / "a.rec", "--mapping", tmp_path / "m"]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 2
    assert not (tmp_path / "a.rec").exists()

"""The commands around recording without hands: learn, suggest, record with triggers, mappings compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from audiovae.errors import SettingsError
from gesturemap import cli
from gesturemap.errors import GestureMapError
from gesturemap.recording.triggers import Action, TriggerSettings, load_triggers, save_triggers


def run(*arguments: object) -> str:
    """What a command prints; an error it ends with is raised."""
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    if result.exception:
        raise result.exception
    return result.stdout


@pytest.fixture(scope="module")
def takes(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two takes of five seconds with a walk each."""
    out = tmp_path_factory.mktemp("record") / "takes.rec"
    tracker = ("--tracker", "synthetic:seed=3,seconds=10", "--takes", 2, "--seconds", 5)
    made = json.loads(run("record", *tracker, "--out", out, "--model", tiny_model, "--play", "walk", "--json"))
    assert [note.rpartition(" ")[2] for note in made["notes"]] == ["0", "1"]  # the seeds
    return out


def test_a_pose_is_learned_and_starts_a_take(tmp_path: Path) -> None:
    """The same synthetic hands twice: the pose they begin with is learned, held as they move on, and met again."""
    triggers = tmp_path / "triggers.toml"
    tracker = "synthetic:seed=3,seconds=10"
    said = json.loads(run("learn", "toggle", "--triggers", triggers, "--tracker", tracker, "--pose", "rest", "--json"))
    assert said == {"action": "toggle", "control": "pose:rest"}
    settings = load_triggers(triggers)
    pose = settings.poses["rest"].model_copy(update={"radius": 1.0, "hold_s": 2.0})
    save_triggers(settings.model_copy(update={"poses": {"rest": pose}, "keys": False}), triggers)
    made = json.loads(
        run("record", "--tracker", tracker, "--out", tmp_path / "a.rec", "--triggers", triggers, "--json")
    )
    (take,) = made["takes"]
    assert take["seconds"] == pytest.approx(8.0, abs=0.05)


def test_suggestions_are_listed_and_written(takes: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "next.parquet"
    found = json.loads(run("suggest", takes, "--model", tiny_model, "--count", 3, "--out", out, "--json"))
    assert len(found["latents"]) <= 3
    assert 0.0 <= found["covered"] <= found["covered_after"] <= 1.0
    assert "% of the model; with these" in run("suggest", "--model", tiny_model, "--count", 2)
    record = ("record", "--tracker", "synthetic:seconds=1", "--model", tiny_model, "--out", tmp_path / "b.rec")
    assert json.loads(run(*record, "--play", out if out.exists() else "suggestions", "--json"))["latents"] > 0


def test_mappings_are_compared(takes: Path, tiny_model: Path, tmp_path: Path) -> None:
    library = ("--library", tmp_path / "lib")
    for name, regressor in (("soft", "ridge"), ("near", "knn")):
        run("fit", takes, "--model", tiny_model, "--name", name, "--regressor", regressor, *library)
    labels = ("synthetic/tiny/soft", "synthetic/tiny/near")
    result: dict[str, Any] = json.loads(run("mappings", "compare", *labels, takes, *library, "--json"))
    assert result["distance_all"] > 0
    assert len(result["distance"]) > 1
    table = run("mappings", "compare", *labels, takes, *library)
    assert "of a half range apart in" in table
    assert all(label in table for label in labels), "not a long folder, folded"
    listed = json.loads(run("mappings", *library, "--json"))
    assert {entry["path"] for entry in listed} >= set(labels)
    assert all(entry["held_out_error"] > 0 for entry in listed if entry["path"] in labels)


def test_a_base_sound_is_moved(takes: Path, tiny_model: Path, tmp_path: Path) -> None:
    library = ("--library", tmp_path / "lib")
    moving = ("--regressor", "linear_map", "--mode", "add", "--name", "bias")
    run("fit", takes, "--model", tiny_model, *moving, *library)
    sound = sorted((tiny_model.parent / "sounds").iterdir())[0]
    out = ("--model", tiny_model, "--out", tmp_path / "a.wav", *library)
    made = json.loads(run("render", "synthetic/tiny/bias", takes, *out, "--base", sound, "--json"))
    assert made["seconds"] == pytest.approx(10.5, abs=0.2)
    with pytest.raises(GestureMapError, match="name it with --base SOUND"):
        run("render", "synthetic/tiny/bias", takes, *out)


def test_what_cannot_be_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no action 'jump'; there are: record, stop"):
        run("learn", "jump")
    out = ("--tracker", "synthetic:seconds=1", "--out", tmp_path / "a.rec")
    with pytest.raises(SettingsError, match="no such trigger file"):
        run("record", *out, "--triggers", tmp_path / "absent.toml")
    with pytest.raises(GestureMapError, match="nobody to wait for"):
        run("record", *out, "--count-in", 3)
    with pytest.raises(GestureMapError, match="how many outputs"):
        run("record", *out, "--wekinator", "127.0.0.1:6448")
    save_triggers(TriggerSettings(triggers={Action.STOP: ("key:s",)}, keys=False), tmp_path / "t.toml")
    with pytest.raises(GestureMapError, match="ended before a take began"):
        run("record", *out, "--triggers", tmp_path / "t.toml")
    assert [path.name for path in tmp_path.iterdir()] == ["t.toml"]

"""The command line: from a model to a report by commands alone, errors in one line, nothing promised that is not."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import soundfile
import typer
from typer.testing import CliRunner

from audiovae.latent_space import LatentSpace
from audiovae.latent_table import read_latents
from audiovae.settings import list_presets
from gesturemap import cli
from gesturemap.features.extractor import PRESETS
from gesturemap.library import validate_library
from gesturemap.mapping.card import NOT_MEASURED
from gesturemap.recording import Recording
from gesturemap.recording.timestamps import TIME_UNITS
from gesturemap.regressors import DEFAULT_REGRESSOR, REGRESSORS
from gesturemap.trackers.registry import TrackerInfo

ROOT = Path(__file__).parents[2]
MADE = {"trackers", "doctor", "mappings", "datasets", "record", "fit", "render", "report", "demo", "perform", "bridge"}
LATER = {"dashboard"}
COMMANDS: dict[str, click.Command] = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
LABEL = "synthetic/tiny/waves"


def run(*arguments: object, code: int = 0) -> str:
    """What a command prints on stdout; it must end with the exit status `code`."""
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def run_json(*arguments: object) -> Any:
    """What a command prints with ``--json``, and nothing else on stdout."""
    return json.loads(run(*arguments, "--json"))


def fail(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line on stderr that a failing command leaves."""
    monkeypatch.setattr(sys, "argv", ["gesturemap", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    return printed.err


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's own library, for all tests of this file."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("user") / "mappings"
        patch.setenv("GESTUREMAP_LIBRARY", str(folder))
        yield folder


@pytest.fixture(scope="module")
def takes(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two takes of five seconds, paired with a walk through the tiny model."""
    out = tmp_path_factory.mktemp("record") / "takes.rec"
    tracker = ("--tracker", "synthetic:seed=3,seconds=10", "--takes", 2, "--seconds", 5)
    made = run_json("record", *tracker, "--out", out, "--model", tiny_model, "--play", "walk")
    assert (made["recording"], made["latents"]) == (str(out), LatentSpace.load(tiny_model).latent_size)
    assert [(take["take"], take["rows"]) for take in made["takes"]] == [(1, 400), (2, 399)]
    assert made["takes"][1]["seconds"] == pytest.approx(398 / 80)
    assert (out / "play.wav").is_file()
    return out


@pytest.fixture(scope="module")
def fitted(library: Path, takes: Path, tiny_model: Path) -> dict[str, Any]:
    """The mapping `LABEL`, and what `fit --json` says of it."""
    settings = ("--set", "regressor.alpha=1", "--set", "output.hold_s=2", "--features", "position")
    ridge = ("--regressor", "ridge", "--intent", "slow [arms]")
    made: dict[str, Any] = run_json("fit", takes, "--model", tiny_model, "--name", "waves", *ridge, *settings)
    assert made["mapping"] == str(library / LABEL)
    return made


def test_a_fit_says_how_good_it_is_and_keeps_what_was_set(
    fitted: dict[str, Any], library: Path, takes: Path, tiny_model: Path
) -> None:
    assert fitted["label"] == "synthetic -> position -> ridge -> tiny"
    assert fitted["card"]["held_out"] == "whole takes left out, 2 folds over 2 takes"
    document = (library / LABEL / "mapping.toml").read_text()
    assert "hold_s = 2" in document
    assert "alpha = 1" in document
    assert "slow [arms]" in (library / LABEL / "README.md").read_text()
    text = run("fit", takes, "--model", tiny_model, "--name", "waves", "--overwrite", "--regressor", "ridge")
    assert text.startswith(f"{library / LABEL}: synthetic -> gametrak_motion -> ridge -> tiny\n799 examples in 2 takes")
    assert "held-out R² " in text


def test_the_mapping_is_listed_with_its_numbers(
    fitted: dict[str, Any], library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    (entry,) = [entry for entry in run_json("mappings") if entry["path"] == LABEL]
    assert entry["folder"] == str(library / LABEL)
    assert isinstance(entry["held_out_r2"], float)
    table = run("mappings")
    assert f" {LABEL} " in table
    assert f"{entry['held_out_r2']:.2f}" in table
    for whole in (entry["features"] + ", " + entry["regressor"], "held-out R²", "coverage"):
        assert whole in table, "no word folded at 80 columns"


def test_a_gesture_becomes_sound_and_a_latent_table(
    fitted: dict[str, Any], takes: Path, tiny_model: Path, tmp_path: Path
) -> None:
    sound, table = tmp_path / "one.wav", tmp_path / "one.parquet"
    text = run("render", LABEL, takes, "--model", tiny_model, "--out", sound, "--latents", table, "--take", 2)
    assert text.startswith(f"{sound}: 5.0 s of sound, ")
    space = LatentSpace.load(tiny_model)
    n_frames = len(read_latents(table, space))
    assert soundfile.info(sound).frames == n_frames * space.hop_length
    made = run_json("render", fitted["mapping"], takes, "--model", tiny_model, "--out", tmp_path / "all.wav")
    assert (made["takes"], made["latents"]) == ([1, 2], None)
    assert made["seconds"] == pytest.approx(soundfile.info(tmp_path / "all.wav").duration, abs=1e-3)


def test_a_report_is_made_and_noted_on_the_card_which_stays_valid(
    fitted: dict[str, Any], library: Path, takes: Path, tiny_model: Path, tmp_path: Path
) -> None:
    card = library / LABEL / "README.md"
    before = card.read_text()
    more, glove = tmp_path / "more.rec", tmp_path / "glove.rec"
    for copy in (more, glove):
        shutil.copytree(takes, copy)
    result = run_json("report", LABEL, takes, more, "--model", tiny_model, "--out", tmp_path / "report")
    assert json.loads((tmp_path / "report" / "report.json").read_text()) == result
    assert 0 < result["statistics"]["gesture"]["coverage"]["value"] <= 1
    assert "<!doctype html>" in (tmp_path / "report" / "report.html").read_text()
    noted = f"Measured on 20\u00a0s of takes.rec, more.rec. {result['answer']}"
    assert card.read_text() == before.replace(NOT_MEASURED, noted)
    text = run("report", LABEL, takes, "--model", tiny_model, "--out", tmp_path / "again")
    assert text.splitlines()[-1] == str(tmp_path / "again" / "report.html")
    assert "Measured on 10\u00a0s of takes.rec. " in card.read_text()
    assert card.read_text().count("Measured on") == 1
    header = json.loads((glove / "recording.json").read_text()) | {"tracker": "glove"}
    (glove / "recording.json").write_text(json.dumps(header))
    noted = card.read_text()
    run("report", LABEL, glove, "--model", tiny_model, "--out", tmp_path / "glove")
    assert card.read_text() == noted, "the card is about the mapping's own tracker"
    assert validate_library(library) == []


def test_a_mapping_is_refused_for_another_model_unless_forced(
    fitted: dict[str, Any],
    takes: Path,
    other_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sound, report = tmp_path / "a.wav", tmp_path / "report"
    for arguments in (("render", LABEL, takes, "--out", sound), ("report", LABEL, takes, "--out", report)):
        error = fail(monkeypatch, capsys, *arguments, "--model", other_model)
        assert re.search("fitted on model 'tiny' .* this is 'again' .f0f0f0.* --force", error)
    assert not sound.exists()
    assert not report.exists()
    card = (Path(fitted["mapping"]) / "README.md").read_bytes()
    run("render", LABEL, takes, "--model", other_model, "--out", sound, "--force")
    result = run_json("report", LABEL, takes, "--model", other_model, "--out", report, "--force")
    assert any("fitted on another model" in caveat for caveat in result["caveats"])
    assert (Path(fitted["mapping"]) / "README.md").read_bytes() == card, "the card is about the mapping's own model"
    error = fail(monkeypatch, capsys, "fit", takes, "--model", other_model, "--name", "no")
    assert "holds latents of model 'tiny'" in error


def test_tables_come_in_and_go_out(tmp_path: Path) -> None:
    (tmp_path / "motion.csv").write_text("ms,x,y,mood\n" + "".join(f"{20 * i},{i},{-i},calm\n" for i in range(9)))
    options = ("--time-column", "ms", "--time-unit", "ms", "--unit", "x=mm", "--tracker", "leap")
    made = run_json("import", tmp_path / "motion.csv", "--out", tmp_path / "motion.rec", *options)
    assert made["takes"] == [{"take": 1, "rows": 9, "seconds": 0.16, "lag_s": None}]
    assert made["notes"] == ["columns left out: mood (text such as 'calm')"]
    recording = Recording.load(tmp_path / "motion.rec")
    assert (recording.tracker, [c.unit for c in recording.layout.channels]) == ("leap", ["mm", "unknown"])
    out = tmp_path / "again.csv"
    assert run("export", tmp_path / "motion.rec", "--out", out) == f"{out}\n"
    np.testing.assert_allclose(np.loadtxt(out, delimiter=",", skiprows=1)[:, 1:], [(i / 50, i, -i) for i in range(9)])
    text = run("import", out, "--out", tmp_path / "again.rec")
    assert text.splitlines()[:2] == [
        f"{tmp_path / 'again.rec'}: 2 channels of table, 1 take",
        "  take 1: 9 rows, 0.2 s",
    ]


def test_what_a_recording_lacks_is_said(tmp_path: Path) -> None:
    out = tmp_path / "a.rec"
    text = run("record", "--tracker", "synthetic:seconds=3", "--out", out, "--seconds", 2, "--takes", 4)
    assert text.splitlines()[-1] == "  2 of 4 takes: seed=0,kind=gametrak ended"


def test_lists_are_tables_of_eighty_columns_and_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for command in ("trackers", "doctor", "datasets"):
        found = run_json(command)
        assert found
        table = [line for line in run(command).splitlines() if line[:1] in "┏┃┡│└"]
        assert {len(line) for line in table} == {80}
        assert "…" not in "".join(table), "folded, never cut off"
    for card in run_json("datasets"):
        assert f" {card['path']} " in run("datasets")
        assert not card["problem"]


def test_commands_to_copy_are_whole_and_keep_their_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("gesturemap.doctor._version", lambda name: None)
    assert "camera: mediapipe: pip install 'gesturemap[camera]'" in run("doctor").splitlines()
    info = TrackerInfo("hands", "two hands", "0", (), False, "pip install 'gesturemap[camera]'")
    monkeypatch.setattr("gesturemap.trackers.list_trackers", lambda: [info])
    assert "'gesturemap[camera]'" in run("trackers")


def test_an_empty_library_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GESTUREMAP_LIBRARY", str(tmp_path / "mine"))
    monkeypatch.setattr("gesturemap.library.CHECKOUT", tmp_path)
    text = run("mappings", "--library", tmp_path / "band")
    assert text.startswith(f"no mappings in {tmp_path / 'band'}, {tmp_path / 'mine'}, ")
    assert run_json("mappings") == []
    assert "source checkout" in run("datasets")
    assert run_json("datasets") == []


def test_damaged_mappings_are_listed_with_the_reason(tmp_path: Path) -> None:
    folder = tmp_path / "hands" / "loops [120 bpm]" / "waves"
    folder.mkdir(parents=True)
    (folder / "mapping.toml").write_text("= nonsense")
    text = run("mappings", "--library", tmp_path)
    assert "hands/loops [120 bpm]/waves" in text
    assert f"hands/loops [120 bpm]/waves: {folder / 'mapping.toml'}: damaged" in text


def test_errors_are_one_line_that_keeps_its_brackets(
    takes: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    model, out = ("--model", tiny_model), ("--out", tmp_path / "x.rec")
    fit = ("fit", takes, *model, "--name", "x")
    cases = {
        "did you mean 'hands'": ("record", "--tracker", "hand:0", *out),
        "takes no option hand_model here": ("record", "--tracker", "synthetic", "--hand-model", "a.task", *out),
        "not a Gametrak calibration": ("record", "--tracker", "gametrak:x.jsonl", "--calibration", "x.toml", *out),
        "Gametrak capture x.jsonl cannot be read": ("record", "--tracker", "gametrak:x.jsonl", *out),
        "add --model MODEL_DIR": ("record", "--tracker", "synthetic", "--play", "walk", *out),
        "takes.rec exists": ("record", "--tracker", "synthetic", "--out", takes),
        "no such file; expected a table": ("import", tmp_path / "a [1].csv", *out),
        "a [1].rec is not a recording": ("export", tmp_path / "a [1].rec", "--out", "a.csv"),
        "did you mean 'ridge'": (*fit, "--regressor", "rigde"),
        "did you mean 'motion'": (*fit, "--features", "motoin"),
        "did you mean 'alpha'": (*fit, "--set", "regressor.alhpa=1"),
        "--set 'alpha=1': expected features.KEY=VALUE": (*fit, "--set", "alpha=1"),
        "mapping name 'a/b'": ("fit", takes, *model, "--name", "a/b"),
        "is no model folder": ("fit", takes, "--model", tmp_path, "--name", "x"),
        "no mapping 'synthetic/tiny/nope'": ("render", "synthetic/tiny/nope", takes, *model, "--out", "a.wav"),
        ".part: Not a directory": (*fit, "--library", tmp_path / "file", "--regressor", "ridge"),
    }
    for message, arguments in cases.items():
        assert message in fail(monkeypatch, capsys, *arguments)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_usage_errors_end_with_status_two(takes: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "a.rec")
    run("fit", takes, "--name", "x", code=2)
    run("fit", takes, "--model", tiny_model, "--name", "x", "--seed", "-1", code=2)
    run("record", "--tracker", "synthetic", *out, "--takes", "0", code=2)
    run("import", "a.csv", *out, "--unit", "x", code=2)
    run("nonsense", code=2)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_with_status_130(takes: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gesturemap.library.fit_into_library", press)
    assert run("fit", takes, "--model", tiny_model, "--name", "x", code=130) == ""


def test_the_demo_without_training_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("gesturemap.demo.run_demo", absent)
    assert "torch is not installed: run  pip install 'gesturemap[train]'" in fail(
        monkeypatch, capsys, "demo", "--out", tmp_path / "demo"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_argument_and_option_says_what_it_does(name: str) -> None:
    assert COMMANDS[name].help
    assert "Usage" in run(name, "--help")
    for parameter in COMMANDS[name].params:
        assert getattr(parameter, "help", None), f"{name}: {parameter.name} has no help"


def test_help_lists_every_name_that_can_be_given() -> None:
    options = {parameter.name: parameter for parameter in COMMANDS["fit"].params}
    assert set(re.findall(r"\w+", options["regressor"].help or "")) >= set(REGRESSORS)
    assert options["regressor"].default == DEFAULT_REGRESSOR
    assert set(re.findall(r"\w+", options["features"].help or "")) >= set(list_presets(PRESETS))
    units = {parameter.name: parameter for parameter in COMMANDS["import"].params}["time_unit"]
    assert set(re.findall(r"\w+", units.help or "")) >= set(TIME_UNITS)


def documents() -> str:
    """README and guide, what a user reads."""
    return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/guide.md"))


def test_the_commands_are_those_of_the_design(shared: Path) -> None:
    """Those of section 4; what moves files, prepares a tracker or goes further besides."""
    section = (shared / "design.md").read_text(encoding="utf-8").partition("## 4.")[2].partition("## 5.")[0]
    lines = [line for line in section.splitlines() if line.startswith("gesturemap ")]
    named = {word for line in lines for word in re.findall(r"(?:^gesturemap|\|| gesturemap) +([a-z]+)\b", line)}
    named &= MADE | LATER
    assert named == MADE | LATER
    besides = {"import", "export", "import-wekinator", "export-wekinator", "import-flucoma", "export-flucoma"}
    besides |= {"calibrate", "learn", "suggest", "patch", "study"}
    assert set(COMMANDS) == MADE | besides


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    assert re.search(rf"\bgesturemap {name}\b", documents()), f"neither README.md nor docs/guide.md shows {name}"


def test_what_the_documents_show_exists() -> None:
    """Every command and option in a line of README or guide that begins with, or quotes, `gesturemap ...`."""
    shown = re.findall(r"^(?:gesturemap) ([a-z]+)([^\n#]*)|`gesturemap ([a-z]+)([^`]*)`", documents(), re.MULTILINE)
    calls = [(name or quoted, rest or more) for name, rest, quoted, more in shown]
    assert len(calls) > 15
    for name, rest in calls:
        assert name in COMMANDS, f"gesturemap {name} is shown but does not exist"
        known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        unknown = set(re.findall(r"(?<!\S)--[a-z-]+", rest)) - known
        assert not unknown, f"gesturemap {name} takes no {unknown}"

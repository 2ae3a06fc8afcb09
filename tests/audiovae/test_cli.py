"""The command line: from sounds to a model and back by commands alone, and errors in one line."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from audiovae import cli
from audiovae.corpus.audio_file import read_audio, write_audio
from audiovae.latent_space import LatentSpace
from audiovae.latent_table import read_latents
from audiovae.training.spectral_task import SpectralTask


def run(*arguments: object, code: int = 0) -> str:
    """What a command prints on stdout; it must end with the exit status `code`."""
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def all_commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from all_commands(child, (*path, name))


COMMANDS = dict(all_commands(typer.main.get_command(cli.app)))


def test_the_commands_are_those_of_the_design() -> None:
    top = {path[0] for path in COMMANDS if path}
    assert top >= {"corpus", "train", "export", "encode", "decode", "evaluate", "info", "presets"}
    assert {path[1] for path in COMMANDS if path[:1] == ("corpus",) and path[1:]} >= {"duration", "resample", "prepare"}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_and_option_says_what_it_does(path: tuple[str, ...]) -> None:
    assert COMMANDS[path].help
    assert "Usage" in run(*path, "--help")
    for parameter in COMMANDS[path].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{' '.join(path)} {parameter.opts[0]} has no help"


def test_sound_to_latents_and_back_and_how_near_it_came(tiny_model: Path, tmp_path: Path) -> None:
    sounds = tiny_model.parent / "sounds"
    tables = run("encode", tiny_model, sounds, "--out", tmp_path / "latents").split()
    assert tables == [str(tmp_path / "latents" / f"tone_{index}.parquet") for index in range(6)]
    space = LatentSpace.load(tiny_model)
    assert read_latents(tables[0], space).shape == (33, 4)

    one = run("decode", tiny_model, tables[0], "--out", tmp_path / "one").split()
    every = run("decode", tiny_model, tmp_path / "latents", "--out", tmp_path / "all").split()
    assert [Path(name).name for name in every] == [f"tone_{index}.wav" for index in range(6)]
    assert Path(one[0]).read_bytes() == Path(every[0]).read_bytes()
    audio, rate = read_audio(one[0])
    assert (audio.shape, rate) == ((1, 33 * 2048), 44100)

    figures = tmp_path / "figures.json"
    table = run("evaluate", tiny_model, "--audio", sounds, "--json", figures)
    result = json.loads(figures.read_text())
    assert result["counts"] == {"compared": 6}
    assert result["model_id"] == space.model_id
    for text in ("tone_5.wav", "LSD dB", "loudness dB", f"{result['means']['lsd_db']:.2f}"):
        assert text in table
    assert max(map(len, table.splitlines())) <= 80


def test_nothing_to_compare_is_a_failure(tiny_model: Path, tmp_path: Path) -> None:
    write_audio(tmp_path / "silence.wav", np.zeros(44100), 44100)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    table = run("evaluate", tiny_model, "--audio", tmp_path, code=1)
    assert "silent" in table
    assert "unreadable" in table


def test_info_says_what_the_folder_holds(tiny_model: Path) -> None:
    found = json.loads(run("info", tiny_model, "--json"))
    space = LatentSpace.load(tiny_model)
    assert found["model_id"] == space.model_id
    assert (found["latent_size"], found["hop_length"], found["family"], found["nn~"]) == (4, 2048, "spectral", False)
    assert found["explained_variance"] == space.explained_variance.tolist()
    text = run("info", tiny_model)
    assert space.model_id in text
    assert "no model.ts" in text


def test_presets_are_listed_with_what_they_are() -> None:
    assert set(json.loads(run("presets", "--json"))) >= {"spectral", "debug_spectral"}
    assert "debug_spectral" in run("presets")


def test_training_says_where_it_stands_and_ctrl_c_is_exit_status_130(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = SpectralTask.step

    def interrupted(self: SpectralTask, fabric: Any, step: int, rng: np.random.Generator) -> Any:
        if step == 1:
            signal.raise_signal(signal.SIGINT)
        return original(self, fabric, step, rng)

    monkeypatch.setattr(SpectralTask, "step", interrupted)
    start = ("train", "debug_spectral", "--corpus", tiny_model.parent / "corpus", "--run", tmp_path / "run")
    start = (*start, "--device", "cpu", "--set", "trainer.max_steps=3")
    assert "stopped at step 2 of 3, best held-out score 0." in run(*start, code=130)
    assert f"{tmp_path / 'run'}: step 3, best held-out score 0." in run(*start, "--resume")


def test_export_says_what_it_made(tiny_model: Path, tmp_path: Path) -> None:
    out = run("export", tiny_model.parent / "run", "--out", tmp_path / "model", "--latents", "3", "--json")
    done = json.loads(out)
    assert done["model_id"] == LatentSpace.load(tmp_path / "model").model_id
    assert set(done["parity"]) == {"encoder.onnx", "decoder.onnx"}


def test_two_sources_of_one_name_are_refused_before_anything_is_written(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    sound = shutil.copy(tiny_model.parent / "sounds" / "tone_0.wav", tmp_path / "more")
    with pytest.raises(cli.AudioVAEError, match="two sources would both become tone_0.parquet"):
        run("encode", tiny_model, tiny_model.parent / "sounds", sound, "--out", tmp_path / "out")
    assert not list((tmp_path / "out").glob("*"))


def fail(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line on stderr that a failing command leaves."""
    monkeypatch.setattr(sys, "argv", ["audiovae", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    return printed.err


def test_errors_are_one_line_that_keeps_its_brackets(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--out", tmp_path / "out")
    assert "loop [120 bpm].wav: no such file" in fail(
        monkeypatch, capsys, "encode", tiny_model, tmp_path / "loop [120 bpm].wav", *out
    )
    assert "is no model folder" in fail(monkeypatch, capsys, "info", tmp_path)
    assert "no latent tables (.parquet) in" in fail(monkeypatch, capsys, "decode", tiny_model, tmp_path, *out)
    train = ("train", "debug_spectral", "--corpus", tiny_model.parent / "corpus", "--run", tmp_path / "run")
    wrong = fail(monkeypatch, capsys, *train, "--set", "model.capacty=3")
    assert "unknown key 'model.capacty' (did you mean 'capacity'?)" in wrong
    (tmp_path / "file").write_text("")
    inside = tmp_path / "file" / "out"
    found = fail(monkeypatch, capsys, "encode", tiny_model, tiny_model.parent / "sounds", "--out", inside)
    assert found == f"error: {inside}: Not a directory\n"


def test_training_without_its_extra_says_what_to_install(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'lightning_fabric'", name="lightning_fabric.fabric")

    from audiovae.training import run as run_module

    monkeypatch.setattr(run_module, "start_training", absent)
    arguments = ("train", "debug_spectral", "--corpus", tiny_model.parent / "corpus", "--run", tmp_path / "run")
    assert "pip install 'gesturemap[train]'" in fail(monkeypatch, capsys, *arguments)

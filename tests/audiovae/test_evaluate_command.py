"""`audiovae evaluate` beyond its fixed form: several models, pages, generated sounds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audiovae.cli import app
from audiovae.errors import SettingsError


def test_two_models_make_tables_figures_and_a_page(tiny_model: Path, tmp_path: Path) -> None:
    figures, page = tmp_path / "figures.json", tmp_path / "page.html"
    words = ["evaluate", str(tiny_model), str(tiny_model), "--audio", str(tiny_model.parent / "sounds")]
    told = CliRunner().invoke(app, [*words, "--json", str(figures), "--html", str(page)], catch_exceptions=False)
    assert told.exit_code == 0
    result = json.loads(figures.read_text())
    assert [model["counts"] for model in result["models"]] == [{"compared": 6}] * 2
    assert told.output.count("tone_5.wav") == 2
    assert "cannot be told apart" in told.output
    assert "SI-SDR: not applicable" in told.output
    assert max(map(len, told.output.splitlines())) <= 80
    assert page.read_text().startswith("<!doctype html>")


def test_generated_sounds_of_two_models_are_refused(tiny_model: Path) -> None:
    sounds = str(tiny_model.parent / "sounds")
    words = ["evaluate", str(tiny_model), str(tiny_model), "--audio", sounds, "--generated", sounds]
    with pytest.raises(SettingsError, match="2 are named"):
        CliRunner().invoke(app, words, catch_exceptions=False)

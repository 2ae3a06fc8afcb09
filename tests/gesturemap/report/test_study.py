"""A study: every combination measured, one page over them, a report of each."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from gesturemap.cli import app
from gesturemap.errors import ReportError
from gesturemap.features import load_features
from gesturemap.mapping.fitting import fit_mapping
from gesturemap.report import study as module
from gesturemap.report.study import read_study, run_study

STUDY = """
title = "Two <models>"
decode = false
[models]
bells = "bells"
drums = "drums"
[recordings]
swing = ["a.rec"]
[recipes.near]
[recipes.moving]
features = "motion"
[recipes.learnt]
pairs = true
[report.coverage]
n_permutations = 19
test_frames = 200
"""


@pytest.fixture
def folder(tmp_path, monkeypatch, bells, space_of, sounds, recorded):
    """A study file beside two models and a recording."""
    drums = replace(space_of(*sounds(20, 60, 8, seed=9), n_validation=6), model_id="b2" * 32)
    spaces = {"bells": bells, "drums": drums}
    monkeypatch.setattr(module, "Player", lambda path: SimpleNamespace(space=spaces[path.name]))
    monkeypatch.setattr(module.Recording, "load", lambda path: recorded(10.0, 5))
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def test_every_combination_is_measured_and_stands_on_the_page(folder):
    said = []
    result = run_study(folder / "study.toml", folder / "out", say=said.append)
    keys = [row["key"] for row in result["rows"]]
    # Nothing was recorded with a model: the recipe that learns has nothing to learn from.
    assert keys == ["bells-swing-near", "bells-swing-moving", "drums-swing-near", "drums-swing-moving"]
    assert [text for text in said if "left out" not in text] == [key.replace("-", ", ") for key in keys]
    assert result["left_out"] == [["bells", "swing", "learnt"], ["drums", "swing", "learnt"]]
    assert "Left out: swing on bells (learnt), swing on drums (learnt)" in result["caveats"][0]
    assert json.loads((folder / "out" / "study.json").read_text()) == result
    page = (folder / "out" / "study.html").read_text()
    for key in keys:
        assert (folder / "out" / key / "report.html").is_file()
        assert f'href="{key}/report.html"' in page
    assert "Two &lt;models&gt;" in page
    assert result["answer"].startswith("4 combinations, compared after")


def test_the_command_line_says_the_answer_and_where_the_page_is(folder):
    out = folder / "out"
    ran = CliRunner().invoke(app, ["study", str(folder / "study.toml"), "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    assert ran.stdout == f"{json.loads((out / 'study.json').read_text())['answer']}\n{out / 'study.html'}\n"
    assert "drums, swing, moving" in ran.stderr


def test_a_mapping_of_the_library_plays_its_own_model_only(folder, bells, recorded):
    fitted = fit_mapping([recorded(10.0)], bells, load_features("position"), name="mine", regressor="linear_map")
    fitted.save(folder / "mine")
    text = STUDY.partition("[recipes.near]")[0] + '[recipes.mine]\nmapping = "mine"\n'
    (folder / "study.toml").write_text(text)
    result = run_study(folder / "study.toml", folder / "out")
    assert [row["key"] for row in result["rows"]] == ["bells-swing-mine"]


def test_coverage_is_compared_at_the_duration_of_the_shortest(folder):
    result = run_study(folder / "study.toml", folder / "out")
    assert result["duration_s"] <= min(row["duration_s"] for row in result["rows"])
    for row in result["rows"]:
        assert row["at_equal_duration"]["gesture"] <= row["statistics"]["gesture"]["coverage"]["value"] + 1e-9


def test_recipes_on_the_same_takes_are_told_apart(folder):
    result = run_study(folder / "study.toml", folder / "out")
    assert [(d["model"], d["recipes"]) for d in result["differences"]] == [
        ("bells", ["near", "moving"]),
        ("drums", ["near", "moving"]),
    ]
    for difference in result["differences"]:
        assert 0 < difference["p"] <= 1


def test_what_is_no_study_is_refused(tmp_path):
    for text, message in (("models = 3", "models"), ("[models", "not a study file"), ("", "models")):
        (tmp_path / "study.toml").write_text(text)
        with pytest.raises(Exception, match=message):
            read_study(tmp_path / "study.toml")
    with pytest.raises(ReportError, match="absent.toml: no such file"):
        read_study(tmp_path / "absent.toml")

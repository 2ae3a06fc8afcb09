"""Where mappings are found, in which order, and what is listed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gesturemap import library
from gesturemap.cli import app
from gesturemap.errors import MappingError
from gesturemap.library import find_mapping, list_datasets, list_mappings, user_library, validate_library
from gesturemap.mapping import Mapping
from gesturemap.mapping.folder import folder_of

CARD = """
name = "loops"
title = "Loops"
kind = "audio"
licence = "CC0-1.0"
source = "https://example.org"
redistributable = true
files = 12
duration_s = 34.5
summary = "Twelve loops."
"""


@pytest.fixture
def places(mapping: Mapping, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A library for the command line, the user and the program, each with a mapping of its own and a common one."""
    roots = {name: tmp_path / name / "mappings" for name in ("named", "user", "program")}
    for seed, (name, root) in enumerate(roots.items()):
        for mapping_name in (name, "common"):
            replace(mapping, name=mapping_name, seed=seed).save(folder_of(root, "synthetic", "loops", mapping_name))
    monkeypatch.setenv(library.LIBRARY_VARIABLE, str(roots["user"]))
    monkeypatch.setattr(library, "CHECKOUT", tmp_path / "program")
    return roots


def test_first_come_first_served(places: dict[str, Path]) -> None:
    assert Mapping.load(find_mapping("synthetic/loops/common", places["named"])).seed == 0
    assert Mapping.load(find_mapping("synthetic/loops/common")).seed == 1
    assert Mapping.load(find_mapping("synthetic/loops/program")).seed == 2


def test_a_folder_is_a_spec_too(places: dict[str, Path]) -> None:
    folder = places["named"] / "synthetic" / "loops" / "named"
    assert find_mapping(folder) == folder
    assert find_mapping(str(folder)) == folder


def test_nothing_found_names_the_nearest_and_the_places(places: dict[str, Path]) -> None:
    with pytest.raises(MappingError, match=r"did you mean 'synthetic/loops/common'\?\).*user.mappings.*program"):
        find_mapping("synthetic/loops/comon")
    for spec in ("../../etc", "a/b", "", "synthetic/../loops", "/etc/passwd/x"):
        with pytest.raises(MappingError, match="no mapping"):
            find_mapping(spec, places["named"])


def test_all_are_listed_once(places: dict[str, Path], mapping: Mapping) -> None:
    entries = list_mappings(places["named"])
    assert [entry.path for entry in entries] == [f"synthetic/loops/{n}" for n in ("common", "named", "program", "user")]
    assert entries[0].folder.is_relative_to(places["named"])
    assert (entries[0].regressor, entries[0].features) == ("kernel_ridge", "position")
    assert entries[0].held_out_r2 == mapping.card["held_out_r2_all"]
    assert not any(entry.problem for entry in entries)


def test_a_damaged_mapping_is_listed_with_its_problem(places: dict[str, Path]) -> None:
    (places["user"] / "synthetic" / "loops" / "user" / "mapping.toml").write_text("format = 1\n")
    (places["user"] / "synthetic" / "loops" / "common" / "mapping.toml").write_text("= nonsense")
    (places["user"] / "synthetic" / "loops" / ".wave.part").mkdir()
    problems = {entry.path: entry.problem for entry in list_mappings() if entry.problem}
    assert sorted(problems) == ["synthetic/loops/common", "synthetic/loops/user"]
    assert all("damaged" in problem for problem in problems.values())


def test_a_library_is_validated(places: dict[str, Path]) -> None:
    root = places["user"]
    assert validate_library(root) == []
    (root / "synthetic" / "loops" / "user" / "regressor.skops").write_bytes(b"")
    (root / "synthetic" / "loops" / "common").rename(root / "synthetic" / "loops" / "other")
    problems = validate_library(root)
    assert "its label says synthetic/loops/common" in problems[0]
    assert "damaged regressor file" in problems[1]
    checked = CliRunner().invoke(app, ["mappings", "check", "--library", str(root), "--json"])
    assert checked.exit_code == 1
    assert {f"{root}: {problem}" for problem in problems} <= set(json.loads(checked.stdout))


def test_the_library_that_comes_along_is_valid() -> None:
    assert validate_library(library.CHECKOUT / "mappings") == []


def test_where_a_user_keeps_mappings() -> None:
    home = Path.home()
    assert user_library({"GESTUREMAP_LIBRARY": "/x"}, "linux") == Path("/x")
    assert user_library({"XDG_DATA_HOME": "/d"}, "linux") == Path("/d/gesturemap/mappings")
    assert user_library({}, "linux") == home / ".local/share/gesturemap/mappings"
    assert user_library({}, "darwin") == home / "Library/Application Support/gesturemap/mappings"
    assert user_library({"APPDATA": "/a"}, "win32") == Path("/a/gesturemap/mappings")


def test_datasets_and_what_is_wrong_with_them(tmp_path: Path) -> None:
    cards = {
        "audio/loops": CARD,
        "audio/other": CARD,
        "gestures/waves": "name = ",
        "gestures/hands": CARD.replace('licence = "CC0-1.0"', 'license = "CC0-1.0"'),
    }
    for path, text in cards.items():
        (tmp_path / path).mkdir(parents=True)
        (tmp_path / path / "card.toml").write_text(text)
    found = {entry.path: entry for entry in list_datasets(tmp_path)}
    assert list(found) == sorted(cards)
    card = found["audio/loops"].card
    assert card is not None
    assert (card.files, card.duration_s, card.redistributable) == (12, 34.5, True)
    assert found["audio/loops"].problem == ""
    assert found["audio/other"].problem == "card says audio/loops, the folder is audio/other"
    assert "not a TOML file" in found["gestures/waves"].problem
    assert "unknown key 'license' (did you mean 'licence'?)" in found["gestures/hands"].problem


def test_the_datasets_that_come_along_have_sound_cards() -> None:
    assert [entry.problem for entry in list_datasets() if entry.problem] == []

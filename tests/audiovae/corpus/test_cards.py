"""The audio datasets: their cards state what is there."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from audiovae.corpus.duration import measure_duration
from audiovae.corpus.gm_loops import plan_loops
from audiovae.corpus.loops import generate_loops

DATASETS = Path(__file__).parents[3] / "datasets" / "audio"
KEYS = {"name", "kind", "title", "licence", "source", "redistributable", "files", "duration_s", "summary"}


def read_card(name: str) -> dict[str, Any]:
    return tomllib.loads((DATASETS / name / "card.toml").read_text())


def test_every_dataset_has_a_card_and_a_readme() -> None:
    names = {path.name for path in DATASETS.iterdir() if path.is_dir()}
    assert {"sonic-pi", "fsld", "procedural-loops", "gm-loops"} <= names
    for name in names:
        card = read_card(name)
        assert set(card) == KEYS
        assert (card["name"], card["kind"]) == (name, "audio")
        readme = (DATASETS / name / "README.md").read_text()
        assert readme.startswith(f"# {card['title']}\n")
        assert "## Recipe" in readme
        assert "## Licence" in readme


def test_there_is_no_python_in_datasets() -> None:
    assert not list(DATASETS.parent.rglob("*.py"))


def test_the_procedural_loops_are_as_stated(tmp_path: Path) -> None:
    card = read_card("procedural-loops")
    summary = generate_loops(tmp_path, count=24, seed=0, progress=False)
    assert len(summary.files) == card["files"]
    assert summary.duration_s == pytest.approx(card["duration_s"], abs=0.05)
    assert "bass_001_111bpm_dsdor.flac" in {path.name for path in summary.files}


def test_the_general_midi_loops_are_as_stated() -> None:
    card = read_card("gm-loops")
    loops = plan_loops(minutes=30, seed=0)
    assert len(loops) == card["files"]
    assert sum(loop.duration_s for loop in loops) == pytest.approx(card["duration_s"], abs=0.05)
    assert "bass-0001__slap-bass_120bpm_dsmix" in {loop.name for loop in loops}


def test_sonic_pi_is_as_stated(shared: Path) -> None:
    card = read_card("sonic-pi")
    folder = shared / "data" / "audio" / "sonic_pi"
    summary = measure_duration(folder)
    assert summary.files == card["files"]
    assert summary.duration_s == pytest.approx(card["duration_s"], abs=0.05)
    split = (DATASETS / "sonic-pi" / "test_split.txt").read_text().split()
    assert split == sorted(path.name for path in (folder / "test").iterdir())

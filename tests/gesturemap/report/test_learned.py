"""Is it known that a mapping learned from what is reported on, whatever the file is called?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from audiovae.latent_space import LatentSpace
from gesturemap.features import FeatureSettings
from gesturemap.mapping import Mapping
from gesturemap.mapping.fitting import fit_mapping
from gesturemap.recording import Recording, Take
from gesturemap.report.answer import write_answer
from gesturemap.report.coverage import CoverageSettings
from gesturemap.report.learned import find_learned
from gesturemap.report.played import play_recordings
from gesturemap.report.report import ReportSettings, make_report

QUICK = ReportSettings(coverage=CoverageSettings(n_permutations=19, test_frames=200))
MOTION = FeatureSettings(name="motion", motion=("position", "velocity"))


@pytest.fixture(scope="module")
def sounding(play_space: LatentSpace) -> LatentSpace:
    """`play_space`, its sounds in eight files and no more than a test needs."""
    cloud = play_space.cloud
    rows = np.arange(0, len(cloud.latents), 8)
    fewer = replace(
        cloud,
        latents=cloud.latents[rows],
        file_index=(np.arange(len(rows)) % 8).astype(np.int32),
        loudness_db=cloud.loudness_db[rows],
        file_names=tuple(f"{i}.wav" for i in range(8)),
        file_splits=("train",) * 8,
    )
    return replace(play_space, cloud=fewer)


@pytest.fixture(scope="module")
def takes(make_recording: Callable[..., Recording]) -> list[Take]:
    """Four; a mapping is fitted on the first two."""
    return list(make_recording(4, 480).takes)


@pytest.fixture(scope="module")
def fitted(make_recording: Callable[..., Recording], takes: list[Take], play_space: LatentSpace) -> Mapping:
    return fit_mapping([replace(make_recording(4, 480), takes=takes[:2])], play_space, MOTION, name="two")


def test_takes_of_the_fit_are_told_from_others(fitted: Mapping, takes: list[Take]) -> None:
    assert find_learned(fitted, takes) == [True, True, False, False]


def test_a_copy_that_was_cut_started_later_and_rounded_is_the_same_take(fitted: Mapping, takes: list[Take]) -> None:
    take = takes[1]
    cut = take.select(np.arange(100, 400))
    later = replace(cut, time_s=cut.time_s - cut.time_s[0] + 777.0, values=np.round(cut.values, 12))
    assert find_learned(fitted, [later]) == [True]


def test_a_take_thinned_for_the_fit_is_the_same_take(
    make_recording: Callable[..., Recording], takes: list[Take], play_space: LatentSpace
) -> None:
    mapping = fit_mapping([replace(make_recording(4, 480), takes=takes[:2])], play_space, MOTION, name="thin")
    every = np.arange(0, len(mapping.examples.features), 7)
    examples = replace(mapping.examples, features=mapping.examples.features[every], take=mapping.examples.take[every])
    assert find_learned(replace(mapping, examples=examples), takes) == [True, True, False, False]


def test_a_mapping_without_examples_learned_from_nothing(fitted: Mapping, takes: list[Take]) -> None:
    without = replace(fitted, examples=replace(fitted.examples, latents=None))
    assert find_learned(without, takes) == [False] * 4


@pytest.mark.parametrize(
    ("chosen", "which"), [(slice(0, 2), "these very gestures"), (slice(1, 4), "1 of these 3 takes")]
)
def test_the_first_paragraph_says_so(chosen, which, fitted, takes, make_recording, sounding, tmp_path) -> None:
    recording = replace(make_recording(4, 480), takes=takes[chosen])
    result = make_report(fitted, [recording], sounding, tmp_path / "report", settings=QUICK)
    assert result["gesture"]["learned_share"] == pytest.approx(1.0 if chosen.start == 0 else 1 / 3, abs=0.01)
    assert f"It learned from {which}" in result["answer"]
    assert "Record others, and report on those" in result["answer"]
    page = (tmp_path / "report" / "report.html").read_text()
    assert (page.count("<td>yes</td>"), page.count("<td>no</td>")) == ((2, 0) if chosen.start == 0 else (1, 2))
    assert f"Tested on what it was not shown ({fitted.card['held_out']})" in result["answer"]


def test_new_gestures_are_not_spoken_of_so(fitted, takes, make_recording, sounding, tmp_path) -> None:
    played = play_recordings(fitted, [replace(make_recording(4, 480), takes=takes[2:])], sounding)
    assert played.learned_share == 0.0
    result = make_report(
        fitted, [replace(make_recording(4, 480), takes=takes[2:])], sounding, tmp_path / "report", settings=QUICK
    )
    assert "It learned from" not in write_answer(result)

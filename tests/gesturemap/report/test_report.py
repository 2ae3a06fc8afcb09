"""The whole report on made-up sounds and gestures: one page, one JSON, the same numbers in both."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from gesturemap.errors import ReportError
from gesturemap.report.answer import find_sounds, percent, seconds, write_card
from gesturemap.report.coverage import CoverageSettings
from gesturemap.report.page import FORMATS, MOTIONS
from gesturemap.report.report import ReportSettings, make_report, measure_mapping

VOID = {"meta", "br"}
QUICK = ReportSettings(coverage=CoverageSettings(n_permutations=19, test_frames=200))


class Page(HTMLParser):
    """Collects the numbers of a page and checks that its tags close in order."""

    def __init__(self, text):
        super().__init__()
        self.open_tags, self.ids, self.numbers, self.text = [], [], [], ""
        self.feed(text)
        self.close()
        assert self.open_tags == []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag not in VOID:
            self.open_tags.append(tag)
        if tag == "data":
            self.numbers.append((attrs["data-key"], attrs["value"], ""))

    def handle_endtag(self, tag):
        assert self.open_tags.pop() == tag

    def handle_startendtag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.ids.append(attrs["id"])

    def handle_data(self, data):
        if self.open_tags and self.open_tags[-1] == "data":
            self.numbers[-1] = (*self.numbers[-1][:2], data)
        if not {"style", "svg"} & set(self.open_tags):
            self.text += data


@pytest.fixture(scope="module")
def report(bells, mapping_for, recorded, tmp_path_factory):
    """A report of five takes: (folder, result)."""
    out = tmp_path_factory.mktemp("report") / "new"
    mapping = mapping_for(bells)
    mapping.card = {
        "unit": "standard deviations of the model",
        "held_out": "whole takes left out",
        "fit_rmse": [0.1 * i for i in range(8)],
        "held_out_rmse": [0.2 * i for i in range(8)],
        "held_out_r2": [1 - 0.3 * i for i in range(8)],
        "held_out_r2_all": 0.42,
        "warnings": ["two takes only <b>"],
    }
    return out, make_report(mapping, [recorded(12.0, 3, seed=1), recorded(12.0, 2, seed=2)], bells, out, settings=QUICK)


@pytest.fixture(scope="module")
def page(report):
    """The text of its page."""
    return (report[0] / "report.html").read_text()


def look_up(result, key):
    """The value at ``a.b.0.c``."""
    for part in key.split("."):
        result = result[int(part)] if isinstance(result, list) else result[part]
    return result


def test_the_json_is_the_result_and_nothing_is_left_beside(report):
    out, result = report
    assert json.loads((out / "report.json").read_text()) == result
    assert sorted(path.name for path in out.iterdir()) == ["report.html", "report.json"]


def test_every_number_of_the_page_is_that_of_the_json(report, page):
    numbers = Page(page).numbers
    assert len(numbers) > 80
    for key, exact, shown in numbers:
        value = look_up(report[1], key)
        assert float(exact) == value, key
        assert shown in {written(value) for written in FORMATS.values()}, key
    keys = {key for key, _, _ in numbers}
    for name in MOTIONS:
        for statistic in ("coverage", "precision", "density"):
            assert {f"statistics.{name}.{statistic}.{part}" for part in ("value", "low", "high")} <= keys


def test_the_answer_stands_on_the_page_and_says_the_numbers(report, page):
    result, text = report[1], " ".join(Page(page).text.split())
    for sentence in (result["answer"], *result["findings"], *result["caveats"]):
        assert " ".join(sentence.split()) in text
    answer = result["answer"]
    assert write_card(result).endswith(answer)
    assert percent(result["statistics"]["gesture"]["coverage"]["value"]) in answer
    assert percent(result["normalised_coverage"]["held_out"]) in answer
    assert percent(result["statistics"]["gesture"]["precision"]["value"]) in answer
    findings = " ".join(result["findings"])
    assert result["files"][0]["name"] in findings
    assert result["files"][-1]["name"] in findings
    assert "Dimension 7: hardly any movement." in findings
    assert "explains 42\u00a0% of the movement" in findings
    assert "The hand was lost" in findings


def test_the_page_needs_nothing_from_outside(page):
    assert "http:" not in page
    assert "https:" not in page
    assert "src=" not in page.partition("<script")[2]
    assert "<link" not in page
    assert not re.search(r"@import|url\((?!#)", page)
    assert not re.search(r'(?:href|src)="(?!#|data:)', page)


def test_the_page_is_well_formed_and_its_ids_are_its_own(page):
    parsed = Page(page)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]*)', page)) <= set(parsed.ids)
    pictures = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(pictures) == 5
    for picture in pictures:
        assert ElementTree.fromstring(picture).get("aria-label")


def test_the_pictures_take_the_colours_of_the_page(page):
    for picture in re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL):
        assert "currentColor" in picture
        # Every colour is a variable of the page with a colour to fall back on.
        assert not re.search(r"(?<!, )#[0-9a-f]{6}\b", re.sub(r'"#[^"]*"|\(#[^)]*\)', "", picture))
    assert "prefers-color-scheme: dark" in page


def test_text_from_outside_is_escaped(page):
    assert "two takes only &lt;b&gt;" in page


def test_coverage_is_that_of_the_definition(report, bells, mapping_for, recorded, definition):
    """Ceiling and floors included, the numbers come from the written-out definition."""
    result = report[1]
    cloud, rank = bells.cloud, bells.fidelity_rank()
    train = cloud.select("train")
    points = bells.whiten(cloud.latents[train].astype(np.float64), rank)
    rows = [
        np.asarray(mapping_for(bells).map_take(take.time_s, take.values))
        for take in recorded(12.0, 3, seed=1).takes + recorded(12.0, 2, seed=2).takes
    ]
    played = []
    for latents in rows:
        grid = np.arange(240) / 20 * 50
        before, after = np.floor(grid + 1e-9).astype(int), np.ceil(grid - 1e-9).astype(int)
        mixed = latents[before] + (grid - before)[:, None] * (latents[np.minimum(after, 599)] - latents[before])
        played.append(mixed[np.isfinite(mixed).all(axis=1)])
    motion = bells.whiten(np.concatenate(played), rank)
    expected = definition(points, cloud.file_index[train], motion, 5)
    trimmed = np.argsort(expected["radius"], kind="stable")[:1568]
    assert result["reference"]["n_frames"] == 1568
    assert result["gesture"]["n_frames"] == len(motion)
    assert result["statistics"]["gesture"]["coverage"]["value"] == pytest.approx(
        expected["reached"][trimmed].mean(), abs=1e-9
    )


def test_ceiling_floors_and_equal_duration(report):
    result = report[1]
    statistics = result["statistics"]
    assert list(statistics) == ["gesture", "held_out", "uniform", "prior", "shuffled", "walk", "static"]
    for name, numbers in statistics.items():
        assert numbers["n_frames"] == (800 if name == "held_out" else result["gesture"]["n_frames"])
        assert numbers["coverage"]["low"] <= numbers["coverage"]["value"] <= numbers["coverage"]["high"]
    assert statistics["static"]["coverage"]["value"] < statistics["gesture"]["coverage"]["value"]
    normalised = result["normalised_coverage"]
    assert normalised["duration_s"] == 40.0
    assert normalised["value"] == pytest.approx(
        (normalised["gesture"] - normalised["static"]) / (normalised["held_out"] - normalised["static"])
    )
    assert normalised["held_out"] == pytest.approx(statistics["held_out"]["coverage"]["value"])
    assert normalised["gesture"] <= statistics["gesture"]["coverage"]["value"]
    assert any("only 40\u00a0s of held-out" in caveat for caveat in result["caveats"])


def test_the_same_seed_gives_the_same_bytes(bells, mapping_for, recorded, tmp_path):
    texts = []
    for folder in ("a", "b"):
        made = make_report(mapping_for(bells), [recorded(10.0)], bells, tmp_path / folder, seed=1, settings=QUICK)
        texts.append([(tmp_path / folder / name).read_bytes() for name in ("report.html", "report.json")])
    assert texts[0] == texts[1]
    other = measure_mapping(mapping_for(bells), [recorded(10.0)], bells, 2, QUICK).result
    assert other["statistics"] != made["statistics"]


def test_a_model_without_held_out_files_has_no_ceiling_and_says_so(sounds, space_of, mapping_for, recorded, tmp_path):
    space = space_of(*sounds(20, 60, 8, seed=3))
    result = make_report(mapping_for(space), [recorded(20.0)], space, tmp_path, settings=QUICK)
    assert "held_out" not in result["statistics"]
    assert result["normalised_coverage"] is None
    assert result["quality"]["step_ratio"] is None
    assert any("no held-out recordings" in caveat for caveat in result["caveats"])
    Page((tmp_path / "report.html").read_text())


def test_another_model_is_said(bells, mapping_for, recorded):
    mapping = mapping_for(bells)
    mapping.model_id, mapping.model_name = "b2" * 32, "drums"
    result = measure_mapping(mapping, [recorded(5.0)], bells, 0, QUICK).result
    assert any("fitted on another model, drums" in caveat for caveat in result["caveats"])


def test_another_tracker_is_said(bells, mapping_for, recorded):
    recording = recorded(5.0)
    own = measure_mapping(mapping_for(bells), [recording], bells, 0, QUICK).result
    assert not any("another tracker" in caveat for caveat in own["caveats"])
    result = measure_mapping(mapping_for(bells), [replace(recording, tracker="glove")], bells, 0, QUICK).result
    assert result["gesture"]["trackers"] == ["glove"]
    assert any("is of another tracker" in caveat for caveat in result["caveats"])


def test_a_refusal_leaves_nothing_behind(sounds, space_of, bells, mapping_for, recorded, tmp_path):
    one_file = space_of(*sounds(1, 200, 8, seed=4))
    with pytest.raises(ReportError, match="1 source files"):
        make_report(mapping_for(one_file), [recorded(5.0)], one_file, tmp_path / "out")
    recording = recorded(5.0)
    short = replace(recording, takes=[recording.takes[0].select(slice(0, 20))])
    with pytest.raises(ReportError, match="record a longer take"):
        make_report(mapping_for(bells), [short], bells, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").write_text("a file")
    with pytest.raises(ReportError, match="out is a file: name a folder"):
        make_report(mapping_for(bells), [recording], bells, tmp_path / "out")


def test_sound_is_embedded_and_a_file_that_is_none_is_refused(bells, mapping_for, recorded, tmp_path):
    import soundfile

    soundfile.write(tmp_path / "sound.wav", 0.1 * np.sin(np.arange(24_000) / 20), 12_000)
    mapping = mapping_for(bells)
    make_report(mapping, [recorded(5.0)], bells, tmp_path, settings=QUICK, audio=tmp_path / "sound.wav")
    assert '<audio controls preload="none" src="data:audio/mpeg;base64,' in (tmp_path / "report.html").read_text()
    (tmp_path / "no.wav").write_text("no sound")
    for name, message in (("no.wav", "cannot be read as sound"), ("absent.wav", "no such file: make it with")):
        with pytest.raises(ReportError, match=message):
            make_report(mapping, [recorded(5.0)], bells, tmp_path, settings=QUICK, audio=tmp_path / name)


def test_files_never_reached_are_counted_and_the_longest_named():
    files = [{"name": f"{name}.wav", "n_frames": n, "coverage": share} for name, n, share in (
        ("kick", 40, 0.5), ("snare", 30, 0.2), ("tick", 3, 0.0), ("hat", 40, 0.0), ("pad", 900, 0.0)
    )]  # fmt: skip
    assert find_sounds(files) == [
        "Of the source files it reaches most of kick.wav (50\u00a0%) and snare.wav (20\u00a0%).",
        "It never reaches 2 of 4 longer files: pad.wav and hat.wav.",
    ]
    assert find_sounds(files[:2])[1] == "It reaches least of snare.wav (20\u00a0%)."
    assert find_sounds(files[:1]) == []
    assert find_sounds([file | {"coverage": 0.0} for file in files[:2]]) == [
        "It never reaches 2 of 2 longer files, the longest of them snare.wav."
    ]


def test_words_for_numbers():
    assert [percent(x) for x in (0.0, 0.004, 0.0512, 0.0996, 0.412, 1.0, -1e-17)] == [
        "0\u00a0%",
        "0.4\u00a0%",
        "5.1\u00a0%",
        "10\u00a0%",
        "41\u00a0%",
        "100\u00a0%",
        "0\u00a0%",
    ]
    assert [seconds(x).replace("\u00a0", " ") for x in (1.5, 12.3, 60.0, 61.2, 200.0)] == [
        "1.5 s",
        "12 s",
        "1 min",
        "1 min 1 s",
        "3 min 20 s",
    ]


def test_a_fitted_mapping_is_reported(bells, recorded, tmp_path):
    from gesturemap.features import load_features
    from gesturemap.mapping.fitting import fit_mapping

    recording = recorded(20.0, 2)
    mapping = fit_mapping([recording], bells, load_features("position"), name="by-hand", regressor="linear_map")
    result = make_report(mapping, [recording], bells, tmp_path, settings=QUICK)
    assert result["mapping"]["label"]["regressor"] == "linear_map"
    assert 0 < result["statistics"]["gesture"]["coverage"]["value"] < 1
    Page((tmp_path / "report.html").read_text())

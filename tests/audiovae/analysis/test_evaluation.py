"""Models on a folder of sounds, from the JSON to the page: real folders, tiny models."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from audiovae.analysis.evaluation import name_models
from audiovae.analysis.evaluation_answer import write_answer
from audiovae.analysis.evaluation_page import write_page
from audiovae.analysis.paired_difference import compare_pairs
from audiovae.analysis.reconstruction import FIGURES, METRICS
from audiovae.conversion import evaluate_model, evaluate_models
from audiovae.corpus.audio_file import write_audio
from audiovae.errors import AudioFileError


@pytest.fixture(scope="module")
def side_by_side(tiny_model: Path, tiny_waveform_model: Path) -> dict:
    """The spectral and the waveform tiny model on the sounds of the former."""
    return evaluate_models([tiny_model, tiny_waveform_model], tiny_model.parent / "sounds")


def test_one_model_has_figures_of_files_and_of_the_set(tiny_model: Path) -> None:
    result = evaluate_model(tiny_model, tiny_model.parent / "sounds")
    assert set(result) >= {"model_name", "model_id", "files", "means", "counts"}  # as ever
    assert result["means"]["si_sdr_db"] is None
    assert "phases" in result["not_applicable"]["si_sdr_db"]
    for found in result["set_distances"].values():
        assert found["n_real_files"] == 6
        assert 0 <= found["low"] <= found["corrected"] <= found["high"]
        assert 0 < found["p"] <= 1
    assert result["answer"].startswith("What tiny decodes is ")
    json.dumps(result, allow_nan=False)


def test_two_models_are_compared_on_the_same_files(side_by_side: dict) -> None:
    spectral, waveform = side_by_side["models"]
    (pair,) = side_by_side["comparisons"]
    assert (pair["first"], pair["second"]) == (0, 1)
    assert waveform["not_applicable"] == {}
    assert waveform["means"]["si_sdr_db"] is not None
    assert pair["figures"]["si_sdr_db"]["n_files"] == 0  # the spectral model has none
    for name in METRICS:
        figure = pair["figures"][name]
        assert figure["n_files"] == 6
        assert figure["difference"] == pytest.approx(waveform["means"][name] - spectral["means"][name])
        assert figure["low"] <= figure["difference"] <= figure["high"]
        assert figure["wilcoxon_p"] <= figure["wilcoxon_p_holm"]
    for name, found in pair["set_distances"].items():
        expected = waveform["set_distances"][name]["value"] - spectral["set_distances"][name]["value"]
        assert found["value"] == pytest.approx(expected)
    json.dumps(side_by_side, allow_nan=False)


def test_a_model_beside_itself_ties_and_is_not_told_apart(tiny_model: Path) -> None:
    result = evaluate_models([tiny_model, tiny_model], tiny_model.parent / "sounds")
    assert name_models(result["models"]) == ["tiny (1)", "tiny (2)"]
    (pair,) = result["comparisons"]
    assert pair["figures"]["mel_lsd_db"]["ties"] == 6
    assert pair["set_distances"]["mel"] == dict.fromkeys(("value", "corrected", "low", "high"), 0.0)
    assert "cannot be told apart" in result["answer"]


def test_the_answer_names_the_nearer_model_in_either_order(side_by_side: dict) -> None:
    models = side_by_side["models"]
    better = min(range(2), key=lambda i: models[i]["means"]["mel_lsd_db"])
    figure = side_by_side["comparisons"][0]["figures"]["mel_lsd_db"]
    wins = figure["first_wins" if better == 0 else "second_wins"]
    assert f"on {wins} of 6 files" in side_by_side["answer"]
    assert write_answer(side_by_side) == side_by_side["answer"]


def two_models(first: list[float | None], second: list[float | None]) -> dict:
    """What is written of two models whose files have these distances."""
    models = [
        {
            "model_name": name,
            "means": {"mel_lsd_db": float(np.mean([x for x in values if x]))},
            "set_distances": {"mel": None},
        }
        for name, values in (("a", first), ("b", second))
    ]
    both = [pair for pair in zip(first, second, strict=True) if None not in pair]
    figure = compare_pairs([x for x, _ in both], [y for _, y in both])
    return {"models": models, "comparisons": [{"first": 0, "second": 1, "figures": {"mel_lsd_db": figure}}]}


def test_the_difference_in_words_is_the_better_models_lead() -> None:
    worse, better = [5.0, 6.0, 7.0, 8.0, 9.0, 9.5], [1.0, 3.0, 5.0, 4.5, 6.0, 6.2]
    answers = [write_answer(two_models(worse, better)), write_answer(two_models(better, worse))]
    for answer, nearer in zip(answers, "ba", strict=True):
        assert answer.startswith(f"{nearer} is nearer to the originals than ")
        assert "on 6 of 6 files (4.3 against 7.4 dB" in answer
        assert "difference 3.1 dB, 95 % interval 2." in answer
    undecided = write_answer(two_models([1.0, 2.0, 3.0, 4.0], [4.0, 3.1, 2.2, 1.4]))
    assert "a and b cannot be told apart" in undecided
    assert "95 % interval -" in undecided


def test_a_figure_that_contradicts_the_answer_stands_in_it() -> None:
    result = two_models([1.0, 3.0, 5.0, 4.5, 6.0, 6.2], [5.0, 6.0, 7.0, 8.0, 9.0, 9.5])
    figures = result["comparisons"][0]["figures"]
    figures["loudness_error_db"] = compare_pairs([2.0] * 6, [1.0, 1.1, 1.2, 1.3, 1.4, 1.5])
    for p, told in ((0.03, True), (0.2, False)):
        figures["loudness_error_db"]["wilcoxon_p_holm"] = p
        answer = write_answer(result)
        assert answer.startswith("a is nearer to the originals than b")
        assert ("By loudness b is the nearer one." in answer) is told


def test_what_can_be_told_from_the_originals_as_a_set_is_said_of_every_model() -> None:
    result = two_models([1.0, 3.0, 5.0, 4.5], [5.0, 6.0, 7.0, 8.0])
    for model, p in zip(result["models"], (0.5, 0.005), strict=True):
        model["set_distances"]["mel"] = {"p": p, "ratio": 1.0}
    said = "what b (p = 0.005) decodes can be told from the originals, and what a (p = 0.50) decodes cannot."
    assert said in write_answer(result)


def test_models_without_a_file_in_common_are_not_compared() -> None:
    assert "no file in common" in write_answer(two_models([1.0, None], [None, 2.0]))


def test_generated_sounds_are_compared_as_a_set(tiny_model: Path, tmp_path: Path) -> None:
    sounds, rng = tiny_model.parent / "sounds", np.random.default_rng(0)
    for i in range(5):
        write_audio(tmp_path / f"noise_{i}.wav", 0.2 * rng.standard_normal(44100).astype(np.float32), 44100)
    write_audio(tmp_path / "silent.wav", np.zeros(44100), 44100)
    (tmp_path / "torn.wav").write_bytes(b"RIFF")
    found = evaluate_model(tiny_model, sounds, generated=tmp_path)["generated"]
    assert [row["status"] for row in found["files"]] == ["compared"] * 5 + ["silent", "unreadable"]
    noise = found["set_distances"]["mel"]
    assert (noise["n_files"], noise["n_real_files"], noise["left_out"]) == (5, 6, 1)
    assert noise["ratio"] > 2
    assert noise["p"] < 0.05
    same = evaluate_model(tiny_model, sounds, generated=sounds)
    assert same["generated"]["set_distances"]["mel"]["value"] == pytest.approx(0.0, abs=1e-6)
    assert same["generated"]["set_distances"]["mel"]["p"] > 0.5
    assert same["answer"].startswith("Generated sounds are ")


def test_a_folder_without_generated_sounds_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="no audio files in .*model made by itself"):
        evaluate_model(tiny_model, tiny_model.parent / "sounds", generated=tmp_path)


def test_the_page_stands_alone_and_leads_with_the_answer(
    side_by_side: dict, tiny_model: Path, tiny_waveform_model: Path, tmp_path: Path
) -> None:
    write_page(tmp_path / "page.html", side_by_side, [tiny_model, tiny_waveform_model])
    page = (tmp_path / "page.html").read_text()
    assert page.index('<section class="answer">') < page.index("<h2>")
    assert side_by_side["answer"].partition(" (")[0] in page
    sources = re.findall(r'(?:src|href)="([^"]{0,40})', page)
    assert all(source.startswith(("data:", "#")) for source in sources)
    assert "http" not in re.sub(r'"http://www.w3.org/2000/svg"', "", page)
    assert page.count("<audio") == page.count('src="data:audio/mpeg;base64,') == 9  # 3 files, original and 2 models
    assert page.count("<svg") == 3
    assert "n/a" in page
    assert "None" not in page
    assert "nan" not in re.sub(r'base64,[^"]*', "", page)


def test_the_page_of_one_model_that_compares_nothing_is_written(tiny_model: Path, tmp_path: Path) -> None:
    write_audio(tmp_path / "silent.wav", np.zeros(44100), 44100)
    result = evaluate_model(tiny_model, tmp_path)
    assert result["means"] == dict.fromkeys(FIGURES)
    assert result["answer"] == "No file could be compared with what tiny makes of it (1 given)."
    write_page(tmp_path / "page.html", result, [tiny_model])
    assert "<audio" not in (tmp_path / "page.html").read_text()

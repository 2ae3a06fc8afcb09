"""An analysis finds what a model in closed form is made of; its page stands alone; a real model goes through."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest

from audiovae.analysis.analyse import AnalysisSettings, analyse
from audiovae.analysis.corpus_frames import choose_excerpts, read_frames
from audiovae.analysis.exploration import Journey, describe_monotony
from audiovae.corpus.corpus import Corpus
from audiovae.errors import SettingsError
from audiovae.player import Player

LOUDNESS, CENTROID, NOISE, DEAD = range(4)
SMALL = AnalysisSettings(max_points=200, playable=6, sweep_s=2.0, walk_s=4.0, walks=1, recorded_s=12.0)


@pytest.fixture(scope="module")
def done(closed_model: Any, tones: Corpus, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    out = tmp_path_factory.mktemp("analysis")
    return analyse(closed_model, tones, out, seed=1, settings=SMALL), out


def significant(result: dict[str, Any], dimension: int) -> set[str]:
    return {a["descriptor"] for a in result["associations"] if a["dimension"] == dimension and a["p_holm"] < 0.05}


def test_each_dimension_is_found_to_be_what_it_is(done: Any) -> None:
    result, _ = done
    rho = {(a["dimension"], a["descriptor"]): a["rho"] for a in result["associations"]}
    assert rho[LOUDNESS, "loudness"] > 0.99
    assert rho[CENTROID, "centroid"] > 0.99
    assert rho[CENTROID, "f0"] > 0.95
    assert "loudness" in significant(result, LOUDNESS)
    assert not {"centroid", "f0"} & significant(result, LOUDNESS)
    assert {"centroid", "f0"} <= significant(result, CENTROID)
    assert "loudness" not in significant(result, CENTROID)
    assert not significant(result, NOISE)
    assert not significant(result, DEAD)
    informed = [a for a in result["associations"] if a["dimension"] == LOUDNESS and a["descriptor"] == "loudness"]
    assert informed[0]["information_bits"] > 1.0
    assert informed[0]["information_p_holm"] < 0.05


def test_dead_dimensions_are_found(done: Any) -> None:
    result, _ = done
    assert [one["dead"] for one in result["dimensions"]] == [None, None, "not heard", "never moves"]
    assert result["dead"] == [NOISE, DEAD]
    assert set(result["informative"]) == {LOUDNESS, CENTROID}
    assert f"dimension {NOISE} (sounds move" in result["answer"]
    assert f"dimension {DEAD} (no sound moves" in result["answer"]


def test_a_sweep_sounds_as_its_dimension_says(done: Any) -> None:
    result, _ = done
    sweeps = {one["name"]: one for one in result["sweeps"]}
    assert sweeps["sweep_latent_0"]["monotony"]["loudness"] > 0.99
    assert sweeps["sweep_latent_1"]["monotony"]["centroid"] > 0.99
    low, high = sweeps["sweep_latent_0"]["range"]["centroid"]
    assert high / low < 1.1


def test_a_held_pitch_has_no_course_whatever_its_rounding() -> None:
    rising = np.linspace(0.0, 1.0, 20)
    held = describe_monotony(Journey("held", rising[:, None], rising[None], {"f0": 86.1 + 0.01 * rising}))
    glide = describe_monotony(Journey("glide", rising[:, None], rising[None], {"f0": 86.1 * 2**rising}))
    assert held == {"f0": None}
    assert glide == {"f0": pytest.approx(1.0)}


def test_what_is_decoded_comes_back_and_what_is_not_does_not(done: Any) -> None:
    cycle = done[0]["cycle"]["recorded"]
    assert cycle["shift_frames"] == 0
    assert min(cycle["correlation"][:2]) > 0.95
    assert abs(cycle["correlation"][NOISE]) < 0.3
    assert cycle["correlation"][DEAD] is None


def test_walks_are_smoother_than_noise(done: Any) -> None:
    beside = done[0]["smoothness"]["beside_recorded"]["walk"]
    assert done[0]["smoothness"]["split"] == "validation"
    assert beside["latent_speed"] < 0.8
    assert set(beside["variation"]) == set(done[0]["descriptors"])


def test_the_page_stands_alone(done: Any) -> None:
    result, out = done
    page = (out / "analysis.html").read_text()
    assert not re.findall(r"https?://|@import|url\((?!#)", page)
    assert all(source.startswith("data:") for source in re.findall(r'(?:src|href)="([^#][^"]*)"', page))
    ids = set(re.findall(r'\bid="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids
    for figure in (
        "fidelity",
        "associations",
        "sweep_latent_0",
        "between_sounds",
        "between_trajectories",
        "walks",
        "cycle",
    ):
        assert re.search(rf'<figure id="{figure}"><svg ', page), figure
    assert len(page) < 6e6
    assert result["answer"] in page.replace("&#39;", "'")
    data = json.loads(re.search(r'id="map-data">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    assert len(data["sounds"]) == len(data["playable"]) == 6
    assert {len(plane) for plane in data["planes"].values()} == {result["map"]["points"]}
    assert {"loudness", "f0", "cluster", "class", "file"} <= set(data["colours"])
    assert data["colours"]["class"]["names"] == ["a", "b"]
    assert all((out / one["sound"]).stat().st_size > 1000 for one in result["sweeps"])
    assert json.loads((out / "analysis.json").read_text()) == result


SAVING = """<script>
addEventListener("load", () => {
  Blob = function (parts) { document.title = "SAVED " + encodeURIComponent(parts[0]) + " END"; };
  URL.createObjectURL = () => "#";
  document.querySelector("figure > button").click();
});
</script>"""


def test_a_browser_draws_the_map_without_complaint_and_saves_a_figure(done: Any, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium here to open the page with")
    page = tmp_path / "saving.html"
    page.write_text((done[1] / "analysis.html").read_text().replace("</body>", SAVING + "</body>"))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += ["--enable-logging=stderr", "--v=0", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    shown = subprocess.run([browser, *flags, page.as_uri()], capture_output=True, text=True, timeout=120)
    assert f'data-drawn="{done[0]["map"]["points"]}"' in shown.stdout
    assert "CONSOLE" not in shown.stderr
    saved = unquote(re.search(r"SAVED (\S+) END", shown.stdout)[1])  # type: ignore[index]
    assert ElementTree.fromstring(saved).tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(" not in saved  # its colours are its own, not the page's


def test_the_seed_decides_everything(closed_model: Any, tones: Corpus, done: Any, tmp_path: Path) -> None:
    again = analyse(closed_model, tones, tmp_path, seed=1, settings=SMALL)
    assert again == done[0]
    assert (tmp_path / "analysis.html").read_text() == (done[1] / "analysis.html").read_text()


def test_a_file_is_no_folder(closed_model: Any, tones: Corpus, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(SettingsError, match="is a file"):
        analyse(closed_model, tones, tmp_path / "out", settings=SMALL)


def test_a_real_model_goes_through(tiny_model: Path, real_corpus: Corpus, tmp_path: Path) -> None:
    result = analyse(Player(tiny_model), real_corpus, tmp_path, settings=SMALL)
    assert len(result["dimensions"]) == result["model"]["latent_size"]
    assert result["fidelity"]["rank"]["0.80"] <= result["fidelity"]["rank"]["0.99"]
    assert all(-1 <= a["rho"] <= 1 for a in result["associations"])
    assert (tmp_path / "analysis.html").is_file()


def test_excerpts_are_bounded_and_take_every_file_in_turn(closed_model: Any, tones: Corpus) -> None:
    everything = choose_excerpts(tones, closed_model.space, 10**6, 0)
    assert sum(one.length for one in everything) == tones.index.samples
    some = choose_excerpts(tones, closed_model.space, 500, 0)
    assert len({one.file for one in some}) == len(some) == 4  # of 125 frames each
    assert some == choose_excerpts(tones, closed_model.space, 500, 0)
    assert some != choose_excerpts(tones, closed_model.space, 500, 1)


def test_frames_are_those_of_the_sounds(closed_model: Any, tones: Corpus) -> None:
    frames = read_frames(closed_model, tones, 10**6, 0)
    first = frames.file_index == 0
    np.testing.assert_allclose(frames.latents[first], closed_model.encode(tones.read(tones.files[0])), atol=1e-6)
    assert frames.place[first].tolist() == list(range(first.sum()))


def test_the_command_analyses_a_model_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from audiovae.analysis import analyse as module
    from audiovae.cli import app

    asked = []
    monkeypatch.setattr(module, "analyse_model", lambda *given: asked.append(given[:4]) or {"answer": "It is loud."})
    words = ["analyse", "model", "--corpus", "sounds", "--out", str(tmp_path), "--seed", "7"]
    plain, as_json = CliRunner().invoke(app, words), CliRunner().invoke(app, [*words, "--json"])
    assert asked == [(Path("model"), Path("sounds"), tmp_path, 7)] * 2
    assert plain.stdout.startswith("It is loud.\n")
    assert json.loads(as_json.stdout) == {"answer": "It is loud."}

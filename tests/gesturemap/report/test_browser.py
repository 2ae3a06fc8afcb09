"""The page in a real browser: no error on its console, every picture drawn, nothing wider than a phone."""

from __future__ import annotations

import re
import shutil
import subprocess
from types import SimpleNamespace
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest

from gesturemap.report import study
from gesturemap.report.coverage import CoverageSettings
from gesturemap.report.report import ReportSettings, make_report

QUICK = ReportSettings(coverage=CoverageSettings(n_permutations=19, test_frames=200))
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# What the browser finds of the page is written into its title, which --dump-dom shows.
PROBE = """
<script>
addEventListener("error", event => document.title += " ERROR " + event.message);
addEventListener("load", () => {
  const seen = [...document.querySelectorAll("figure svg")].filter(svg => svg.getBoundingClientRect().height > 50);
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const buttons = document.querySelectorAll("figure button");
  document.title = `${document.title} SEEN pictures=${seen.length} buttons=${buttons.length}`
    + ` width=${document.documentElement.scrollWidth} window=${innerWidth} dark=${dark}`
    + ` paper=${getComputedStyle(document.body).backgroundColor} END`;
});
</script>
"""


@pytest.fixture(scope="module")
def page(bells, mapping_for, recorded, tmp_path_factory):
    """A report with the probe in it."""
    out = tmp_path_factory.mktemp("page")
    make_report(mapping_for(bells), [recorded(10.0, 2)], bells, out, settings=QUICK)
    text = (out / "report.html").read_text().replace("<head>", "<head>" + PROBE)
    (out / "report.html").write_text(text)
    return out / "report.html"


STUDY = """
decode = false
[models]
a_model_with_a_long_name = "bells"
[recordings]
swing = ["a.rec"]
another_set_of_hands = ["longer.rec"]
[recipes.near]
[report.coverage]
n_permutations = 19
test_frames = 200
"""


@pytest.fixture(scope="module")
def study_page(bells, recorded, tmp_path_factory):
    """A study of one model under two sets, with the probe in it."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "study.toml").write_text(STUDY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "Player", lambda path: SimpleNamespace(space=bells))
        patch.setattr(study.Recording, "load", lambda path: recorded(10.0, 2, seed=len(path.name)))
        study.run_study(folder / "study.toml", folder / "out")
    page = folder / "out" / "study.html"
    page.write_text(page.read_text().replace("<head>", "<head>" + PROBE))
    return page


def visit(page, profile, width=1200, *options):
    """What the probe says, and what the browser prints."""
    if CHROMIUM is None:
        pytest.skip("no chromium here")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    command += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command += ["--enable-logging=stderr", "--v=0", f"--user-data-dir={profile}", f"--window-size={width},900"]
    command += [*options, "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    if title is None:
        pytest.skip(f"chromium does not start here: {done.stderr.strip()[-200:]}")
    found = dict(re.findall(r"(\w+)=(\S+(?: \d+, \d+\))?)", title[1].partition("SEEN")[2]))
    return title[1], found, re.findall(r"CONSOLE.*", done.stderr)


def test_every_picture_is_drawn_and_nothing_is_wrong(page, tmp_path):
    title, found, console = visit(page, tmp_path)
    assert "ERROR" not in title
    assert console == []
    assert found["pictures"] == found["buttons"] == "5"


def test_a_study_is_drawn_and_fits_a_phone(study_page, tmp_path):
    title, found, console = visit(study_page, tmp_path)
    assert "ERROR" not in title
    assert console == []
    assert int(found["pictures"]) == study_page.read_text().count("<figure") > 0
    _, narrow, _ = visit(study_page, tmp_path, 500)
    assert int(narrow["width"]) <= int(narrow["window"])


def test_it_fits_a_phone(page, tmp_path):
    # A headless window is never narrower than 500 pixels.
    _, found, _ = visit(page, tmp_path, 500)
    assert int(found["width"]) <= int(found["window"])


def test_a_saved_figure_is_a_picture_of_its_own(page, tmp_path):
    """The button gives an SVG with its name space and with colours instead of the page's variables."""
    catch = """<script>
addEventListener("load", () => {
  Blob = function (parts) { document.title += " SAVED " + encodeURIComponent(parts[0]) + " END"; };
  URL.createObjectURL = () => "#";
  document.querySelector("figure button").click();
});
</script>"""
    saving = page.with_name("saving.html")
    saving.write_text(page.read_text().replace("</body>", catch + "</body>"))
    title, _, console = visit(saving, tmp_path)
    assert console == []
    saved = unquote(re.search(r"SAVED (\S+) END", title)[1])
    assert ElementTree.fromstring(saved).tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(" not in saved
    assert "#d55e00" in saved


def test_it_is_dark_where_the_reader_wants_it(page, tmp_path):
    dark = visit(page, tmp_path, 1200, "--blink-settings=preferredColorScheme=0")[1]
    light = visit(page, tmp_path, 1200, "--blink-settings=preferredColorScheme=1")[1]
    assert (dark["dark"], light["dark"]) == ("true", "false")
    assert brightness(dark["paper"]) < 60 < 200 < brightness(light["paper"])


def brightness(colour):
    """Mean of the channels of ``rgb(...)``."""
    return np.mean([int(x) for x in re.findall(r"\d+", colour)][:3])

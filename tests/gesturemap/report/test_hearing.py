"""What is heard of a made-up decoder: the first latent is loudness, the second pitch."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gesturemap.report.answer import write_answer
from gesturemap.report.coverage import CoverageSettings
from gesturemap.report.report import ReportSettings, make_report, measure_mapping
from gesturemap.report.sounding import SoundSettings, scale, sound_of

QUICK = ReportSettings(
    coverage=CoverageSettings(n_permutations=19, test_frames=200), sound=SoundSettings(reference_s=60, snippet_s=1.0)
)


class Organ:
    """Decodes latents to a tone: louder with the first, higher with the second."""

    def __init__(self, space):
        self.space = space

    def decode(self, latents):
        hop, rate = self.space.hop_length, self.space.sample_rate
        z = np.repeat(np.asarray(latents, dtype=np.float64), hop, axis=0)
        gain = 0.1 * 10 ** (np.clip(z[:, 0], -3, 2) / 4)
        phase = 2 * np.pi * np.cumsum(800 * 2 ** np.clip(z[:, 1], -3, 2)) / rate
        return (gain * np.sin(phase))[None].astype(np.float32)


@pytest.fixture(scope="module")
def measured(bells, mapping_for, recorded):
    """A mapping whose second latent stays low: it never gets bright."""
    mapping = mapping_for(bells)
    mapping.matrix[:, 1] = 0.0
    mapping.offset = bells.mean.copy()
    mapping.offset[1] = bells.quantile(0.05)[1]
    return measure_mapping(mapping, [recorded(10.0, 5)], bells, 0, QUICK, Organ(bells))


def test_descriptors_follow_the_decoder(bells):
    latents = np.zeros((60, 8))
    latents[:, 1] = np.repeat([-1.0, 0.0, 1.0], 20)
    zero = np.zeros(60, dtype=np.intp)
    heard = sound_of(Organ(bells), latents, np.arange(60), zero, zero).heard
    assert heard[[10, 30, 50], 1] == pytest.approx(np.log2([0.4, 0.8, 1.6]), abs=0.15)
    assert scale("centroid", np.array([0.0, 2000.0])) == pytest.approx([np.log2(0.02), 1.0])


def test_what_is_never_reached_is_named_by_its_sound(measured):
    sound = measured.result["sound"]
    words = {word for region in sound["regions"] for word in region["words"]}
    assert "bright" in words
    assert "dark" not in words
    assert re.search("It (never|hardly) gets to the .*bright", write_answer(measured.result))
    for region in sound["regions"]:
        assert region["reached"] <= 0.5 * measured.result["statistics"]["gesture"]["coverage"]["value"] + 0.02
    assert sum(region["share"] for region in sound["regions"]) < 1


def test_snippets_are_following_rows_of_one_file(measured, bells):
    for region in measured.hearing.regions:
        assert (np.diff(region.rows) == 1).all()
        assert len(np.unique(bells.cloud.file_index[region.rows])) == 1
        assert len(region.rows) == 20


def test_the_sound_is_measured_like_the_latents(measured):
    sound = measured.result["sound"]
    for name in ("gesture", "held_out"):
        for statistic in sound["statistics"][name].values():
            if isinstance(statistic, dict):
                assert statistic["low"] <= statistic["value"] <= statistic["high"]
    changes = {name: sound["movement"][name]["variation_per_s"] for name in ("gesture", "held_out")}
    assert changes["gesture"]["centroid"] < 0.7 * changes["held_out"]["centroid"]
    assert sound["audible_share"] == 1.0
    assert sound["sensitivity"]["median"] > 0
    assert sound["classes"] is None


def test_takes_of_two_recordings_are_classes(bells, mapping_for, recorded):
    gestures = [recorded(4.0, 3, seed=1), recorded(4.0, 3, seed=2)]
    found = measure_mapping(mapping_for(bells), gestures, bells, 0, QUICK, Organ(bells)).result["sound"]["classes"]
    assert found["names"] == ["swing-1", "swing-2"]
    assert found["n_takes"] == 6
    assert set(found["separability"]) == {"hand", "latents", "sound"}


def test_the_page_plays_what_is_never_reached(bells, mapping_for, recorded, tmp_path):
    result = make_report(mapping_for(bells), [recorded(10.0)], bells, tmp_path, settings=QUICK, player=Organ(bells))
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:audio/mpeg;base64,") == len(result["sound"]["regions"]) >= 1
    assert "What is heard" in page


def test_a_decoder_that_gives_silence_leaves_the_rest_of_the_report(bells, mapping_for, recorded):
    silent = Organ(bells)
    silent.decode = lambda latents: np.zeros((1, len(latents) * bells.hop_length), dtype=np.float32)
    result = measure_mapping(mapping_for(bells), [recorded(5.0)], bells, 0, QUICK, silent).result
    assert result["sound"] is None
    assert result["statistics"]["gesture"]["coverage"]["value"] > 0
    assert any("Of the sound nothing can be said" in caveat for caveat in result["caveats"])


def test_a_gesture_that_is_silent_is_said_to_be(bells, mapping_for, recorded):
    organ = Organ(bells)
    gesture = measure_mapping(mapping_for(bells), [recorded(5.0)], bells, 0, QUICK).played.latents
    audible = organ.decode
    heard = {gesture[:1].astype(np.float32).tobytes()}
    organ.decode = lambda latents: audible(latents) * (latents[:1].tobytes() not in heard)
    lost = recorded(5.0)
    result = measure_mapping(mapping_for(bells), [lost], bells, 0, QUICK, organ).result
    assert result["sound"]["audible_share"] < 0.9
    assert any("It is silent for" in finding for finding in result["findings"])

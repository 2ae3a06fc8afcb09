"""General MIDI loops: the notes are the pattern's, the sound is in time, in tune and a ring."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from audiovae.corpus.audio_file import read_audio
from audiovae.corpus.gm_instruments import DRUM_CHANNEL, DRUM_KEYS
from audiovae.corpus.gm_loops import SOUND_FONTS, find_soundfont, plan_loops, render_gm_loops, render_loop, write_midi
from audiovae.corpus.gm_patterns import KINDS, VERSIONS, GmLoop, Note, Part, plan_loop
from audiovae.corpus.loop_plan import STEPS_A_BAR
from audiovae.corpus.split import name_source
from audiovae.errors import CorpusError

LOOPS = [plan_loop(0, index) for index in range(2 * VERSIONS * len(KINDS))]


@pytest.fixture(scope="module")
def soundfont() -> Path:
    """FluidR3, where it and FluidSynth are installed."""
    font = next((path for path in SOUND_FONTS if path.is_file()), None)
    if font is None or shutil.which("fluidsynth") is None:
        pytest.skip("fluidsynth or its sound font is not installed")
    pytest.importorskip("mido")
    return font


def test_notes_are_midi_and_within_the_loop() -> None:
    for loop in LOOPS:
        assert 40 <= loop.tempo_bpm <= 180
        assert sum(len(part.notes) for part in loop.parts) >= loop.n_bars
        for part in loop.parts:
            assert 0 <= part.program < 128
            for note in part.notes:
                assert 0 <= note.step < STEPS_A_BAR * loop.n_bars
                assert 12 <= note.pitch < 120
                assert 1 <= note.velocity < 128
                assert part.channel != DRUM_CHANNEL or note.pitch in DRUM_KEYS.values()


def test_versions_of_a_pattern_are_one_source_and_one_rhythm() -> None:
    for first in range(0, len(LOOPS), VERSIONS):
        versions = LOOPS[first : first + VERSIONS]
        assert len({name_source(f"{loop.name}.flac") for loop in versions}) == 1
        assert len({loop.name for loop in versions}) == VERSIONS
        rhythms = [[[note.step for note in part.notes] for part in loop.parts] for loop in versions]
        assert all(rhythm == rhythms[0] for rhythm in rhythms)
        assert len({part.program for loop in versions for part in loop.parts[-1:]}) == VERSIONS
    assert len({name_source(f"{loop.name}.flac") for loop in LOOPS}) == len(LOOPS) // VERSIONS


def test_the_seed_decides_and_more_minutes_go_on() -> None:
    assert plan_loops(3, 7) == plan_loops(6, 7)[: len(plan_loops(3, 7))]
    assert 180 <= sum(loop.duration_s for loop in plan_loops(3, 7)) < 200
    assert plan_loops(3, 7) != plan_loops(3, 8)


def test_the_midi_file_says_what_the_loop_does(tmp_path: Path) -> None:
    mido = pytest.importorskip("mido")
    loop = next(loop for loop in LOOPS if len(loop.parts) == 3)
    write_midi(loop, tmp_path / "loop.mid")
    file = mido.MidiFile(tmp_path / "loop.mid")
    assert file.length == pytest.approx(loop.duration_s + 2, abs=0.01)
    struck = [message for message in file if message.type == "note_on"]
    assert len(struck) == sum(len(part.notes) for part in loop.parts)
    assert {m.program for m in file if m.type == "program_change"} == {part.program for part in loop.parts}


def test_a_rendered_note_is_in_tune_and_in_time(soundfont: Path) -> None:
    """A flute's A4 on the second beat: silence before, 440 Hz from there."""
    loop = GmLoop("one", 120, 1, (Part(0, 73, (Note(4, 8, 69, 100),)),), 0.0)
    audio = render_loop(loop, soundfont, 44100)
    assert audio.shape == (2 * 44100,)
    start = int(np.argmax(np.abs(audio) > 0.01))
    assert 0.5 <= start / 44100 < 0.55
    steady = audio[35000:51384] * np.hanning(16384)
    assert np.argmax(np.abs(np.fft.rfft(steady, 1 << 20))) * 44100 / (1 << 20) == pytest.approx(440, abs=3)


def test_what_rings_on_is_laid_over_the_start(soundfont: Path) -> None:
    loop = GmLoop("late", 120, 1, (Part(0, 14, (Note(15.5, 0.5, 72, 110),)),), 0.0)  # tubular bells
    audio = render_loop(loop, soundfont, 44100)
    assert np.abs(audio[:1000]).max() > 0.01
    assert np.abs(audio[0] - audio[-1]) < 0.05


def test_a_folder_is_continued_and_its_levels_are_bounded(soundfont: Path, tmp_path: Path) -> None:
    out = tmp_path / "loops"
    first = render_gm_loops(out, 0.15, seed=3, sample_rate=22050, progress=False)
    assert first.rendered == len(first.files) == len(list(out.glob("*.flac")))
    assert first.duration_s >= 9
    for path in first.files:
        audio, rate = read_audio(path)
        assert (rate, audio.shape[0]) == (22050, 1)
        assert 10 ** (-14.1 / 20) <= np.abs(audio).max() <= 10 ** (-5.9 / 20)
    bytes_before = first.files[0].read_bytes()
    first.files[0].unlink()
    again = render_gm_loops(out, 0.15, seed=3, sample_rate=22050, workers=1, progress=False)
    assert again.rendered == 1
    assert first.files[0].read_bytes() == bytes_before
    with pytest.raises(CorpusError, match="another recipe"):
        render_gm_loops(out, 0.15, seed=4, sample_rate=22050, progress=False)


def test_what_is_missing_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        CorpusError, match=r"no sound font at .*none.sf2.*apt-get install fluidsynth fluid-soundfont-gm"
    ):
        find_soundfont(tmp_path / "none.sf2")
    pytest.importorskip("mido")
    font = tmp_path / "font.sf2"
    font.write_bytes(b"no sound font")
    with pytest.raises(CorpusError, match="no SoundFont 2 file"):
        find_soundfont(font)
    font.write_bytes(b"RIFF\0\0\0\0sfbk")  # the header alone
    if shutil.which("fluidsynth"):
        with pytest.raises(CorpusError, match="fluidsynth could not render with .*font.sf2"):
            render_loop(LOOPS[0], font, 44100)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CorpusError, match="fluidsynth is not installed; .*apt-get install"):
        render_gm_loops(tmp_path / "out", 1, soundfont=font, progress=False)
    with pytest.raises(CorpusError, match="0 minutes"):
        render_gm_loops(tmp_path / "out", 0, progress=False)

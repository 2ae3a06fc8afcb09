"""Recordings through a mapping: the model's rate, gaps left out, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gesturemap.errors import MappingError, ReportError
from gesturemap.report.played import play_recordings


def test_latents_are_the_mappings_at_the_models_rate(bells, mapping_for, recorded):
    mapping = mapping_for(bells)
    recording = recorded(duration_s=8.0, n_takes=2)
    played = play_recordings(mapping, [recording], bells)
    assert played.latents.shape == (len(played.take), 8)
    assert np.isfinite(played.latents).all()
    take = recording.takes[1]
    grid_s = take.time_s[0] + np.arange(160) / 20
    phase = np.interp(grid_s, take.time_s, np.arange(400.0))
    lost = (phase > 49) & (phase < 100)
    exact = mapping.map_take(take.time_s, take.values)[np.round(phase[~lost]).astype(int)]
    # Readings at 50 Hz, latents at 20 Hz: every second latent frame falls on a reading.
    on_reading = np.abs(phase[~lost] - np.round(phase[~lost])) < 1e-6
    assert np.allclose(played.latents[played.take == 1][on_reading], exact[on_reading])


def test_a_lost_hand_is_left_out_and_counted(bells, mapping_for, recorded):
    played = play_recordings(mapping_for(bells), [recorded(duration_s=40.0, n_takes=3)], bells)
    assert played.lost_share == pytest.approx(1 / 8, abs=0.003)
    assert [take.duration_s for take in played.takes] == pytest.approx([40.0] * 3, abs=0.05)
    # Two stretches a take, and none spans two takes.
    assert len(np.unique(played.segment)) == 6
    assert (np.diff(played.segment) >= 0).all()
    assert (np.diff(played.segment)[np.diff(played.take) == 1] == 1).all()


def test_readings_far_apart_are_not_joined(bells, mapping_for, recorded):
    recording = recorded(duration_s=10.0)
    take = recording.takes[0]
    recording = replace(recording, takes=[take.select(np.r_[200:300, 400:500])])
    played = play_recordings(mapping_for(bells), [recording], bells)
    assert played.lost_share == pytest.approx(2 / 6, abs=0.02)
    assert len(np.unique(played.segment)) == 2


def test_a_slow_table_is_not_all_gaps(bells, mapping_for, recorded):
    played = play_recordings(mapping_for(bells), [recorded(duration_s=80.0, rate=2.0)], bells)
    assert played.lost_share == pytest.approx(1 / 8, abs=0.02)


def test_several_recordings_keep_their_names(bells, mapping_for, recorded):
    played = play_recordings(mapping_for(bells), [recorded(5.0, 2, seed=1), recorded(5.0, 1, seed=2)], bells)
    assert [(take.recording, take.index) for take in played.takes] == [
        ("swing-1.rec", 1),
        ("swing-1.rec", 2),
        ("swing-2.rec", 1),
    ]
    assert np.array_equal(np.unique(played.take), [0, 1, 2])


def test_a_recording_named_twice_is_refused(bells, mapping_for, recorded):
    recording = recorded(5.0)
    with pytest.raises(ReportError, match=r"swing-\d\.rec is named more than once"):
        play_recordings(mapping_for(bells), [recording, recording], bells)


def test_a_hand_never_seen_is_refused(bells, mapping_for, recorded):
    recording = recorded(5.0)
    lost = replace(recording.takes[0], values=np.full_like(recording.takes[0].values, np.nan))
    with pytest.raises(ReportError, match=r"0\.00 s of playing found in 1 takes.*record a longer take"):
        play_recordings(mapping_for(bells), [replace(recording, takes=[lost])], bells)
    with pytest.raises(ReportError, match="in 0 takes of 0 recordings"):
        play_recordings(mapping_for(bells), [], bells)


def test_other_channels_are_refused(bells, mapping_for, recorded):
    recording = recorded(5.0)
    other = replace(recording.layout, channels=recording.layout.channels[:5])
    with pytest.raises(MappingError, match=r"5 channels of 'gametrak' found, .* reads 6 .*missing: 'axis_5'"):
        play_recordings(mapping_for(bells), [replace(recording, layout=other)], bells)

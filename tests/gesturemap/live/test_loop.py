"""The control loop on a clock that only moves when it waits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gesturemap.clock import ManualClock
from gesturemap.features import FeatureExtractor
from gesturemap.frame import Array
from gesturemap.live.controls import Controls
from gesturemap.live.guard import Guard
from gesturemap.live.loop import ControlLoop
from gesturemap.live.sources import MappingSource
from gesturemap.mapping import Mapping


def make_loop(mapping: Mapping, tracker: Any, sink: Any, clock: ManualClock, slew: float = 1e9, **more: Any) -> Any:
    guard = Guard(mapping.low, mapping.high, mapping.rest, mapping.output.hold_s, mapping.output.fade_s, slew)
    extractor = FeatureExtractor(mapping.features, tracker.layout)
    tracker.open()
    return ControlLoop(tracker, extractor, MappingSource(mapping), guard, [sink], clock, **more)


def test_a_file_gives_the_latents_of_the_whole_take(
    mapping: Mapping, make_recording: Any, list_tracker: Any, kept: Any, clock: ManualClock
) -> None:
    take = make_recording(1, 200, seed=4).takes[0]
    take.values[30:60] = np.nan
    take.values[150:] = np.nan
    loop = make_loop(mapping, list_tracker(take, mapping.layout), kept, clock)
    assert loop.run() == "the tracker ended"
    np.testing.assert_allclose(kept.latents, mapping.map_take(take.time_s, take.values, fill=True), atol=1e-9)
    np.testing.assert_array_equal(kept.time_s, take.time_s)
    assert (loop.counters.frames, loop.counters.dropped, loop.counters.late) == (200, 0, 0)
    assert clock.now_s() == 100.0  # a file is never waited for


def test_seconds_end_a_file_in_its_own_time(
    mapping: Mapping, make_recording: Any, list_tracker: Any, kept: Any, clock: ManualClock
) -> None:
    take = make_recording(1, 200).takes[0]
    loop = make_loop(mapping, list_tracker(take, mapping.layout), kept, clock)
    assert loop.run(1.0) == "1 s were over"
    assert len(kept.rows) == 60


def test_live_is_the_same_then_holds_and_fades_when_the_tracker_is_unplugged(
    mapping: Mapping, make_recording: Any, list_tracker: Any, kept: Any, clock: ManualClock
) -> None:
    take = make_recording(1, 200, seed=4).takes[0]
    loop = make_loop(mapping, list_tracker(take, mapping.layout, clock, unplug_after=50), kept, clock)
    assert loop.run() == "the cable is out"
    np.testing.assert_allclose(kept.latents[:50], mapping.map_take(take.time_s, take.values)[:50], atol=1e-9)
    after_s = np.array(kept.time_s[50:]) - kept.time_s[49]
    held = after_s <= mapping.output.hold_s
    np.testing.assert_allclose(kept.latents[50:][held], np.tile(kept.latents[49], (held.sum(), 1)))
    np.testing.assert_allclose(kept.latents[-1], mapping.rest)
    assert mapping.output.hold_s + mapping.output.fade_s <= after_s[-1] < 2.1 + mapping.output.hold_s
    assert loop.counters.idle == len(kept.rows) - 50
    assert np.diff(kept.time_s).max() < 0.2  # the outputs are not left alone meanwhile


def test_no_jump_is_larger_than_the_slew_limit_allows(
    mapping: Mapping, make_recording: Any, list_tracker: Any, kept: Any, clock: ManualClock
) -> None:
    take = make_recording(1, 200, seed=4).takes[0]
    take.values[::7] *= -1.0
    take.values[50:120] = np.nan
    make_loop(mapping, list_tracker(take, mapping.layout, clock), kept, clock, slew=3.0).run()
    limit = 3.0 * (mapping.high - mapping.low) * np.diff(kept.time_s)[:, None]
    assert (np.abs(np.diff(kept.latents, axis=0)) <= limit + 1e-9).all()
    assert np.isfinite(kept.latents).all()


def test_of_a_backlog_only_the_newest_frame_is_played_and_the_others_are_counted(
    mapping: Mapping, make_recording: Any, list_tracker: Any, kept: Any, clock: ManualClock
) -> None:
    take = make_recording(1, 60).takes[0]
    loop = make_loop(mapping, list_tracker(take, mapping.layout, clock), kept, clock)
    loop.tick()
    clock.sleep_s(0.51)  # something kept the machine busy for 30 frames
    loop.tick()
    assert (len(kept.rows), loop.counters.dropped) == (2, 30 - 1)
    assert loop.counters.frames == 2


def test_a_frame_that_does_not_follow_is_refused_and_the_next_one_played(
    mapping: Mapping, make_recording: Any, list_tracker: Any, kept: Any, clock: ManualClock
) -> None:
    take = make_recording(1, 20).takes[0]
    take.time_s[10] = take.time_s[9]
    loop = make_loop(mapping, list_tracker(take, mapping.layout), kept, clock)
    loop.run()
    assert (loop.counters.refused, loop.counters.frames) == (1, 19)


def test_panic_and_stop_are_obeyed_at_the_next_tick(
    mapping: Mapping, make_recording: Any, list_tracker: Any, kept: Any, clock: ManualClock
) -> None:
    take = make_recording(1, 200).takes[0]
    controls = Controls()
    loop = make_loop(mapping, list_tracker(take, mapping.layout, clock), kept, clock, controls=controls)
    loop.tick()
    controls.panic = True
    loop.tick()
    np.testing.assert_allclose(kept.rows[-1], mapping.rest)
    assert kept.calls == [("mute", True)]
    assert loop.snapshot.panic
    controls.panic, controls.stop = False, True
    assert loop.run() == "stopped"


class Later:
    """Answers each row at the next look, as somebody on the network would."""

    poll_s = 0.002

    def __init__(self) -> None:
        self.asked: list[Array] = []

    def latents(self, time_s: float, features: Array) -> None:
        self.asked.append(features)

    def arrived(self) -> Array | None:
        return np.full(4, 0.5) * len(self.asked) if self.asked else None

    def close(self) -> None:
        pass


def test_answers_that_come_later_go_out_before_the_next_frame(
    mapping: Mapping, make_recording: Any, list_tracker: Any, kept: Any, clock: ManualClock
) -> None:
    take = make_recording(1, 3).takes[0]
    tracker = list_tracker(take, mapping.layout, clock)
    tracker.open()
    guard = Guard(np.zeros(4), np.full(4, 10.0), np.zeros(4), 0.5, 0.5, 1e9)
    loop = ControlLoop(tracker, FeatureExtractor(mapping.features, mapping.layout), Later(), guard, [kept], clock)
    loop.tick()
    assert kept.rows == []
    loop.tick()
    np.testing.assert_array_equal(kept.rows[-1], np.full(4, 0.5))
    assert kept.time_s[-1] == pytest.approx(100.002)

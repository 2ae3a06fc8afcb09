"""A mapping that moves a base sound, on stage: here as `render` moves it, elsewhere by what goes out over OSC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audiovae.latent_space import LatentSpace
from audiovae.latent_table import write_latents
from gesturemap.clock import ManualClock
from gesturemap.errors import MappingError
from gesturemap.live.perform import Outputs, perform
from gesturemap.live.settings import LiveSettings
from gesturemap.mapping import Mapping, OutputSettings
from gesturemap.mapping.fitting import fit_mapping
from gesturemap.osc.codec import decode
from gesturemap.osc.udp import UdpReceiver
from gesturemap.render import render


@pytest.fixture(params=["add", "multiply"])
def moving(request: pytest.FixtureRequest, play_space: LatentSpace, make_recording: Any, position: Any) -> Mapping:
    output = OutputSettings(mode=request.param)
    return fit_mapping([make_recording()], play_space, position, name="m", regressor="linear_map", output=output)


def test_a_base_sound_is_moved_as_render_moves_it(
    moving: Mapping,
    play_space: LatentSpace,
    make_recording: Any,
    list_tracker: Any,
    stand_in: Any,
    clock: ManualClock,
    tmp_path: Path,
) -> None:
    model_dir = tmp_path
    play_space.save(model_dir)
    base = str(tmp_path / "base.parquet")
    write_latents(base, np.asarray(play_space.cloud.latents[:30], np.float64), play_space)
    recording = make_recording(1, 240, seed=9)
    recording.takes[0].values[60:120] = np.nan
    render(moving, recording, model_dir, tmp_path / "rendered.wav", base=base, player=stand_in)
    tracker = list_tracker(recording.takes[0], moving.layout)
    outputs = Outputs(audio_file=tmp_path / "performed.wav", base=base)
    settings = LiveSettings(slew_per_s=1e6)
    perform(moving, tracker, outputs, model_dir=model_dir, settings=settings, clock=clock, player=stand_in)
    performed, _ = soundfile.read(tmp_path / "performed.wav")
    rendered, _ = soundfile.read(tmp_path / "rendered.wav")
    np.testing.assert_allclose(performed, rendered, atol=1e-6)
    assert np.ptp(performed) > 0.01
    with pytest.raises(MappingError, match="--base SOUND"):
        perform(moving, tracker, Outputs(audio_file=tmp_path / "x.wav"), model_dir=model_dir, player=stand_in)


def test_over_osc_goes_what_moves_and_its_range(
    moving: Mapping, make_recording: Any, list_tracker: Any, clock: ManualClock
) -> None:
    take = make_recording(1, 60, seed=9).takes[0]
    receiver = UdpReceiver(0)
    outputs = Outputs(osc=(("127.0.0.1", receiver.port),))
    perform(moving, list_tracker(take, moving.layout, clock), outputs, control=None, clock=clock)
    messages = []
    while (received := receiver.receive()) is not None:
        messages += decode(received[0])
    receiver.close()
    said = {message.address: message.arguments for message in messages}
    assert said["/gesturemap/latent/mode"] == (moving.output.mode,)
    ranges = np.array(said["/gesturemap/latent/ranges"]).reshape(-1, 2).T
    np.testing.assert_allclose(ranges, moving.predicted_range, rtol=1e-6)
    rows = np.array([message.arguments for message in messages if message.address == "/latent"])
    np.testing.assert_allclose(rows[-1], moving.rest, atol=1e-6)  # the hand is gone: the sound as it is

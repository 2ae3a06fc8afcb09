"""What a mapping's latents are made of: its own, or a base sound moved by the hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from audiovae.latent_space import LatentSpace
from audiovae.latent_table import read_latents, write_latents
from gesturemap.errors import MappingError
from gesturemap.features import FeatureSettings, OneEuroFilter, SmoothingSettings, load_features
from gesturemap.mapping import Mapping, OutputSettings
from gesturemap.mapping.fitting import fit_mapping
from gesturemap.recording import Recording
from gesturemap.regressors.settings import LinearMapSettings
from gesturemap.render import BaseSound, latents_of, render

Maker = Callable[..., Recording]


@pytest.fixture(params=["add", "multiply"])
def moving(
    request: pytest.FixtureRequest, play_space: LatentSpace, make_recording: Maker, position: FeatureSettings
) -> Mapping:
    output = OutputSettings(mode=request.param)
    return fit_mapping([make_recording()], play_space, position, name="m", regressor="linear_map", output=output)


def test_the_middle_of_the_gesture_leaves_the_base_and_its_ends_move_it(
    moving: Mapping, play_space: LatentSpace, make_recording: Maker
) -> None:
    """Where recorded latents lie is not learned: the gesture's range is the control's."""
    gesture = moving.examples.features
    low, high = (np.quantile(gesture, level, axis=0) for level in (0.01, 0.99))
    middle, end = moving.predict(np.stack([(low + high) / 2, high]))
    base = np.asarray(play_space.mean + 0.1 * play_space.std)[None]
    np.testing.assert_allclose(moving.apply(middle[None], base), base, atol=1e-9)
    half_range = (moving.high - moving.low) / 2
    by = base[0] + half_range if moving.output.mode == "add" else 2.0 * base[0]
    np.testing.assert_allclose(moving.apply(end[None], base)[0], np.clip(by, moving.low, moving.high), atol=1e-6)
    np.testing.assert_array_equal(moving.apply(moving.rest[None], base), base)  # a lost hand
    assert moving.examples.latents is None


def test_it_never_leaves_the_models_range(moving: Mapping) -> None:
    rng = np.random.default_rng(0)
    moved = moving.apply(100.0 * rng.normal(size=(500, 4)), 100.0 * rng.normal(size=(500, 4)))
    assert (moved >= moving.low).all()
    assert (moved <= moving.high).all()


def test_it_is_kept_and_rendered_with_its_base(
    moving: Mapping, play_space: LatentSpace, make_recording: Maker, tmp_path: Path
) -> None:
    moving = Mapping.load(moving.save(tmp_path / "m"))
    recording = make_recording(n_takes=2, n_frames=120, seed=3)
    base = np.asarray(play_space.cloud.latents[:30], np.float64)  # shorter than a take: it comes again
    play_space.save(tmp_path)
    write_latents(tmp_path / "base.parquet", base, play_space)
    player = SimpleNamespace(
        space=play_space, decode=lambda z: np.zeros((1, len(z) * play_space.hop_length), np.float32)
    )
    out = tmp_path / "out.wav"
    rendering = render(
        moving, recording, tmp_path, out, tmp_path / "z.parquet", base=str(tmp_path / "base.parquet"), player=player
    )
    first = latents_of(moving, recording.takes[0], play_space, BaseSound(moving, base))
    np.testing.assert_allclose(rendering.latents[: len(first)], first, rtol=1e-6)
    assert np.isfinite(read_latents(tmp_path / "z.parquet", play_space)).all()
    with pytest.raises(MappingError, match="name it with --base SOUND"):
        render(moving, recording, tmp_path, out, player=player)
    with pytest.raises(MappingError, match="of a base sound: name it with --base"):
        moving.map_take(recording.takes[0].time_s, recording.takes[0].values)


def test_refusals(mapping: Mapping, play_space: LatentSpace, make_recording: Maker, position: FeatureSettings) -> None:
    with pytest.raises(MappingError, match="needs no base sound"):
        mapping.apply(np.zeros((1, 4)), np.zeros((1, 4)))
    with pytest.raises(MappingError, match="cannot move a base sound: fit --regressor linear_map"):
        fit_mapping([make_recording()], play_space, position, name="m", output=OutputSettings(mode="add"))


def test_own_bias_and_range_are_kept(play_space: LatentSpace, make_recording: Maker, position: FeatureSettings) -> None:
    """The user's first patch: a bias for each latent, and how far the hand moves it."""
    settings = LinearMapSettings(columns=("hand_x",) * 4, bias=(0.5, 0, 0, 0), half_range=(2.0, 0, 0, 0))
    made = fit_mapping(
        [make_recording(kind="gesture")],
        play_space,
        position,
        name="bias",
        regressor="linear_map",
        settings=settings,
        output=OutputSettings(mode="add"),
    )
    control = made.predict(made.examples.features)
    assert control[:, 0].min() == pytest.approx(-1.5, abs=0.2)
    assert control[:, 0].max() == pytest.approx(2.5, abs=0.2)
    np.testing.assert_array_equal(control[:, 1:], 0.0)


def test_one_smoothing_suits_latents_of_any_spread(mapping: Mapping) -> None:
    """In half ranges all latents are filtered alike: the filter of one is that of the others, scaled."""
    settings = SmoothingSettings(method="one_euro", min_cutoff_hz=1.0, beta=0.5)
    changed = Mapping(**(vars(mapping) | {"output": OutputSettings(smoothing=settings)}))
    time_s = np.arange(100) / 50.0
    shape = np.random.default_rng(0).normal(size=100).cumsum()[:, None] * 0.1
    half_range = (mapping.high - mapping.low) / 2
    smooth = changed.open_smoother().process(time_s, shape * half_range)
    alone = OneEuroFilter(1, 1.0, 0.5, 1.0).process(time_s, shape)
    np.testing.assert_allclose(smooth / half_range, np.repeat(alone, 4, axis=1), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("features", "low", "high"), [("position", -1.0, 0.1), ("series", 0.95, 1.0)])
def test_a_series_tells_the_way_back_from_the_way_there(
    features: str, low: float, high: float, play_space: LatentSpace, make_recording: Maker
) -> None:
    """A hand on a circle seen from the side: the place is the same twice a round, the sound is not."""
    recording = make_recording(n_takes=4, n_frames=300)
    for take in recording.takes:
        phase = 2 * np.pi * 0.5 * take.time_s + take.index
        take.values[:] = 50.0 * np.sin(phase)[:, None]
        assert take.latents is not None
        take.latents[:] = play_space.mean + play_space.std * np.cos(phase)[:, None]
    fitted = fit_mapping([recording], play_space, load_features(features), name="circle")
    assert low <= fitted.card["held_out_r2_all"] <= high

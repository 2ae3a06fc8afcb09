"""The extractor: any blocks the same bits, gaps, units, presets, refusals."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiovae.settings import list_presets
from gesturemap import Channel, Layout
from gesturemap.errors import FeatureError
from gesturemap.features import FeatureExtractor, FeatureSettings, extract_features, load_features
from gesturemap.features.extractor import PRESETS
from gesturemap.features.hand_shape import LANDMARKS
from gesturemap.trackers import gametrak_calibration

EVERYTHING = 'motion=["position","velocity","acceleration","jerk","speed","difference","second_difference"]'
HAND = Layout(
    tuple(Channel(f"{s}_{p}_world_{a}", "m", -1.0, 1.0) for s in ("left", "right") for p in LANDMARKS for a in "xyz")
)
VARIANTS: list[Sequence[str]] = [
    ("derivative.degree=3", "derivative.window_s=0", "derivative.window_frames=7"),
    ("derivative.degree=3", "derivative.window_s=0.08", "smoothing.method=exponential"),
    ("derivative.method=difference", "derivative.velocity_frames=3", "smoothing.method=one_euro"),
    ("derivative.degree=3", 'window={frames=5, give=["now", "series", "min", "max", "mean", "deviation"]}'),
    (
        "derivative.degree=3",
        'expressions.left_height="sqrt(abs(left_wrist_world_y[-2])) ** 0.3 + sin(left_wrist_world_x)"',
        'expressions.right_turn="hypot(right_wrist_world_x, cos(right_wrist_world_z[-4] * 9)) / 3"',
    ),
]


@pytest.mark.parametrize("variant", VARIANTS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_blocks_and_any_gaps_give_the_same_bits(variant: Sequence[str], data: st.DataObject) -> None:
    n_frames = data.draw(st.integers(1, 60))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    time_s = rng.uniform(1e-3, 0.05, n_frames).cumsum()
    values = rng.normal(size=(n_frames, len(HAND)))
    for hand in (slice(0, 63), slice(63, 126)):
        values[rng.random(n_frames) < data.draw(st.sampled_from([0.0, 0.1, 0.6])), hand] = np.nan
    cuts = sorted(data.draw(st.lists(st.integers(0, n_frames), max_size=8)))

    feature_settings = load_features("hand_shape", [EVERYTHING, 'channels=["*_tip_*"]', *variant])
    whole = extract_features(feature_settings, HAND, time_s, values)
    extractor = FeatureExtractor(feature_settings, HAND)
    in_blocks = [extractor.process(time_s[block], values[block]) for block in np.split(np.arange(n_frames), cuts)]
    np.testing.assert_array_equal(np.concatenate(in_blocks), whole)
    extractor.reset()
    one_by_one = [extractor.process(time_s[i : i + 1], values[i : i + 1]) for i in range(n_frames)]
    np.testing.assert_array_equal(np.concatenate(one_by_one), whole)
    # NaN exactly where the hand is not seen.
    for side, hand in (("left", 0), ("right", 63)):
        lost = np.isnan(values[:, hand])
        columns = [i for i, name in enumerate(extractor.names) if name.startswith(side)]
        np.testing.assert_array_equal(np.isnan(whole[:, columns]), np.repeat(lost[:, None], len(columns), axis=1))


def test_a_real_gametrak_stream_and_file_agree(
    gametrak: tuple[np.ndarray, np.ndarray], gametrak_layout: Layout
) -> None:
    time_s, counts = gametrak
    motion = load_features("motion", ["smoothing.method=one_euro"])
    whole = extract_features(motion, gametrak_layout, time_s, counts)
    extractor = FeatureExtractor(motion, gametrak_layout)
    stream = [extractor.process(time_s[i : i + 1], counts[i : i + 1]) for i in range(len(time_s))]
    np.testing.assert_array_equal(np.concatenate(stream), whole)
    assert whole.shape == (799, 18)
    assert np.isfinite(whole).all()


def test_a_take_longer_than_the_inner_block(gametrak_layout: Layout) -> None:
    rng = np.random.default_rng(5)
    time_s, values = np.arange(5000) / 100.0, rng.normal(size=(5000, 6))
    motion = load_features("motion")
    in_one = FeatureExtractor(motion, gametrak_layout).process(time_s, values)
    np.testing.assert_array_equal(extract_features(motion, gametrak_layout, time_s, values), in_one)
    assert extract_features(motion, gametrak_layout, time_s[:0], values[:0]).shape == (0, 18)


def test_names_and_units(gametrak_layout: Layout) -> None:
    settings = load_features("motion", [EVERYTHING, "derivative.degree=3", 'channels=["right_z","left_[xy]"]'])
    extractor = FeatureExtractor(settings, gametrak_layout)
    described = dict(zip(extractor.names, extractor.units, strict=True))
    assert extractor.names[:3] == ("right_z", "left_x", "left_y")  # the order of the patterns
    assert described["left_x"] == "mm"
    assert described["left_x_velocity"] == "mm/s"
    assert described["left_x_acceleration"] == "mm/s^2"
    assert described["left_x_jerk"] == "mm/s^3"
    assert described["left_speed"] == described["right_speed"] == "mm/s"
    assert described["left_x_second_difference"] == "mm"
    assert len(described) == len(extractor.names) == 20


def test_speed_is_the_length_of_the_velocity(gametrak_layout: Layout) -> None:
    time_s = np.arange(50) / 100.0
    values = time_s[:, None] * np.array([3.0, 4.0, 12.0, -8.0, 0.0, 6.0])
    settings = FeatureSettings(name="speed", motion=("speed",))
    speed = extract_features(settings, gametrak_layout, time_s, values)
    np.testing.assert_allclose(speed[1:], [[13.0, 10.0]] * 49, rtol=1e-9)
    bare = Layout(tuple(Channel(axis, "mm", -1.0, 1.0) for axis in "xyz"))
    assert FeatureExtractor(settings, bare).names == ("speed",)


@pytest.mark.parametrize("preset", list_presets(PRESETS))
def test_presets_explain_themselves_and_work(preset: str, hands_layout: Layout) -> None:
    assert len(list_presets(PRESETS)[preset]) > 30
    settings = load_features(preset)
    assert settings.name == preset
    layout = gametrak_calibration.gametrak_layout() if preset.startswith("gametrak") else hands_layout
    extractor = FeatureExtractor(settings, layout)
    rng = np.random.default_rng(6)
    features = extractor.process(np.arange(20) / 25.0, rng.normal(size=(20, len(layout))))
    assert features.shape == (20, len(extractor.names))
    assert len(extractor.names) == len(set(extractor.names)) == len(extractor.units)
    assert np.isfinite(features).all()
    assert FeatureSettings.model_validate_json(settings.model_dump_json()) == settings


def test_there_are_the_four_presets() -> None:
    assert set(list_presets(PRESETS)) >= {"position", "motion", "hand_shape", "hand_motion"}


def test_one_hand_can_be_left_out(hands_layout: Layout) -> None:
    extractor = FeatureExtractor(load_features("hand_motion", ['hands=["right"]']), hands_layout)
    assert {name.partition("_")[0] for name in extractor.names} == {"right"}
    assert len(extractor.names) == 2 + 2 + 18


def test_a_pattern_leaves_out_flags_but_a_name_takes_them(hands_layout: Layout) -> None:
    everything = FeatureExtractor(FeatureSettings(name="all"), hands_layout)
    assert len(everything.names) == 252
    flag = FeatureExtractor(FeatureSettings(name="flag", channels=("left_present",)), hands_layout)
    assert flag.names == ("left_present",)


def test_both_spellings_of_a_finger_are_understood(hands_layout: Layout) -> None:
    """MediaPipe's index_finger_tip, which the hands tracker keeps, and index_tip."""
    short = Layout(tuple(replace(c, name=c.name.replace("_finger_", "_")) for c in hands_layout.channels))
    assert short.names != hands_layout.names
    settings = load_features("hand_shape")
    assert FeatureExtractor(settings, short).names == FeatureExtractor(settings, hands_layout).names


def test_infinite_counts_as_lost(gametrak_layout: Layout) -> None:
    values = np.zeros((3, 6))
    values[1, 0] = np.inf
    features = extract_features(load_features("position"), gametrak_layout, np.arange(3.0), values)
    assert np.isnan(features[1, 0])
    assert np.isfinite(features[2]).all()


def test_refusals(gametrak_layout: Layout, hands_layout: Layout) -> None:
    with pytest.raises(FeatureError, match=r"no channel 'left_xx'.*did you mean 'left_x'"):
        FeatureExtractor(FeatureSettings(name="x", channels=("left_xx",)), gametrak_layout)
    with pytest.raises(FeatureError, match=r"needs the landmarks of a hand \('left_wrist_world_x'.*hands tracker"):
        FeatureExtractor(load_features("hand_shape"), gametrak_layout)
    without_tip = Layout(tuple(c for c in hands_layout.channels if c.name != "right_ring_finger_tip_world_z"))
    with pytest.raises(FeatureError, match="right hand: no channel right_ring_tip_world_z"):
        FeatureExtractor(load_features("hand_shape"), without_tip)
    axes = Layout((Channel("a_x", "mm", 0.0, 1.0), Channel("a_y", "count", 0.0, 1.0), Channel("b", "mm", 0.0, 1.0)))
    with pytest.raises(FeatureError, match="'a': its axes have different units, count, mm"):
        FeatureExtractor(FeatureSettings(name="x", motion=("speed",)), axes)
    with pytest.raises(FeatureError, match=r"speed needs channels called \.\.\._x"):
        FeatureExtractor(FeatureSettings(name="x", motion=("speed",), channels=("b",)), axes)


def test_a_refused_frame_leaves_no_trace(gametrak_layout: Layout) -> None:
    motion = load_features("motion")
    extractor = FeatureExtractor(motion, gametrak_layout)
    time_s, values = np.arange(20) / 50.0, np.random.default_rng(7).normal(size=(20, 6))
    first = extractor.process(time_s[:10], values[:10])
    with pytest.raises(FeatureError, match=r"at 0\.18 s follows 0\.18 s"):
        extractor.process(time_s[9:10], values[9:10] + 1e6)
    with pytest.raises(FeatureError, match=r"expected \(n_frames,\) with \(n_frames, 6\)"):
        extractor.process(time_s[10:11], values[10:11, :5])
    rest = extractor.process(time_s[10:], values[10:])
    whole = extract_features(motion, gametrak_layout, time_s, values)
    np.testing.assert_array_equal(np.concatenate((first, rest)), whole)

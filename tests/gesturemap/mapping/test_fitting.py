"""Pairs, folds and the honesty of the error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from audiovae.latent_space import LatentSpace
from gesturemap.errors import MappingError, WrongModelError
from gesturemap.features import FeatureSettings, extract_features
from gesturemap.frame import Channel, Layout
from gesturemap.mapping import Mapping
from gesturemap.mapping.fitting import fit_mapping, split_overrides
from gesturemap.mapping.held_out import held_out_folds
from gesturemap.mapping.pairing import collect_pairs
from gesturemap.recording import Recording
from gesturemap.regressors import REGRESSORS, regressor_settings

Maker = Callable[..., Recording]


def test_pairs_are_features_of_the_whole_take_and_its_latents(make_recording: Maker, play_space: LatentSpace) -> None:
    recording = make_recording(2)
    settings = FeatureSettings(name="motion", motion=("position", "velocity"))
    pairs = collect_pairs([recording], play_space, settings)
    first = recording.takes[0]
    n = len(first.time_s)
    expected = extract_features(settings, recording.layout, first.time_s, first.values)
    np.testing.assert_array_equal(pairs.examples.features[:n], expected)
    np.testing.assert_array_equal(pairs.examples.latents[:n], first.latents)
    assert np.bincount(pairs.examples.take).tolist() == [n, n]
    assert pairs.take_names == ("paired-0.rec take 1", "paired-0.rec take 2")
    assert (pairs.n_dropped, pairs.n_thinned) == (0, 0)


def test_lag_pairs_the_hand_with_what_it_answers(make_recording: Maker, play_space: LatentSpace) -> None:
    """With the lag taken out, pairs of a late hand equal those of a prompt one."""
    position = FeatureSettings(name="position")
    prompt = collect_pairs([make_recording(1, 240)], play_space, position).examples
    late = collect_pairs([make_recording(1, 240, lag_s=0.1)], play_space, position).examples
    assert len(late.features) == 240 - 6
    np.testing.assert_array_equal(late.features, prompt.features[6:])
    np.testing.assert_allclose(late.latents, prompt.latents[6:], atol=1e-9)


def test_rows_without_a_hand_are_dropped_and_counted(make_recording: Maker, play_space: LatentSpace) -> None:
    recording = make_recording(2)
    recording.takes[0].values[10:25] = np.nan
    recording.takes[1].latents[5] = np.nan
    mapping = fit_mapping([recording], play_space, FeatureSettings(name="position"), name="holes")
    assert mapping.card["n_dropped"] == 16
    assert mapping.card["n_examples"] == 2 * 240 - 16


def test_too_many_rows_are_thinned_evenly(make_recording: Maker, play_space: LatentSpace) -> None:
    pairs = collect_pairs([make_recording(3)], play_space, FeatureSettings(name="position"), max_rows=90)
    assert pairs.n_thinned == 3 * 240 - 90
    assert np.bincount(pairs.examples.take).tolist() == [30, 30, 30]


def test_whole_takes_are_held_out() -> None:
    take = np.repeat(np.arange(7), 20)
    folds, scheme = held_out_folds(take, np.tile(np.arange(20.0), 7))
    assert "whole takes" in scheme
    assert sorted(np.concatenate([held for _, held in folds]).tolist()) == list(range(140))
    for rest, held in folds:
        assert not set(take[rest]) & set(take[held])


def test_one_take_is_held_out_in_blocks_with_a_guard() -> None:
    time_s = np.arange(3000) / 60.0  # 50 s: the guard is its longest, 1 s
    folds, scheme = held_out_folds(np.zeros(3000, dtype=int), time_s)
    assert "1 s either side" in scheme
    assert len(folds) == 5
    for rest, held in folds:
        assert (np.diff(held) == 1).all()
        assert np.abs(time_s[rest][:, None] - time_s[held]).min() > 1.0


def test_too_few_rows_hold_nothing_out(make_recording: Maker, play_space: LatentSpace) -> None:
    assert held_out_folds(np.zeros(6, dtype=int), np.arange(6.0))[0] == []
    recording = make_recording(1)
    recording.takes[0] = recording.takes[0].select(slice(0, 6))
    mapping = fit_mapping([recording], play_space, FeatureSettings(name="position"), name="few")
    assert "held_out_rmse" not in mapping.card
    assert mapping.card["warnings"][0].startswith("too few examples to hold any out")


def test_held_out_error_is_that_of_a_take_left_out(make_recording: Maker, play_space: LatentSpace) -> None:
    """Two takes, each predicted by a mapping that heard only the other: computed here by hand."""
    recording, position = make_recording(2), FeatureSettings(name="position")
    card = fit_mapping([recording], play_space, position, name="two").card
    squared, of_mean = [], []
    for held, learned in ((0, 1), (1, 0)):
        single = replace(recording, takes=[recording.takes[learned]])
        other = fit_mapping([single], play_space, position, name="one")
        take = recording.takes[held]
        squared.append((other.map_take(take.time_s, take.values) - take.latents) ** 2)
        of_mean.append((recording.takes[learned].latents.mean(axis=0) - take.latents) ** 2)
    rmse, mean = (np.sqrt(np.concatenate(x).mean(axis=0)) / play_space.std for x in (squared, of_mean))
    np.testing.assert_allclose(card["held_out_rmse"], rmse, rtol=1e-3)
    np.testing.assert_allclose(card["mean_rmse"], mean, rtol=1e-3)
    np.testing.assert_allclose(card["held_out_r2"], 1 - (rmse / mean) ** 2, rtol=0, atol=1e-3)


@pytest.mark.parametrize("regressor", ["ridge", "knn", "kernel_ridge"])
def test_unrelated_latents_are_called_so(regressor: str, make_recording: Maker, play_space: LatentSpace) -> None:
    recording = make_recording(3, kind="unrelated")
    card = fit_mapping([recording], play_space, FeatureSettings(name="position"), name="no", regressor=regressor).card
    assert card["held_out_r2_all"] <= 0.0
    assert any("no better than always playing the mean" in warning for warning in card["warnings"])


def test_a_good_fit_has_nothing_to_warn_of(mapping: Mapping) -> None:
    assert mapping.card["held_out_r2_all"] > 0.7
    assert mapping.card["warnings"] == []
    assert np.all(np.array(mapping.card["fit_rmse"]) <= np.array(mapping.card["held_out_rmse"]))
    assert np.all(np.array(mapping.card["held_out_rmse"]) < np.array(mapping.card["mean_rmse"]))


def test_one_take_is_told(make_recording: Maker, play_space: LatentSpace) -> None:
    position = FeatureSettings(name="position")
    card = fit_mapping([make_recording(1, 900)], play_space, position, name="one", regressor="ridge").card
    assert card["held_out"].startswith("fifths of the one take")
    assert any(warning.startswith("one take only") for warning in card["warnings"])


def test_a_flat_mapping_is_told(make_recording: Maker, play_space: LatentSpace) -> None:
    stiff = regressor_settings("ridge", ["alpha=1e6"])
    position = FeatureSettings(name="position")
    card = fit_mapping([make_recording()], play_space, position, name="flat", regressor="ridge", settings=stiff).card
    assert any(warning.startswith("the latents hardly move") for warning in card["warnings"])


@pytest.mark.parametrize("regressor", list(REGRESSORS))
def test_same_seed_same_mapping(regressor: str, make_recording: Maker, play_space: LatentSpace) -> None:
    recording, position = make_recording(2, 60), FeatureSettings(name="position")
    fast = regressor_settings(regressor, ["max_epochs=3"] if regressor == "mlp" else [])
    first, second = (
        fit_mapping([recording], play_space, position, name="a", regressor=regressor, settings=fast, seed=4)
        for _ in range(2)
    )
    take = recording.takes[0]
    np.testing.assert_array_equal(first.map_take(take.time_s, take.values), second.map_take(take.time_s, take.values))
    assert first.card == second.card


def test_direct_map_needs_no_latents(make_recording: Maker, play_space: LatentSpace) -> None:
    recording, position = make_recording(1, 900, kind="gesture"), FeatureSettings(name="position")
    settings = regressor_settings(
        "linear_map", ['columns=["hand_x", "-hand_y", "hand_z", "hand_x"]', "half_range=[1.0, 2.0, 3.0, 4.0]"]
    )
    mapping = fit_mapping([recording], play_space, position, name="direct", regressor="linear_map", settings=settings)
    take = recording.takes[0]
    latents, values = mapping.map_take(take.time_s, take.values), take.values
    middle = (play_space.quantile(0.01) + play_space.quantile(0.99)) / 2
    np.testing.assert_allclose(latents.max(axis=0) - middle, [1.0, 2.0, 3.0, 4.0], rtol=0.2)
    assert np.corrcoef(latents[:, 1], values[:, 1])[0, 1] < -0.99
    assert np.corrcoef(latents[:, 3], values[:, 0])[0, 1] > 0.99
    assert "fit_rmse" not in mapping.card
    assert mapping.card["warnings"] == [
        "made without examples: a direct map of gesture ranges, with no error to measure"
    ]


def test_a_learner_without_latents_says_what_to_do(make_recording: Maker, play_space: LatentSpace) -> None:
    with pytest.raises(MappingError, match="record with --model MODEL_DIR --play TRAJECTORY"):
        fit_mapping([make_recording(kind="gesture")], play_space, FeatureSettings(name="position"), name="no")


def test_recordings_that_do_not_belong_together(make_recording: Maker, play_space: LatentSpace) -> None:
    position, paired = FeatureSettings(name="position"), make_recording()
    refusals = [
        ([replace(paired, takes=[])], MappingError, "1 recordings with no take"),
        ([paired, replace(paired, tracker="hands")], MappingError, r"\(hands, 3 channels\) .* differ"),
        ([paired, make_recording(kind="gesture")], MappingError, "one holds latents and the other does not"),
        ([replace(paired, model_id="ff" * 32, model_name="old")], WrongModelError, "'old' .*ffffffffffff.* 'loops'"),
    ]
    for recordings, error, message in refusals:
        with pytest.raises(error, match=message):
            fit_mapping(recordings, play_space, position, name="no")


def test_a_hand_that_is_never_seen_is_named(make_recording: Maker, play_space: LatentSpace) -> None:
    recording = make_recording(1)
    recording.takes[0].values[:, 2] = np.nan
    with pytest.raises(MappingError, match=r"0 of 240 rows .* never there: hand_z"):
        fit_mapping([recording], play_space, FeatureSettings(name="position"), name="no")


def with_hands(recording: Recording, left: np.ndarray, right: np.ndarray) -> Recording:
    """`recording` of one axis of each hand, which are seen where the masks (n_frames,) say."""
    take = recording.takes[0]
    present = np.stack([left, right], axis=1)
    values = np.concatenate([present, np.where(present, take.values[:, :2], np.nan)], axis=1)
    names = ("left_present", "right_present", "left_wrist_x", "right_wrist_x")
    layout = Layout(tuple(Channel(name, "bool" if "present" in name else "norm", 0.0, 1.0) for name in names))
    return replace(recording, layout=layout, takes=[replace(take, values=values)])


def test_a_hand_hardly_ever_seen_is_left_out_and_said(make_recording: Maker, play_space: LatentSpace) -> None:
    """A stray second hand in 12 of 240 rows would leave 12 rows to learn from."""
    position, always, row = FeatureSettings(name="position"), np.ones(240, dtype=bool), np.arange(240)
    for n_stray, share in ((0, "0"), (12, "5")):
        mapping = fit_mapping(
            [with_hands(make_recording(1), row < n_stray, always)], play_space, position, name="one", regressor="ridge"
        )
        assert (mapping.examples.feature_names, len(mapping.examples.take)) == (("right_wrist_x",), 240)
        said = f"the left hand is seen in {share} % of the rows: its features are left out"
        assert mapping.card["warnings"][0] == said
        assert said[0].upper() + said[1:] in mapping.summary
    both = fit_mapping(
        [with_hands(make_recording(1), row < 60, always)], play_space, position, name="both", regressor="ridge"
    )
    assert both.examples.feature_names == ("left_wrist_x", "right_wrist_x")
    assert both.card["warnings"][0].startswith("180 of 240 rows hold no whole gesture and taught nothing")
    rare = with_hands(make_recording(1), row < 2, row < 3)
    with pytest.raises(MappingError, match="2 of 240 rows"):
        fit_mapping([rare], play_space, position, name="no")


def test_overrides_are_sorted_by_section() -> None:
    sections = split_overrides(["regressor.alpha=0.1", "features.smoothing.method=one_euro", "output.hold_s=2"])
    assert sections == {
        "features": ["smoothing.method=one_euro"],
        "regressor": ["alpha=0.1"],
        "output": ["hold_s=2"],
    }
    for wrong in ("alpha=0.1", "regressor.alpha", "features.", "regresor.alpha=1"):
        with pytest.raises(MappingError, match=rf"--set '{wrong}': expected features.KEY=VALUE"):
            split_overrides([wrong])

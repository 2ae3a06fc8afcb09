"""Latents that are not known in every row: each is learned from all rows where it is, as if it were alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audiovae.latent_space import LatentSpace
from audiovae.settings import Settings
from gesturemap.errors import MappingError
from gesturemap.features import FeatureSettings
from gesturemap.mapping import Mapping
from gesturemap.mapping.fitting import fit_mapping
from gesturemap.mapping.output_groups import OfOutputs, fit_outputs, group_outputs, regressor_of_outputs
from gesturemap.recording import Recording, Take
from gesturemap.regressors import find_regressor, make_regressor, regressor_settings
from gesturemap.regressors.grouped import GroupedRegressor
from gesturemap.wekinator import export_project, import_project, read_project, write_project

Maker = Callable[..., Recording]
POSITION = FeatureSettings(name="position")


def masked(recording: Recording) -> Recording:
    """Latent 0 known everywhere, 1 in every other row, the last never in the first take."""
    takes = []
    for take in recording.takes:
        assert take.latents is not None
        latents = take.latents.copy()
        latents[::2, 1] = np.nan
        latents[:, -1] = np.nan if take.index == 1 else latents[:, -1]
        takes.append(Take(take.index, take.time_s, take.values, latents, take.lag_s, take.complete))
    return replace(recording, takes=takes)


def of_names(regressor: str, n_features: int, latent_size: int, settings: Settings | None = None) -> OfOutputs:
    settings = find_regressor(regressor).settings() if settings is None else settings
    return regressor_of_outputs(regressor, settings, tuple(f"f{i}" for i in range(n_features)), latent_size, 0)


def test_groups_are_the_latents_that_share_their_rows() -> None:
    latents = np.zeros((4, 4))
    latents[1, [0, 2]] = np.nan
    latents[3, 3] = np.nan
    groups = group_outputs(latents)
    assert [outputs.tolist() for outputs, _ in groups] == [[0, 2], [1], [3]]
    assert [rows.tolist() for _, rows in groups] == [[0, 2, 3], [0, 1, 2, 3], [0, 1, 2]]


@pytest.mark.parametrize("regressor", ["ridge", "knn", "kernel_ridge", "wekinator", "linear_map"])
def test_each_latent_is_that_of_a_fit_on_its_own_rows(regressor: str) -> None:
    rng = np.random.default_rng(0)
    features, latents = rng.normal(size=(60, 3)), rng.normal(size=(60, 3))
    latents[::2, 1] = np.nan
    fitted = fit_outputs(of_names(regressor, 3, 3), features, latents)
    known = np.isfinite(latents[:, 1])
    alone = make_regressor(regressor, None, 3, 1).fit(features[known], latents[known, 1:2])
    np.testing.assert_allclose(fitted.predict(features)[:, 1:2], alone.predict(features), rtol=1e-9, atol=1e-12)
    others = make_regressor(regressor, None, 3, 2).fit(features, latents[:, [0, 2]])
    np.testing.assert_allclose(fitted.predict(features)[:, [0, 2]], others.predict(features), rtol=1e-9, atol=1e-12)
    assert fitted.confidence(features).shape == (60,)


def test_whole_rows_are_fitted_by_one_regressor_as_ever() -> None:
    rng = np.random.default_rng(1)
    features, latents = rng.normal(size=(40, 2)), rng.normal(size=(40, 3))
    fitted = fit_outputs(of_names("kernel_ridge", 2, 3), features, latents)
    assert not isinstance(fitted, GroupedRegressor)
    plain = make_regressor("kernel_ridge", None, 2, 3).fit(features, latents)
    np.testing.assert_array_equal(fitted.predict(features), plain.predict(features))


def test_settings_for_each_latent_go_to_their_latent() -> None:
    rng = np.random.default_rng(2)
    features, latents = rng.normal(size=(30, 2)), rng.normal(size=(30, 2))
    latents[:10, 0] = np.nan
    settings = regressor_settings("linear_map", ["bias=[5.0, -7.0]", 'columns=["f1", "-f0"]'])
    fitted = fit_outputs(of_names("linear_map", 2, 2, settings), features, latents)
    assert [part.bias_.tolist() for part in fitted.regressors] == [[5.0], [-7.0]]
    assert [part.columns_.tolist() for part in fitted.regressors] == [[1], [0]]
    with pytest.raises(MappingError, match="bias: 1 found, one for each of 2 latents"):
        of_names("linear_map", 2, 2, regressor_settings("linear_map", ["bias=[5.0]"]))


def test_a_mapping_of_masked_latents_says_how_many_rows_each_had(
    make_recording: Maker, play_space: LatentSpace, tmp_path: Path
) -> None:
    recording = make_recording(3)
    mapping = fit_mapping([masked(recording)], play_space, POSITION, name="holes")
    rows = [720] * play_space.latent_size
    rows[1], rows[-1] = 360, 480
    assert mapping.card["known_rows"] == rows
    assert (mapping.card["n_examples"], mapping.card["n_dropped"]) == (720, 0)
    assert mapping.card["held_out"] == (
        "whole takes left out, 3 folds over 3 takes; whole takes left out, 2 folds over 2 takes"
    )
    assert mapping.card["held_out_r2_all"] > 0.5
    whole = fit_mapping([recording], play_space, POSITION, name="whole")
    assert "known_rows" not in whole.card
    assert mapping.card["held_out_rmse"][1] < 2 * whole.card["held_out_rmse"][1]
    mapping.save(tmp_path / "holes")
    again = Mapping.load(tmp_path / "holes", play_space)
    assert again.examples.latents is not None
    assert np.isfinite(again.examples.latents).sum(axis=0).tolist() == rows
    np.testing.assert_array_equal(again.predict(again.examples.features), mapping.predict(mapping.examples.features))
    text = (tmp_path / "holes" / "README.md").read_text()
    assert "rows in which the latent is known" in text
    assert "| 360 |" in text


def test_a_latent_that_is_hardly_ever_known_is_refused_by_name(make_recording: Maker, play_space: LatentSpace) -> None:
    recording = make_recording(1)
    assert recording.takes[0].latents is not None
    recording.takes[0].latents[3:, 1] = np.nan
    with pytest.raises(MappingError, match="too few say something of every latent: latent_1 in 3, 5 or more needed"):
        fit_mapping([recording], play_space, POSITION, name="no")


def test_where_one_latent_cannot_be_held_out_no_error_is_claimed(
    make_recording: Maker, play_space: LatentSpace
) -> None:
    recording = make_recording(2)
    for take in recording.takes:
        assert take.latents is not None
        take.latents[3:, 1] = np.nan  # six rows, three in each take
    mapping = fit_mapping([recording], play_space, POSITION, name="few", regressor="ridge")
    assert "held_out_rmse" not in mapping.card
    assert mapping.card["warnings"][0].startswith("too few examples to hold any out")


def test_masks_of_a_wekinator_project_go_there_and_back(
    make_recording: Maker, play_space: LatentSpace, tmp_path: Path
) -> None:
    write_project(export_project(masked(make_recording(2)), "songs"), tmp_path / "songs")
    recording = import_project(tmp_path / "songs", tmp_path / "songs.rec", space=play_space)
    mapping = fit_mapping([recording], play_space, POSITION, name="songs", regressor="ridge")
    assert mapping.card["known_rows"][1] == 240
    write_project(export_project(mapping, "again"), tmp_path / "again")
    unknown = [np.isnan(read_project(tmp_path / name).targets) for name in ("songs", "again")]
    np.testing.assert_array_equal(*unknown)
    assert unknown[0].any()

"""What the command line says about outputs and regressors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audiovae.latent_space import LatentSpace
from gesturemap.bridge.learning import DEFAULT_CHOICE, choose_regressor, read_choice
from gesturemap.bridge.outputs import NumericOutput, parse_output
from gesturemap.bridge.server import make_settings
from gesturemap.errors import MappingError, OscError


@pytest.mark.parametrize(
    "spec",
    ["number:0.0:1.0:soft", "number:-2.0:5.0:integer:hard", "number:0.0:1.0:clip", "class:4:knn", "dtw:3"]
    + ["class:2:svm:distribution"],
)
def test_outputs_are_read_as_they_are_written(spec: str) -> None:
    assert parse_output(spec).spec == spec


@pytest.mark.parametrize(
    "spec", ["", "number:1:0", "number:0", "number:nan:1", "class", "class:0", "class:2:x", "dtw:a"]
)
def test_other_outputs_are_refused(spec: str) -> None:
    with pytest.raises(OscError, match="expected one of number"):
        parse_output(spec)


def test_outputs_of_a_model_stay_in_its_range(play_space: LatentSpace, tmp_path: Path) -> None:
    play_space.save(tmp_path)
    settings = make_settings(None, None, [], "ridge", [], tmp_path)
    assert settings.model_id == play_space.model_id
    low, high = (play_space.quantile(level) for level in (0.01, 0.99))
    for output, bottom, top in zip(settings.outputs, low, high, strict=True):
        assert isinstance(output, NumericOutput)
        assert output.limits == "clip"
        np.testing.assert_allclose((output.low, output.high), (bottom, top))
    with pytest.raises(OscError, match="--outputs and --model"):
        make_settings(None, 3, [], "ridge", [], tmp_path)


def test_settings_change_the_default_regressor_and_come_back_from_json() -> None:
    choice = choose_regressor(DEFAULT_CHOICE.name, ["per_feature=false"])
    assert choice.settings.model_dump() == DEFAULT_CHOICE.settings.model_dump() | {"per_feature": False}
    assert read_choice(choice.spec) == choice
    assert choose_regressor(DEFAULT_CHOICE.name) == DEFAULT_CHOICE
    with pytest.raises(MappingError, match="did you mean 'ridge'"):
        choose_regressor("rigde")

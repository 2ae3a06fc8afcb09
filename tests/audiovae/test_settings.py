"""Settings: presets, overrides, and errors that name the nearest key."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field, ValidationError

from audiovae.errors import SettingsError
from audiovae.settings import Settings, apply_overrides, list_presets, read_preset, resolve
from audiovae.training.run import FAMILIES, resolve_settings


class Inner(Settings):
    cutoff_hz: float = Field(1.0, gt=0)
    order: int = 2


class Outer(Settings):
    filter: Inner = Inner()
    name: str = ""


@pytest.fixture
def preset(tmp_path: Path) -> str:
    path = tmp_path / "mine.toml"
    path.write_text('# My filter.\nname = "mine"\n[filter]\ncutoff_hz = 3.5\n')
    return str(path)


def test_a_toml_file_is_a_preset_and_overrides_win(preset: str) -> None:
    settings = resolve(Outer, preset, ["filter.order=4", "name=plain word"])
    assert settings == Outer(filter=Inner(cutoff_hz=3.5, order=4), name="plain word")


def test_settings_cannot_be_changed(preset: str) -> None:
    with pytest.raises(ValidationError):
        resolve(Outer, preset).name = "other"


@pytest.mark.parametrize(
    ("override", "value"),
    [("a=1", 1), ("a=1.5", 1.5), ("a=true", True), ("a=[1, 2]", [1, 2]), ("a=two words", "two words"), ("a=", "")],
)
def test_values_are_toml_and_anything_else_is_text(override: str, value: object) -> None:
    assert apply_overrides({}, [override]) == {"a": value}


def test_overrides_leave_what_they_start_from_alone() -> None:
    data = {"filter": {"order": 1}}
    assert apply_overrides(data, ["filter.order=2", "new.key=3"]) == {"filter": {"order": 2}, "new": {"key": 3}}
    assert data == {"filter": {"order": 1}}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("filter.cutof_hz=2", "unknown key 'filter.cutof_hz' .did you mean 'cutoff_hz'"),
        ("nam=x", "unknown key 'nam' .did you mean 'name'"),
        ("filter.cutoff_hz=-1", "filter.cutoff_hz: .* greater than 0 .found -1"),
        ("filter.cutoff_hz=nan", "filter.cutoff_hz: "),
        ("filter.order=many", "filter.order: .* .found 'many'"),
        ("filter", "--set 'filter': expected key=value"),
        ("=3", "expected key=value"),
        ("name.part=3", "'name' is a value, not a section"),
        ("filter=3", "filter: .* .found 3"),
    ],
)
def test_bad_overrides_say_what_is_wrong(preset: str, override: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        resolve(Outer, preset, [override])


def test_all_problems_are_listed_at_once(preset: str) -> None:
    with pytest.raises(SettingsError, match="filter.order.*unknown key 'x'"):
        resolve(Outer, preset, ["filter.order=many", "x=1"])


def test_an_unknown_preset_names_the_nearest_and_all() -> None:
    with pytest.raises(SettingsError, match="'spectrl' .did you mean 'spectral'..; there are: .*debug_spectral"):
        read_preset("spectrl")


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("a = [1,")
    with pytest.raises(SettingsError, match="broken.toml: not a TOML file"):
        read_preset(str(tmp_path / "broken.toml"))
    with pytest.raises(SettingsError, match="no preset"):
        read_preset(str(tmp_path / "absent.toml"))


@pytest.mark.parametrize("name", list_presets())
def test_every_packaged_preset_resolves_to_its_family_and_says_what_it_is(name: str) -> None:
    settings = resolve_settings(name)
    assert type(settings) is FAMILIES[settings.family].settings
    assert len(list_presets()[name]) > 20


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("family=vocal", "family 'vocal' found, known: spectral"),
        ("training.excerpt_frames=63", "excerpt_frames 63 must be a multiple of model.stride 4"),
        ("model.latent_size=600", "latent_size 600 must be at most .* 256"),
        ("model.kernel_size=4", "model: kernel_size 4 must be odd$"),
        ("transform.hop_length=2048", "transform: n_fft 2048 must be even, and at least twice hop_length 2048"),
        ("trainer.validate_every=0", "trainer.validate_every: "),
        ("trainer.precision=16-mixed", "trainer.precision: "),
        ("trainer.seed=-1", "trainer.seed: "),
    ],
)
def test_settings_that_cannot_train_are_refused(override: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        resolve_settings("debug_spectral", [override])

"""A mapping saved, read back, damaged, replaced, killed half way; and its card."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from audiovae.latent_space import LatentSpace
from gesturemap.errors import MappingError, WrongModelError
from gesturemap.features import FeatureSettings, SmoothingSettings
from gesturemap.mapping import Mapping, OutputSettings
from gesturemap.mapping import folder as mapping_folder
from gesturemap.mapping.card import write_coverage
from gesturemap.mapping.fitting import fit_mapping
from gesturemap.mapping.folder import folder_of
from gesturemap.recording import Recording
from gesturemap.regressors import REGRESSORS, regressor_settings

FILES = ["README.md", "examples.parquet", "mapping.toml", "regressor.skops"]


@pytest.fixture
def folder(mapping: Mapping, tmp_path: Path) -> Path:
    return mapping.save(tmp_path / "synthetic" / "loops" / "wave")


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change ``mapping.toml``."""
    document = tomllib.loads((folder / "mapping.toml").read_text())
    change(document)
    (folder / "mapping.toml").write_text(tomli_w.dumps(document))


def test_everything_comes_back(mapping: Mapping, folder: Path, make_recording: Callable[..., Recording]) -> None:
    assert sorted(path.name for path in folder.iterdir()) == FILES
    again = Mapping.load(folder)
    take = make_recording(1, seed=9).takes[0]
    np.testing.assert_array_equal(again.map_take(take.time_s, take.values), mapping.map_take(take.time_s, take.values))
    plain = ("label", "name", "model_id", "model_name", "layout", "features", "output", "seed", "card")
    assert {key: getattr(again, key) for key in plain} == {key: getattr(mapping, key) for key in plain}
    assert again.regressor_settings == mapping.regressor_settings
    for key in ("features", "latents", "time_s", "take"):
        np.testing.assert_array_equal(getattr(again.examples, key), getattr(mapping.examples, key))
    assert again.examples.feature_names == mapping.examples.feature_names


@pytest.mark.parametrize("regressor", list(REGRESSORS))
def test_every_regressor_comes_back(
    regressor: str, make_recording: Callable[..., Recording], play_space: LatentSpace, tmp_path: Path
) -> None:
    recording = make_recording(1, 60)
    output = OutputSettings(smoothing=SmoothingSettings(method="one_euro"), hold_s=0.0)
    features = FeatureSettings(name="motion", motion=("position", "velocity"))
    settings = regressor_settings(regressor, ["max_epochs=5"] if regressor == "mlp" else [])
    mapping = fit_mapping(
        [recording], play_space, features, name="a", regressor=regressor, settings=settings, output=output
    )
    again = Mapping.load(mapping.save(tmp_path / "a"), play_space)
    take = recording.takes[0]
    np.testing.assert_array_equal(again.map_take(take.time_s, take.values), mapping.map_take(take.time_s, take.values))
    assert again.output == output


def test_a_mapping_without_examples_comes_back(
    make_recording: Callable[..., Recording], play_space: LatentSpace, tmp_path: Path
) -> None:
    mapping = fit_mapping(
        [make_recording(1, kind="gesture")], play_space, FeatureSettings(name="position"), name="a",
        regressor="linear_map",
    )  # fmt: skip
    again = Mapping.load(mapping.save(tmp_path / "a"))
    assert again.examples.latents is None
    assert "None to measure" in (tmp_path / "a" / "README.md").read_text()


def test_another_model_is_refused_unless_forced(folder: Path, play_space: LatentSpace) -> None:
    other = replace(play_space, model_id="d2" * 32, model_name="voices")
    with pytest.raises(WrongModelError, match="'loops' .* 'voices'"):
        Mapping.load(folder, other)
    assert Mapping.load(folder, other, force=True).model_name == "loops"
    assert Mapping.load(folder, play_space).name == "wave"


def test_a_name_is_taken_only_once(mapping: Mapping, folder: Path) -> None:
    with pytest.raises(MappingError, match="exists: choose another name, or overwrite"):
        mapping.save(folder)
    replace(mapping, seed=7).save(folder, overwrite=True)
    assert Mapping.load(folder).seed == 7
    assert [path.name for path in folder.parent.iterdir()] == ["wave"]


def test_a_folder_that_is_no_mapping_is_never_replaced(mapping: Mapping, tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "song.txt").write_text("la")
    with pytest.raises(MappingError, match="exists and is no mapping"):
        mapping.save(tmp_path / "music", overwrite=True)
    assert (tmp_path / "music" / "song.txt").read_text() == "la"


def test_a_kill_while_saving_leaves_the_old_mapping(
    mapping: Mapping, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    def die(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(mapping_folder, "_write_examples", die)
        with pytest.raises(KilledError):
            replace(mapping, seed=7).save(folder, overwrite=True)
    assert Mapping.load(folder).seed == 0
    replace(mapping, seed=8).save(folder, overwrite=True)  # what the killed one left is swept away
    assert Mapping.load(folder).seed == 8
    assert [path.name for path in folder.parent.iterdir()] == ["wave"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format=2), "format 2 found, 1 expected"),
        (lambda d: d.pop("label"), "damaged mapping"),
        (lambda d: d["label"].update(regressor="forest"), "no regressor 'forest'"),
        (lambda d: d["features"].update(colour="red"), "unknown key 'colour'"),
        (lambda d: d["features"].update(channels=["head_*"]), "head_"),
        (lambda d: d["output"].update(fade_s=-1.0), "fade_s"),
        (lambda d: d["range"].update(low=[0.0]), "must be 4 numbers each"),
        (lambda d: d["range"].update(low=[1e9] * 4), "low below high"),
        (lambda d: d["range"].update(dict.fromkeys(("low", "high", "rest"), [0.0, 1.0])), "2 finite latents expected"),
        (lambda d: d["channels"].pop(), "takes 3 features, there are 2"),
    ],
)
def test_a_damaged_description_is_refused(
    folder: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    edit(folder, change)
    with pytest.raises(MappingError, match=message):
        Mapping.load(folder)


@pytest.mark.parametrize("name", [name for name in FILES if name != "README.md"])
@pytest.mark.parametrize("damage", ["missing", "empty", "half", "noise"])
def test_a_damaged_file_is_refused(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        noise = np.random.default_rng(0).bytes(500)
        path.write_bytes({"empty": b"", "half": content[: len(content) // 2], "noise": noise}[damage])
    with pytest.raises(MappingError):
        Mapping.load(folder)


def test_no_mapping_at_all(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="no mapping.toml in it; `gesturemap fit` makes one"):
        Mapping.load(tmp_path)


def test_a_path_never_leaves_the_library() -> None:
    assert folder_of("lib", "hands", "Loops v2/../é", "my.wave-1") == Path("lib/hands/Loops-v2/my.wave-1")
    for name in ("../up", "a/b", "", ".hidden", "a b", "x" * 101, "c:\\x"):
        with pytest.raises(MappingError, match="mapping name"):
            folder_of("lib", "hands", "loops", name)
    for model in ("..", "/", ""):
        with pytest.raises(MappingError, match="no letter or digit"):
            folder_of("lib", "hands", model, "wave")


def test_the_card_tells_what_a_stranger_needs(mapping: Mapping, folder: Path) -> None:
    card = (folder / "README.md").read_text()
    for text in (
        "# wave\n",
        "synthetic -> position -> kernel_ridge -> loops",
        mapping.model_id,
        "A test.",
        "paired-0.rec take 3",
        "whole takes left out, 3 folds over 3 takes",
        f"**{mapping.card['held_out_r2_all']:.3g}**",
        "| latent | fit | held out | mean | held-out R2 | spread |",
        "1-99 % range",
    ):
        assert text in card
    assert card.count("\n| ") == 1 + 4


def test_coverage_is_filled_in_later(folder: Path) -> None:
    before = (folder / "README.md").read_text()
    write_coverage(folder, "31 % of the model.")
    write_coverage(folder, "42 % of the model.\n")
    after = (folder / "README.md").read_text()
    assert "42 % of the model." in after
    assert "31 %" not in after
    assert "Not measured yet" not in after
    head, _, limits = before.partition("## Coverage")
    assert after.startswith(head)
    assert after.endswith(limits.partition("## Limits")[2])
    (folder / "README.md").write_text("# gone")
    with pytest.raises(MappingError, match="no heading"):
        write_coverage(folder, "x")

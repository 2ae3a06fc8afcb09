"""`audiovae generate` in every mode, through the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from audiovae import cli
from audiovae.corpus.audio_file import read_audio
from audiovae.errors import AudioVAEError
from audiovae.latent_space import LatentSpace
from audiovae.latent_table import read_latents


def generate(model: Path, *arguments: object) -> list[Path]:
    result = CliRunner().invoke(cli.app, ["generate", str(model), *map(str, arguments)])
    if result.exception:
        raise result.exception
    return [Path(line) for line in result.stdout.splitlines()]


def check_pair(paths: list[Path], model: Path, seconds: float) -> np.ndarray:
    """The latents of a table and a sound of the same length."""
    space = LatentSpace.load(model)
    table, sound = paths
    latents, audio = read_latents(table, space), read_audio(sound, space.sample_rate, space.channels)[0]
    assert len(latents) == round(seconds * space.latent_rate)
    assert audio.shape == (space.channels, len(latents) * space.hop_length)
    return latents


def test_a_prior_of_a_run_and_the_same_one_in_the_model_folder(
    tiny_model: Path, tiny_prior: Path, tiny_model_with_prior: Path, tmp_path: Path
) -> None:
    options = ("--seconds", 2, "--temperature", 0.8, "--seed", 5, "--out", tmp_path)
    first = check_pair(generate(tiny_model, "prior", "--prior", tiny_prior, *options), tiny_model, 2)
    again = check_pair(generate(tiny_model_with_prior, "prior", *options), tiny_model, 2)
    np.testing.assert_allclose(again, first, atol=1e-3)
    other = check_pair(generate(tiny_model_with_prior, "prior", *options, "--seed", 6), tiny_model, 2)
    assert not np.allclose(other, first)


def test_a_walk_and_the_table_it_left(tiny_model: Path, tmp_path: Path) -> None:
    paths = generate(tiny_model, "trajectory", "--seconds", 2, "--seed", 1, "--out", tmp_path / "walk")
    walk = check_pair(paths, tiny_model, 2)
    again = generate(tiny_model, "trajectory", paths[0], "--out", tmp_path / "again")
    np.testing.assert_array_equal(check_pair(again, tiny_model, 2), walk)
    assert again[1].read_bytes() == paths[1].read_bytes()


def test_sounds_are_reconstructed_and_joined(tiny_model: Path, tmp_path: Path) -> None:
    sounds = sorted((tiny_model.parent / "sounds").glob("*.wav"))
    made = generate(tiny_model, "reconstruct", *sounds[:2], "--out", tmp_path)
    assert [path.name for path in made] == [f"tone_{i}.{kind}" for i in range(2) for kind in ("parquet", "wav")]
    straight = generate(tiny_model, "interpolate", *sounds[:2], "--seconds", 1, "--out", tmp_path)
    round_ = generate(tiny_model, "interpolate", *sounds[:2], "--seconds", 1, "--spherical", "--out", tmp_path)
    one, other = check_pair(straight, tiny_model, 1), check_pair(round_, tiny_model, 1)
    np.testing.assert_allclose(one[0], other[0], atol=1e-4)
    assert not np.allclose(one[10], other[10])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sing"], "no mode 'sing' to generate in; there are: reconstruct, trajectory, interpolate, prior"),
        (["prior"], "has no prior.onnx: give the run of a prior with --prior RUN"),
        (["prior", "--prior", "nowhere"], "nowhere is no run"),
        (["prior", "--seconds", "0"], "--seconds 0.0 found"),
        (["prior", "--prior", "RUN", "--temperature", "-1"], "a temperature of 0 or more"),
        (["interpolate", "a.wav"], "1 sources found, two sounds"),
        (["reconstruct"], "no sound to reconstruct"),
        (["trajectory", "a/b.parquet", "b.parquet"], "two sources would both become b"),
    ],
)
def test_what_cannot_be_made_says_why(
    tiny_model: Path, tiny_prior: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    given = [str(tiny_prior) if argument == "RUN" else argument for argument in arguments]
    with pytest.raises(AudioVAEError, match=message):
        generate(tiny_model, *given, "--out", tmp_path / "out")


def test_a_prior_of_another_model_is_refused(other_model: Path, tiny_prior: Path, tmp_path: Path) -> None:
    with pytest.raises(AudioVAEError, match=r"a prior of model tiny \(.*\) found; this is again"):
        generate(other_model, "prior", "--prior", tiny_prior, "--out", tmp_path / "out")

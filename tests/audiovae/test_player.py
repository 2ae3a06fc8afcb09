"""The player: an exported folder alone, without torch, always the same sound for the same latents."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from audiovae.codecs.spectral import SpectralCodec
from audiovae.corpus.audio_file import read_audio
from audiovae.errors import AudioFileError, LatentsError, ModelFolderError, ShapeError
from audiovae.player import Player, load_audio, save_audio


@pytest.fixture(scope="module")
def player(tiny_model: Path) -> Player:
    return Player(tiny_model)


@pytest.fixture(scope="module")
def audio(tiny_model: Path) -> np.ndarray:
    return load_audio(tiny_model.parent / "sounds" / "tone_2.wav", 44100, 1)


def test_the_same_sound_gives_the_same_latents_and_they_the_same_sound(
    tiny_model: Path, player: Player, audio: np.ndarray
) -> None:
    other = Player(tiny_model)
    latents = player.encode(audio)
    np.testing.assert_array_equal(latents, player.encode(audio))
    np.testing.assert_array_equal(latents, other.encode(audio))
    np.testing.assert_array_equal(player.decode(latents), other.decode(latents))


@pytest.mark.parametrize("samples", [1, 2047, 2048, 2049, 30000])
def test_lengths_are_whole_latent_frames(player: Player, audio: np.ndarray, samples: int) -> None:
    latents = player.encode(audio[:, :samples])
    assert latents.shape == (-(-samples // 2048), 4)
    assert latents.dtype == np.float32
    sound = player.decode(latents)
    assert sound.shape == (1, len(latents) * 2048)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert player.encode(sound).shape == latents.shape


def test_a_training_sound_comes_back_nearer_to_itself_than_to_the_others(player: Player, tiny_model: Path) -> None:
    cloud = player.space.cloud
    transform = SpectralCodec(tiny_model).transform
    sounds = [load_audio(tiny_model.parent / "sounds" / Path(name).name, 44100, 1) for name in cloud.file_names]
    specs = [transform.forward(sound[0])[:, :128] for sound in sounds]
    trained = [index for index, split in enumerate(cloud.file_splits) if split == "train"]
    assert len(trained) == 4
    for index in trained:
        decoded = transform.forward(player.decode(player.encode(sounds[index]))[0])[:, :128]
        assert np.argmin([np.square(decoded - spec).mean() for spec in specs]) == index


def test_latents_far_outside_still_give_finite_sound(player: Player) -> None:
    assert np.isfinite(player.decode(np.full((3, 4), 1e6))).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros(3000), r"audio of shape \(3000,\) found, \(1, samples\) expected"),
        (np.zeros((2, 3000)), r"audio of shape \(2, 3000\) found"),
        (np.zeros((1, 0)), r"audio of shape \(1, 0\) found"),
        (np.array([[0.0, np.nan]]), "NaN or infinite samples"),
        (np.array([[0.0, np.inf]]), "NaN or infinite samples"),
    ],
)
def test_audio_that_does_not_fit_is_refused(player: Player, wrong: np.ndarray, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        player.encode(wrong)


def test_latents_that_do_not_fit_are_refused(player: Player) -> None:
    with pytest.raises(LatentsError, match=r"latents of shape \(3, 5\) found; model 'tiny' takes \(n_frames, 4\)"):
        player.decode(np.zeros((3, 5)))
    for wrong in (np.zeros((0, 4)), np.full((3, 4), np.nan)):
        with pytest.raises(ShapeError, match="one or more frames, all finite"):
            player.decode(wrong)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def rewrite(path: Path, key: str, value: str | None) -> None:
    """Change or, with None, drop one entry of an ONNX file's metadata."""
    proto = onnx.load(path)
    entries = {entry.key: entry.value for entry in proto.metadata_props}
    del proto.metadata_props[:]
    onnx.helper.set_model_props(proto, {k: v for k, v in (entries | {key: value}).items() if v is not None})
    onnx.save(proto, path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "latent_space.json").unlink(), "is no model folder"),
        (lambda folder: (folder / "decoder.onnx").unlink(), "is no model folder: no decoder.onnx in it"),
        (lambda folder: cut(folder / "decoder.onnx"), "decoder.onnx is damaged"),
        (lambda folder: cut(folder / "encoder.onnx"), "encoder.onnx is damaged"),
        (lambda folder: rewrite(folder / "encoder.onnx", "family", "unknown"), "family 'unknown' found, spectral"),
        (lambda folder: rewrite(folder / "encoder.onnx", "stride", None), "lacks 'stride': export the model again"),
        (lambda folder: rewrite(folder / "encoder.onnx", "stride", "2"), r"\(4, 1024, 44100, 1\) in its networks"),
    ],
)
def test_a_damaged_or_mixed_folder_is_refused(tiny_model: Path, tmp_path: Path, damage, message: str) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    damage(folder)
    with pytest.raises(ModelFolderError, match=message):
        Player(folder)


def test_playing_loads_no_torch(tiny_model: Path) -> None:
    program = (
        "import sys; from audiovae.player import Player, load_audio\n"
        "player = Player(sys.argv[1]); sound = load_audio(sys.argv[2], 44100, 1)\n"
        "assert player.decode(player.encode(sound)).shape == (1, 33 * 2048)\n"
        "print([name for name in ('torch', 'onnx', 'sklearn', 'matplotlib') if name in sys.modules])"
    )
    sound = tiny_model.parent / "sounds" / "tone_0.wav"
    command = [sys.executable, "-c", program, str(tiny_model), str(sound)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


def test_sound_beyond_full_scale_is_turned_down_as_a_whole(tmp_path: Path) -> None:
    audio = np.array([[0.5, -2.0, 1.0]], np.float32)
    save_audio(tmp_path / "loud.wav", audio, 44100)
    np.testing.assert_allclose(read_audio(tmp_path / "loud.wav")[0], audio / 2)
    save_audio(tmp_path / "soft.wav", audio / 4, 44100)
    np.testing.assert_allclose(read_audio(tmp_path / "soft.wav")[0], audio / 4)
    with pytest.raises(AudioFileError, match="not finite"):
        save_audio(tmp_path / "broken.wav", audio * np.nan, 44100)

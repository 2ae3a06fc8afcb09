"""Files made for nn~ by others become model folders: repeatable, aligned, or refused with a reason.

The stand-ins follow RAVE's documented interface: `encode` draws from the posterior, `decode` fills what was dropped
with noise, state lies in buffers. Their weights are known, so what they should say is known in closed form.
"""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from audiovae.cli import app
from audiovae.codecs.torchscript import TorchScriptCodec
from audiovae.corpus.audio_file import write_audio
from audiovae.errors import AudioVAEError, CorpusError, ExportError, ModelFolderError
from audiovae.export.rave_import import import_rave
from audiovae.export.script_probe import probe_script
from audiovae.player import Player

HOP, FULL, KEPT = 512, 6, 3
WAIT = 4  # latent frames, and blocks of sound, by which the streaming stand-in is late


class Encoder(nn.Module):
    """Means are projections of each hop; the posterior's deviation is 0.5."""

    def __init__(self, channels: int, wait: int) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.hop = HOP
        self.weight = nn.Parameter(torch.randn(FULL, channels * HOP) / HOP**0.5)
        self.register_buffer("cache", torch.zeros(1, FULL, wait))

    def forward(self, x: Tensor) -> Tensor:
        hops = x.reshape(x.shape[0], x.shape[1], -1, self.hop).permute(0, 1, 3, 2).flatten(1, 2)
        mean = torch.matmul(self.weight, hops)
        joined = torch.cat([self.cache.expand(x.shape[0], -1, -1), mean], 2)
        self.cache.copy_(joined[:1, :, joined.shape[2] - self.cache.shape[2] :])
        late = joined[:, :, : mean.shape[2]]
        return torch.cat([late, torch.full_like(late, 0.5)], 1)


class Decoder(nn.Module):
    """The sound of a hop is a sum of fixed waves."""

    def __init__(self, channels: int, wait: int) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.hop = HOP
        self.weight = nn.Parameter(torch.randn(channels * HOP, FULL) / FULL)
        self.channels = channels
        self.register_buffer("cache", torch.zeros(1, channels, wait * HOP))

    def forward(self, z: Tensor) -> Tensor:
        hops = torch.matmul(self.weight, z)
        sound = hops.reshape(z.shape[0], self.channels, self.hop, -1).transpose(2, 3).flatten(2, 3)
        joined = torch.cat([self.cache.expand(z.shape[0], -1, -1), sound], 2)
        self.cache.copy_(joined[:1, :, joined.shape[2] - self.cache.shape[2] :])
        return joined[:, :, : sound.shape[2]]


class StandIn(nn.Module):
    """An export of what a RAVE documents of itself."""

    def __init__(self, channels: int = 1, wait: int = 0, rate: int = 22050) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(channels, wait), Decoder(channels, wait)
        self.sr, self.latent_size = rate, KEPT
        self.register_buffer("latent_pca", torch.linalg.qr(torch.randn(FULL, FULL))[0])
        self.register_buffer("latent_mean", torch.randn(FULL))
        self.register_buffer("encode_params", torch.tensor([channels, 1, KEPT, HOP]))
        self.register_buffer("decode_params", torch.tensor([KEPT, HOP, channels, 1]))

    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        mean, deviation = self.encoder(x).chunk(2, 1)
        z = mean + deviation * torch.randn_like(mean) - self.latent_mean[:, None]
        return torch.matmul(self.latent_pca, z)[:, : self.latent_size]

    @torch.jit.export
    def decode(self, z: Tensor) -> Tensor:
        noise = torch.randn(z.shape[0], self.latent_pca.shape[0] - self.latent_size, z.shape[2])
        full = torch.matmul(self.latent_pca.t(), torch.cat([z, noise], 1)) + self.latent_mean[:, None]
        return self.decoder(full)

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))


class Plain(nn.Module):
    """An autoencoder for nn~ that is no RAVE: repeatable, other names, no rate, no state."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("encode_params", torch.tensor([1, 1, 2, 64]))
        self.register_buffer("decode_params", torch.tensor([2, 64, 1, 1]))

    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], -1, 64)[:, :, :2].transpose(1, 2)

    @torch.jit.export
    def decode(self, z: Tensor) -> Tensor:
        return 0.5 * z.mean(1, keepdim=True).repeat_interleave(64, dim=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))


class Drawn(Plain):
    """Random, with nothing inside that could be asked for the mean."""

    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        z = x.reshape(x.shape[0], -1, 64)[:, :, :2].transpose(1, 2)
        return z + 0.1 * torch.randn_like(z)


class Liar(Plain):
    """Gives one latent frame too many."""

    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        return torch.zeros(x.shape[0], 2, x.shape[2] // 64 + 1)


class Raises(Plain):
    """Fails when asked."""

    @torch.jit.export
    def decode(self, z: Tensor) -> Tensor:
        if z.shape[0] > 0:
            raise RuntimeError("no sound today")
        return z


class NotFinite(Plain):
    """Gives NaN."""

    @torch.jit.export
    def decode(self, z: Tensor) -> Tensor:
        return torch.log(-torch.ones(z.shape[0], 1, z.shape[2] * 64))


class Counting(Plain):
    """Keeps state where nobody can reset it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        self.calls += 1
        return torch.full([x.shape[0], 2, x.shape[2] // 64], float(self.calls))


class OnlyForward(nn.Module):
    """An effect for nn~."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("forward_params", torch.tensor([1, 1, 1, 1]))

    def forward(self, x: Tensor) -> Tensor:
        return x


def save(module: Any, path: Path, **params: list[int]) -> Path:
    for name, values in params.items():
        setattr(module, name, torch.tensor(values))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript: nn~ needs it
        torch.jit.script(module.eval()).save(str(path))
    return path


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(0)
    for index in range(4):
        write_audio(folder / f"{index}.wav", 0.3 * rng.standard_normal((1, 20000)).clip(-3, 3), 22050)
    return folder


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> Path:
    folder = tmp_path_factory.mktemp("streaming")
    import_rave(save(StandIn(wait=WAIT), folder / "a_streaming.ts"), folder / "model", sounds)
    return folder / "model"


def expected_latents(audio: np.ndarray) -> np.ndarray:
    """Posterior means on the principal axes, by hand."""
    model = StandIn(channels=len(audio))
    hops = audio.reshape(len(audio), -1, HOP).transpose(0, 2, 1).reshape(-1, audio.shape[1] // HOP)
    mean = model.encoder.weight.detach().numpy() @ hops - model.latent_mean.numpy()[:, None]
    return (model.latent_pca.numpy() @ mean)[:KEPT].T


def expected_sound(latents: np.ndarray, channels: int) -> np.ndarray:
    """The sound of latents whose dropped dimensions are 0, by hand."""
    model = StandIn(channels=channels)
    full = model.latent_pca.numpy()[:KEPT].T @ latents.T + model.latent_mean.numpy()[:, None]
    hops = model.decoder.weight.detach().numpy() @ full
    return hops.reshape(channels, HOP, -1).transpose(0, 2, 1).reshape(channels, -1)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("wait", [0, WAIT])
def test_latents_are_posterior_means_and_sound_is_without_noise(
    tmp_path: Path, sounds: Path, channels: int, wait: int
) -> None:
    space = import_rave(save(StandIn(channels, wait), tmp_path / "a.ts"), tmp_path / "model", sounds)
    player = Player(tmp_path / "model")
    assert (space.channels, space.latent_size, space.hop_length, space.sample_rate) == (channels, KEPT, HOP, 22050)
    off = space.latency_samples - (2 * wait + 1) * HOP  # the delay of the decoder is an estimate
    assert abs(off) < HOP / 16
    audio = 0.3 * np.random.default_rng(1).standard_normal((channels, 700 * HOP)).astype(np.float32)
    latents = player.encode(audio)
    np.testing.assert_allclose(latents, expected_latents(audio), atol=1e-5)
    np.testing.assert_array_equal(latents, player.encode(audio))
    sound = player.decode(latents)
    expected = np.roll(expected_sound(latents, channels), -off, axis=1)
    np.testing.assert_allclose(sound[:, HOP:-HOP], expected[:, HOP:-HOP], atol=1e-5)
    np.testing.assert_array_equal(sound, player.decode(latents))
    assert player.encode(audio[:, :700]).shape == (2, KEPT)


def test_the_folder_holds_the_file_itself_and_what_was_found(streaming: Path) -> None:
    assert (streaming / "model.ts").read_bytes() == (streaming.parent / "a_streaming.ts").read_bytes()
    player = Player(streaming)
    facts = json.loads((streaming / "torchscript.json").read_text())
    assert facts["encoding"] == "mean"
    assert facts["streaming"]
    assert facts["encode_delay"] == WAIT
    assert facts["decode_delay"] == pytest.approx(WAIT * HOP, abs=HOP / 16)
    assert player.space.model_id == facts["sha256"]
    assert player.space.family == "rave"
    assert set(player.space.cloud.file_splits) == {"train", "validation"}
    assert "posterior" in (streaming / "README.md").read_text()


def test_streams_of_any_blocks_are_the_whole_later_and_start_again_at_reset(streaming: Path) -> None:
    player = Player(streaming)
    rng = np.random.default_rng(2)
    audio = 0.3 * rng.standard_normal((1, 30 * HOP)).astype(np.float32)
    encoder, decoder = player.open_encoder(), player.open_decoder()
    latents, late = player.encode(audio), encoder.delay_frames
    for blocks in ([1] * 30, [7, 3, 20]):
        edges = HOP * np.cumsum([0, *blocks])
        parts = [encoder.process(audio[:, a:b]) for a, b in zip(edges[:-1], edges[1:], strict=True)]
        np.testing.assert_allclose(np.concatenate(parts)[late:], latents[:-late], atol=1e-6)
        encoder.reset()
    sound, late = player.decode(latents), decoder.delay_samples
    for _ in range(2):
        parts = [decoder.process(latents[at : at + 1]) for at in range(30)]
        np.testing.assert_allclose(np.concatenate(parts, axis=1)[:, late:], sound[:, :-late], atol=1e-6)
        decoder.reset()


def test_two_streams_share_neither_state_nor_the_random_numbers_of_the_process(streaming: Path) -> None:
    player = Player(streaming)
    first, second = player.open_decoder(), player.open_decoder()
    latents = np.ones((8, KEPT), dtype=np.float32)
    torch.manual_seed(5)
    number = float(torch.rand(1))
    torch.manual_seed(5)
    first.process(latents)
    assert float(torch.rand(1)) == number
    np.testing.assert_array_equal(second.process(latents), Player(streaming).open_decoder().process(latents))


def test_the_first_latents_alone_can_be_played(tmp_path: Path, sounds: Path) -> None:
    import_rave(save(StandIn(), tmp_path / "a.ts"), tmp_path / "model", sounds, latents=2, name="two")
    player = Player(tmp_path / "model")
    latents = np.random.default_rng(0).standard_normal((5, 2)).astype(np.float32)
    padded = np.pad(latents, [(0, 0), (0, KEPT - 2)])
    np.testing.assert_allclose(player.decode(latents), expected_sound(padded, 1), atol=1e-5)
    assert player.space.model_name == "two"
    with pytest.raises(ModelFolderError, match="without streaming and plays whole sounds only"):
        player.open_decoder()


def test_another_autoencoder_for_nn_is_accepted(tmp_path: Path, sounds: Path) -> None:
    path = save(Plain(), tmp_path / "plain.ts")
    with pytest.raises(ExportError, match="does not state its sample rate .* give --sample-rate"):
        import_rave(path, tmp_path / "model", sounds)
    assert not list(tmp_path.glob("model*"))
    import_rave(path, tmp_path / "model", sounds, sample_rate=16000)
    codec = TorchScriptCodec(tmp_path / "model")
    assert (codec.facts.encoding, codec.sample_rate, codec.latent_size) == ("repeatable", 16000, 2)


def test_latents_that_can_only_be_drawn_are_drawn_with_a_seed(tmp_path: Path, sounds: Path) -> None:
    import_rave(save(Drawn(), tmp_path / "drawn.ts"), tmp_path / "model", sounds, sample_rate=22050)
    codec = TorchScriptCodec(tmp_path / "model")
    assert codec.facts.encoding == "drawn"
    audio = np.zeros((1, 640), dtype=np.float32)
    np.testing.assert_array_equal(codec.encode(audio), codec.encode(audio))
    assert "drawn from the posterior with a fixed seed" in (tmp_path / "model" / "README.md").read_text()


@pytest.mark.parametrize(
    ("module", "params", "message"),
    [
        (OnlyForward(), {}, "without encode or the tensor encode_params"),
        (Plain(), {"encode_params": [1, 1, 2]}, r"encode_params \[1, 1, 2\] found, four positive"),
        (Plain(), {"decode_params": [2, 0, 1, 1]}, r"decode_params \[2, 0, 1, 1\] found, four positive"),
        (Plain(), {"decode_params": [2, 128, 1, 1]}, "no pair that leads there and back"),
        (Plain(), {"encode_params": [1, 2, 2, 64]}, "no pair"),
        (Plain(), {"encode_params": [2, 1, 2, 64], "decode_params": [2, 64, 2, 1]}, "its encode"),
        (Liar(), {}, r"its encode gave \(17, 2\) of \(1, 1024\), finite values of \(16, 2\) expected"),
        (Raises(), {}, "its decode fails .* no sound today"),
        (NotFinite(), {}, "its decode gave .* finite values"),
        (Counting(), {}, "state outside its buffers"),
    ],
)
def test_what_breaks_the_contract_is_refused(
    tmp_path: Path, module: nn.Module, params: dict[str, list[int]], message: str
) -> None:
    path = save(module, tmp_path / "hostile.ts", **params)
    with pytest.raises(ExportError, match=message):
        probe_script(path, sample_rate=22050)


def truncated(path: Path) -> None:
    save(Plain(), path)
    path.write_bytes(path.read_bytes()[:-2000])


def checkpoint(path: Path) -> None:
    torch.save({"state_dict": {"weight": torch.zeros(3)}}, path)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"RIFF" + bytes(1000)),
        lambda path: path.write_bytes(b"\x80\x04cos\nsystem\n(S'false'\ntR."),  # a pickle that would run a program
        truncated,
        checkpoint,
        lambda path: None,
    ],
    ids=["empty", "noise", "pickle", "truncated", "checkpoint", "absent"],
)
def test_what_is_no_torchscript_is_refused_and_leaves_nothing(tmp_path: Path, sounds: Path, make: Any) -> None:
    make(tmp_path / "file.ts")
    with pytest.raises(ModelFolderError, match=r"file\.ts.*TorchScript file"):
        import_rave(tmp_path / "file.ts", tmp_path / "model", sounds)
    assert not list(tmp_path.glob("model*"))


def test_other_options_that_do_not_fit(tmp_path: Path, sounds: Path, streaming: Path) -> None:
    path = save(StandIn(), tmp_path / "a.ts")
    with pytest.raises(ExportError, match="1 to 3 expected"):
        import_rave(path, tmp_path / "model", sounds, latents=4)
    with pytest.raises(ExportError, match="states 22050 Hz"):
        import_rave(path, tmp_path / "model", sounds, sample_rate=44100)
    with pytest.raises(ExportError, match="--overwrite"):
        import_rave(path, streaming, sounds)
    with pytest.raises(AudioVAEError, match="no such file or folder"):
        import_rave(path, tmp_path / "model", tmp_path / "absent")
    assert not list(tmp_path.glob("model*"))


def test_the_command_says_what_it_made(tmp_path: Path, sounds: Path) -> None:
    save(StandIn(), tmp_path / "a.ts")
    where = ["--out", str(tmp_path / "model"), "--corpus", str(sounds)]
    result = CliRunner().invoke(app, ["import-rave", str(tmp_path / "a.ts"), *where, "--name", "mine"])
    assert result.exit_code == 0, result.output
    assert "3 latents at 43.07 Hz, 512 samples of latency" in result.output
    assert Player(tmp_path / "model").space.model_name == "mine"


def test_a_corpus_of_another_rate_is_refused(tmp_path: Path, sounds: Path) -> None:
    from audiovae.corpus.prepare import prepare

    prepare([sounds], tmp_path / "corpus", sample_rate=44100, progress=False)
    with pytest.raises(CorpusError, match="44100 Hz and 1 channel"):
        import_rave(save(StandIn(), tmp_path / "a.ts"), tmp_path / "model", tmp_path / "corpus")


def test_a_folder_with_another_file_or_none_is_refused(tmp_path: Path, streaming: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(streaming, folder)
    save(Plain(), folder / "model.ts")
    with pytest.raises(ModelFolderError, match="not the file that was imported"):
        Player(folder)
    (folder / "torchscript.json").write_text("{}")
    with pytest.raises(ModelFolderError, match=r"torchscript\.json is damaged"):
        Player(folder)
    (folder / "torchscript.json").unlink()
    with pytest.raises(ModelFolderError, match=r"neither an encoder\.onnx nor"):
        Player(folder)

"""`audiovae import-rave`: a TorchScript file made for nn~, a published RAVE say, becomes a model folder."""

from __future__ import annotations

import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from audiovae.codecs.torchscript import FACTS_FILE, TorchScriptCodec, TorchScriptFacts
from audiovae.corpus.corpus import INDEX, Corpus
from audiovae.corpus.prepare import prepare
from audiovae.errors import CorpusError
from audiovae.export.model_folder import check_target, write_beside
from audiovae.export.script_probe import probe_script
from audiovae.export.sidecar import measure_space
from audiovae.latent_space import LatentSpace, replace_text

_ENCODING = {
    "repeatable": "its own; the same sound always gives the same",
    "mean": "the means of the posterior, asked of the file's encoder; its own `encode` draws from the posterior",
    "drawn": "drawn from the posterior with a fixed seed, because its encoder could not be asked for the means: "
    "a stream and a whole sound differ by the draw",
}
_PLAYING = {
    True: "block by block and whole sounds. Its delay is measured, as the file does not state it: the centre of what a "
    "burst changes in the latents ({encode_delay} frames late), and of what a latent frame changes in the sound "
    "({decode_delay} samples late)",
    False: "whole sounds only: it was exported without streaming",
}
_CARD = """\
# {name}

A file of somebody else's: {latent_size} latents at {latent_rate:.2f} Hz, {sample_rate} Hz, {channels} channel(s).

| | |
|---|---|
| model id | `{model_id}`, the sha256 of model.ts |
| imported from | {source} |
| latents | {latent_size} of {file_latents}: {encoding} |
| plays | {playing} |
| latency | {latency_samples} samples ({latency_ms:.0f} ms), encode plus decode and one hop |
| reference sounds | {n_files} files, {minutes:.1f} minutes, chosen by whoever imported it |
| made with | gesturemap {version} |

## Limits

model.ts is an exact copy and is in nn~ what it was; there `encode` and `decode` may draw random numbers at every call.
Here latents that its export dropped are 0 and random numbers start from a fixed seed: the same latents give the same
sound. The reference cloud shows the sounds above, not those it was trained on. A mapping made for it fits no other.
A TorchScript file is a program, run by an interpreter without access to files or network: import what you trust to be
a model. Whoever trained and published it decides what may be done with it and with its sound.
"""


def import_rave(
    path: str | Path,
    out: str | Path,
    sounds: str | Path,
    *,
    name: str | None = None,
    latents: int | None = None,
    sample_rate: int | None = None,
    overwrite: bool = False,
) -> LatentSpace:
    """Sidecar of the model folder made of a TorchScript file; nothing is left where something is wrong.

    Parameters
    ----------
    path : the file, with the methods `encode` and `decode` of nn~.
    out : model folder to make.
    sounds : a corpus at the file's rate and channels, or a folder of audio: their latents are the reference cloud.
    name : model name; the name of `out` if None.
    latents : the first latents to play; all if None. A RAVE's come by falling variance.
    sample_rate : Hz, where the file does not state it.
    overwrite : replace `out` if it is a model folder.

    Raises
    ------
    ModelFolderError, ExportError
        If the file is no TorchScript, or not of this kind.
    CorpusError, AudioFileError
        If there are no sounds, or a corpus of another rate or other channels.
    """
    path, out = Path(path), Path(out)
    check_target(out, overwrite=overwrite)
    facts = probe_script(path, latents=latents, sample_rate=sample_rate)
    with write_beside(out) as beside, tempfile.TemporaryDirectory() as scratch:
        shutil.copyfile(path, beside / "model.ts")
        replace_text(beside / FACTS_FILE, facts.model_dump_json(indent=1))
        corpus = _open_sounds(Path(sounds), facts, Path(scratch))
        space = measure_space(
            TorchScriptCodec(beside),
            corpus,
            model_id=facts.sha256,
            model_name=name or out.name,
            family="rave",
            latency_samples=(facts.encode_delay + 1) * facts.hop_length + facts.decode_delay,
        )
        space.save(beside)
        (beside / "README.md").write_text(_write_card(path, facts, space, corpus))
    return space


def _open_sounds(sounds: Path, facts: TorchScriptFacts, scratch: Path) -> Corpus:
    """The corpus given, or one made of a folder of audio for as long as it is needed."""
    if (sounds / INDEX).is_file():
        corpus = Corpus.open(sounds)
        if (corpus.sample_rate, corpus.channels) != (facts.sample_rate, facts.channels):
            raise CorpusError(
                f"{sounds}: {corpus.sample_rate} Hz and {corpus.channels} channel(s) found, the model has "
                f"{facts.sample_rate} Hz and {facts.channels}: give the folder of audio files instead"
            )
        return corpus
    made = scratch / "corpus"
    prepare([sounds], made, sample_rate=facts.sample_rate, channels=facts.channels)
    return Corpus.open(made)


def _write_card(path: Path, facts: TorchScriptFacts, space: LatentSpace, corpus: Corpus) -> str:
    return _CARD.format(
        name=space.model_name,
        source=path.name,
        latent_rate=space.latent_rate,
        model_id=space.model_id,
        encoding=_ENCODING[facts.encoding],
        playing=_PLAYING[facts.streaming].format(**facts.model_dump()),
        latency_samples=space.latency_samples,
        latency_ms=1000 * space.latency_samples / space.sample_rate,
        n_files=len(corpus.files),
        minutes=corpus.duration_s / 60,
        version=version("gesturemap"),
        **facts.model_dump(include={"latent_size", "file_latents", "sample_rate", "channels"}),
    )

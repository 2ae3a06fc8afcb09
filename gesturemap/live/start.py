"""From the words of a command line to a performance."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from audiovae.latent_space import LatentSpace
from audiovae.settings import Settings, apply_overrides, build
from gesturemap.clock import Clock
from gesturemap.errors import GestureMapError
from gesturemap.features import load_features
from gesturemap.library import find_mapping, user_library
from gesturemap.live.perform import CONTROL_PORT, Outputs, Wekinator, perform
from gesturemap.live.settings import LiveSettings
from gesturemap.live.teaching import Teaching
from gesturemap.mapping import Mapping
from gesturemap.mapping.folder import folder_of
from gesturemap.mapping.mapping import OutputSettings
from gesturemap.osc.udp import parse_address
from gesturemap.osc.wekinator_client import IN_PORT, OUT_PORT
from gesturemap.recording.hands_free import open_triggers
from gesturemap.trackers.base import Tracker


class PerformanceSettings(Settings):
    """The sections of ``--set``: those of the performance, and those of the mapping that may change on stage."""

    live: LiveSettings = LiveSettings()
    output: dict[str, Any] = {}


def start_performance(
    mapping: str | None,
    tracker: Tracker,
    clock: Clock,
    *,
    osc: Sequence[str] = (),
    audio: str | None = None,
    audio_file: Path | None = None,
    model_dir: Path | None = None,
    library: Path | None = None,
    force: bool = False,
    seconds: float | None = None,
    overrides: Sequence[str] = (),
    control: str = "",
    wekinator: str | None = None,
    wekinator_out_port: int = OUT_PORT,
    features: str | None = None,
    triggers: Path | None = None,
    base: str | None = None,
    teach: Path | None = None,
    sounds: int = Teaching.sounds,
    save_as: str | None = None,
) -> dict[str, Any]:
    """See `gesturemap perform --help`, and `gesturemap.live.perform.perform` for what comes back.

    Raises
    ------
    GestureMapError, AudioVAEError
        If something named does not exist, or does not belong together.
    """
    settings = build(PerformanceSettings, apply_overrides({}, overrides), "--set")
    source: Mapping | Wekinator
    if wekinator is not None:
        if mapping is not None or features is None:
            raise GestureMapError("--wekinator answers in place of a mapping: name no MAPPING, but --features NAME")
        output = build(OutputSettings, settings.output, "--set output")
        source = Wekinator(parse_address(wekinator, IN_PORT), load_features(features), wekinator_out_port, output)
    elif mapping is None:
        raise GestureMapError("what to play? name a MAPPING, or --wekinator HOST:PORT")
    else:
        source = _adjust(Mapping.load(find_mapping(mapping, library)), settings.output, model_dir)
    teaching = None
    if teach is not None:
        teaching = Teaching(teach, sounds, _place(source, save_as, library))
    elif save_as is not None:
        raise GestureMapError("--save-as keeps what is taught: add --teach REC")
    with ExitStack() as stack:
        asked = None
        if triggers is not None:
            # The keys of a performance are its own, so that p is panic whatever a file says.
            asked = stack.enter_context(open_triggers(triggers, tracker.layout, clock, keys=False))
        return perform(
            source,
            tracker,
            Outputs(tuple(parse_address(target) for target in osc), audio, audio_file, base),
            model_dir=model_dir,
            force=force,
            seconds=seconds,
            settings=settings.live,
            control=parse_address(control or str(CONTROL_PORT), CONTROL_PORT),
            clock=clock,
            triggers=asked,
            teaching=teaching,
        )


def _place(source: Mapping | Wekinator, name: str | None, library: Path | None) -> Path | None:
    """Where the mapping that was taught goes under a new name."""
    if name is None or isinstance(source, Wekinator):
        return None
    return folder_of(user_library() if library is None else library, source.label.tracker, source.model_name, name)


def _adjust(mapping: Mapping, changes: dict[str, Any], model_dir: Path | None) -> Mapping:
    """The mapping with other hold, fade, smoothing, or range."""
    if not changes:
        return mapping
    output = build(OutputSettings, mapping.output.model_dump() | changes, "--set output")
    levels = (output.low_quantile, output.high_quantile)
    if levels == (mapping.output.low_quantile, mapping.output.high_quantile):
        return replace(mapping, output=output)
    if model_dir is None:
        raise GestureMapError("--set output.low_quantile and high_quantile are the model's: add --model MODEL_DIR")
    space = LatentSpace.load(model_dir)
    mapping.check_model(space, force=False)
    low, high = (space.quantile(level).astype(float) for level in levels)
    return replace(mapping, output=output, low=low, high=high)

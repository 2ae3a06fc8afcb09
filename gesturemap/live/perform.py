"""A performance from beginning to end: the function behind `gesturemap perform`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audiovae.latent_space import LatentSpace
from gesturemap.clock import Clock, MonotonicClock
from gesturemap.errors import GestureMapError, MappingError
from gesturemap.features import FeatureExtractor, FeatureSettings
from gesturemap.live.actions import Actions
from gesturemap.live.controls import Controls, OscControl, keys, signals
from gesturemap.live.guard import Guard
from gesturemap.live.loop import ControlLoop
from gesturemap.live.osc_output import LatentDescription, OscOutput
from gesturemap.live.paced import PacedTracker
from gesturemap.live.settings import LiveSettings
from gesturemap.live.sinks import LatentSink
from gesturemap.live.sources import MappingSource
from gesturemap.live.teaching import Teacher, Teaching, keep, open_teacher
from gesturemap.live.view import watching
from gesturemap.mapping import Mapping
from gesturemap.mapping.mapping import OutputSettings
from gesturemap.osc.wekinator_client import OUT_PORT, WekinatorClient
from gesturemap.recording.hands_free import Triggers
from gesturemap.recording.trajectory import load_trajectory
from gesturemap.render import BaseSound
from gesturemap.scheduling import undisturbed, urgent
from gesturemap.trackers.base import Tracker

CONTROL_PORT = 7401

Address = tuple[str, int]


@dataclass(frozen=True)
class Wekinator:
    """A running Wekinator that answers in place of a mapping.

    Parameters
    ----------
    address : where it listens, usually port 6448.
    features : what it is sent.
    out_port : where it sends its outputs to.
    output : range, hold and fade of the guard.
    """

    address: Address
    features: FeatureSettings
    out_port: int = OUT_PORT
    output: OutputSettings = OutputSettings()


@dataclass(frozen=True)
class Outputs:
    """Where a performance goes.

    Parameters
    ----------
    osc : receivers of ``/latent``.
    audio : name or number of a sound output, an empty text for the default one; None for no sound.
    audio_file : sound file to write. With a file as tracker and no `audio`, nothing is waited for.
    base : what a mapping of ``output.mode`` ``add`` or ``multiply`` moves here, see `load_trajectory`. Over OSC goes
        what moves, and the receiver has the sound.
    """

    osc: tuple[Address, ...] = ()
    audio: str | None = None
    audio_file: Path | None = None
    base: str | None = None

    @property
    def sounds(self) -> bool:
        """Whether something sounds here."""
        return self.audio is not None or self.audio_file is not None


def perform(
    source: Mapping | Wekinator,
    tracker: Tracker,
    outputs: Outputs,
    *,
    model_dir: str | Path | None = None,
    force: bool = False,
    seconds: float | None = None,
    settings: LiveSettings | None = None,
    control: Address | None = ("127.0.0.1", CONTROL_PORT),
    clock: Clock | None = None,
    controls: Controls | None = None,
    triggers: Triggers | None = None,
    teaching: Teaching | None = None,
    player: Any = None,
) -> dict[str, Any]:
    """Play a tracker through a mapping until it ends, for `seconds`, or until Ctrl-C, which fades and closes all.

    Parameters
    ----------
    source : a mapping, or a Wekinator.
    tracker : not opened yet.
    model_dir : the model that sounds, and whose quantiles a Wekinator's outputs are kept in.
    force : play another model than the mapping was fitted on.
    control : host and port to listen at for panic and the like while playing in real time; None for nowhere.
    clock : the one a live tracker's frames are timed on.
    controls : to ask for things from another thread.
    triggers : to ask for actions without hands, see `gesturemap.live.actions.Actions`.
    teaching : teach the mapping while it plays; needs a model.
    player : plays instead of the one in `model_dir`.

    Returns
    -------
    Counters as plain values: see `gesturemap.live.counters.Counters`; ``ended`` says why, ``lost_s`` how long no hand
    was there, ``cut_by_slew`` in how many frames the guard held back a jump, ``outputs`` what each of them counted,
    ``taught`` what was, and the mapping that was saved.

    Raises
    ------
    WrongModelError, MappingError
        If mapping, model and tracker do not belong together.
    GestureMapError, AudioVAEError
        If something is missing before the start. What fails later, as a full disk, is the `problem` of its output.
    """
    clock, controls, settings = clock or MonotonicClock(), controls or Controls(), settings or LiveSettings()
    if not (outputs.osc or outputs.sounds):
        raise GestureMapError("nowhere to play to: add --osc HOST:PORT, --audio or --audio-file OUT.wav")
    player, space = _open_model(source, outputs, model_dir, force, player)
    offline = not tracker.live and outputs.audio_file is not None and outputs.audio is None
    if not (tracker.live or offline):
        tracker = PacedTracker(tracker, clock)
    guard = _make_guard(source, space, settings)
    with ExitStack() as stack:
        extractor = _make_extractor(source, tracker)
        teacher = _make_teacher(source, tracker, space, teaching)
        answerer = stack.enter_context(closing(teacher or _make_source(source, guard, settings, clock)))
        base = _load_base(source, outputs, model_dir)
        sounds = _make_sound(outputs, player, base, guard, settings, clock)
        sinks = [stack.enter_context(closing(sink)) for sink in sounds]
        listener = None
        if control is not None and not offline:
            listener = stack.enter_context(closing(OscControl(controls, control[1], control[0])))
        stack.enter_context(signals(controls))
        if not offline:
            stack.enter_context(undisturbed())
            stack.enter_context(urgent(settings.priority))
            stack.enter_context(keys(controls))
        stack.enter_context(tracker)  # late, so that no frame waits for what comes before
        description = _describe(source, space, guard, tracker, settings)
        osc = None
        if outputs.osc:
            osc = OscOutput(outputs.osc, description, 0.0 if offline else settings.osc_rate_hz)
            sinks.append(stack.enter_context(closing(osc)))
        actions = Actions(controls, triggers, teacher)
        loop = ControlLoop(
            tracker,
            extractor,
            answerer,
            guard,
            sinks,
            clock,
            idle_after_s=settings.idle_after_s,
            controls=controls,
            poll=listener.poll if listener else _nothing,
            hear=actions.hear,
            describe=osc.describe if osc else _nothing,
        )
        if not offline:
            stack.enter_context(watching(loop, guard, description.names, sinks, teacher))
        for sink in sinks:
            sink.start()
        ended = loop.run(seconds)
        for sink in sinks:
            sink.mute(True)  # at once, whatever takes its time to close
    counted = {
        "ended": ended,
        **loop.counters.summary(),
        "lost_s": round(guard.lost_s, 3),
        "cut_by_slew": guard.n_cut,
        "tracker_dropped": tracker.dropped,
        "tracker_lost": tracker.lost,
        "problem": loop.problem,
        "in_vain": actions.in_vain,
        "outputs": [sink.summary() for sink in sinks],
    }
    return counted | _taught(teacher, teaching, space)


def _taught(teacher: Teacher | None, teaching: Teaching | None, space: LatentSpace | None) -> dict[str, Any]:
    """What was taught, the mapping that learned it being kept; empty where nobody teaches."""
    if teacher is None or teaching is None or space is None:
        return {}
    saved = keep(teacher, teaching, space)
    return {"taught": teacher.summary() | {"saved": None if saved is None else str(saved)}}


def _nothing(frame: object = None) -> None:
    """Where there is nobody to ask."""


def _open_model(
    source: Mapping | Wekinator, outputs: Outputs, model_dir: str | Path | None, force: bool, player: Any
) -> tuple[Any, LatentSpace | None]:
    """The player, where something sounds, and the model, where one is named."""
    sounds = outputs.sounds
    if player is None and model_dir is None:
        if sounds or isinstance(source, Wekinator):
            what = "--audio and --audio-file need a model to sound" if sounds else "--wekinator needs a model's range"
            raise GestureMapError(f"{what}: add --model MODEL_DIR")
        return None, None
    if player is None and model_dir is not None and sounds:
        from audiovae.player import Player

        player = Player(model_dir)
    space: LatentSpace = LatentSpace.load(str(model_dir)) if player is None else player.space
    if isinstance(source, Mapping):
        source.check_model(space, force)
    return player, space


def _make_guard(source: Mapping | Wekinator, space: LatentSpace | None, settings: LiveSettings) -> Guard:
    output = source.output
    if isinstance(source, Mapping):
        (low, high), rest = source.predicted_range, source.rest
    else:
        assert space is not None
        low, high = (space.quantile(level).astype(np.float64) for level in (output.low_quantile, output.high_quantile))
        rest = np.asarray(space.mean, dtype=np.float64)
    return Guard(low, high, rest, output.hold_s, output.fade_s, settings.slew_per_s)


def _make_extractor(source: Mapping | Wekinator, tracker: Tracker) -> FeatureExtractor:
    if isinstance(source, Mapping) and source.layout.names != tracker.layout.names:
        missing = [name for name in source.layout.names if name not in tracker.layout.names]
        raise MappingError(
            f"tracker {tracker.name!r} ({tracker.source}) gives {len(tracker.layout)} channels, mapping"
            f" {source.name!r} reads {len(source.layout)} of {source.label.tracker!r}"
            f"{f' (missing: {missing[0]!r})' if missing else ''}: use that tracker, as it was when recorded"
        )
    return FeatureExtractor(source.features, tracker.layout)


def _make_teacher(
    source: Mapping | Wekinator, tracker: Tracker, space: LatentSpace | None, teaching: Teaching | None
) -> Teacher | None:
    if teaching is None:
        return None
    if isinstance(source, Wekinator) or space is None:
        raise GestureMapError("--teach teaches a mapping of a model: name a MAPPING, and add --model MODEL_DIR")
    return open_teacher(source, tracker, space, teaching)


def _load_base(source: Mapping | Wekinator, outputs: Outputs, model_dir: str | Path | None) -> BaseSound | None:
    """What the mapping moves, where it moves a sound and that sound is here."""
    if isinstance(source, Wekinator):
        if outputs.base is not None:
            raise GestureMapError("a Wekinator gives the latents themselves: leave --base out")
        return None
    if outputs.sounds or outputs.base is not None:
        source.check_mode(has_base=outputs.base is not None)
    if outputs.base is None:
        return None
    if not outputs.sounds or model_dir is None:
        raise GestureMapError("--base is what sounds here: add --model and --audio or --audio-file, or leave it out")
    return BaseSound(source, load_trajectory(outputs.base, model_dir).latents)


def _make_source(
    source: Mapping | Wekinator, guard: Guard, settings: LiveSettings, clock: Clock
) -> MappingSource | WekinatorClient:
    if isinstance(source, Mapping):
        return MappingSource(source)
    return WekinatorClient(*source.address, len(guard.rest), clock, source.out_port, settings.answer_after_s)


def _describe(
    source: Mapping | Wekinator, space: LatentSpace | None, guard: Guard, tracker: Tracker, settings: LiveSettings
) -> LatentDescription:
    named = source if isinstance(source, Mapping) else space
    assert named is not None
    rate_hz = min(tracker.frame_rate, settings.osc_rate_hz or np.inf)
    names = tuple(f"latent_{index}" for index in range(len(guard.rest)))
    mode = source.output.mode
    return LatentDescription(names, guard.low, guard.high, rate_hz, named.model_id, named.model_name, mode)


def _make_sound(
    outputs: Outputs, player: Any, base: BaseSound | None, guard: Guard, settings: LiveSettings, clock: Clock
) -> Iterator[LatentSink]:
    if outputs.audio_file is not None:
        from gesturemap.live.sound_file import SoundFile

        yield SoundFile(outputs.audio_file, player, base)
    if outputs.audio is not None:
        from gesturemap.live.live_sound import LiveSound

        yield LiveSound(player, guard.rest, settings, clock, outputs.audio or None, base)

"""The bridge on the network: one thread that receives and answers, and one that learns."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from audiovae.latent_space import LatentSpace
from gesturemap.bridge import saving
from gesturemap.bridge.actions import open_pedals
from gesturemap.bridge.controls import open_session
from gesturemap.bridge.learning import Lesson, choose_regressor, learn
from gesturemap.bridge.loop import serve
from gesturemap.bridge.outputs import NumericOutput, Output, parse_output
from gesturemap.bridge.session import Session
from gesturemap.bridge.settings import BridgeSettings, Counts
from gesturemap.clock import MonotonicClock
from gesturemap.errors import OscError
from gesturemap.osc.udp import UdpReceiver, UdpSender
from gesturemap.scheduling import undisturbed, urgent

BATCH_PORT = 12001  # the original's, fixed


def run_bridge(
    settings: BridgeSettings,
    in_port: int = 6448,
    out_port: int = 12000,
    in_host: str = "127.0.0.1",
    out_host: str = "127.0.0.1",
    project: Path | None = None,
    triggers: Path | None = None,
    priority: int = 0,
    on_ready: Callable[[int], None] = lambda port: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Counts:
    """Answer until interrupted (Ctrl-C) or `stopped`.

    Parameters
    ----------
    in_port : 0 takes a free one.
    in_host : 127.0.0.1 hears this machine alone, 0.0.0.0 every network.
    project : Wekinator project or session folder to open, train and run at once.
    triggers : file of keys, pedals and messages that record, train, run, ... without hands.
    priority : real-time priority of answering, 1 to 99, where the system allows it (Linux, rtprio); 0 asks for none.
    on_ready : told the in-port once packets are received.

    Raises
    ------
    OscError
        If the port is taken, or an address is none.
    SettingsError
        If the trigger file is none, or needs a tracker.
    RecordingError
        If the folder of the session is there, but no session.
    """
    clock = MonotonicClock()
    with ExitStack() as stack:
        receiver = stack.enter_context(closing(UdpReceiver(in_port, in_host)))
        sender, batch_sender = (
            stack.enter_context(closing(UdpSender(out_host, port))) for port in (out_port, BATCH_PORT)
        )
        pedals = stack.enter_context(closing(open_pedals(triggers, clock))) if triggers is not None else None
        hear, tell = (stack.enter_context(each) for each in socket.socketpair())
        # Threads of the linear algebra would wait for each other inside an answer of microseconds.
        stack.enter_context(threadpool_limits(limits=1))
        executor = stack.enter_context(ThreadPoolExecutor(1, "bridge-learning"))
        wake = partial(tell.send, b"!")
        session = Session(settings, sender.send, executor, clock, wake, batch_sender.send)
        executor.submit(_warm_up, settings).result()
        stack.enter_context(undisturbed())
        if settings.folder is not None and settings.folder.exists():
            saving.load(session, settings.folder)
        if project is not None:
            open_session(session, project, then_run=True)
        on_ready(receiver.port)
        try:
            with urgent(priority):
                serve(session, receiver, hear, pedals, stopped)
        except KeyboardInterrupt:
            pass
        finally:
            session.close()
            saving.settle(session)
        return replace(session.counts)


def _warm_up(settings: BridgeSettings) -> None:
    """Load what learning and saving need, which takes seconds the first time: before the first packet, not after."""
    from gesturemap.regressors.storage import import_skops_io

    rows = np.random.default_rng(0).normal(size=(20, 2))
    kinds: tuple[Output, ...] = (NumericOutput(), NumericOutput())
    (learned,) = learn(Lesson(rows, rows, kinds, (settings.choice,) * 2, ((0, 1),) * 2, (0, 1)))
    learned.answer((0.0, 0.0))
    learned.confidence(rows[:1])
    import_skops_io()


def model_outputs(model_dir: str | Path) -> tuple[list[Output], LatentSpace]:
    """An output for each latent of a model, kept inside the 1 to 99 % range of its training latents."""
    space = LatentSpace.load(model_dir)
    ranges = zip(space.quantile(0.01).tolist(), space.quantile(0.99).tolist(), strict=True)
    return [NumericOutput(low, high, limits="clip") for low, high in ranges], space


def make_settings(
    n_inputs: int | None,
    n_outputs: int | None,
    specs: Sequence[str],
    regressor: str,
    overrides: Sequence[str],
    model_dir: Path | None = None,
    *,
    strict: bool = False,
    folder: Path | None = None,
    seed: int = 0,
) -> BridgeSettings:
    """Settings as the command line gives them.

    Raises
    ------
    OscError
        If outputs are given in more than one way.
    """
    given = [name for name, value in (("--outputs", n_outputs), ("--output", specs), ("--model", model_dir)) if value]
    if len(given) > 1:
        raise OscError(f"{' and '.join(given)} found: one of them says what the outputs are")
    kinds = [parse_output(spec) for spec in specs] or [NumericOutput()] * (n_outputs or 0)
    folder = folder or Path(datetime.now().strftime("bridge-%Y%m%d-%H%M%S.session"))
    settings = BridgeSettings(
        n_inputs, tuple(kinds), choose_regressor(regressor, overrides), strict=strict, folder=folder, seed=seed
    )
    if model_dir is None:
        return settings
    latents, space = model_outputs(model_dir)
    rest = tuple(space.mean.tolist())
    return replace(settings, outputs=tuple(latents), model_id=space.model_id, model_name=space.model_name, rest=rest)

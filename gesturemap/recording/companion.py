"""A running Wekinator beside the recorder: it gets the features of every frame, its outputs are the latents."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from audiovae.latent_space import LatentSpace
from gesturemap.clock import Clock
from gesturemap.errors import RecordingError
from gesturemap.features import FeatureExtractor, FeatureSettings
from gesturemap.frame import Array, Frame, Layout
from gesturemap.osc.udp import parse_address
from gesturemap.osc.wekinator_client import IN_PORT, OUT_PORT, WekinatorClient

ANSWER_S = 0.01  # Wekinator answers within a millisecond; one that takes longer shall not hold up the tracker


class Client(Protocol):
    """What recording needs of `gesturemap.osc.wekinator_client.WekinatorClient`."""

    def send(self, features: Array) -> None:
        """Send one row of features; never waits."""

    def arrived(self) -> Array | None:
        """The newest answer since the last call."""

    def close(self) -> None:
        """Close the sockets."""


class Companion:
    """Asks for the latents of each frame.

    Parameters
    ----------
    client : speaks to the Wekinator.
    settings, layout : the features it is sent, and the channels of the frames.
    n_outputs : of the Wekinator.
    clock : counts how long an answer takes.
    model_id, model_name : the model whose latents its outputs are, if they are any's.

    Attributes
    ----------
    n_silent : frames without an answer.
    """

    def __init__(
        self,
        client: Client,
        settings: FeatureSettings,
        layout: Layout,
        n_outputs: int,
        clock: Clock,
        model_id: str | None = None,
        model_name: str = "wekinator",
    ) -> None:
        self.n_silent = 0
        self.n_outputs, self.model_id, self.model_name = n_outputs, model_id, model_name
        self._client, self._clock = client, clock
        self._extractor = FeatureExtractor(settings, layout)

    def reset(self) -> None:
        """Before a take."""
        self._extractor.reset()

    def latents(self, frame: Frame) -> Array:
        """(n_outputs,) what it answers to the frame; NaN where the gesture is absent, or no answer came."""
        features = self._extractor.process(np.array([frame.time_s]), frame.values[None])[0]
        if not np.isfinite(features).all():  # NaN would be the middle of a range to it
            return np.full(self.n_outputs, np.nan)
        self._client.arrived()  # an answer to an earlier frame is none to this one
        self._client.send(features)
        end_s = self._clock.now_s() + ANSWER_S
        while (answer := self._client.arrived()) is None:
            if self._clock.now_s() >= end_s:
                self.n_silent += 1
                return np.full(self.n_outputs, np.nan)
            self._clock.sleep_s(ANSWER_S / 20.0)
        return answer

    def close(self) -> None:
        """Close the client."""
        self._client.close()


def open_companion(
    address: str,
    settings: FeatureSettings,
    layout: Layout,
    clock: Clock,
    n_outputs: int | None = None,
    model_dir: str | Path | None = None,
    out_port: int = OUT_PORT,
) -> Companion:
    """A companion that speaks to the Wekinator at ``HOST:PORT``.

    Parameters
    ----------
    n_outputs : it has; not needed with a model.
    model_dir : the model whose latents its outputs are.
    out_port : that it sends its outputs to.

    Raises
    ------
    RecordingError
        If neither is given, or they differ.
    OscError
        If the port its outputs come to is taken.
    """
    space = None if model_dir is None else LatentSpace.load(model_dir)
    if space is not None and n_outputs not in (None, space.latent_size):
        raise RecordingError(f"{n_outputs} outputs, but model {space.model_name!r} has {space.latent_size} latents")
    count = n_outputs if space is None else space.latent_size
    if count is None:
        raise RecordingError("how many outputs has that Wekinator? Add --outputs N, or --model MODEL_DIR")
    host, port = parse_address(address, IN_PORT)
    client = WekinatorClient(host, port, count, clock, out_port)
    if space is None:
        return Companion(client, settings, layout, count, clock)
    return Companion(client, settings, layout, count, clock, space.model_id, space.model_name)

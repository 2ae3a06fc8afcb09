"""Where latents go. This is the seam that an engine of several networks will be plugged into."""

from __future__ import annotations

from typing import Any, Protocol

from gesturemap.frame import Array


class LatentSink(Protocol):
    """An output of a performance: OSC, a sound card, a sound file.

    `write` and `mute` are called by the control loop and return at once, whatever the network, the disk or the sound
    card does. What an output could not deliver it counts.
    """

    def start(self) -> None:
        """The performance begins."""

    def write(self, time_s: float, latents: Array) -> None:
        """These (latent_size,), finite, are due now; a sink may keep the array."""

    def mute(self, on: bool) -> None:
        """Panic was pressed, or taken back."""

    def close(self) -> None:
        """The performance is over: fade out, finish files, let go of devices. May take a moment.

        What cannot be finished is the ``problem`` of the summary, and ends the command with an error.
        """

    def summary(self) -> dict[str, Any]:
        """What it is, and its counts, as plain values."""

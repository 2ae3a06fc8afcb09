"""A stream of the lab streaming layer; the only file that knows pylsl."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gesturemap.clock import Clock
from gesturemap.errors import MissingExtraError, TrackerError
from gesturemap.frame import Array
from gesturemap.trackers.arriving import DEFAULT_TIMEOUT_S, ArrivingTracker
from gesturemap.trackers.lsl_layout import lsl_layout, refuse_text
from gesturemap.trackers.quiet import quiet_stderr

RESOLVE_S = 3.0
DEFAULT_RATE = 100.0  # of a stream that says it has none


def open_inlet(info: Any) -> Any:
    """Our end of a stream, its times corrected to this machine's LSL clock, smoothed and increasing.

    It finds the stream again by itself when its sender was restarted.
    """
    pylsl = _pylsl()
    flags = pylsl.proc_clocksync | pylsl.proc_dejitter | pylsl.proc_monotonize
    inlet = pylsl.StreamInlet(info, max_buflen=10, processing_flags=flags)
    try:
        inlet.open_stream(timeout=RESOLVE_S)
        inlet.time_correction(timeout=RESOLVE_S)
    except (pylsl.util.TimeoutError, pylsl.util.LostError) as error:
        raise TrackerError(f"LSL stream {info.name()!r} does not answer ({type(error).__name__}): restart it") from None
    return inlet


class LslTracker(ArrivingTracker):
    """The samples of one stream, each with the time at which it was taken, not the one at which it came.

    Parameters
    ----------
    source : name of a stream, or ``type=TYPE``. It is looked for here, so that the layout is known before `open`.
    timeout_s : after which a stream that sends nothing is away.
    low, high : range of all channels; LSL does not tell it.
    clock : gives the frames their time; None for the machine's.
    opener : the seam for tests.

    Raises
    ------
    TrackerError
        If there is no such stream on the network, or it holds text. `MissingExtraError` if pylsl is not installed.
    """

    name = "lsl"

    def __init__(
        self,
        source: str,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        low: float = -1.0,
        high: float = 1.0,
        clock: Clock | None = None,
        opener: Callable[[Any], Any] = open_inlet,
    ) -> None:
        self.source = source
        self._found = _find_stream(source)
        refuse_text(self._found.name(), self._found.channel_format() == _pylsl().cf_string)
        super().__init__(timeout_s, self._found.nominal_srate() or DEFAULT_RATE, clock)
        described, count = _describe(self._found), self._found.channel_count()
        self.layout = lsl_layout(
            [label or "" for label in described.get_channel_labels() or [""] * count],
            [unit or "" for unit in described.get_channel_units() or [""] * count],
            np.full(count, low),
            np.full(count, high),
        )
        self._opener = opener
        self._inlet: Any = None

    def connect(self) -> None:
        """Subscribe to the stream."""
        self._inlet = self._opener(self._found)
        self._offset_s = self._clock.now_s() - _pylsl().local_clock()

    def receive(self, timeout_s: float) -> tuple[float, Array] | None:
        """The next sample."""
        sample, stamp_s = self._inlet.pull_sample(timeout=timeout_s)
        if stamp_s is None:
            return None
        return stamp_s + self._offset_s, np.array(sample, dtype=np.float64)

    def disconnect(self) -> None:
        """Leave the stream."""
        if self._inlet is not None:
            self._inlet.close_stream()
        self._inlet = None


def find_streams(timeout_s: float = 1.0) -> list[str]:
    """Names of the streams on this network. Errors: `MissingExtraError`."""
    with quiet_stderr():
        return [info.name() for info in _pylsl().resolve_streams(timeout_s)]


def _find_stream(source: str) -> Any:
    key, _, value = source.rpartition("=") if source.startswith("type=") else ("name", "", source)
    with quiet_stderr():
        found = _pylsl().resolve_byprop(key, value, 1, RESOLVE_S) if value else []
    if not found:
        names = ", ".join(find_streams()) or "none; start its sender, and allow multicast in the firewall"
        raise TrackerError(f"no LSL stream {source!r} found, NAME or type=TYPE expected; there are: {names}")
    return found[0]


def _describe(info: Any) -> Any:
    """The full description, which the stream's sender has; a search returns the short one, by which to subscribe."""
    pylsl = _pylsl()
    inlet = pylsl.StreamInlet(info)
    try:
        return inlet.info(RESOLVE_S)
    except (pylsl.util.TimeoutError, pylsl.util.LostError):
        return info
    finally:
        inlet.close_stream()


def _pylsl() -> Any:
    try:
        import pylsl
    except (ImportError, RuntimeError):  # RuntimeError: without the library liblsl, which comes with most wheels
        raise MissingExtraError("pylsl", "lsl", "replay a file with lsl:FILE.xdf") from None
    return pylsl

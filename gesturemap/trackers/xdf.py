"""XDF files, which LabRecorder makes of streams of the lab streaming layer; the only file that knows pyxdf."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from gesturemap.errors import MissingExtraError, TrackerError
from gesturemap.frame import Array
from gesturemap.trackers.lsl_layout import lsl_layout, refuse_text, span
from gesturemap.trackers.stored import StoredTracker, mean_rate


class XdfFile(StoredTracker):
    """One stream of an XDF file, its clock corrected and its jitter removed by pyxdf, from 0 at its first sample.

    Parameters
    ----------
    source : path of the file; it is read here, so that the layout is known before `open`.
    stream : name or type of the stream; empty for the only one that holds numbers.

    Attributes
    ----------
    dropped : samples that do not come after the one before them.

    Raises
    ------
    TrackerError
        If it is no XDF file, or has no such stream, or several. `MissingExtraError` if pyxdf is not installed.
    """

    name = "lsl"

    def __init__(self, source: str | Path, stream: str = "") -> None:
        self.source = str(source)
        found = _choose(_read_streams(self.source), stream, self.source)
        time_s = np.asarray(found["time_stamps"], dtype=np.float64)
        values = np.asarray(found["time_series"], dtype=np.float64)
        later = np.concatenate([[True], time_s[1:] > np.maximum.accumulate(time_s)[:-1]])
        self._n_dropped = int((~later).sum())
        self._times, self._rows = time_s[later] - time_s[0], values[later]
        channels = _channels(found["info"], values.shape[1])
        labels, units = ([_text(channel, key) for channel in channels] for key in ("label", "unit"))
        self.layout = lsl_layout(labels, units, *span(values))
        self.frame_rate = mean_rate(self._times)

    def load(self) -> tuple[Array, Array]:
        """Times and values of the stream."""
        self.dropped = self._n_dropped
        return self._times, self._rows


def _read_streams(path: str) -> list[dict[str, Any]]:
    try:
        import pyxdf
    except ImportError:
        raise MissingExtraError("pyxdf", "lsl") from None
    if not Path(path).is_file():
        raise TrackerError(f"no XDF file {path}: give the path of a file that ends with .xdf, or the name of a stream")
    try:
        with open(path, "rb") as file:
            # pyxdf logs what it mends or skips; what matters to the stream asked for is refused or counted here.
            logging.getLogger("pyxdf").setLevel(logging.CRITICAL)
            streams: list[dict[str, Any]] = pyxdf.load_xdf(file)[0]
    except Exception as error:  # of a damaged file the parser raises whatever it stumbles over
        raise TrackerError(f"{path}: not an XDF file that can be read ({error or type(error).__name__})") from None
    return streams


def _choose(streams: list[dict[str, Any]], wanted: str, path: str) -> dict[str, Any]:
    named = {f"{_text(stream['info'], 'name')} ({_text(stream['info'], 'type')})": stream for stream in streams}
    if wanted:
        found = [s for s in streams if wanted in (_text(s["info"], "name"), _text(s["info"], "type"))]
    else:
        found = [s for s in streams if _text(s["info"], "channel_format") != "string" and len(s["time_stamps"])]
    if len(found) != 1:
        raise TrackerError(
            f"{path}: {len(found)} streams of numbers{f' called {wanted!r}' if wanted else ''}, one expected: choose "
            f"by lsl:{path}?stream=NAME; there are: {', '.join(named) or 'none'}"
        )
    refuse_text(_text(found[0]["info"], "name"), _text(found[0]["info"], "channel_format") == "string")
    if len(found[0]["time_stamps"]) == 0:
        raise TrackerError(f"{path}: the stream {wanted!r} has no samples")
    return found[0]


def _channels(info: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Descriptions of the channels, empty ones if there are not as many."""
    try:
        channels: list[dict[str, Any]] = info["desc"][0]["channels"][0]["channel"]
    except (KeyError, TypeError, IndexError):
        return [{}] * count
    return channels if len(channels) == count else [{}] * count


def _text(info: dict[str, Any], key: str) -> str:
    """The text of an XML element as pyxdf gives it: a list of one."""
    found = info.get(key) or [""]
    return str(found[0] or "")

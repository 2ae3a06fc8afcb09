"""JSON from strangers: finite numbers of bounded size, nothing else assumed."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from gesturemap.errors import RecordingError
from gesturemap.frame import Array

MAX_BYTES = 256 * 2**20
GAP = re.compile(r"\s*")


def read_last_json(path: Path) -> Any:
    """The last of the documents in a file: Wekinator appends a new one each time a project is saved.

    Raises
    ------
    RecordingError
        If there is no such file, it is too large, no text or no JSON.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RecordingError(f"{path}: {path.stat().st_size} bytes found, {MAX_BYTES} at most expected")
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise RecordingError(f"{path}: not UTF-8 text") from None
    decoder = json.JSONDecoder(parse_constant=_refuse)
    document, position = None, 0
    try:
        while position < len(text) or not text:
            document, position = decoder.raw_decode(text, position)
            gap = GAP.match(text, position)
            position = gap.end() if gap else position
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{path}: damaged JSON ({error})") from None
    return document


def numbers(values: Any, n: int, what: str) -> Array:
    """`values` as (n,) finite float64, each a number or the text of one; `RecordingError` names `what`."""
    if not isinstance(values, list) or len(values) != n:
        found = f"{len(values)} values" if isinstance(values, list) else type(values).__name__
        raise RecordingError(f"{what}: {found} found, a list of {n} numbers expected")
    return np.array([number(value, what) for value in values], dtype=np.float64)


def number(value: Any, what: str) -> float:
    """A number or the text of one as a finite float; `RecordingError` names `what`."""
    try:
        found = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise RecordingError(f"{what}: {str(value)[:40]!r} found, a number expected")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")

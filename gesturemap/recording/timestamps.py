"""A table's time column as seconds, and the refusal of time stamps that cannot be meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gesturemap.errors import RecordingError
from gesturemap.frame import Array

if TYPE_CHECKING:
    import pandas as pd

PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
PACKED = "MMSSmmm"
TIME_UNITS = (*PER_SECOND, PACKED)
EPOCH_S = 1e8  # no recording lasts three years: larger times are dates


def read_seconds(column: pd.Series, unit: str, path: Path) -> tuple[Array, list[str]]:
    """Times of a table.

    Parameters
    ----------
    column : numbers in `unit`, or dates (then `unit` does not matter).
    unit : ``s``, ``ms``, ``us``, ``ns``, or ``MMSSmmm`` for minutes, seconds and milliseconds packed into one
        decimal number, as Kinect recordings have them.

    Returns
    -------
    time_s : (n_rows,) seconds. Dates, and numbers that can only be dates, are counted from the first row.
    notes : what was done with dates.

    Raises
    ------
    RecordingError
        If a time is missing, or the numbers are packed and `unit` is ``ms``.
    """
    if unit not in TIME_UNITS:
        raise RecordingError(f"time unit {unit!r} found; one of {', '.join(TIME_UNITS)} expected")
    values, unit = _numbers(column, unit, path)
    missing = ~np.isfinite(values.astype(np.float64))
    if missing.any():
        raise RecordingError(f"{path}: no time in column {column.name!r}, {name_rows(missing)}: fill in or remove them")
    if unit == PACKED:
        values, unit = unpack_minutes(values), "ms"
    elif unit == "ms" and _looks_packed(values):
        raise RecordingError(
            f"{path}: column {column.name!r} jumps by 40 s at every minute: these are no milliseconds but minutes, "
            f"seconds and milliseconds packed into one number; say --time-unit {PACKED}"
        )
    notes = []
    if values[0] / PER_SECOND[unit] > EPOCH_S:
        notes = [f"time 0 is {values[0]} {unit} in column {column.name!r}"]
        values = values - values[0]
    return np.asarray(values / PER_SECOND[unit], dtype=np.float64), notes


def unpack_minutes(packed: npt.NDArray[np.number]) -> npt.NDArray[np.number]:
    """Milliseconds of MMSSmmm numbers: 5702026 is 57 min 2 s 26 ms."""
    return np.asarray(packed // 100_000 * 60_000 + packed % 100_000)


def check_order(time_s: Array, takes: npt.NDArray[np.int_], table: pd.DataFrame, path: Path) -> npt.NDArray[np.bool_]:
    """Which rows to keep, if the times increase inside every take.

    Parameters
    ----------
    time_s : (n_rows,) seconds.
    takes : (n_rows,) take of every row.
    table : the other columns.

    Returns
    -------
    (n_rows,) mask that leaves out the rows that repeat the row before them in their take, in every column.

    Raises
    ------
    RecordingError
        If the time of any other row is not later than that of the row before; names the rows.
    """
    order = np.argsort(takes, kind="stable")
    same_take = np.diff(takes[order], prepend=0) == 0
    step_s = np.diff(time_s[order], prepend=0.0)
    cells = table.iloc[order]
    repeats = same_take & (step_s == 0.0)
    # Two empty cells are the same cell, though NaN is not NaN.
    repeats &= ((cells == cells.shift()) | (cells.isna() & cells.shift().isna())).all(axis=1).to_numpy()
    wrong = np.zeros(len(takes), dtype=bool)
    wrong[order] = same_take & (step_s <= 0.0) & ~repeats
    if wrong.any():
        raise RecordingError(
            f"{path}: the time does not increase, {name_rows(wrong)}: sort the rows, or name the column that tells "
            "takes apart with --take-column"
        )
    kept = np.empty(len(takes), dtype=bool)
    kept[order] = ~repeats
    return kept


def name_rows(mask: npt.NDArray[np.bool_]) -> str:
    """``rows 3, 7 and 12 more (counted from 1, without the header)`` of a mask over rows."""
    rows = np.flatnonzero(mask) + 1
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return f"rows {', '.join(str(row) for row in rows[:5])}{more} (counted from 1, without the header)"


def _numbers(column: pd.Series, unit: str, path: Path) -> tuple[npt.NDArray[np.number], str]:
    """The column's numbers and their unit; dates become nanoseconds."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(), unit
    try:
        dates = pd.to_datetime(column, format="ISO8601", utc=True)
    except (ValueError, TypeError):
        raise RecordingError(
            f"{path}: column {column.name!r} holds no times but such as {column.iloc[0]!r}; name the right one "
            "with --time-column"
        ) from None
    nanoseconds = dates.astype("datetime64[ns, UTC]").astype(np.int64).to_numpy()
    return np.where(dates.isna().to_numpy(), np.nan, nanoseconds) if dates.isna().any() else nanoseconds, "ns"


def _looks_packed(values: npt.NDArray[np.number]) -> bool:
    """Whether the five last digits never reach 60000 although the digits before them move on."""
    minutes = values // 100_000
    return bool((values % 1 == 0).all() and (values % 100_000 < 60_000).all() and (np.diff(minutes) == 1).any())

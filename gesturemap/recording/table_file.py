"""Tables of numbers as strangers write them, read into one shape: a pandas frame with text column names.

CSV-like text (any separator, with or without a header, decimal comma, byte order mark, any line ends), Parquet,
JSON, JSONL and XDF. What the columns mean is `tables`' business.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gesturemap.errors import RecordingError, TrackerError

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = ("\t", ";", "|", ",", r"\s+")
SAMPLE_LINES = 50
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})
PARQUET_SUFFIXES, JSONL_SUFFIXES = (".parquet", ".pq"), (".jsonl", ".ndjson")
XDF_SUFFIX, JSON_SUFFIX = ".xdf", ".json"


def read_table(path: str | Path, header: bool | None = None) -> pd.DataFrame:
    """The table in a file, every column with its name; ``column_0`` and so on where there are no names.

    Parameters
    ----------
    path : ``.parquet``, ``.jsonl`` (an object a line; what is nested becomes ``outer_inner`` and ``outer_0``),
        ``.json`` (an array of frames, each an object or an array, nested or not: ``column_4_0`` is the first number
        of the fifth point; null or empty is a frame without numbers; or an object of columns, each an array),
        ``.xdf`` with one stream of numbers, or text of any other suffix.
    header : whether the first line of text holds names; None to tell by looking at it.

    Raises
    ------
    RecordingError
        If the file is absent, is none of these, or has no rows.
    """
    path = Path(path)
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise RecordingError(f"{path}: {found}; expected a table .csv, .parquet, .json, .jsonl or .xdf")
    if path.suffix.lower() in PARQUET_SUFFIXES:
        table = _read_parquet(path)
    elif path.suffix.lower() == XDF_SUFFIX:
        table = _read_xdf(path)
    elif path.suffix.lower() == JSON_SUFFIX:
        table = _read_json(path)
    elif path.suffix.lower() in JSONL_SUFFIXES:
        table = _read_jsonl(path)
    else:
        table = _read_text(path, header)
    if table.empty:
        raise RecordingError(f"{path}: no rows in it")
    table.columns = table.columns.map(lambda name: str(name).strip())
    return table


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table: pd.DataFrame = pq.read_table(path).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise RecordingError(f"{path}: not a Parquet table ({error})") from None
    return table


def _read_xdf(path: Path) -> pd.DataFrame:
    import pandas as pd

    from gesturemap.trackers.base import read_all
    from gesturemap.trackers.xdf import XdfFile

    try:
        stream = XdfFile(path)
    except TrackerError as error:
        raise RecordingError(str(error)) from None
    time_s, values = read_all(stream)
    return pd.DataFrame({"time_s": time_s} | dict(zip(stream.layout.names, values.T, strict=True)))


def _read_jsonl(path: Path) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for number, line in enumerate(_read_lines(path), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise RecordingError(f"{path}: line {number} is no JSON ({error})") from None
        if not isinstance(row, dict):
            raise RecordingError(f"{path}: line {number} is no object; expected {{name: number, ...}} on every line")
        rows.append(dict(_flatten(row)))
    return pd.DataFrame(rows)


def _read_json(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        document = json.loads("\n".join(_read_lines(path)))
    except (json.JSONDecodeError, RecursionError) as error:
        raise RecordingError(f"{path}: no JSON ({error}); of one object a line the suffix is .jsonl") from None
    columns = isinstance(document, dict) and [value for value in document.values() if isinstance(value, list)]
    if columns and len(columns) == len(document) and len({len(column) for column in columns}) == 1:
        document = [dict(zip(document, row, strict=True)) for row in zip(*columns, strict=True)]
    frames = document if isinstance(document, list) else []
    if not all(isinstance(frame, dict | list | None) for frame in frames) or not any(frames):
        found = f"an object of {', '.join(map(repr, list(document)[:4]))}" if isinstance(document, dict) else "none"
        raise RecordingError(
            f"{path}: {found} found; expected an array of frames, each an object or an array of numbers, or an object "
            f"of columns, arrays of one length: if the frames are inside, save them alone"
        )
    return pd.DataFrame([dict(_flatten(frame or {}, "column" * isinstance(frame, list))) for frame in frames])


def _flatten(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if inner is None:
        yield name, value
        return
    for key, item in inner:
        yield from _flatten(item, f"{name}_{key}" if name else str(key))


def _read_text(path: Path, header: bool | None) -> pd.DataFrame:
    import pandas as pd

    lines = _read_lines(path)
    while lines and (not lines[0].strip() or lines[0].startswith("#")):
        lines.pop(0)
    sample = [line for line in lines[:SAMPLE_LINES] if line.strip()]
    separator = _find_separator(sample, path)
    cells = [_split(line, separator) for line in sample]
    decimal = "," if separator != "," and _has_decimal_commas(cells) else "."
    header = _is_header(cells, decimal) if header is None else header
    try:
        table = pd.read_csv(
            io.StringIO("\n".join(lines)),
            sep=separator,
            header=0 if header else None,
            index_col=False,
            dtype=str,
            skipinitialspace=True,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise RecordingError(f"{path}: not a table with the same columns in every line ({error})") from None
    table = table.apply(_parse_numbers, args=(decimal,))
    return table if header else table.rename(columns=lambda index: f"column_{index}")


def _parse_numbers(cells: pd.Series, decimal: str) -> pd.Series:
    """The cells as int64 or float64, or as they are if one is text.

    Python's own parsing, because that of pandas is not exact to the last bit in all its versions.
    """
    import pandas as pd

    given = cells.dropna()
    for kind in (int, float):
        try:
            numbers = pd.Series([kind(cell.replace(decimal, ".")) for cell in given], index=given.index)
        except ValueError:
            continue
        return numbers.reindex(cells.index)
    words = given.str.lower()
    return (words == "true").reindex(cells.index).astype(float) if words.isin(["true", "false"]).all() else cells


def _read_lines(path: Path) -> list[str]:
    """Lines of a text file, whichever of CR, LF or both ends them."""
    data = path.read_bytes()
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise RecordingError(f"{path}: not {encoding} text ({error.reason}): save it as UTF-8") from None
    return re.split(r"\r\n|\r|\n", text)


def _split(line: str, separator: str) -> list[str]:
    if separator == r"\s+":
        return line.split()
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]
    except csv.Error as error:
        raise RecordingError(
            f"a line of {len(line)} characters, {line[:20]!r} and so on, is no row of a table ({error}); "
            f"expected text with a row a line, or .json, .jsonl, .parquet, .xdf named so"
        ) from None


def _find_separator(sample: list[str], path: Path) -> str:
    """The first separator that cuts every line into the same number of cells, more than one."""
    if not sample:
        raise RecordingError(f"{path}: no rows in it")
    for separator in SEPARATORS:
        counts = {len(_split(line, separator)) for line in sample}
        if len(counts) == 1 and counts != {1}:
            return separator
    if all(len(line.split()) == 1 for line in sample) and not any(set(line) & set("\t;|,") for line in sample):
        return ","  # one column
    raise RecordingError(
        f"{path}: its lines do not have the same number of cells with any of tab ; | , or space between them"
    )


def _has_decimal_commas(cells: list[list[str]]) -> bool:
    return any(re.fullmatch(r"[+-]?\d*,\d+([eE][+-]?\d+)?", cell) for row in cells for cell in row)


def _is_header(cells: list[list[str]], decimal: str) -> bool:
    """Whether the first row is names: words over numbers, or words that no row below repeats."""
    first, below = cells[0], cells[1:]
    words = [i for i, cell in enumerate(first) if not _is_number(cell, decimal)]
    if any(_is_number(row[i], decimal) for row in below for i in words):
        return True
    return bool(words) and not any(row[i] == first[i] for row in below for i in words)


def _is_number(cell: str, decimal: str) -> bool:
    try:
        float(cell.replace(decimal, "."))
    except ValueError:
        return cell.lower() in MISSING
    return True

"""The examples of a project as ARFF: ID, time, round, inputs, outputs, one row an example, `?` for nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gesturemap.errors import RecordingError
from gesturemap.frame import Array
from gesturemap.wekinator.project import N_META, Project, ProjectOutput

MAX_BYTES = 512 * 2**20
START = datetime(1970, 1, 1, tzinfo=UTC)
HEAD = ("@relation dataset", "", "@attribute ID numeric", "@attribute Time date 'yyyy/MM/dd HH:mm:ss:SSS'")

Rows = tuple[npt.NDArray[np.int64], Array, Array, Array]


def read_examples(path: Path, n_inputs: int, outputs: Sequence[ProjectOutput]) -> Rows:
    """Rounds (n,), seconds since 1970 (n,), inputs (n, n_inputs) and targets (n, n_outputs); NaN for `?`.

    Raises
    ------
    RecordingError
        If the file is missing, too large or no text, has other columns, or a cell is not what it should be; the
        line is named.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RecordingError(f"{path}: {path.stat().st_size} bytes found, {MAX_BYTES} at most expected")
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise RecordingError(f"{path}: not UTF-8 text") from None
    n_columns = N_META + n_inputs + len(outputs)
    data = _find_data(lines, n_columns, path)
    rounds, times, cells = [], [], []
    quoted = csv.reader(lines[data:], quotechar="'", escapechar="\\", skipinitialspace=True)
    try:
        for row in quoted:
            if not row or row[0].startswith("%"):
                continue
            where = f"{path} line {data + quoted.line_num}"
            if len(row) != n_columns:
                raise RecordingError(f"{where}: {len(row)} columns found, {n_columns} expected")
            rounds.append(_read_round(row[2], where))
            times.append(_read_time(row[1], where))
            cells.append([_read_number(cell, where) for cell in row[N_META:]])
    except csv.Error as error:
        raise RecordingError(f"{path} line {data + quoted.line_num}: {error}") from None
    numbers = np.array(cells, dtype=np.float64).reshape(-1, n_inputs + len(outputs))
    targets = numbers[:, n_inputs:]
    for output, column in zip(outputs, targets.T, strict=True):
        _check_classes(output, column, path)
    return np.array(rounds, dtype=np.int64), np.array(times, dtype=np.float64), numbers[:, :n_inputs], targets


def write_examples(path: Path, project: Project) -> None:
    """Write the examples of `project` with 6 decimals, as Wekinator does."""
    path.write_text("\n".join([*_header(project), *_rows(project)]) + "\n", encoding="utf-8")


def quoted(name: str) -> str:
    """A name as ARFF has it: bare if it is plain, else in quotes."""
    if name and all(character.isalnum() or character in "_-./" for character in name):
        return name
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _header(project: Project) -> Iterable[str]:
    yield from HEAD
    yield "@attribute 'Training round' numeric"
    for name in project.input_names:
        yield f"@attribute {quoted(name)} numeric"
    for output in project.outputs:
        classes = ",".join(str(label) for label in range(output.n_classes + 1))
        yield f"@attribute {quoted(output.name)} {f'{{{classes}}}' if output.n_classes else 'numeric'}"
    yield from ("", "@data")


def _rows(project: Project) -> Iterable[str]:
    cells = np.concatenate([project.inputs, project.targets], axis=1)
    for index, (round_, time_s, row) in enumerate(zip(project.rounds, project.time_s, cells, strict=True), start=1):
        time = START + timedelta(milliseconds=round(1000 * float(time_s)))
        stamp = f"{time:%Y/%m/%d %H:%M:%S}:{time.microsecond // 1000:03d}"
        yield f"{index},'{stamp}',{round_}," + ",".join(_write_number(float(value)) for value in row)


def _write_number(value: float) -> str:
    if np.isnan(value):
        return "?"
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _find_data(lines: list[str], n_columns: int, path: Path) -> int:
    """Line after ``@data``, once the header names as many attributes as there should be."""
    found = 0
    for index, line in enumerate(lines):
        word = line.strip().lower()
        found += word.startswith("@attribute")
        if word == "@data":
            if found != n_columns:
                raise RecordingError(
                    f"{path}: {found} attributes found, {n_columns} expected by inputConfig.xml and outputConfig.xml"
                )
            return index + 1
    raise RecordingError(f"{path}: no @data line: not an ARFF file")


def _read_number(cell: str, where: str) -> float:
    if cell == "?":
        return float("nan")
    try:
        number = float(cell)
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise RecordingError(f"{where}: {cell[:40]!r} found, a number or ? expected")
    return number


def _read_round(cell: str, where: str) -> int:
    number = _read_number(cell, where)
    if not number.is_integer() or not 0 <= number < 2**31:
        raise RecordingError(f"{where}: training round {cell[:40]!r} found, a whole number expected")
    return int(number)


def _read_time(cell: str, where: str) -> float:
    try:
        time = datetime.strptime(cell, "%Y/%m/%d %H:%M:%S:%f").replace(tzinfo=UTC)
    except ValueError:
        raise RecordingError(f"{where}: time {cell[:40]!r} found, yyyy/MM/dd HH:mm:ss:SSS expected") from None
    return (time - START).total_seconds()


def _check_classes(output: ProjectOutput, column: Array, path: Path) -> None:
    there = column[np.isfinite(column)]
    if output.n_classes and not np.isin(there, np.arange(output.n_classes + 1)).all():
        raise RecordingError(f"{path}: a class of output {output.name!r} is none of 0..{output.n_classes}")

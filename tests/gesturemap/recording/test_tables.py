"""Tables in and out: the same numbers, and no guess where a table can be read two ways."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gesturemap.errors import RecordingError
from gesturemap.frame import Channel, Layout
from gesturemap.recording import Recorder, Recording
from gesturemap.recording.tables import export_table, import_table

LAYOUT = Layout((Channel("x", "mm", -1.0, 1.0), Channel("present", "bool", 0.0, 1.0)))


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """Two takes with gaps, times of the machine's clock, and latents."""
    rng = np.random.default_rng(0)
    with Recorder(tmp_path / "a.rec", LAYOUT, "hands", "cam", "monotonic", "f00d", "toy", 2, notes=["hm"]) as recorder:
        for start_s in (12.25, 99.9):
            values = np.stack([rng.normal(size=50) / 3, np.ones(50)], axis=1)
            values[10:20, 0] = np.nan
            recorder.start_take()
            recorder.write_rows(start_s + np.cumsum(rng.uniform(0.01, 0.03, 50)), values, rng.normal(size=(50, 2)))
            recorder.stop_take()
    return Recording.load(tmp_path / "a.rec")


def assert_same_rows(found: Recording, expected: Recording, latents: bool = True) -> None:
    assert [take.index for take in found.takes] == [take.index for take in expected.takes]
    for mine, theirs in zip(found.takes, expected.takes, strict=True):
        np.testing.assert_array_equal(mine.time_s, theirs.time_s)
        np.testing.assert_array_equal(mine.values, theirs.values)
        if latents:
            assert mine.lag_s == theirs.lag_s
            np.testing.assert_array_equal(mine.latents, theirs.latents)


def test_parquet_keeps_everything(recording: Recording, tmp_path: Path) -> None:
    export_table(recording, tmp_path / "a.parquet")
    found = import_table(tmp_path / "a.parquet", tmp_path / "b.rec")
    assert_same_rows(found, recording)
    for name in ("layout", "tracker", "source", "clock", "model_id", "model_name", "latent_size", "notes"):
        assert getattr(found, name) == getattr(recording, name), name


def test_csv_keeps_the_numbers_of_the_gesture(recording: Recording, tmp_path: Path) -> None:
    export_table(recording, tmp_path / "a.csv")
    found = import_table(tmp_path / "a.csv", tmp_path / "b.rec", units={"x": "mm"})
    assert_same_rows(found, recording, latents=False)
    assert found.layout.channels[0].unit == "mm"
    assert found.layout.channels[1].unit == "unknown"
    assert (found.latent_size, found.clock) == (0, "file")
    assert "latent_0 (a name of the recording's own)" in found.notes[0]


VALUES = np.array([[0.1, -2.0], [1 / 3, 1e-7], [np.nan, 4.25e5]])
TIME_S = np.array([0.0, 0.01, 0.035])
ROWS = list(zip(TIME_S, *VALUES.T, strict=True))


def text(separator: str, header: bool, decimal: str = ".") -> str:
    lines = [separator.join(["time_s", "a", "b"])] if header else []
    lines += [separator.join("" if np.isnan(v) else repr(float(v)).replace(".", decimal) for v in row) for row in ROWS]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize(
    ("separator", "decimal"), [(",", "."), (";", "."), ("\t", "."), ("|", "."), (";", ","), ("\t", ","), (", ", ".")]
)
def test_any_separator_with_and_without_a_header(tmp_path: Path, separator: str, decimal: str, header: bool) -> None:
    (tmp_path / "t.csv").write_text(text(separator, header, decimal))
    time_column = None if header else "0"
    found = import_table(tmp_path / "t.csv", tmp_path / "b.rec", time_column=time_column)
    assert found.layout.names == (("a", "b") if header else ("column_1", "column_2"))
    np.testing.assert_array_equal(found.takes[0].time_s, TIME_S)
    np.testing.assert_array_equal(found.takes[0].values, VALUES)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_any_line_end_and_byte_order_mark(tmp_path: Path, line_end: str, encoding: str) -> None:
    (tmp_path / "t.csv").write_bytes(text(",", header=True).replace("\n", line_end).encode(encoding))
    found = import_table(tmp_path / "t.csv", tmp_path / "b.rec")
    np.testing.assert_array_equal(found.takes[0].time_s, TIME_S)
    np.testing.assert_array_equal(found.takes[0].values, VALUES)


def test_columns_between_spaces_behind_comments(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("# made by hand\n\n  1.5 2  100\n 1.25   3 120\n")
    found = import_table(tmp_path / "t.txt", tmp_path / "b.rec", time_column="-1", time_unit="ms")
    np.testing.assert_array_equal(found.takes[0].time_s, [0.1, 0.12])
    np.testing.assert_array_equal(found.takes[0].values, [[1.5, 2.0], [1.25, 3.0]])


def test_jsonl_is_flattened(tmp_path: Path) -> None:
    rows = [{"time_s": 0.5 * i, "hand": {"x": i, "tip": [i + 0.25, None]}, "label": "a\u2028b"} for i in range(3)]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    found = import_table(tmp_path / "t.jsonl", tmp_path / "b.rec")
    assert found.layout.names == ("hand_x", "hand_tip_0")
    np.testing.assert_array_equal(found.takes[0].values, [[0, 0.25], [1, 1.25], [2, 2.25]])
    assert found.notes == ("columns left out: hand_tip_1 (empty), label (text such as 'a\\u2028b')",)


def test_takes_by_a_column_each_with_its_own_time(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("who,t,x\nana,0,1\nbo,0,2\nana,1,3\nbo,2,4\n")
    found = import_table(tmp_path / "t.csv", tmp_path / "b.rec", time_column="t", take_column="who")
    assert [take.values[:, 0].tolist() for take in found.takes] == [[1.0, 3.0], [2.0, 4.0]]
    assert [take.time_s.tolist() for take in found.takes] == [[0.0, 1.0], [0.0, 2.0]]
    assert found.notes == ("takes by who: 1 = ana, 2 = bo",)
    by_rate = import_table(tmp_path / "t.csv", tmp_path / "c.rec", rate_hz=10, take_column="who", leave_out=["t"])
    assert [take.time_s.tolist() for take in by_rate.takes] == [[0.0, 0.1], [0.0, 0.1]]
    assert by_rate.layout.names == ("x",)


@pytest.mark.parametrize(
    ("unit", "cells", "note"),
    [
        ("us", ["0", "10000", "35000"], False),
        ("ns", ["1782966624667724000", "1782966624677724000", "1782966624702724000"], True),
        ("ms", ["1409587596144", "1409587596154", "1409587596179"], True),
        ("s", ["2026-07-01T10:00:00.000Z", "2026-07-01T10:00:00.010Z", "2026-07-01 10:00:00.035"], True),
        ("MMSSmmm", ["5959990", "5959999", "5959999.5"], False),
    ],
)
def test_units_of_time(tmp_path: Path, unit: str, cells: list[str], note: bool) -> None:
    (tmp_path / "t.csv").write_text("when,x\n" + "".join(f"{cell},{i}\n" for i, cell in enumerate(cells)))
    found = import_table(tmp_path / "t.csv", tmp_path / "b.rec", time_column="when", time_unit=unit)
    if unit == "MMSSmmm":
        np.testing.assert_allclose(found.takes[0].time_s, [3599.990, 3599.999, 3599.9995], atol=1e-12)
    else:
        np.testing.assert_array_equal(found.takes[0].time_s, TIME_S)
    assert len(found.notes) == note


def test_rows_that_repeat_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("time_s,x,y\n0,1,\n0,1,\n0,1,\n1,1,\n")
    found = import_table(tmp_path / "t.csv", tmp_path / "b.rec")
    assert found.takes[0].time_s.tolist() == [0.0, 1.0]
    assert "rows left out because they repeat the one before: 2" in found.notes


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        ("time_s,x\n0,1\n0,2\n", {}, "the time does not increase, rows 2 "),
        ("time_s,x\n0,1\n2,2\n1,3\n", {}, r"the time does not increase, rows 3 \(counted from 1"),
        ("time_s,x\n0,1\n,2\n1,3\n", {}, "no time in column 'time_s', rows 2 "),
        ("time_s,x\n0,1\nsoon,2\n", {}, "holds no times but such as '0'|such as 0"),
        ("t,x\n5959000,1\n6000000,2\n6001000,3\n", {"time_column": "t", "time_unit": "ms"}, "--time-unit MMSSmmm"),
        ("t,x\n0,1\n1,2\n", {}, r"--time-column\) or the frames per second .* columns: t, x"),
        ("t,x\n0,1\n1,2\n", {"rate_hz": 10, "time_column": "t"}, "give either"),
        ("t,x\n0,1\n1,2\n", {"rate_hz": -1}, "rate -1 Hz found"),
        ("t,x\n0,1\n1,2\n", {"time_column": "T"}, "no column 'T'; there are: t, x"),
        ("t,x\n0,1\n1,2\n", {"time_column": "2"}, "no column '2'"),
        ("t,x\n0,1\n1,2\n", {"time_column": "t", "time_unit": "h"}, "one of s, ms, us, ns, MMSSmmm expected"),
        ("time_s,x\n0,1\n1,2\n", {"units": {"z": "mm"}}, "a unit for z, but the channels are x"),
        ("time_s,x\n0,a\n1,b\n", {}, "no column of numbers left"),
        ("time_s,x\n0,1\n1,inf\n", {}, "infinite values in column 'x'"),
        ("take,time_s,x\n1,0,1\n,1,2\n", {}, "no take in column 'take', rows 2 "),
        ("time_s,x\n0,1\n1,2,3\n", {}, "do not have the same number of cells"),
        ("", {}, "no rows in it"),
        ("time_s,x\n", {}, "no rows in it"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, table: str, options: dict[str, object], message: str) -> None:
    (tmp_path / "t.csv").write_text(table)
    with pytest.raises(RecordingError, match=message):
        import_table(tmp_path / "t.csv", tmp_path / "b.rec", **options)  # type: ignore[arg-type]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["t.csv"]


def test_files_that_are_no_tables_are_refused(recording: Recording, tmp_path: Path) -> None:
    for name, data, message in (
        ("a.parquet", b"PAR1 not really", "not a Parquet table"),
        ("a.jsonl", b'{"time_s": 0}\n[1]\n', "line 2 is no object"),
        ("b.jsonl", b'{"time_s": 0}\n{"time', "line 2 is no JSON"),
        ("a.csv", b"time_s,x\n0,\xff\n", "not utf-8-sig text .* save it as UTF-8"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(RecordingError, match=message):
            import_table(tmp_path / name, tmp_path / "b.rec")
    with pytest.raises(RecordingError, match="no such file"):
        import_table(tmp_path / "absent.csv", tmp_path / "b.rec")
    with pytest.raises(RecordingError, match="a folder; expected a table"):
        import_table(tmp_path, tmp_path / "b.rec")
    with pytest.raises(RecordingError, match="exists: choose another name"):
        import_table(tmp_path / "a.csv", recording.path)


def test_exports_that_cannot_be_are_refused(recording: Recording, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"exported as \.parquet or \.csv"):
        export_table(recording, tmp_path / "a.xlsx")
    with pytest.raises(RecordingError, match="cannot be written.*No such file"):
        export_table(recording, tmp_path / "absent" / "a.parquet")
    with Recorder(tmp_path / "empty.rec", LAYOUT, "hands", "cam", "monotonic"):
        pass
    with pytest.raises(RecordingError, match="has no rows to export"):
        export_table(Recording.load(tmp_path / "empty.rec"), tmp_path / "a.csv")


def test_real_leap_motion(shared: Path, tmp_path: Path) -> None:
    path = shared / "data" / "gestures" / "leap_midair_trajectories" / "andrea" / "circle.csv"
    found = import_table(path, tmp_path / "b.rec", time_column="-1", time_unit="ms")
    expected = np.loadtxt(path)
    (take,) = found.takes
    np.testing.assert_array_equal(take.values, expected[:, :3])
    np.testing.assert_array_equal(take.time_s, (expected[:, 3] - expected[0, 3]) / 1000)
    assert 53 < (len(take.time_s) - 1) / take.duration_s < 61  # SOURCE.md: about 59.2 Hz (53-60)


@pytest.mark.parametrize(("name", "n_rows"), [("a1", 1747), ("a2", 1264), ("b1", 1073)])
def test_real_gesture_phase(shared: Path, tmp_path: Path, name: str, n_rows: int) -> None:
    folder = shared / "data" / "gestures" / "gesture_phase"
    options = {"time_column": "timestamp", "time_unit": "MMSSmmm"}
    found = import_table(folder / "raw" / f"{name}_raw.csv", tmp_path / "b.rec", **options)  # type: ignore[arg-type]
    (take,) = found.takes
    assert take.values.shape == (n_rows, 18)
    step_s = np.diff(take.time_s)
    assert 0.030 < np.median(step_s) < 0.034
    assert step_s.max() < 0.44, "packed time stamps, read as milliseconds, jump by 40 s"
    assert found.notes == ("columns left out: phase (text such as 'Rest')",)
    options["time_unit"] = "ms"
    if name == "a2":  # stays inside one minute: the same steps either way
        naive = import_table(folder / "raw" / "a2_raw.csv", tmp_path / "c.rec", **options)  # type: ignore[arg-type]
        np.testing.assert_allclose(np.diff(naive.takes[0].time_s), step_s, atol=1e-9)
    else:
        with pytest.raises(RecordingError, match="MMSSmmm"):
            import_table(folder / "raw" / f"{name}_raw.csv", tmp_path / "c.rec", **options)  # type: ignore[arg-type]
    processed = import_table(folder / "processed" / f"{name}_va3.csv", tmp_path / "d.rec", rate_hz=30)
    assert processed.takes[0].values.shape == (n_rows - 4, 32)  # the first four frames are dropped upstream


def test_real_landmarks_in_json(shared: Path, tmp_path: Path) -> None:
    path = shared / "data" / "gestures" / "tfjs_asl_hand" / "asl_hand_3d.full.json"
    found = import_table(path, tmp_path / "a.rec", rate_hz=25)
    assert found.takes[0].values.shape == (325, 63)  # SOURCE.md: 325 pictures, 21 points, 3 coordinates
    assert found.layout.names[:4] == ("column_0_0", "column_0_1", "column_0_2", "column_1_0")
    np.testing.assert_array_equal(found.takes[0].values, np.reshape(json.loads(path.read_text()), (325, 63)))
    assert found.takes[0].time_s[-1] == pytest.approx(324 / 25)


def test_json_of_frames_with_gaps_and_of_columns(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"t": 0, "hand": {"x": 1}}, {"t": 1}, {"t": 2, "hand": {"x": 3.5}}]')
    gaps = import_table(tmp_path / "a.json", tmp_path / "a.rec", time_column="t")
    assert gaps.layout.names == ("hand_x",)
    np.testing.assert_array_equal(gaps.takes[0].values[:, 0], [1, np.nan, 3.5])
    (tmp_path / "b.json").write_text("[[1, 2], null, [], [3, 4]]")
    np.testing.assert_array_equal(
        import_table(tmp_path / "b.json", tmp_path / "b.rec", rate_hz=10).takes[0].values,
        [[1, 2], [np.nan, np.nan], [np.nan, np.nan], [3, 4]],
    )
    (tmp_path / "c.json").write_text('{"time_s": [0, 0.1], "x": [5, 6]}')
    np.testing.assert_array_equal(import_table(tmp_path / "c.json", tmp_path / "c.rec").takes[0].values, [[5], [6]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"version": 2, "frames": [[1, 2]]}', "an object of 'version', 'frames' found; expected an array of frames"),
        ("[1, 2, 3]", "expected an array of frames"),
        ("[]", "expected an array of frames"),
        ("[[1, 2", "no JSON"),
    ],
)
def test_json_that_is_no_table_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(RecordingError, match=message):
        import_table(tmp_path / "a.json", tmp_path / "a.rec", rate_hz=10)


def test_a_line_too_long_for_a_table_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1" * 200_000 + "\n")
    with pytest.raises(RecordingError, match="a line of 200000 characters.*no row of a table"):
        import_table(tmp_path / "a.txt", tmp_path / "a.rec", rate_hz=10)


def test_real_hand_keypoints(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "gestures" / "kinivi_handpose"
    found = import_table(folder / "keypoint.csv", tmp_path / "b.rec", rate_hz=30, take_column="0")
    assert [len(take.time_s) for take in found.takes] == [1522, 1572, 1356, 337]  # SOURCE.md
    assert {take.values.shape[1] for take in found.takes} == {42}
    history = import_table(folder / "point_history.csv", tmp_path / "c.rec", rate_hz=30, leave_out=["0"])
    np.testing.assert_array_equal(
        history.takes[0].values, np.loadtxt(folder / "point_history.csv", delimiter=",")[:, 1:]
    )


def test_times_in_another_unit_than_said_are_noted(tmp_path: Path) -> None:
    """Milliseconds taken for seconds make an hour of a minute: not refused, since a table may be slow, but said."""
    lines = ["t,x", *(f"{5000 + 17 * i},{i}" for i in range(9))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    slow = import_table(tmp_path / "t.csv", tmp_path / "slow.rec", time_column="t")
    assert slow.notes == ("its rows are 17 s apart, slow for a gesture: is column 't' in s?",)
    assert import_table(tmp_path / "t.csv", tmp_path / "b.rec", time_column="t", time_unit="ms").notes == ()

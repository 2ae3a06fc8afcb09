"""How long `audiovae corpus prepare` takes on short files, and how much of the audio it keeps.

    python benchmarks/corpus_prepare.py [FOLDER] [--runs N]

Every run is a fresh interpreter, from start to finished corpus, as a user waits for it. The reference is
RAVE 2.3's ``rave preprocess`` on 153 short wav files (239 s), measured once and quoted here: 11.3 s wall on
two cores (one ffprobe and one ffmpeg process a file); it drops every tail shorter than two windows, which was
80 % of that audio. Prints a table and writes benchmarks/out/corpus_prepare.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
REFERENCE = {"what": "rave preprocess (quoted)", "files": 153, "wall_s": 11.3, "kept_share": 0.2}
LIMIT_S = 3.0

PREPARE = """
import json, sys
from audiovae.corpus.prepare import prepare
source, out, workers = sys.argv[1:]
print(json.dumps(prepare([source], out, workers=int(workers), progress=False).to_json()))
"""


def main() -> int:
    """Print the table, write the JSON; 1 if the limit is missed or audio was dropped."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = HERE.parents[1] / "shared" / "data" / "audio" / "sonic_pi" / "train"
    parser.add_argument("folder", type=Path, nargs="?", default=default)
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    if not arguments.folder.is_dir():
        parser.error(f"{arguments.folder}: no such folder; give one of short audio files")
    source_s = measure_source(arguments.folder)
    rows = [measure(arguments.folder, source_s, workers, arguments.runs) for workers in (1, 2)]
    print_table([REFERENCE, *rows])
    out = HERE / "out" / "corpus_prepare.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({"reference": REFERENCE, "limit_s": LIMIT_S, "measured": rows}, indent=1))
    best = min(row["wall_s"] for row in rows)
    kept = all(row["kept_share"] > 0.9999 and row["skipped"] == 0 for row in rows)
    print(
        f"\nlimit {LIMIT_S} s: {'met' if best <= LIMIT_S else 'MISSED'}; nothing dropped: {kept}; wrote {out.name}"
    )
    return 0 if best <= LIMIT_S and kept else 1


def measure_source(folder: Path) -> float:
    """Seconds of audio in the folder, by the headers."""
    from audiovae.corpus.duration import measure_duration

    return measure_duration(folder).duration_s


def measure(folder: Path, source_s: float, workers: int, runs: int) -> dict[str, object]:
    """Medians over `runs` fresh processes."""
    walls, cpus = [], []
    facts: dict[str, object] = {}
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as scratch:
            before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            command = [
                sys.executable,
                "-c",
                PREPARE,
                str(folder),
                str(Path(scratch) / "corpus"),
                str(workers),
            ]
            run = subprocess.run(command, check=True, capture_output=True, text=True)
            walls.append(time.perf_counter() - start)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        facts = json.loads(run.stdout)
    return {
        "what": f"audiovae corpus prepare, {workers} worker(s)",
        "files": facts["files"],
        "skipped": len(facts["skipped"]),
        "duration_s": facts["duration_s"],
        "kept_share": float(facts["duration_s"]) / source_s,
        "wall_s": statistics.median(walls),
        "wall_min_s": min(walls),
        "wall_max_s": max(walls),
        "cpu_s": statistics.median(cpus),
        "runs": runs,
        "processors": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def print_table(rows: list[dict[str, object]]) -> None:
    """One line a row; medians, with the range of the wall times."""
    print(f"{'':<38}{'files':>6}{'kept':>8}{'wall s':>9}{'(min - max)':>16}{'CPU s':>8}{'load':>7}")
    for row in rows:
        spread = f"{row['wall_min_s']:.2f} - {row['wall_max_s']:.2f}" if "wall_min_s" in row else ""
        cpu = f"{row['cpu_s']:.2f}" if "cpu_s" in row else ""
        load = f"{row['load']:.1f}" if "load" in row else ""
        print(
            f"{row['what']:<38}{row['files']:>6}{100 * row['kept_share']:>7.1f}%{row['wall_s']:>9.2f}"
            f"{spread:>16}{cpu:>8}{load:>7}"
        )


if __name__ == "__main__":
    sys.exit(main())

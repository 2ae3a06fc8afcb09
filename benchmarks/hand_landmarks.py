"""Hand landmarks measured: against MediaPipe's own published landmarks of a real video, and what a picture costs.

    python benchmarks/hand_landmarks.py [--shared ../shared] [--hand-model FILE]

Prints a table and writes benchmarks/out/hand_landmarks.json. Truth: tfjs_asl_hand, see its card in datasets/.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from gesturemap.frame import Array
from gesturemap.trackers.hand_layout import hand_block
from gesturemap.trackers.hands import HandsTracker
from gesturemap.trackers.pictures import VideoFile

HERE = Path(__file__).resolve().parent
VIDEO = "asl_hand.25fps.mp4"
WIDTH_PX, HEIGHT_PX = 620, 1080


def distances(values: Array, folder: Path) -> tuple[Array, Array]:
    """Per picture and landmark, how far the right hand is from the published one: (n_frames, 21) px, and mm."""
    right = values[:, hand_block(1)]
    seen_px = right[:, 1:64].reshape(-1, 21, 3)[..., :2] * [WIDTH_PX, HEIGHT_PX]
    world_mm = right[:, 64:].reshape(-1, 21, 3) * 1000
    truth_px = np.array(json.loads((folder / "asl_hand.full.json").read_text()))[..., :2]
    truth_mm = np.array(json.loads((folder / "asl_hand_3d.full.json").read_text())) * 1000
    return np.linalg.norm(seen_px - truth_px, axis=-1), np.linalg.norm(world_mm - truth_mm, axis=-1)


def decoding_ms(folder: Path) -> float:
    """CPU milliseconds a picture of the video costs without looking for hands."""
    file = VideoFile(folder / VIDEO)
    cpu_s = time.process_time()
    n_pictures = sum(1 for _ in iter(file.read, None))
    return 1000 * (time.process_time() - cpu_s) / n_pictures


def measure(folder: Path, hand_model: Path | None, num_hands: int) -> dict[str, float]:
    """Errors over the whole video and the cost of a picture: decoding included, loading the model not."""
    with HandsTracker(folder / VIDEO, hand_model, num_hands=num_hands) as tracker:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        frames = list(iter(tracker.read, None))
        wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    values = np.array([frame.values for frame in frames])
    error_px, error_mm = distances(values, folder)
    return {
        "num_hands": num_hands,
        "frames": len(values),
        "frames_with_hand": int(values[:, hand_block(1)][:, 0].sum()),
        "mean_px": float(np.nanmean(error_px)),
        "p95_px": float(np.nanpercentile(error_px, 95)),
        "max_px": float(np.nanmax(error_px)),
        "mean_mm": float(np.nanmean(error_mm)),
        "p95_mm": float(np.nanpercentile(error_mm, 95)),
        "max_mm": float(np.nanmax(error_mm)),
        "wall_ms_per_frame": 1000 * wall_s / len(values),
        "cpu_ms_per_frame": 1000 * cpu_s / len(values),
        "of_it_decoding": decoding_ms(folder),
    }


def main() -> None:
    """Measure with one and with two hands looked for, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=HERE.parents[1] / "shared")
    parser.add_argument("--hand-model", type=Path)
    arguments = parser.parse_args()
    folder = arguments.shared / "data" / "gestures" / "tfjs_asl_hand"
    model = arguments.hand_model or arguments.shared / "data" / "models" / "hand_landmarker.task"
    rows = [measure(folder, model, num_hands) for num_hands in (1, 2)]

    table = Table(title="Landmarks against the published ones: 325 pictures of one hand, 620 x 1080")
    for key in rows[0]:
        table.add_column(key.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(*(f"{value:.2f}" if isinstance(value, float) else str(value) for value in row.values()))
    Console(width=160).print(table)
    out = HERE / "out" / "hand_landmarks.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(rows, indent=2) + "\n")
    print(f"written: {out.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()

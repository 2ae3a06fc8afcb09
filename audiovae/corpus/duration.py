"""How much audio is in a folder, by kind of file. Headers are read, samples are not decoded."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from audiovae.corpus.audio_file import AudioInfo, find_in_source, name_in_source, probe_audio
from audiovae.errors import AudioFileError


@dataclass(frozen=True)
class DurationGroup:
    """Files of one suffix, rate (Hz) and channel count, and how long they are together."""

    suffix: str
    sample_rate: int
    channels: int
    files: int
    duration_s: float


@dataclass(frozen=True)
class DurationSummary:
    """Durations of a folder: its groups, longest first, and (name, reason) of what cannot be read."""

    folder: Path
    groups: tuple[DurationGroup, ...]
    unreadable: tuple[tuple[str, str], ...]

    @property
    def files(self) -> int:
        """Readable files."""
        return sum(group.files for group in self.groups)

    @property
    def duration_s(self) -> float:
        """Seconds of audio in all readable files."""
        return sum(group.duration_s for group in self.groups)

    def to_json(self) -> dict[str, object]:
        """The figures, for ``--json``."""
        return {
            "folder": str(self.folder),
            "files": self.files,
            "duration_s": round(self.duration_s, 3),
            "groups": [vars(group) | {"duration_s": round(group.duration_s, 3)} for group in self.groups],
            "unreadable": [{"name": name, "reason": reason} for name, reason in self.unreadable],
        }

    def __str__(self) -> str:
        lines = [f"{'type':<7}{'rate Hz':>9}{'channels':>10}{'files':>8}{'h:mm:ss.s':>14}"]
        for group in self.groups:
            lines.append(
                f"{group.suffix:<7}{group.sample_rate:>9}{group.channels:>10}{group.files:>8}"
                f"{format_duration(group.duration_s):>14}"
            )
        lines.append(f"{'total':<26}{self.files:>8}{format_duration(self.duration_s):>14}")
        if self.unreadable:
            lines.append(f"cannot be read ({len(self.unreadable)}):")
            lines += [f"  {name}: {reason}" for name, reason in self.unreadable]
        return "\n".join(lines)


def measure_duration(folder: Path | str) -> DurationSummary:
    """How much audio a folder (or a single file) holds, for every suffix, rate and channel count.

    Raises
    ------
    AudioFileError
        If there is no such folder. A file that cannot be read is listed, not raised.
    """
    folder = Path(folder)
    found: dict[tuple[str, int, int], list[AudioInfo]] = defaultdict(list)
    unreadable = []
    for path in find_in_source(folder):
        try:
            info = probe_audio(path)
        except AudioFileError as error:
            unreadable.append((name_in_source(path, folder), str(error).removeprefix(f"{path}: ")))
        else:
            found[path.suffix.lower(), info.sample_rate, info.channels].append(info)
    groups = [DurationGroup(*kind, len(i), sum(x.duration_s for x in i)) for kind, i in found.items()]
    groups.sort(key=lambda group: (-group.duration_s, group.suffix, group.sample_rate, group.channels))
    return DurationSummary(folder, tuple(groups), tuple(unreadable))


def format_duration(duration_s: float) -> str:
    """Seconds as h:mm:ss.s."""
    tenths = round(duration_s * 10)
    return f"{tenths // 36000}:{tenths // 600 % 60:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"

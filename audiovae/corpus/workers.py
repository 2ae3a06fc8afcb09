"""Work that goes file by file: several workers, and a progress bar on stderr."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from audiovae.errors import CorpusError

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_files(
    function: Callable[[Item], Result],
    files: Sequence[Item],
    workers: int | None,
    label: str,
    progress: bool = True,
) -> list[Result]:
    """`function` of every file, in the order of `files`; the first error stops the rest and is raised.

    The workers are threads: libsndfile, soxr and hashing release Python's lock, and threads start at once.
    """
    with ThreadPoolExecutor(count_workers(workers)) as pool:
        futures = [pool.submit(function, file) for file in files]
        try:
            for future in show_progress(as_completed(futures), len(files), label, progress):
                future.result()
        finally:
            pool.shutdown(cancel_futures=True)
    return [future.result() for future in futures]


def count_workers(workers: int | None) -> int:
    """The workers asked for, or one per processor.

    Raises
    ------
    CorpusError
        If fewer than one is asked for.
    """
    if workers is not None and workers < 1:
        raise CorpusError(f"{workers} workers: expected 1 or more")
    return workers or os.cpu_count() or 1


def show_progress(items: Iterable[Item], total: int, label: str, enabled: bool) -> Iterator[Item]:
    """The items as they come, counted by a bar on stderr that disappears at the end."""
    if not enabled:
        yield from items
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(items, total=total, description=label)

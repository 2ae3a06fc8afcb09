"""Work that goes file by file on other machines: the workers of a dask scheduler.

The scheduler and its workers run the same version of this program and see the same files under the same paths.
They run what they are sent: use a scheduler that you trust, on a network that you trust.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from audiovae.corpus.workers import show_progress
from audiovae.errors import AudioVAEError, CorpusError

Item = TypeVar("Item")
Result = TypeVar("Result")

CONNECT_TIMEOUT_S = 10.0
WORKERS_TIMEOUT_S = 60.0  # without any worker
POLL_S = 2.0
LOST = "the connection to the dask scheduler was lost; run again: what is done is kept"
_KILLED = object()
START = "start one with  dask scheduler  and, on each machine,  dask worker ADDRESS"


def map_on_cluster(
    function: Callable[[Item], Result],
    files: Sequence[Item],
    scheduler: str,
    label: str,
    on_killed: Callable[[Item], Result],
    progress: bool = True,
) -> list[Result]:
    """`function` of every file, in the order of `files`; the first error stops the rest and is raised.

    What a worker that dies was at is done by another. A file whose workers died more often than the scheduler
    allows (its setting ``allowed-failures``, 3) is tried once more with no other file beside it, as those that
    waited with the culprit are suspected too, and is then given up.

    Parameters
    ----------
    function : sent to the workers, like its results; called again for a file whose worker died.
    scheduler : address such as ``tcp://host:8786``.
    label : on the bar.
    on_killed : the result for a file that is given up.
    progress : show a bar on stderr.

    Raises
    ------
    CorpusError
        If distributed is not installed, no scheduler answers, all workers are gone, or the cluster cannot run
        this program.
    """
    client = _connect(scheduler)
    try:
        results: dict[int, Result] = {}
        running = dict(zip(client.map(function, files, pure=False), range(len(files)), strict=True))
        done = _watch(list(running))
        for _ in show_progress(range(len(files)), len(files), label, progress):
            future, result = _next(done, client)
            if result is not _KILLED:
                results[running[future]] = result
            future.release()
        for i in sorted(set(range(len(files))) - set(results)):
            result = _next(_watch([client.submit(function, files[i], pure=False)]), client)[1]
            results[i] = on_killed(files[i]) if result is _KILLED else result
    finally:
        client.close(timeout=CONNECT_TIMEOUT_S)
    return [results[i] for i in range(len(files))]


def _connect(scheduler: str) -> Any:
    try:
        import distributed
    except ModuleNotFoundError:
        raise CorpusError("distributed is not installed: run  pip install 'gesturemap[cluster]'") from None
    try:
        connect: Any = distributed.Client  # untyped
        return connect(scheduler, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:  # a timeout is an OSError; an odd address the others
        reason = str(error) or type(error).__name__
        raise CorpusError(f"{scheduler}: no dask scheduler answers there ({reason}); {START}") from None


def _watch(futures: Sequence[Any]) -> queue.SimpleQueue[Any]:
    """Where futures arrive when they are done, whatever became of them."""
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for future in futures:
        future.add_done_callback(done.put)
    return done


def _next(done: queue.SimpleQueue[Any], client: Any) -> tuple[Any, Any]:
    """The next future that is done, and its result; an error where nothing can ever be done, or its own went wrong."""
    last_seen_s = time.monotonic()
    while True:
        try:
            future = done.get(timeout=POLL_S)
        except queue.Empty:
            if _count_workers(client):
                last_seen_s = time.monotonic()
            elif time.monotonic() - last_seen_s > WORKERS_TIMEOUT_S:
                raise CorpusError(
                    f"{client.scheduler.address}: no worker for {WORKERS_TIMEOUT_S:.0f} s; {START}, then run again: "
                    "what is done is kept"
                ) from None
            continue
        try:
            return future, _result(future)
        except TimeoutError:
            if future.status == "error":  # the file system's, not ours
                raise
            done.put(future)  # the worker that held the result is gone: it is made again


def _result(future: Any) -> Any:
    """The result, or `_KILLED` where the workers died of it."""
    from distributed import KilledWorker

    try:
        return future.result(timeout=POLL_S)
    except KilledWorker:
        return _KILLED
    except (AudioVAEError, OSError):
        raise
    except (asyncio.CancelledError, concurrent.futures.CancelledError):
        raise CorpusError(LOST) from None
    except Exception as error:  # whatever the other machine could not do
        raise CorpusError(
            f"the cluster could not run this program ({error!r}); scheduler and workers need the same version of "
            "audiovae and of dask as here"
        ) from error


def _count_workers(client: Any) -> int:
    try:
        return len(client.nthreads())
    except (OSError, RuntimeError) as error:
        raise CorpusError(f"{LOST} ({error})") from None

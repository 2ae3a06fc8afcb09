"""Corpora on a cluster: two worker processes give what one machine gives, though they die."""

from __future__ import annotations

import logging
import os
import queue
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from audiovae.corpus import cluster as cluster_module
from audiovae.corpus import prepare as prepare_module
from audiovae.corpus.prepare import prepare
from audiovae.errors import CorpusError

distributed = pytest.importorskip(
    "distributed", reason="distributed is not installed: pip install 'gesturemap[cluster]'"
)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Address of a scheduler on loopback with two worker processes; one that dies is replaced."""
    import dask

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    settings = {"distributed.scheduler.allowed-failures": 1, "distributed.admin.tick.limit": "60s"}
    with (
        dask.config.set(settings),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as local,
    ):
        yield local.scheduler_address


def contents(corpus: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(corpus.iterdir())}


def test_a_worker_killed_midway_loses_nothing(
    loops: Path, tmp_path: Path, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare([loops], tmp_path / "here", progress=False)
    deaths = tmp_path / "deaths"
    decode = prepare_module.decode_shared

    def dying(file: Any, **settings: Any) -> Any:
        if file.name == "tone_3.wav" and not deaths.exists():
            deaths.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        return decode(file, **settings)

    monkeypatch.setattr(prepare_module, "decode_shared", dying)
    summary = prepare([loops], tmp_path / "there", scheduler=scheduler, progress=False)
    assert int(deaths.read_text()) != os.getpid()
    assert (summary.decoded, len(summary.index.files), summary.index.skipped) == (12, 12, ())
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_a_file_that_kills_every_worker_is_listed(
    loops: Path, tmp_path: Path, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = prepare_module.decode_shared

    def dying(file: Any, **settings: Any) -> Any:
        if file.name == "tone_3.wav":
            os.kill(os.getpid(), signal.SIGKILL)
        return decode(file, **settings)

    monkeypatch.setattr(prepare_module, "decode_shared", dying)
    index = prepare([loops], tmp_path / "corpus", scheduler=scheduler, progress=False).index
    assert [(file.name, file.reason) for file in index.skipped] == [
        ("tone_3.wav", "not readable: it killed every worker that read it")
    ]
    assert len(index.files) == 11


def test_workers_that_do_not_see_the_files_are_an_error(
    loops: Path, tmp_path: Path, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = prepare_module.decode_shared

    def blind(file: Any, **settings: Any) -> Any:
        return decode(file.model_copy(update={"path": Path("/nowhere") / file.name}), **settings)

    monkeypatch.setattr(prepare_module, "decode_shared", blind)
    with pytest.raises(CorpusError, match=r"not there on the worker .* shared file system"):
        prepare([loops], tmp_path / "corpus", scheduler=scheduler, progress=False)


def test_no_scheduler_is_said_soon(loops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_TIMEOUT_S", 1.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers there
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(CorpusError, match=r"no dask scheduler answers there .*dask worker ADDRESS"):
            prepare([loops], tmp_path / "corpus", scheduler=address, progress=False)
    with pytest.raises(CorpusError, match="no dask scheduler answers there"):
        prepare([loops], tmp_path / "corpus", scheduler="not an address", progress=False)
    with pytest.raises(CorpusError, match="expected one of the two"):
        prepare([loops], tmp_path / "corpus", scheduler=address, workers=2, progress=False)


def test_a_scheduler_without_workers_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Deserted:
        scheduler = SimpleNamespace(address="tcp://host:8786")

        def nthreads(self) -> dict[str, int]:
            return {}

    monkeypatch.setattr(cluster_module, "WORKERS_TIMEOUT_S", 0.0)
    monkeypatch.setattr(cluster_module, "POLL_S", 0.01)
    with pytest.raises(CorpusError, match=r"tcp://host:8786: no worker for 0 s; .* run again"):
        cluster_module._next(queue.SimpleQueue(), Deserted())

"""The bridge on Wekinator's own ground: accuracy, training time, latency, rate, held poses, broken packets.

    python benchmarks/bridge.py [--drive ../shared/acceptance/wek_drive.py] [--packets 1000000] [--rounds 2]
        [--only drive,latency,rate,poses,packets]

``drive`` runs the acceptance program unchanged, against the default regressor and against ``wekinator``, the original's
network, in turns. ``latency`` sends and receives in two processes, since that program's one holds up its own receiver
at 1000 inputs a second: time from sending to the arrival of the answer, stamped by the kernel, and until a program has
it; beside a server that only sends back, the floor of the machine. ``rate`` sends at rising rates and counts the
answers; the sender neither decodes nor computes. ``poses`` compares the learners on 12 held poses of 20 frames: at the
poses, everywhere, and how far outputs leave the range of a model on straight ways between the poses. ``packets`` sends
random and mutated packets with good ones between: every good one must be answered and memory stay flat. Prints tables
with the load they were measured at, writes benchmarks/out/bridge.json after every section.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import multiprocessing
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from gesturemap.bridge.answering import AnswerPlan
from gesturemap.bridge.learning import DEFAULT_CHOICE, Lesson, choose_regressor, learn
from gesturemap.bridge.outputs import NumericOutput
from gesturemap.bridge.slots import Slot
from gesturemap.osc.codec import decode, encode, encode_bundle, encode_floats

HERE = Path(__file__).resolve().parent
OUT = HERE / "out" / "bridge.json"
DRIVE = HERE.parent.parent / "shared" / "acceptance" / "wek_drive.py"
SIZES = (100, 1000, 5000)
RATES = (5_000, 10_000, 15_000, 20_000, 25_000, 30_000, 40_000)
LATENCY_RATES = (100, 1000)
SO_TIMESTAMPNS = 35  # of Linux: the kernel tells when a packet came
ECHO = """
import socket, sys
heard, said = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
heard.bind(("127.0.0.1", 0))
print(f"listening on 127.0.0.1:{heard.getsockname()[1]},", file=sys.stderr, flush=True)
while True:
    if heard.recv(65535).startswith(b"/wek/inputs"):
        said.sendto(bytes.fromhex(sys.argv[2]), ("127.0.0.1", int(sys.argv[1])))
"""
PATIENCE_S = 10.0
N_POSES, N_FRAMES, N_BETWEEN = 12, 20, 20
Results = dict[str, Any]


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[tuple[int, int]]:
    """A server in its own process, which says first where it listens; gives its in-port and process id."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr is not None
    try:
        yield int(process.stderr.readline().split(",")[0].rsplit(":", 1)[1]), process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        process.stderr.close()


@contextlib.contextmanager
def running_bridge(
    out_port: int | str, regressor: str = DEFAULT_CHOICE.name, priority: int = 0
) -> Iterator[tuple[int, int]]:
    """A bridge in its own process; gives its in-port and process id."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", "from gesturemap.cli import main; main()", "bridge", "--in-port", "0"]
        options = ["--out-port", str(out_port), "--regressor", regressor, "--session", f"{folder}/a.session"]
        options += ["--priority", str(priority)]
        with running(command + options) as server:
            yield server


def free_port() -> int:
    """A port that nobody holds now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def drive(program: Path, n: int, regressor: str) -> Results:
    """One run of the acceptance program."""
    out_port = free_port()
    with running_bridge(out_port, regressor) as (in_port, _):
        ports = ["--in-port", str(in_port), "--out-port", str(out_port)]
        said = subprocess.run(
            [sys.executable, str(program), *ports, "--n", str(n), "--label", regressor, "--secs", "5"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    result: Results = json.loads(said.stdout)
    return result


def drive_all(program: Path, rounds: int) -> list[Results]:
    """Both learners at every size, in turns."""
    runs = []
    for _ in range(rounds):
        for n in SIZES:
            runs += [drive(program, n, name) for name in (DEFAULT_CHOICE.name, "wekinator")]
    return runs


class Client:
    """Sends to a bridge and counts what comes back."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]
        self.target = ("127.0.0.1", 0)

    def send(self, packet: bytes) -> None:
        """One packet to the bridge."""
        self.socket.sendto(packet, self.target)

    def wait_for(self, address: str) -> None:
        """Until a message of that address has come; `TimeoutError` if none has come for ten seconds."""
        while select.select([self.socket], [], [], PATIENCE_S)[0]:
            if decode(self.socket.recv(65535))[0].address == address:
                return
        raise TimeoutError(address)

    def teach(self, n: int = 200) -> None:
        """Examples, training, running: 6 inputs to 8 outputs."""
        rng = np.random.default_rng(0)
        self.send(encode_floats("/wekinator/control/outputs", [0.0] * 8))
        self.send(encode("/wekinator/control/startRecording"))
        for row in rng.uniform(size=(n, 6)).tolist():
            self.send(encode_floats("/wekinator/control/outputs", [*row, row[0] * row[1], row[2] ** 2]))
            self.send(encode_floats("/wek/inputs", row))
            time.sleep(0.001)
        self.send(encode("/wekinator/control/train"))
        self.wait_for("/wekinator/status/done-training")
        self.send(encode("/wekinator/control/startRunning"))

    def count(self) -> int:
        """Answers that are there now."""
        n = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                self.socket.recv(65535)
                n += 1
        return n


def send_paced(target: tuple[str, int], rate: float, count: int, said: Any) -> None:
    """Inputs, one every 1 / `rate` seconds; the moments they were sent, in seconds since 1970, go into `said`."""
    packets = [encode_floats("/wek/inputs", row) for row in np.random.default_rng(1).uniform(size=(64, 6)).tolist()]
    sent_s = np.empty(count)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        start_s = time.time() + 0.2
        for i in range(count):
            due_s = start_s + i / rate
            while (left_s := due_s - time.time()) > 0:
                if left_s > 0.0004:
                    time.sleep(left_s - 0.0003)
            sent_s[i] = time.time()
            sender.sendto(packets[i % 64], target)
    said.send(sent_s)


def latency(client: Client, rate: float, seconds: float = 4.0) -> Results:
    """Milliseconds from sending to arriving and to being received, sender and receiver in two processes."""
    count = int(rate * seconds)
    hear, say = multiprocessing.Pipe(duplex=False)
    sender = multiprocessing.Process(target=send_paced, args=(client.target, rate, count, say))
    client.count()
    client.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sender.start()
    arrived_s, received_s = [], []
    while len(arrived_s) < count and select.select([client.socket], [], [], 2.0)[0]:
        _, stamps, _, _ = client.socket.recvmsg(65535, 64)
        received_s.append(time.time())
        whole, fraction = struct.unpack("qq", stamps[0][2])
        arrived_s.append(whole + 1e-9 * fraction)
    sent_s = hear.recv()
    sender.join()
    result: Results = {"rate": rate, "sent": count, "answered": len(arrived_s), "load": os.getloadavg()[0]}
    if len(arrived_s) == count:
        for name, at_s in (("arrived", arrived_s), ("received", received_s)):
            took_ms = 1e3 * (np.array(at_s) - sent_s)[count // 10 :]
            result[f"{name}_ms"] = [round(float(each), 3) for each in np.percentile(took_ms, (50, 95, 99, 100))]
    return result


def latencies(rounds: int) -> list[Results]:
    """The floor, both learners, and one with priority, in turns; and what the processor does for it."""
    default = DEFAULT_CHOICE.name
    with contextlib.ExitStack() as stack:
        clients, pids = {}, {}
        for name in ("echo", default, f"{default}, priority", "wekinator"):
            client = clients[name] = Client()
            answer = encode_floats("/wek/outputs", [0.5] * 8).hex()
            learner, _, urgent = name.partition(", ")
            server = (
                running([sys.executable, "-c", ECHO, str(client.port), answer])
                if name == "echo"
                else running_bridge(client.port, learner, priority=10 if urgent else 0)
            )
            in_port, pids[name] = stack.enter_context(server)
            client.target = ("127.0.0.1", in_port)
            if name != "echo":
                client.teach(1000)
        runs = []
        for _ in range(rounds):
            for rate in LATENCY_RATES:
                for name, client in clients.items():
                    before_s = processor_s(pids[name])
                    runs.append({"learner": name} | latency(client, rate))
                    runs[-1]["processor_s"] = round(processor_s(pids[name]) - before_s, 2)
        return runs


def processor_s(pid: int) -> float:
    """Seconds of processor a process has had."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def flood(client: Client, rate: int, seconds: float = 3.0) -> Results:
    """Inputs at `rate` messages a second; answers are counted until none has come for a second."""
    packets = [encode_floats("/wek/inputs", row) for row in np.random.default_rng(1).uniform(size=(64, 6)).tolist()]
    total, sent, got = int(rate * seconds), 0, 0
    start = time.perf_counter()
    while sent < total:
        due = min(total, int((time.perf_counter() - start) * rate) + 1)
        for i in range(sent, due):
            client.send(packets[i % 64])
        sent = due
        got += client.count()
    lasted = time.perf_counter() - start
    idle = time.perf_counter()
    while got < total and time.perf_counter() - idle < 1.0:
        more = client.count()
        got, idle = got + more, time.perf_counter() if more else idle
        time.sleep(0.001)
    return {"rate": rate, "achieved": round(sent / lasted), "sent": sent, "answered": got, "load": os.getloadavg()[0]}


def rates() -> list[Results]:
    """Rising rates until answers are lost."""
    client = Client()
    with running_bridge(client.port) as (in_port, _):
        client.target = ("127.0.0.1", in_port)
        client.teach(1000)
        runs = []
        for rate in RATES:
            runs.append(flood(client, rate))
            if runs[-1]["answered"] < 0.8 * runs[-1]["sent"]:
                break
    return runs


def held_poses(program: Path, seeds: int = 10) -> list[Results]:
    """Both learners on poses held still, on the generator of the acceptance program."""
    spec = importlib.util.spec_from_file_location("wek_drive", program)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = np.quantile(module.gen(99, 5000)[2], (0.01, 0.99), axis=0)  # what a model's latents are like
    elsewhere, _, truth = module.gen(1007, 500)
    kind = [NumericOutput(low, high, limits="clip") for low, high in model.T.tolist()]
    runs = []
    for seed in range(seeds):
        poses, _, labels = module.gen(seed, N_POSES, noise=0.0)
        rng = np.random.default_rng(seed)
        inputs = np.repeat(poses.astype(float), N_FRAMES, axis=0) + rng.normal(0, 0.01, (N_POSES * N_FRAMES, 6))
        again = poses + rng.normal(0, 0.01, poses.shape)
        share = np.linspace(0, 1, N_BETWEEN)[:, None, None]
        pairs = np.array([(a, b) for a in range(N_POSES) for b in range(a)])
        ways = ((1 - share) * poses[pairs[:, 0]] + share * poses[pairs[:, 1]]).reshape(-1, 6)
        for name in (DEFAULT_CHOICE.name, "wekinator"):
            choice = choose_regressor(name)
            lesson = Lesson(
                inputs, np.repeat(labels, N_FRAMES, axis=0), tuple(kind), (choice,) * 8, (tuple(range(6)),) * 8,
                tuple(range(8)),
            )  # fmt: skip
            learned = learn(lesson)
            slots = [Slot(each, "", choice, learned=learned[0]) for each in kind]
            plan = AnswerPlan.of(slots)
            limited = np.array([plan.answer(row, [0.0] * 8) for row in ways.tolist()])
            free = learned[0].predict(ways)
            runs.append(
                {
                    "learner": name,
                    "seed": seed,
                    "rmse_at_poses": rmse(learned[0].predict(again) - labels),
                    "rmse_elsewhere": rmse(learned[0].predict(elsewhere) - truth),
                    "overshoot_free": overshoot(free, model),
                    "overshoot_with_model": overshoot(limited, model),
                }
            )
    return runs


def rmse(error: Any) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(np.square(error))))


def overshoot(outputs: Any, model: Any) -> float:
    """Farthest outside the model's range, in units of that range."""
    beyond = np.maximum(model[0] - outputs, outputs - model[1]).max(axis=0) / (model[1] - model[0])
    return float(np.maximum(beyond, 0.0).max())


def resident_mb(pid: int) -> float:
    """Memory of a process in MB; NaN where the system does not say."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return float("nan")
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def broken_packet(rng: np.random.Generator, good: list[bytes]) -> bytes:
    """Random bytes, or a good packet with some bytes changed and the end cut off."""
    if rng.random() < 0.3:
        return rng.bytes(int(rng.integers(0, 128)))
    packet = bytearray(good[rng.integers(len(good))])
    for _ in range(rng.integers(1, 5)):
        packet[rng.integers(len(packet))] = rng.integers(256)
    return bytes(packet[: rng.integers(len(packet) // 2, len(packet) + 1)])


def broken_packets(count: int) -> Results:
    """Broken packets in bursts of 40, a numbered good one behind each, whose answer is waited for."""
    client = Client()
    rng = np.random.default_rng(0)
    row = [0.5] * 6
    good = [encode_floats("/wek/inputs", row), encode("/b", ["x", 3, b"12", True]), encode_floats("/latent", row)]
    good.append(encode_bundle(good))
    with running_bridge(client.port) as (in_port, pid):
        client.target = ("127.0.0.1", in_port)
        client.teach()
        memory = [resident_mb(pid)]
        asked = answered = 0
        for sent in range(0, count, 40):
            for _ in range(40):
                client.send(broken_packet(rng, good))
            asked += 1
            client.send(encode("/gesturemap/inputs", [asked, *row]))
            with contextlib.suppress(TimeoutError):
                client.wait_for("/gesturemap/outputs")
                answered += 1
            if sent % (count // 10 // 40 * 40 or 40) == 0:
                memory.append(resident_mb(pid))
        memory.append(resident_mb(pid))
    return {"packets": count, "good": asked, "answered": answered, "memory_mb": [round(each, 1) for each in memory]}


def show(results: Results) -> None:
    """Tables of what was measured."""
    console = Console()
    if "drive" in results:
        table = Table("learner", "N", "held-out RMSE", "train s", "100 Hz ms", "1000 Hz ms", "lost %", "load")
        for run in results["drive"]:
            cells = [f"{at.get('median_ms', '-')} / {at.get('p99_ms', '-')}" for at in run["latency"]]
            lost = max(at["loss_pct"] for at in run["latency"])
            error = f"{run['heldout']['rmse_mean']:.4f}"
            table.add_row(run["label"], str(run["n"]), error, str(run["train_s"]), *cells, str(lost), run["loadavg"][0])
        console.print(table)
    if "latency" in results:
        table = Table(
            "server", "Hz", "sent", "answered", "arrived, 50 / 99 % ms", "received, 50 / 99 % ms", "CPU s", "load"
        )
        for run in results["latency"]:
            times = ["{0} / {2}".format(*run.get(key, "---")) for key in ("arrived_ms", "received_ms")]
            counts = [str(run[key]) for key in ("rate", "sent", "answered")]
            table.add_row(run["learner"], *counts, *times, str(run["processor_s"]), f"{run['load']:.1f}")
        console.print(table)
    if "rate" in results:
        table = Table("messages/s asked", "sent", "answered", "lost", "load")
        for run in results["rate"]:
            lost = str(run["sent"] - run["answered"])
            table.add_row(str(run["rate"]), str(run["achieved"]), str(run["answered"]), lost, f"{run['load']:.1f}")
        console.print(table)
    if "poses" in results:
        keys = list(results["poses"][0])
        table = Table(*keys)
        for run in results["poses"]:
            table.add_row(*[f"{run[key]:.4g}" if isinstance(run[key], float) else str(run[key]) for key in keys])
        console.print(table)
    if "packets" in results:
        console.print(results["packets"])


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drive", type=Path, default=DRIVE)
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", default="poses,latency,rate,drive,packets")
    arguments = parser.parse_args()
    sections = {
        "poses": lambda: held_poses(arguments.drive),
        "latency": lambda: latencies(arguments.rounds),
        "rate": rates,
        "drive": lambda: drive_all(arguments.drive, arguments.rounds),
        "packets": lambda: broken_packets(arguments.packets),
    }
    results: Results = json.loads(OUT.read_text()) if OUT.exists() else {}
    for name in arguments.only.split(","):
        results[name] = sections[name]()
        results[f"{name}_load"] = os.getloadavg()
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps(results, indent=1))
        show({name: results[name]})


if __name__ == "__main__":
    main()

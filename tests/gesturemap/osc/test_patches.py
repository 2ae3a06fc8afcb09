"""The patches: every cord of the Max patch joins what exists, and Pure Data plays what it is sent."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gesturemap.errors import OscError
from gesturemap.osc.codec import decode, encode_bundle, encode_floats
from gesturemap.osc.patch_box import PatchPlan, safe_name
from gesturemap.osc.patch_max import Patcher, max_patch
from gesturemap.osc.patch_pd import Canvas, player_patch, receiver_patch
from gesturemap.osc.udp import UdpReceiver, UdpSender


def make_plan(size: int = 3, channels: int = 1, port: int = 7400, hop_length: int = 2048) -> PatchPlan:
    names = tuple(f"latent_{index}" for index in range(size))
    low, high = [-1.0 - index for index in range(size)], [1.0 + index for index in range(size)]
    return PatchPlan("loops", names, low, high, [0.25] * size, channels, port, 44100, hop_length)


def moving_plan(size: int, channels: int = 1, moves: str = "+~", port: int = 7400) -> PatchPlan:
    """Of a mapping that moves live sound, whose latents stay within -0.5 and 0.5."""
    plan = make_plan(size, channels, port)
    return replace(plan, rest=[0.0] * size, moves=moves, latent_low=[-0.5] * size, latent_high=[0.5] * size)


@pytest.mark.parametrize(("size", "channels"), [(1, 1), (4, 2), (16, 1)])
@pytest.mark.parametrize("moves", ["", "+~", "*~"])
def test_every_cord_of_the_max_patch_joins_an_outlet_and_an_inlet(size: int, channels: int, moves: str) -> None:
    plan = moving_plan(size, channels, moves) if moves else make_plan(size, channels)
    patcher = json.loads(max_patch(plan))["patcher"]
    boxes = {entry["box"]["id"]: entry["box"] for entry in patcher["boxes"]}
    texts = [box["text"] for box in boxes.values()]
    assert "udpreceive 7400" in texts
    assert "nn~ loops decode 2048" in texts
    reached = set()
    for entry in patcher["lines"]:
        (source, outlet), (target, inlet) = entry["patchline"]["source"], entry["patchline"]["destination"]
        assert 0 <= outlet < boxes[source]["numoutlets"] == len(boxes[source]["outlettype"])
        assert 0 <= inlet < boxes[target]["numinlets"]
        reached.add((boxes[target]["text"], inlet))
    assert {("nn~ loops decode 2048", index) for index in range(size)} <= reached
    assert {("dac~ 1 2", 0), ("dac~ 1 2", 1)} <= reached
    encoded = {("nn~ loops encode 2048", index) for index in range(channels)} | {(moves, 0), (moves, 1)}
    assert encoded <= reached if moves else not encoded & reached


def test_a_cord_to_nowhere_cannot_be_written() -> None:
    patcher = Patcher()
    one, other = patcher.box(0, 0, "sig~", 1, ["signal"]), patcher.box(0, 40, "dac~", 2, [])
    patcher.join(one, 0, other, 1)
    with pytest.raises(OscError, match="no cord from outlet 1"):
        patcher.join(one, 1, other)
    with pytest.raises(OscError, match="to inlet 2"):
        patcher.join(one, 0, other, 2)


@pytest.mark.parametrize(
    "patch",
    [
        receiver_patch(make_plan(5, 2)),
        player_patch(make_plan(5, 2), "loops_latents"),
        player_patch(moving_plan(5, 2), "loops_latents"),
    ],
)
def test_every_cord_of_a_pd_patch_joins_boxes_that_exist(patch: str) -> None:
    records = patch.split(";\n")
    boxes = [line for line in records if line.startswith("#X") and not line.startswith("#X connect")]
    cords = [list(map(int, line.split()[2:])) for line in records if line.startswith("#X connect")]
    assert cords
    assert all(source < len(boxes) and target < len(boxes) for source, _, target, _ in cords)


def test_buffer_and_ramp_follow_the_hop() -> None:
    assert [make_plan(hop_length=hop).buffer for hop in (128, 512, 2048, 2049)] == [512, 512, 2048, 4096]
    assert (make_plan(hop_length=2048).ramp_ms, make_plan(hop_length=0).ramp_ms) == (46, 20)
    assert safe_name("my loops, v2") == "my-loops-v2"
    with pytest.raises(OscError, match="letters, digits"):
        PatchPlan("my loops", (), (), (), ())


def test_pure_data_plays_what_it_is_sent(tmp_path: Path) -> None:
    """The receiver patch as it is written, in real Pure Data without a sound card; its signals come back by OSC."""
    echo, port = UdpReceiver(0), _free_port()
    (tmp_path / "loops_latents.pd").write_text(receiver_patch(make_plan(3, port=port)))
    (tmp_path / "main.pd").write_text(_echo_patch(3, echo.port))
    sender = UdpSender("127.0.0.1", port)
    with _pure_data(tmp_path / "main.pd"):
        assert _hear(echo, sender, b"", [0.25, 0.25, 0.25, 1.0])  # at rest, and not silent
        assert _hear(echo, sender, encode_floats("/latent", [0.5, -1.5, 2.0]), [0.5, -1.5, 2.0, 1.0])
        bundle = encode_bundle([encode_floats("/latent", [0.75, 0.0, 1.0])])
        assert _hear(echo, sender, bundle, [0.75, 0.0, 1.0, 1.0])
        beyond = encode_floats("/latent", [9.0, -9.0, 9.0])
        assert _hear(echo, sender, beyond, [1.0, -2.0, 3.0, 1.0])  # kept in the model's range
        sender.send(encode_floats("/gesturemap/latent/ranges", [7.0] * 6))  # is no latent
        assert _hear(echo, sender, encode_floats("/gesturemap/playing", [0.0]), [1.0, -2.0, 3.0, 0.0])
    sender.close()
    echo.close()


@pytest.mark.parametrize(("moves", "expected"), [("+~", [0.4, -0.2, 0.5]), ("*~", [0.03, -0.08, 0.36])])
def test_pure_data_moves_the_latents_of_live_sound(moves: str, expected: list[float], tmp_path: Path) -> None:
    """The whole instrument; for nn~ an abstraction that encodes all sound to .1 .2 .3 and reports what it decodes."""
    echo, port = UdpReceiver(0), _free_port()
    plan = moving_plan(3, moves=moves, port=port)
    (tmp_path / "loops_latents.pd").write_text(receiver_patch(plan))
    (tmp_path / "loops.pd").write_text(player_patch(plan, "loops_latents"))
    (tmp_path / "nn~.pd").write_text(_network_patch([0.1, 0.2, 0.3], echo.port))
    sender = UdpSender("127.0.0.1", port)
    with _pure_data(tmp_path / "loops.pd"):
        assert _hear(echo, sender, encode_floats("/latent", [0.3, -0.4, 1.2]), expected, address="/decode")
    sender.close()
    echo.close()


def _free_port() -> int:
    receiver = UdpReceiver(0)
    receiver.close()
    return receiver.port


@contextmanager
def _pure_data(patch: Path) -> Iterator[None]:
    """Pure Data with `patch` open, without a sound card; it must not complain."""
    pd = shutil.which("pd")
    if pd is None:
        pytest.skip("Pure Data is not installed (Debian: apt install puredata)")
    command = [pd, "-nogui", "-noaudio", "-nomidi", "-noprefs", "-stderr", "-path", str(patch.parent)]
    process = subprocess.Popen([*command, "-open", str(patch)], stderr=subprocess.PIPE, text=True)
    try:
        yield
    finally:
        process.terminate()
        _, said = process.communicate(timeout=10)
    assert "couldn't create" not in said, said
    assert "error" not in said, said


def _echo_patch(size: int, port: int) -> str:
    """A patch that reports the signals of ``loops_latents`` as ``/heard``, every 10 ms."""
    canvas = Canvas(600, 400)
    source = canvas.obj(20, 20, "loops_latents")
    _report(canvas, [(source, index) for index in range(size + 1)], "heard", port)
    return canvas.file()


def _network_patch(latents: list[float], port: int) -> str:
    """An abstraction in place of nn~: sound becomes `latents`, what comes in is reported under the method's name."""
    canvas = Canvas(600, 400)
    inlets = [canvas.obj(20 + 60 * index, 20, "inlet~") for index in range(len(latents))]
    for index, value in enumerate(latents):
        latent, outlet = canvas.obj(20 + 60 * index, 330, f"sig~ {value}"), canvas.obj(20 + 60 * index, 360, "outlet~")
        canvas.connect(latent, 0, outlet)
    _report(canvas, [(inlet, 0) for inlet in inlets], "$2", port)
    return canvas.file()


def _report(canvas: Canvas, signals: list[tuple[int, int]], address: str, port: int) -> None:
    """Boxes that send the values of `signals`, each a box and its outlet, by OSC every 10 ms."""
    start, metro = canvas.obj(300, 20, "loadbang"), canvas.obj(300, 60, "metro 10")
    on, connect = canvas.msg(400, 60, "; pd dsp 1"), canvas.msg(400, 100, f"connect 127.0.0.1 {port}")
    pack, osc = canvas.obj(20, 140, "pack" + " f" * len(signals)), canvas.obj(20, 180, f"oscformat {address}")
    send, trim = canvas.obj(20, 220, "list prepend send"), canvas.obj(20, 260, "list trim")
    net = canvas.obj(20, 300, "netsend -u -b")
    for target in (connect, on, metro):
        canvas.connect(start, 0, target)
    for index, (source, outlet) in reversed(list(enumerate(signals))):  # pack's first inlet last: it is what sends
        shot = canvas.obj(20 + 60 * index, 100, "snapshot~")
        canvas.connect(source, outlet, shot)
        canvas.connect(metro, 0, shot)
        canvas.connect(shot, 0, pack, index)
    for box, target in ((pack, osc), (osc, send), (send, trim), (trim, net), (connect, net)):
        canvas.connect(box, 0, target)


def _hear(echo: UdpReceiver, sender: UdpSender, packet: bytes, expected: list[float], address: str = "/heard") -> bool:
    """Whether Pd's signals at `address` become `expected` while `packet` is sent again and again."""
    end_s = time.monotonic() + 20.0
    while time.monotonic() < end_s:
        if packet:
            sender.send(packet)
        received = echo.receive(0.5)
        if received is not None:
            (message,) = decode(received[0])
            if message.address == address and list(message.arguments) == pytest.approx(expected, abs=1e-5):
                return True
    return False

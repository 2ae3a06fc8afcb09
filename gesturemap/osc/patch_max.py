"""A patch for Max, as the JSON of a .maxpat file.

Every box says how many inlets and outlets it has, and `join` refuses a cord that begins or ends at one that is not
there: a patch that Max would open with missing cords cannot be written.
"""

from __future__ import annotations

import json
from typing import Any

from gesturemap.errors import OscError
from gesturemap.osc.patch_box import PatchPlan

_GAIN = 0.5


class Patcher:
    """Boxes and patchcords."""

    def __init__(self) -> None:
        self._boxes: list[dict[str, Any]] = []
        self._lines: list[dict[str, Any]] = []

    def box(self, x: int, y: int, text: str, inlets: int, outlets: list[str], kind: str = "newobj") -> str:
        """A box; returns its id.

        Parameters
        ----------
        outlets : type of each: ``""`` message, ``signal``, ``bang``, ``float``.
        """
        name = f"obj-{len(self._boxes) + 1}"
        box: dict[str, Any] = {
            "id": name,
            "maxclass": kind,
            "numinlets": inlets,
            "numoutlets": len(outlets),
            "patching_rect": [float(x), float(y), float(max(40, 7 * len(text) + 14)), 22.0],
            "text": text,
        }
        self._boxes.append({"box": box | ({"outlettype": outlets} if outlets else {})})
        return name

    def join(self, source: str, outlet: int, target: str, inlet: int = 0) -> None:
        """A patchcord; `OscError` if one of its ends does not exist."""
        boxes = {entry["box"]["id"]: entry["box"] for entry in self._boxes}
        if not (outlet < boxes[source]["numoutlets"] and inlet < boxes[target]["numinlets"]):
            raise OscError(f"no cord from outlet {outlet} of {boxes[source]} to inlet {inlet} of {boxes[target]}")
        self._lines.append({"patchline": {"source": [source, outlet], "destination": [target, inlet]}})

    def file(self) -> str:
        """The patch as its file holds it."""
        patcher = {
            "fileversion": 1,
            "appversion": {"major": 8, "minor": 5, "revision": 0, "architecture": "x64", "modernui": 1},
            "classnamespace": "box",
            "rect": [60.0, 90.0, 900.0, 640.0],
            "boxes": self._boxes,
            "lines": self._lines,
        }
        return json.dumps({"patcher": patcher}, indent=1) + "\n"


def max_patch(plan: PatchPlan) -> str:
    """The instrument: OSC in, every value limited, smoothed over a buffer, nn~, a gain, the speakers.

    Where the values move live sound, nn~ encodes it first and each value is added to, or times, its latent.
    """
    patcher, size = Patcher(), len(plan.latent_names)
    port = patcher.box(20, 20, f"udpreceive {plan.port}", 1, [""])
    route = patcher.box(20, 60, "route /latent /gesturemap/playing", 1, ["", "", ""])
    unpack = patcher.box(20, 100, "unpack" + " 0." * size, 1, ["float"] * size)
    network = patcher.box(20, 300, f"nn~ {plan.name} decode {plan.buffer}", size, ["signal"] * plan.channels)
    patcher.join(port, 0, route)
    patcher.join(route, 0, unpack)
    heard = _add_encoder(patcher, plan) if plan.moves else ""
    for index, (low, high, rest) in enumerate(zip(plan.low, plan.high, plan.rest, strict=True)):
        x = 20 + 160 * index
        clip = patcher.box(x, 150, f"clip {low:.6g} {high:.6g}", 3, [""])
        signal = patcher.box(x, 190, f"sig~ {rest:.6g}", 1, ["signal"])
        smooth = patcher.box(x, 230, f"rampsmooth~ {plan.buffer} {plan.buffer}", 1, ["signal"])
        patcher.join(unpack, index, clip)
        patcher.join(clip, 0, signal)
        patcher.join(signal, 0, smooth)
        if plan.moves:
            moved = patcher.box(x, 255, plan.moves, 2, ["signal"])
            within = patcher.box(x, 278, plan.limiter(index), 3, ["signal"])
            patcher.join(heard, index, moved)
            patcher.join(smooth, 0, moved, 1)
            patcher.join(moved, 0, within)
            smooth = within
        patcher.join(smooth, 0, network, index)
    _add_speakers(patcher, plan, route, network)
    meta = patcher.box(420, 100, f"print {plan.name}", 1, [])
    patcher.join(route, 2, meta)
    for row, note in enumerate(plan.notes):
        patcher.box(20, 480 + 24 * row, note, 1, [], kind="comment")
    return patcher.file()


def _add_encoder(patcher: Patcher, plan: PatchPlan) -> str:
    """Sound in, and its latents: the box that has one outlet for each."""
    source = patcher.box(560, 160, plan.microphone, 1, ["signal"] * plan.channels)
    encoder = patcher.box(
        560, 200, f"nn~ {plan.name} encode {plan.buffer}", plan.channels, ["signal"] * len(plan.latent_names)
    )
    for channel in range(plan.channels):
        patcher.join(source, channel, encoder, channel)
    return encoder


def _add_speakers(patcher: Patcher, plan: PatchPlan, route: str, network: str) -> None:
    """What ``/gesturemap/playing`` fades, and the switch for the sound."""
    fade = patcher.box(300, 300, "$1 50", 2, [""], kind="message")
    line = patcher.box(300, 340, "line~ 1.", 2, ["signal", "bang"])
    patcher.join(route, 1, fade)
    patcher.join(fade, 0, line)
    speakers = patcher.box(20, 430, "dac~ 1 2", 2, [])
    for channel in range(plan.channels):
        play = patcher.box(20 + 100 * channel, 350, "*~", 2, ["signal"])
        level = patcher.box(20 + 100 * channel, 390, f"*~ {_GAIN}", 2, ["signal"])
        patcher.join(network, channel, play)
        patcher.join(line, 0, play, 1)
        patcher.join(play, 0, level)
        for side in [0, 1] if plan.channels == 1 else [channel % 2]:
            patcher.join(level, 0, speakers, side)
    for x, text in ((300, "start"), (360, "stop")):
        switch = patcher.box(x, 390, text, 2, [""], kind="message")
        patcher.join(switch, 0, speakers)

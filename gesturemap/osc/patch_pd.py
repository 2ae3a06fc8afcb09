"""Patches for Pure Data: one that receives latents and needs nothing else, and one that plays them with nn~.

Pure Data's file format: ``#X obj x y name arguments;`` numbers its boxes from 0 in order of appearance, and
``#X connect from outlet to inlet;`` joins them.
"""

from __future__ import annotations

from gesturemap.osc.patch_box import PatchPlan

_GAIN = 0.5


class Canvas:
    """Boxes and cords of one patch."""

    def __init__(self, width: int, height: int) -> None:
        self._lines = [f"#N canvas 40 40 {width} {height} 12;"]
        self._cords: list[str] = []
        self._count = 0

    def obj(self, x: int, y: int, text: str) -> int:
        """An object; returns its number."""
        return self._add("obj", x, y, text)

    def msg(self, x: int, y: int, text: str) -> int:
        """A message box."""
        return self._add("msg", x, y, text)

    def text(self, x: int, y: int, text: str) -> int:
        """A comment."""
        return self._add("text", x, y, text)

    def connect(self, source: int, outlet: int, target: int, inlet: int = 0) -> None:
        """A cord."""
        self._cords.append(f"#X connect {source} {outlet} {target} {inlet};")

    def file(self) -> str:
        """The patch as its file holds it."""
        return "\n".join([*self._lines, *self._cords]) + "\n"

    def _add(self, kind: str, x: int, y: int, text: str) -> int:
        escaped = text.replace("\\", "\\\\").replace(";", " \\;").replace(",", " \\,").replace("$", "\\$")
        self._lines.append(f"#X {kind} {x} {y} {escaped};")
        self._count += 1
        return self._count - 1


def receiver_patch(plan: PatchPlan) -> str:
    """An abstraction: one signal outlet a latent, smoothed, then the gain as a signal, then all other messages."""
    canvas, size = Canvas(200 + 110 * len(plan.latent_names), 460), len(plan.latent_names)
    port = canvas.obj(20, 20, f"netreceive -u -b {plan.port}")
    parse, trim = canvas.obj(20, 50, "oscparse"), canvas.obj(20, 80, "list trim")
    route = canvas.obj(20, 110, "route latent gesturemap")
    meta = canvas.obj(40 + 110 * size, 140, "route playing")
    for source, target in ((port, parse), (parse, trim), (trim, route)):
        canvas.connect(source, 0, target)
    canvas.connect(route, 1, meta)
    unpack = canvas.obj(20, 200, "unpack" + " f" * size)
    canvas.connect(route, 0, unpack)
    start = canvas.obj(20 + 110 * size, 20, "loadbang")
    bounds = zip(plan.low, plan.high, plan.rest, strict=True)
    for index, (low, high, rest) in enumerate(bounds):
        x = 20 + 110 * index
        clip = canvas.obj(x, 240, f"clip {low:.6g} {high:.6g}")
        first, ramp = canvas.msg(x, 270, f"{rest:.6g}"), canvas.msg(x, 300, f"$1 {plan.ramp_ms}")
        line, outlet = canvas.obj(x, 330, "line~"), canvas.obj(x, 400, "outlet~")
        canvas.connect(unpack, index, clip)
        canvas.connect(clip, 0, ramp)
        canvas.connect(start, 0, first)
        canvas.connect(first, 0, line)
        canvas.connect(ramp, 0, line)
        canvas.connect(line, 0, outlet)
    x = 40 + 110 * size
    fade, line, gain = canvas.msg(x, 300, "$1 50"), canvas.obj(x, 330, "line~"), canvas.obj(x, 400, "outlet~")
    full = canvas.msg(x + 60, 270, "1")  # a patch opened in the middle of a performance has missed /gesturemap/playing
    canvas.connect(start, 0, full)
    canvas.connect(full, 0, fade)
    canvas.connect(meta, 0, fade)
    canvas.connect(fade, 0, line)
    canvas.connect(line, 0, gain)
    others = canvas.obj(x + 60, 400, "outlet")
    canvas.connect(meta, 1, others)
    return canvas.file()


def player_patch(plan: PatchPlan, receiver: str) -> str:
    """The instrument: the receiver abstraction called `receiver`, nn~, a gain, the speakers.

    Where the messages move live sound, nn~ encodes it first and each is added to, or times, its latent.

    The buffer is set by message: as an argument sizes above 4096 can crash nn~.
    """
    size = len(plan.latent_names)
    canvas = Canvas(760, 360 + 20 * len(plan.notes))
    source = canvas.obj(20, 60, receiver)
    start = canvas.obj(320, 20, "loadbang")
    buffer, dsp = canvas.msg(320, 50, f"bufsize {plan.buffer}"), canvas.msg(460, 50, "; pd dsp 1")
    network = canvas.obj(20, 120, f"nn~ {plan.name} decode")
    speakers = canvas.obj(20, 260, "dac~")
    canvas.connect(start, 0, buffer)
    canvas.connect(start, 0, dsp)
    canvas.connect(buffer, 0, network)
    heard = _add_encoder(canvas, plan, buffer) if plan.moves else 0
    for index in range(size):
        if plan.moves:
            moved = canvas.obj(20 + 110 * index, 90, plan.moves)
            within = canvas.obj(20 + 110 * index, 105, plan.limiter(index))
            canvas.connect(heard, index, moved)
            canvas.connect(source, index, moved, 1)
            canvas.connect(moved, 0, within)
            canvas.connect(within, 0, network, index)
        else:
            canvas.connect(source, index, network, index)
    for channel in range(plan.channels):
        play, level = canvas.obj(20 + 90 * channel, 180, "*~"), canvas.obj(20 + 90 * channel, 220, f"*~ {_GAIN}")
        canvas.connect(network, channel, play)
        canvas.connect(source, size, play, 1)
        canvas.connect(play, 0, level)
        for side in [0, 1] if plan.channels == 1 else [channel % 2]:
            canvas.connect(level, 0, speakers, side)
    others = canvas.obj(320, 120, f"print {plan.name}")
    canvas.connect(source, size + 1, others)
    for row, note in enumerate(plan.notes):
        canvas.text(20, 310 + 20 * row, note)
    return canvas.file()


def _add_encoder(canvas: Canvas, plan: PatchPlan, buffer: int) -> int:
    """Sound in, and its latents: the box that has one outlet for each."""
    source = canvas.obj(620, 20, plan.microphone)
    encoder = canvas.obj(620, 60, f"nn~ {plan.name} encode")
    canvas.connect(buffer, 0, encoder)
    for channel in range(plan.channels):
        canvas.connect(source, channel, encoder, channel)
    return encoder

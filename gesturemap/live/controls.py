"""What a performer can ask for while playing, and the ways to ask: OSC, keys, signals."""

from __future__ import annotations

import select
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from gesturemap.errors import OscError
from gesturemap.osc.codec import decode
from gesturemap.osc.udp import UdpReceiver
from gesturemap.recording.triggers import ADDRESSES, Action

_PACKETS = 16  # looked at in one tick, however many wait
_KEYS = {
    "n": Action.NEXT_SNAPSHOT,
    " ": Action.TOGGLE,
    "t": Action.TRAIN,
    "g": Action.RUN,
    "u": Action.UNDO,
    "U": Action.REDO,
}  # for teaching


class Controls:
    """Wishes of the performer. Any thread or signal handler may set one; the loop sees it at its next tick.

    Attributes
    ----------
    panic : to rest and silent, until taken back.
    stop : end the performance.
    describe : send labels, ranges and rate again.
    asked : every other action, in order; what each does `gesturemap.live.actions` says.
    """

    def __init__(self) -> None:
        self.asked: deque[Action] = deque()
        self.panic = False
        self.stop = False
        self.describe = False


class OscControl:
    """``/gesturemap/panic`` (with 0: take it back), ``/resume``, ``/query`` and the names of actions, from the network.

    Parameters
    ----------
    port : 0 takes a free one.
    host : to listen at.
    """

    def __init__(self, controls: Controls, port: int, host: str = "127.0.0.1") -> None:
        self._controls = controls
        self._receiver = UdpReceiver(port, host)
        self.port = self._receiver.port
        self.ignored = 0

    def poll(self) -> None:
        """Obey what came; never waits."""
        for _ in range(_PACKETS):
            received = self._receiver.receive()
            if received is None:
                return
            try:
                for message in decode(received[0]):
                    self._obey(message.address, message.arguments)
            except OscError:
                self.ignored += 1

    def close(self) -> None:
        """Give the port back."""
        self._receiver.close()

    def _obey(self, address: str, arguments: tuple[object, ...]) -> None:
        if address == "/gesturemap/panic":
            # Whatever else came with it: better silent than not.
            self._controls.panic = not (arguments and arguments[0] in (0, False))
        elif address == "/gesturemap/resume":
            self._controls.panic = False
        elif address == "/gesturemap/query":
            self._controls.describe = True
        elif address in ADDRESSES:
            self._controls.asked.append(ADDRESSES[address])
        else:
            self.ignored += 1


@contextmanager
def signals(controls: Controls) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop (a second Ctrl-C at once), SIGUSR1 is panic, SIGUSR2 takes it back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        if controls.stop and number == signal.SIGINT:
            raise KeyboardInterrupt
        controls.stop = True

    def panic(number: int, frame: object) -> None:
        controls.panic = number == getattr(signal, "SIGUSR1", None)

    wanted = {"SIGINT": stop, "SIGTERM": stop, "SIGUSR1": panic, "SIGUSR2": panic}  # the last two are not on Windows
    numbers = {getattr(signal, name): handler for name, handler in wanted.items() if hasattr(signal, name)}
    before = {number: signal.signal(number, handler) for number, handler in numbers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def keys(controls: Controls) -> Iterator[None]:
    """See `press`; nothing where stdin is no terminal."""
    try:
        import termios
        import tty

        stdin = sys.stdin.fileno()
        before = termios.tcgetattr(stdin)
    except (ImportError, OSError, ValueError, termios.error):
        yield
        return
    over = threading.Event()

    def listen() -> None:
        while not over.is_set():
            if select.select([stdin], [], [], 0.05)[0]:
                press(controls, sys.stdin.read(1))

    listener = threading.Thread(target=listen, name="keys", daemon=True)
    tty.setcbreak(stdin)
    listener.start()
    try:
        yield
    finally:
        over.set()
        listener.join()
        with suppress(termios.error):
            termios.tcsetattr(stdin, termios.TCSADRAIN, before)


def press(controls: Controls, key: str) -> None:
    """``p`` is panic, ``r`` takes it back, ``q`` stops; those of `_KEYS` teach."""
    if key in ("p", "r"):
        controls.panic = key == "p"
    elif key == "q":
        controls.stop = True
    elif key in _KEYS:
        controls.asked.append(_KEYS[key])

"""The thread that receives and answers, and what it does while nothing comes."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable

import numpy as np

from gesturemap.bridge import saving
from gesturemap.bridge.actions import Pedals
from gesturemap.bridge.dispatch import receive, rehearse
from gesturemap.bridge.session import Session
from gesturemap.osc.udp import UdpReceiver

MAX_PACKETS = 64  # answered before anything else is looked after
IDLE_S = 0.1  # a recording flushes this often when nothing comes
PEDALS_S = 0.01  # they are looked at this often
REHEARSAL_S = 0.002
REHEARSALS = 500  # after the last answer: a second, then the processor may sleep
LARGEST_SHARE = 0.1  # of the time that rehearsing may take


def serve(
    session: Session,
    receiver: UdpReceiver,
    wake: socket.socket,
    pedals: Pedals | None,
    stopped: Callable[[], bool],
) -> None:
    """Receive, answer, act on pedals, take up what was learned, until `stopped`.

    At 100 inputs a second there are 10 ms between two, in which everything else on the machine takes the processor's
    caches: an answer then costs five times what it costs at 1000 a second. So answers are rehearsed in between.
    """
    sockets = [receiver.fileno(), wake.fileno()]
    left, wait_s, look_s = 0, IDLE_S, 0.0
    with np.errstate(all="ignore"):
        while not stopped():
            ready = select.select(sockets, [], [], wait_s)[0]
            if sockets[1] in ready:
                wake.recv(4096)
            answered = session.counts.answered
            for _ in range(MAX_PACKETS):
                packet = receiver.take()
                if packet is None:
                    break
                receive(session, packet)
            if session.counts.answered > answered:
                left, wait_s = REHEARSALS, REHEARSAL_S
            elif left and session.running:
                left, wait_s = left - 1, max(REHEARSAL_S, _time_rehearsal(session) / LARGEST_SHARE)
            else:
                left, wait_s = 0, IDLE_S
            if pedals is not None:
                wait_s = min(wait_s, PEDALS_S)
                if session.clock.now_s() >= look_s:
                    look_s = session.clock.now_s() + PEDALS_S
                    pedals.act(session)
            saving.settle(session)


def _time_rehearsal(session: Session) -> float:
    """Rehearse; seconds that it took."""
    start_s = time.perf_counter()
    rehearse(session)
    return time.perf_counter() - start_s

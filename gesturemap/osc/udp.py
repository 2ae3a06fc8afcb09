"""UDP sockets for OSC: one that receives, one that sends."""

from __future__ import annotations

import select
import socket

from gesturemap.errors import OscError

_BUFFER = 1 << 22  # bytes the kernel keeps while nobody reads, if it may: some tenths of a second of the fastest sender
_LARGEST = 65535


class UdpReceiver:
    """Packets that arrive at a port.

    Parameters
    ----------
    port : 0 takes a free one, which `port` then tells.
    host : address to listen at; 127.0.0.1 hears this machine alone, 0.0.0.0 every network.

    Raises
    ------
    OscError
        If the port is taken, or the address is not this machine's.
    """

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._socket.setblocking(False)
        try:
            self._socket.bind((host, port))
        except OSError as error:
            self._socket.close()
            raise OscError(
                f"cannot listen at {host}:{port} ({error.strerror}): another program may hold the port; choose another"
            ) from None
        self.port: int = self._socket.getsockname()[1]

    def receive(self, timeout_s: float | None = 0.0) -> tuple[bytes, tuple[str, int]] | None:
        """The next packet and who sent it; None if none came in time. `timeout_s` None waits for ever."""
        try:
            return self._socket.recvfrom(_LARGEST)
        except BlockingIOError:
            if timeout_s == 0 or not select.select([self._socket], [], [], timeout_s)[0]:
                return None
        try:
            return self._socket.recvfrom(_LARGEST)
        except (BlockingIOError, ConnectionError):  # it failed its checksum, or an answer of ours found nobody
            return None

    def take(self) -> bytes | None:
        """The next packet if one is there, whoever sent it; never waits."""
        try:
            return self._socket.recv(_LARGEST)
        except (BlockingIOError, ConnectionError):
            return None

    def fileno(self) -> int:
        """For `select`."""
        return self._socket.fileno()

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


class UdpSender:
    """Packets to one address. Nobody need listen there; what cannot be sent now is dropped and counted.

    Attributes
    ----------
    dropped : packets that the system did not take.
    """

    def __init__(self, host: str, port: int) -> None:
        try:
            self._target = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_DGRAM)[0][4]
        except (OSError, OverflowError) as error:
            raise OscError(f"no such address to send to: {host}:{port} ({error})") from None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self.dropped = 0

    def send(self, packet: bytes) -> None:
        """Send one packet; never waits."""
        try:
            self._socket.sendto(packet, self._target)
        except OSError:
            self.dropped += 1

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def parse_address(text: str, port: int | None = None) -> tuple[str, int]:
    """``HOST:PORT``, ``:PORT`` or ``PORT`` on this machine; with a default `port`, ``HOST`` alone too."""
    host, _, number = text.rpartition(":")
    if port is not None and not number.isdigit():
        host, number = text.rstrip(":"), str(port)
    if number.isdigit() and not 0 < int(number) < 65536:
        raise OscError(f"port {number} found in {text!r}; ports go from 1 to 65535")
    if not number.isdigit():
        raise OscError(f"address {text!r} found, HOST:PORT expected, for example 127.0.0.1:7400")
    return host or "127.0.0.1", int(number)

"""What is sent to a UDP port, as bytes in the order in which they come.

A thread takes them in, so that none is lost while a picture is decoded; the system's own room is a
fraction of a second's.
"""

from __future__ import annotations

import errno
import socket
import threading
from collections import deque

from pipeline.errors import SourceError
from pipeline.media.endpoint import Endpoint

ROOM_BYTES = 16 << 20  # that wait to be decoded
_SYSTEM_ROOM_BYTES = 4 << 20  # as much of it as the system allows
_LARGEST = 1 << 16
_LOOK_S = 0.2  # until the thread sees that it is to end


class Datagrams:
    """Implements what libav reads from; cannot be sought and has no end."""

    def __init__(self, endpoint: Endpoint, timeout_s: float) -> None:
        """Listen.

        Args:
            endpoint: a port of this machine, or a multicast group, which is joined.
            timeout_s: longest silence.

        Raises:
            SourceError: nobody can listen there.
        """
        self._timeout_s = timeout_s
        self._socket = _listening(endpoint)
        self._socket.settimeout(_LOOK_S)
        self._silence = SourceError(
            f"cannot be opened: nothing has come to port {endpoint.port} for {timeout_s:g} s",
            retryable=True,
        )
        self._heard = False
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._rest = b""  # of the datagram that is being read
        self._failure: OSError | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def peek(self) -> bytes:
        """The next bytes, which stay to be read; raises as `read` does."""
        self._rest = self._rest or self._next()
        return self._rest

    def read(self, size: int) -> bytes:
        """What has come, up to `size` bytes; at least one.

        Raises:
            SourceError: nothing has ever come.
            TimeoutError: nothing came for `timeout_s`.
            OSError: more waits than there is room for.
        """
        data = self.peek()
        self._rest = data[size:]
        return data[:size]

    def close(self) -> None:
        """Leave the port to others."""
        with self._changed:
            self._closed = True
        self._thread.join()
        self._socket.close()

    def _next(self) -> bytes:
        with self._changed:
            came = self._changed.wait_for(lambda: self._waiting or self._failure, self._timeout_s)
            if not came and not self._heard:
                raise self._silence
            if not came:
                raise TimeoutError(f"nothing has come for {self._timeout_s:g} s")
            self._heard = True
            if self._failure is not None:
                raise self._failure
            data = self._waiting.popleft()
            self._waiting_bytes -= len(data)
            return data

    def _receive(self) -> None:
        while not self._closed:
            try:
                data = self._socket.recv(_LARGEST)
            except TimeoutError:
                continue
            except OSError as error:
                self._fail(error)
                return
            if data:  # none would be the end
                self._keep(data)

    def _keep(self, data: bytes) -> None:
        with self._changed:
            if self._waiting_bytes + len(data) > ROOM_BYTES:
                self._failure = OSError(
                    f"{ROOM_BYTES >> 20} MiB wait to be decoded: too slow for it"
                )
            else:
                self._waiting.append(data)
                self._waiting_bytes += len(data)
            self._changed.notify()

    def _fail(self, error: OSError) -> None:
        with self._changed:
            self._failure = error
            self._changed.notify()


def _listening(endpoint: Endpoint) -> socket.socket:
    try:
        family, _, _, _, place = socket.getaddrinfo(
            endpoint.host, endpoint.port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )[0]
        receiver = socket.socket(family, socket.SOCK_DGRAM)
        try:
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SYSTEM_ROOM_BYTES)
            if endpoint.is_group:  # which others on this machine may have joined as well
                receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            receiver.bind(place)
            if endpoint.is_group:
                _join(receiver, endpoint)
        except OSError:
            receiver.close()
            raise
    except OSError as error:
        raise SourceError(f"cannot be opened: {_why(endpoint, error)}", retryable=True) from None
    return receiver


def _join(receiver: socket.socket, endpoint: Endpoint) -> None:
    """Bound to the group's address as it is, it gets nothing that is sent to another group."""
    group = socket.inet_pton(receiver.family, endpoint.host)
    if receiver.family == socket.AF_INET:
        interface = socket.inet_aton(endpoint.interface or "0.0.0.0")
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + interface)
    else:
        receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group + bytes(4))


def _why(endpoint: Endpoint, error: OSError) -> str:
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{endpoint.host} is no address of this machine, where udp is received; name one of "
            "its own, 0.0.0.0 for all of them, or a multicast group"
        )
    if error.errno == errno.EADDRINUSE:
        return f"somebody else listens at port {endpoint.port} already"
    return error.strerror or str(error)

"""One process in place of a host's decode processes: `python -m pipeline.bench.switchboard FD`.

FD is a socket, over which every stream's descriptors come: its orders, and where its messages and
its signs of life go. A thousand real decode processes would be 60 GB and 40 cores; it is the host
that is measured.
"""

from __future__ import annotations

import heapq
import itertools
import json
import os
import selectors
import socket
import sys
import time
from dataclasses import dataclass

from pipeline.bench.noise_camera import NoiseCamera
from pipeline.stream.spec import StreamSpec

ORDERS_BYTES = 1 << 16


@dataclass(slots=True)
class _Line:
    """To one stream's decode process, as its host takes it for."""

    orders_fd: int
    messages_fd: int
    slate_fd: int
    text: bytes = b""  # of an order that has not come whole
    camera: NoiseCamera | None = None
    closed: bool = False


class Switchboard:
    """All cameras of one decode host, in one thread."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._due: list[tuple[float, int, _Line]] = []  # when, and a number where that is the same
        self._number = itertools.count()

    def run(self) -> None:
        """Until the host is gone."""
        while True:
            wait_s = max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
            for key, _ in self._selector.select(wait_s):
                if isinstance(key.data, _Line):
                    self._read(key.data)
                elif not self._connect():
                    return
            self._pass_time(time.monotonic())

    def _connect(self) -> bool:
        """A new stream's descriptors; False where none come any more."""
        data, descriptors, _, _ = socket.recv_fds(self._control, 1, 3)
        if not data:
            return False
        orders_fd, messages_fd, slate_fd = descriptors
        line = _Line(orders_fd, messages_fd, slate_fd)
        self._selector.register(line.orders_fd, selectors.EVENT_READ, line)
        return True

    def _read(self, line: _Line) -> None:
        data = os.read(line.orders_fd, ORDERS_BYTES)
        if not data:
            self._hang_up(line)
            return
        *orders, line.text = (line.text + data).split(b"\n")
        try:
            for order in orders:
                self._obey(line, order.decode())
        except BrokenPipeError:
            self._hang_up(line)

    def _obey(self, line: _Line, order: str) -> None:
        if line.camera is None:
            spec = StreamSpec.from_json(json.loads(order))
            line.camera = NoiseCamera(spec, line.messages_fd, line.slate_fd, time.monotonic())
            self._wait_for(line.camera, line)
        elif order == "next":
            line.camera.request()
        elif order == "stop":
            line.camera.stop()

    def _pass_time(self, now_s: float) -> None:
        while self._due and self._due[0][0] <= now_s:
            line = heapq.heappop(self._due)[2]
            if line.closed or line.camera is None:
                continue
            try:
                line.camera.pass_time(now_s)
            except BrokenPipeError:
                self._hang_up(line)
            else:
                self._wait_for(line.camera, line)

    def _wait_for(self, camera: NoiseCamera, line: _Line) -> None:
        heapq.heappush(self._due, (camera.due_s, next(self._number), line))

    def _hang_up(self, line: _Line) -> None:
        self._selector.unregister(line.orders_fd)
        line.closed = True
        os.close(line.orders_fd)
        os.close(line.messages_fd)
        os.close(line.slate_fd)


if __name__ == "__main__":
    Switchboard(socket.socket(fileno=int(sys.argv[1]))).run()

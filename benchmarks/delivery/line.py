"""A line to a broker that is as long as is asked for, and counts what goes over it.

Clients connect here instead of to the broker; every byte arrives `delay_s` later, in either
direction, and nothing is held up behind it. Requests are told by the first bytes of their frames.
"""

from __future__ import annotations

import queue
import socket
import struct
import threading
import time
from collections import Counter
from contextlib import suppress

KINDS = {0: "Produce", 24: "AddPartitionsToTxn", 26: "EndTxn"}
PIECE_BYTES = 1 << 16


class Line:
    """Listens on loopback from the start, and until its process ends."""

    def __init__(self, port: int) -> None:
        """
        Args:
            port: of the broker's listener that says of itself to be reached here.
        """
        self.delay_s = 0.0
        self.requests: Counter[str] = Counter()
        self._broker = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            broker = socket.create_connection(self._broker)
            for side in (client, broker):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._carry(client, broker, Frames(self.requests))
            self._carry(broker, client, None)

    def _carry(self, source: socket.socket, sink: socket.socket, frames: Frames | None) -> None:
        pieces: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

        def take() -> None:
            piece = b"-"
            while piece:
                piece = b""  # of a connection that fails, too
                with suppress(OSError):
                    piece = source.recv(PIECE_BYTES)
                if frames:
                    frames.see(piece)
                pieces.put((time.monotonic() + self.delay_s, piece))

        def give() -> None:
            while True:
                due_s, piece = pieces.get()
                time.sleep(max(0.0, due_s - time.monotonic()))
                try:
                    sink.sendall(piece) if piece else sink.shutdown(socket.SHUT_WR)
                except OSError:
                    return
                if not piece:
                    return

        for way in (take, give):
            threading.Thread(target=way, daemon=True).start()


class Frames:
    """Counts the requests of one connection, whose frames begin with length and kind."""

    def __init__(self, requests: Counter[str]) -> None:
        self._requests = requests
        self._head = b""
        self._left = 0  # bytes of the frame that is on its way

    def see(self, piece: bytes) -> None:
        while piece:
            if self._left:
                skipped = min(self._left, len(piece))
                self._left -= skipped
                piece = piece[skipped:]
                continue
            missing = 6 - len(self._head)
            self._head, piece = self._head + piece[:missing], piece[missing:]
            if len(self._head) == 6:
                length, kind = struct.unpack(">ih", self._head)
                self._requests[KINDS.get(kind, "others")] += 1
                self._head, self._left = b"", length - 2

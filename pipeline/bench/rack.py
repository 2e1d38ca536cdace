"""A host's decode processes, of which one stands for all: what `DecodeHost` takes as its `launch`.

Pipes, messages and the host's whole side of them are the real ones.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import IO, Self

from pipeline.decode.process import ROOT, Child, DecodeProcess
from pipeline.stream.spec import StreamSpec


class Rack:
    """A running `pipeline.bench.switchboard`. It ends with whoever started it."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "pipeline.bench.switchboard", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
                process_group=0,  # Ctrl-C is for the parent, which drains
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()
        self._process.wait()

    def launch(self, spec: StreamSpec) -> DecodeProcess:
        """A stream's decode process, as its host sees one."""
        return _Slot(spec, self)

    def connect(self, messages_fd: int, slate_fd: int) -> Child:
        """One more stream; its messages and its signs of life go to the descriptors."""
        theirs, orders_fd = os.pipe()
        try:
            socket.send_fds(self._control, [b"+"], [theirs, messages_fd, slate_fd])
        finally:
            os.close(theirs)
        return _Line(self._process.pid, os.fdopen(orders_fd, "wb"))


@dataclass(slots=True)
class _Line:
    """Orders to one stream; it ends where they do."""

    pid: int
    stdin: IO[bytes] | None

    def kill(self) -> None:
        if self.stdin:
            self.stdin.close()

    def wait(self) -> int:
        return 0


class _Slot(DecodeProcess):
    def __init__(self, spec: StreamSpec, rack: Rack) -> None:
        self._rack = rack
        super().__init__(spec)

    def _spawn(self, write_fd: int, spec: StreamSpec) -> Child:
        return self._rack.connect(write_fd, self._stderr_fd)

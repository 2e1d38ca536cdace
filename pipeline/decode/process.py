"""The parent's side of one decode process: orders down, messages up, and a sure end.

Never waits: reading takes what is there, and whatever hangs is killed by whoever watches the time.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Protocol

from pipeline.decode.descriptors import spare_some
from pipeline.decode.slate import SLATE_BYTES, Note, Slate
from pipeline.decode.wire import Message, Unpacker
from pipeline.media.s3 import is_s3
from pipeline.secrets import mask, without_secrets
from pipeline.stream.spec import StreamSpec

ROOT = Path(__file__).parents[2]
PIPE_BYTES = 1 << 20
READ_BYTES = 1 << 16  # more is mapped and given back at every read: 250 us a frame for 50
LAST_WORDS_BYTES = 600
_SINGLE_THREADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Child(Protocol):
    """What is needed of a `subprocess.Popen`."""

    pid: int
    stdin: IO[bytes] | None

    def kill(self) -> None: ...

    def wait(self) -> int: ...


class DecodeProcess:
    """A running `pipeline.decode.child`.

    Attributes:
        owes: it was asked for a chunk that has not come.
        note: how it fares, as of the last look; of one that was killed the last there is.
        last_words: what it wrote to stderr before it was killed, as far as that is of use; no
            secrets.
    """

    def __init__(self, spec: StreamSpec) -> None:
        """Start it and hand it its spec; it begins at once.

        Raises:
            OSError: this machine allows no more processes or descriptors.
        """
        self.owes = False
        self.note = Note()
        self.last_words = ""
        self._unpacker = Unpacker()
        with contextlib.ExitStack() as if_it_fails, contextlib.ExitStack() as always:
            self._stderr_fd = os.memfd_create("stderr")  # unread pipes fill up and block
            if_it_fails.callback(os.close, self._stderr_fd)
            spare_some(self._stderr_fd)
            os.lseek(self._stderr_fd, SLATE_BYTES, os.SEEK_SET)  # its notes come first
            self._slate = Slate(self._stderr_fd)
            self.fd, write_fd = os.pipe()
            if_it_fails.callback(os.close, self.fd)
            always.callback(os.close, write_fd)
            # A chunk is megabytes; the default 64 KiB would wake both sides dozens of times.
            with contextlib.suppress(OSError):
                fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            os.set_blocking(self.fd, False)
            self._child = self._spawn(write_fd, spec)
            if_it_fails.pop_all()
        self._order(json.dumps(spec.to_json()))

    @property
    def pid(self) -> int:
        return self._child.pid

    def request(self) -> None:
        """Ask for one chunk; without effect while it owes one."""
        if not self.owes:
            self.owes = True
            self._order("next")

    def stop(self) -> None:
        """Ask it to come to an end."""
        self._order("stop")

    def read(self) -> tuple[list[Message], bool]:
        """The messages that have arrived, and whether more may come."""
        messages: list[Message] = []
        while True:
            try:
                data = os.read(self.fd, READ_BYTES)
            except BlockingIOError:
                return messages, True
            if not data:
                return messages, False
            arrived = self._unpacker.feed(data)
            self.owes &= not any(message.kind == "chunk" for message in arrived)
            messages += arrived
            if len(data) < READ_BYTES:  # the pipe is empty; another look would say so, at a price
                return messages, True

    def look(self) -> Note:
        """How it fares, as far as it has written that down."""
        self.note = self._slate.read()
        return self.note

    def kill(self) -> str:
        """End it, whatever it is doing, and free all it held.

        Returns:
            How it ended and its last words, for a person; no secrets.
        """
        self._child.kill()
        code = self._child.wait()
        os.close(self.fd)
        with contextlib.suppress(OSError):  # a write to a dead child may still be buffered
            assert self._child.stdin
            self._child.stdin.close()
        self.look()
        start = max(SLATE_BYTES, os.fstat(self._stderr_fd).st_size - LAST_WORDS_BYTES)
        words = os.pread(self._stderr_fd, LAST_WORDS_BYTES, start).decode(errors="replace").strip()
        os.close(self._stderr_fd)
        self.last_words = mask(words)
        return with_words(_ending(code), self.last_words)

    def _spawn(self, write_fd: int, spec: StreamSpec) -> Child:
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        environment = {
            # It reads what strangers send; a store alone wants its keys of it.
            **(os.environ if is_s3(spec.url) else without_secrets(os.environ)),
            **dict.fromkeys(_SINGLE_THREADED, "1"),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "MALLOC_ARENA_MAX": "2",  # each arena reserves 64 MiB of address space
        }
        arguments = [str(write_fd), str(spec.memory_bytes)]
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "pipeline.decode.child", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._stderr_fd,
            pass_fds=(write_fd,),
            env=environment,
            process_group=0,  # Ctrl-C is for the parent, which drains
        )

    def _order(self, line: str) -> None:
        """One line down; a dead child is noticed by `read`."""
        assert self._child.stdin
        with contextlib.suppress(BrokenPipeError):
            self._child.stdin.write(line.encode() + b"\n")
            self._child.stdin.flush()


def with_words(what: str, words: str) -> str:
    """What happened to a process, and what it said."""
    return f"{what}: {words}" if words else what


def _ending(code: int) -> str:
    if code >= 0:
        return f"the decode process ended with code {code}"
    return f"the decode process died of {signal.Signals(-code).name}"

"""Processes of this machine that do one piece of work together, and talk while they do.

The work in, done by so many processes, each with its place among them. Where one ends before its
work is done all are ended, so that none waits for it for ever.
"""

from __future__ import annotations

import os
import pickle
import signal
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh

from operators.errors import DinostreamError, UsageError
from operators.pretrain.processes import Processes
from operators.pretrain.sharded import Sharded
from pipeline.errors import RuntimeFailure

Tell = Callable[[float | None, str], None]

SILENCE_S = 600.0  # longest that processes wait for one of them
_GRACE_S = 3.0  # for the others to say why they end, once one has ended


class Work(Protocol):
    """What each process does; pickled, so a function of a module or a `partial` of one."""

    def __call__(self, processes: Processes, device: torch.device, tell: Tell, /) -> None:
        """Called once in every process.

        Args:
            processes: that take part, and which one this is.
            device: that this one computes on.
            tell: hears of the first process how far it is.
        """
        ...


def run_together(work: Work, count: int, *, tell: Tell, threads: int = 1) -> None:
    """Do it in new processes, and wait for it.

    Args:
        work: what each does.
        count: of processes; of GPUs, where this machine has some.
        tell: hears how far the first one is, in this process.
        threads: of each one's arithmetic.

    Raises:
        UsageError: there are fewer GPUs.
        DinostreamError: a process raised it.
        RuntimeFailure: one died, or raised something else; its text says which.
    """
    cards = torch.cuda.device_count()
    if 0 < cards < count:
        raise UsageError(f"{count} processes want a GPU each, and this machine has {cards}")
    spawn = get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="dinostream-") as folder:
        members = []
        try:
            for rank in range(count):
                ours, theirs = spawn.Pipe(duplex=False)
                seat = _Seat(rank, count, Path(folder, "store"), threads)
                process = spawn.Process(target=_member, args=(work, seat, theirs))
                process.start()
                theirs.close()
                members.append(_Member(rank, process, ours))
            _watch(members, tell)
        finally:
            for member in members:
                member.end()


@dataclass(frozen=True, slots=True)
class _Seat:
    """Of one process among all.

    Attributes:
        store: file over which they find each other.
    """

    rank: int
    count: int
    store: Path
    threads: int


@dataclass(slots=True)
class _Member:
    """What the parent has of a process."""

    rank: int
    process: BaseProcess
    heard: Connection
    error: BaseException | None = field(default=None)
    silent: bool = field(default=False)

    def listen(self, tell: Tell) -> None:
        """What it has said since."""
        while not self.silent and self.heard.poll():
            try:
                said = self.heard.recv()
            except (EOFError, OSError):
                self.silent = True
                return
            if isinstance(said, BaseException):
                self.error = said
            else:
                tell(*said)

    @property
    def killed_by(self) -> signal.Signals | None:
        """A signal."""
        code = self.process.exitcode
        return signal.Signals(-code) if code is not None and code < 0 else None

    def end(self) -> None:
        """Whatever it is at."""
        self.process.kill()
        self.process.join()
        self.heard.close()


def _watch(members: Sequence[_Member], tell: Tell) -> None:
    """Until all are done.

    Raises:
        DinostreamError, RuntimeFailure: as of `run_together`.
    """
    end_s: float | None = None
    while alive := [one for one in members if one.process.exitcode is None]:
        left_s = None if end_s is None else end_s - time.monotonic()
        if left_s is not None and left_s <= 0:
            break
        open_pipes = [one.heard for one in members if not one.silent]
        connection.wait([*open_pipes, *(one.process.sentinel for one in alive)], left_s)
        for one in members:
            one.listen(tell)
            one.process.join(0)
        if end_s is None and any(one.process.exitcode for one in members):
            end_s = time.monotonic() + _GRACE_S
    for one in members:
        one.listen(tell)
    _require_done(members)


def _require_done(members: Sequence[_Member]) -> None:
    """Who says why is the cause, else whoever was killed; others only lost those."""
    errors = [one.error for one in members if one.error is not None]
    for error in errors:
        if isinstance(error, DinostreamError):
            raise error
    for one in members:
        if one.killed_by is not None:
            raise RuntimeFailure(
                f"process {one.rank + 1} of {len(members)} was killed ({one.killed_by.name}), so "
                "the others were ended; what was saved is kept, the same command goes on"
            )
    if errors or any(one.process.exitcode for one in members):
        raise RuntimeFailure(f"a process failed: {errors[0] if errors else 'it did not say why'}")


def _member(work: Work, seat: _Seat, said: Connection) -> None:
    """What a new process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its parent is interrupted too, and ends it
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    torch.set_num_threads(seat.threads)

    def tell(share: float | None, so_far: str) -> None:
        if seat.rank == 0:
            said.send((share, so_far))

    try:
        device = _device(seat)
        dist.init_process_group(
            "nccl" if device.type == "cuda" else "gloo",
            init_method=f"file://{seat.store}",
            rank=seat.rank,
            world_size=seat.count,
            timeout=timedelta(seconds=SILENCE_S),
        )
        work(Sharded(init_device_mesh(device.type, (seat.count,))), device, tell)
        dist.destroy_process_group()
    except BaseException as error:
        said.send(_sendable(error))
        raise SystemExit(1) from None


def _device(seat: _Seat) -> torch.device:
    if not torch.cuda.is_available():
        return torch.device("cpu")
    torch.cuda.set_device(seat.rank)
    return torch.device("cuda", seat.rank)


def _sendable(error: BaseException) -> Any:
    """One of ours as it is; of others the text, for nobody knows whether they can be pickled."""
    if isinstance(error, DinostreamError):
        with suppress(Exception):
            pickle.dumps(error)
            return error
    return RuntimeError("".join(traceback.format_exception(error)).strip())


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

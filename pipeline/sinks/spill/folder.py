"""Where the writers of this machine keep their logs: by sink, and in a folder each."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.sinks.address import SqliteAddress, parse_sink_uri
from pipeline.sinks.spill.spill import Spill

SINK = "sink"  # a file that says which one, for a person
TAKEOVER = "takeover"  # a lock: one process at a time looks after what others have left


def default_folder() -> Path:
    """What outlives a reboot: under systemd the service's own, else where XDG says."""
    if state := os.environ.get("STATE_DIRECTORY"):
        return Path(state.partition(":")[0]) / "spill"
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "dinostream" / "spill"


def kept_bytes(root: Path) -> dict[str, int]:
    """Sink -> bytes that wait for it in a folder of all sinks, where any do; they may be another
    process's, which is about to send them."""
    found = {}
    for named in sorted(root.glob(f"*/{SINK}")):
        logs = sum(log.stat().st_size for log in named.parent.glob("*/*.log"))
        if logs:
            found[named.read_text().strip()] = logs
    return found


@dataclass(frozen=True, slots=True)
class SpillFolder:
    """The logs of one sink.

    Attributes:
        root: of all sinks.
        sink: which one, without secrets.
        most_bytes: of each log.
    """

    root: Path
    sink: str
    most_bytes: int

    @classmethod
    def of(cls, uri: str, folder: str | None, most_bytes: int) -> SpillFolder | None:
        """None where nothing is kept: of a database, whose disk is as good.

        Args:
            uri: of the sink.
            folder: of all sinks; None: `default_folder`.
            most_bytes: of each log; 0: nothing is kept.
        """
        address = parse_sink_uri(uri)
        if isinstance(address, SqliteAddress) or not most_bytes:
            return None
        root = Path(folder).expanduser() if folder else default_folder()
        servers = ",".join(sorted(address.servers))
        return cls(root, f"kafka://{servers}?topic_prefix={address.prefix}", most_bytes)

    @property
    def path(self) -> Path:
        """Of this sink's logs."""
        return self.root / hashlib.sha256(self.sink.encode()).hexdigest()[:12]

    def make(self) -> None:
        """
        Raises:
            OSError: it is not there and cannot be made, or nothing can be written there.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700, exist_ok=True)
        (self.path / SINK).touch(mode=0o600)
        (self.path / SINK).write_text(f"{self.sink}\n")

    @contextmanager
    def taking_over(self) -> Iterator[None]:
        """Nobody else takes over, or begins a log, in the block."""
        descriptor = os.open(self.path / TAKEOVER, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def left(self) -> Iterator[Spill]:
        """Logs that nobody has open; whoever takes one closes it."""
        for folder in sorted(filter(Path.is_dir, self.path.iterdir())):
            try:
                yield Spill(folder, most_bytes=self.most_bytes)
            except BlockingIOError:
                continue

    def begin(self) -> Spill:
        """A new log."""
        return Spill(self.path / secrets.token_hex(6), most_bytes=self.most_bytes)

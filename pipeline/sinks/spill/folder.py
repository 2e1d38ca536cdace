"""Where the writers of this machine keep their logs: by sink, and in a folder each."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from pipeline.sinks.address import SqliteAddress, parse_sink_uri
from pipeline.sinks.spill.lock import hold
from pipeline.sinks.spill.spill import Spill

SINK = "sink"  # a file that says which one, for a person
SERVICE_STATE = Path("/var/lib/dinostream")  # of the unit in deploy/systemd
TAKEOVER = "takeover"  # a lock: one process at a time looks after what others have left


def default_folder() -> Path:
    """What outlives a reboot: under systemd the service's own, else where XDG says."""
    if state := os.environ.get("STATE_DIRECTORY"):
        return Path(state.partition(":")[0]) / "spill"
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "dinostream" / "spill"


def kept_bytes(root: Path) -> dict[str, int]:
    """Sink -> bytes that wait for it in a folder of all sinks, where any do; they may be another
    process's, which is about to send them.

    Raises:
        OSError: it is there and cannot be read.
    """
    found = {}
    try:
        folders = sorted(root.iterdir())
    except FileNotFoundError:
        return {}
    for folder in folders:
        named = folder / SINK
        logs = [folder / log for log in glob("*/*.log", root_dir=folder)]
        if (size := sum(map(_size, logs))) and named.is_file():
            found[named.read_text().strip()] = size
    return found


def kept_here(folder: Path | None) -> dict[Path, dict[str, int] | None]:
    """What is kept where, as of `kept_bytes`; None where that cannot be read. `folder`: of all
    sinks; None: where any run or service without one keeps."""
    found: dict[Path, dict[str, int] | None] = {}
    for one in [folder] if folder else [default_folder(), SERVICE_STATE / "spill"]:
        try:
            found[one] = kept_bytes(one)
        except OSError:
            found[one] = None
    return found


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except FileNotFoundError:  # it was sent at this moment
        return 0


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
        """None of a database, whose disk is as good.

        Args:
            uri: of the sink.
            folder: of all sinks; None: `default_folder`.
            most_bytes: of each log; 0: nothing more is kept, and what was is sent.
        """
        address = parse_sink_uri(uri)
        if isinstance(address, SqliteAddress):
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
        named, text = self.path / SINK, f"{self.sink}\n"
        if named.is_file() and named.read_text() == text:
            return
        draft = self.path / f"{SINK}.{os.getpid()}"
        try:
            draft.touch(mode=0o600)
            draft.write_text(text)
            draft.replace(named)
        finally:
            draft.unlink(missing_ok=True)

    def logs(self) -> list[Path]:
        """The folders of all logs, open or not.

        Raises:
            OSError: they are there and cannot be read.
        """
        try:
            self.root.stat()
        except (FileNotFoundError, PermissionError):  # of somebody else is what it would lie in
            return []
        try:
            return sorted(filter(Path.is_dir, self.path.iterdir()))
        except (FileNotFoundError, NotADirectoryError):
            return []

    @contextmanager
    def taking_over(self, wait: Callable[[], None]) -> Iterator[None]:
        """Nobody else takes over, or begins a log, in the block; `wait` is called as long as
        another process does."""
        held = None
        while held is None:
            try:
                held = hold(self.path / TAKEOVER)
            except BlockingIOError:
                wait()
        try:
            yield
        finally:
            os.close(held)

    def left(self, check: Callable[[], None] = lambda: None) -> Iterator[Spill]:
        """Logs that nobody has open; whoever takes one closes it. `check`: see `Spill`."""
        for folder in self.logs():
            try:
                yield Spill(folder, most_bytes=self.most_bytes, check=check)
            except BlockingIOError:
                continue

    def begin(self) -> Spill:
        """A new log."""
        return Spill(self.path / secrets.token_hex(6), most_bytes=self.most_bytes)

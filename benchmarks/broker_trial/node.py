"""One Kafka node, run by the script that users run; it may be killed, frozen and started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "deploy" / "kafka" / "broker.sh"


class Node:
    """A node with a folder of its own. It keeps its port and its data over a restart."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        """
        Args:
            folder: all that it writes.
            port: for clients, and the next one for controllers; 0: any that are free.
        """
        self.folder = folder
        self._port = port

    def start(self, *settings: str, cluster: str = "") -> None:
        """Start it, or again, and wait until it takes clients.

        Args:
            settings: `name=value` of the broker's configuration.
            cluster: the id of a cluster of several nodes.

        Raises:
            RuntimeError: it does not start; the text is what it said.
        """
        port = self.port if (self.folder / "port").exists() else str(self._port)
        command = [SCRIPT, "start", str(self.folder), port, *settings]
        environment = os.environ | {"KAFKA_CLUSTER_ID": cluster}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode:
            raise RuntimeError(done.stderr)

    def stop(self) -> None:
        """Have it end as it should; its data stay."""
        subprocess.run([SCRIPT, "stop", str(self.folder)], check=True, stdout=subprocess.DEVNULL)

    @property
    def port(self) -> str:
        return (self.folder / "port").read_text().strip()

    @property
    def server(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def uri(self) -> str:
        return f"kafka://{self.server}"

    @property
    def log(self) -> str:
        return (self.folder / "broker.log").read_text()

    @property
    def _pid(self) -> int:
        return int((self.folder / "pid").read_text())

    @property
    def alive(self) -> bool:
        asked = subprocess.run([SCRIPT, "status", self.folder], capture_output=True)
        return asked.returncode == 0

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        while self.alive:
            pass

    def freeze(self) -> None:
        """SIGSTOP, and wait until no thread runs: the signal alone leaves them time to answer."""
        self.signal(signal.SIGSTOP)
        while not all(map(_is_stopped, Path(f"/proc/{self._pid}/task").glob("*"))):
            os.sched_yield()

    def go_on(self) -> None:
        self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self._pid, number)

    def end(self) -> None:
        """Stop it in whatever state it is, frozen ones too."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            self.go_on()
        self.stop()


def _is_stopped(thread: Path) -> bool:
    """Of a folder of Linux' `/proc/PID/task`; a thread that has ended counts."""
    try:
        after_name = (thread / "stat").read_text().rpartition(")")[2]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return after_name.split()[0] in {"T", "t", "Z", "X"}

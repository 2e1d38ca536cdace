"""One real Kafka node that is killed and started again, by the script that users run."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "deploy" / "kafka" / "broker.sh"


class Broker:
    """On any port, which it keeps."""

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: of its data.
        """
        self._folder = folder

    def start(self) -> None:
        """Go on with what is there; it takes clients from now on.

        Raises:
            RuntimeError: it does not, and why.
        """
        port = self._read("port") if (self._folder / "port").exists() else "0"
        command = [SCRIPT, "start", self._folder, port]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"no broker: {done.stderr}")

    def kill(self) -> None:
        """As when its machine loses power, but for what the kernel has not written yet."""
        os.kill(int(self._read("pid")), signal.SIGKILL)
        status = [SCRIPT, "status", self._folder]
        while not subprocess.run(status, capture_output=True, check=False).returncode:
            pass

    def stop(self) -> None:
        subprocess.run([SCRIPT, "stop", self._folder], stdout=subprocess.DEVNULL, check=True)

    @property
    def address(self) -> str:
        """As a sink's."""
        return f"kafka://127.0.0.1:{self._read('port')}"

    def _read(self, name: str) -> str:
        return (self._folder / name).read_text().strip()

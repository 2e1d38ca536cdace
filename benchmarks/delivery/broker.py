"""One broker with two doors: a near one, and one at the end of a `Line`."""

from __future__ import annotations

import random
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.delivery.line import Line

SCRIPT = Path(__file__).parents[2] / "deploy" / "kafka" / "broker.sh"
PORTS = range(20_000, 32_000)  # below those that systems give to outgoing connections


@contextmanager
def broker(folder: Path) -> Iterator[tuple[str, str, Line]]:
    """Started for a block: the near address, the far one, and the line between."""
    near = _three_free()
    line = Line(near + 2)
    settings = {
        "listeners": _named(CLIENT=near, CONTROLLER=near + 1, FAR=near + 2),
        "advertised.listeners": _named(CLIENT=near, FAR=line.port),
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,FAR:PLAINTEXT",
    }
    told = [f"{name}={value}" for name, value in settings.items()]
    subprocess.run([SCRIPT, "start", folder, str(near), *told], check=True)
    try:
        yield f"kafka://127.0.0.1:{near}", f"kafka://127.0.0.1:{line.port}", line
    finally:
        subprocess.run([SCRIPT, "stop", folder], check=True)


def _named(**ports: int) -> str:
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())


def _three_free() -> int:
    while True:
        first = random.choice(PORTS)
        with socket.socket() as probe:
            if all(probe.connect_ex(("127.0.0.1", first + n)) for n in range(3)):
                return first

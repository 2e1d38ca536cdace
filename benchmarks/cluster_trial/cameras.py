"""RTSP cameras on a machine of a trial: one server for each, so that its port says whose it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from benchmarks.cluster_trial.machine import Machine

SERVER = Path(__file__).parents[2] / "tests" / "live" / "rtsp_server.py"
SYSTEM_PYTHON = "/usr/bin/python3"  # Debian's GStreamer is its
FIRST_PORT = 8554
FRAMES_PER_S = 10


class Cameras:
    """Some cameras, 320x180, that look at a moving ball."""

    def __init__(self, machine: Machine, count: int, environment: Mapping[str, str]) -> None:
        self._machine = machine
        self._ports = {f"camera-{index}": FIRST_PORT + index for index in range(count)}
        picture = {"pattern": "ball", "width": 320, "height": 180, "fps": FRAMES_PER_S}
        picture |= {"password": "", "transport": "", "lose_every": 0, "clock_rate": 1}
        for name, port in self._ports.items():
            wanted = picture | {"address": machine.address, "port": port}
            server = machine.start([SYSTEM_PYTHON, SERVER], f"{name}.log", environment)
            assert server.stdin  # open as long as the camera is on
            server.stdin.write(json.dumps(wanted).encode() + b"\n")
            server.stdin.flush()

    @property
    def urls(self) -> dict[str, str]:
        """Stream -> where it is."""
        address = self._machine.address
        return {name: f"rtsp://{address}:{port}/cam" for name, port in self._ports.items()}

    def viewers(self) -> dict[str, list[str]]:
        """Stream -> addresses of the machines that are connected, one per connection."""
        return {name: self._machine.connections(port) for name, port in self._ports.items()}

"""A real cluster of a trial: a head, workers, a driver with a node of its own, a broker, cameras.

Every part is a machine; Ray's nodes are `ray start`, the job is `dinostream run`.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.cluster_trial.cameras import Cameras
from benchmarks.cluster_trial.deliveries import Deliveries, wait_until
from benchmarks.cluster_trial.machine import Machine
from pipeline.configuration.document import to_document

ROOT = Path(__file__).parents[2]
BROKER = ROOT / "deploy" / "kafka" / "broker.sh"
JARS = Path(os.environ.get("KAFKA_JARS", BROKER.with_name("jars")))
BROKER_PORT = 9092
PREFIX = "trial"
STORE_BYTES = 128 << 20
DRIVER = "pipeline run"  # in its command line
NUMBERS = {"head": 2, "broker": 3, "cameras": 4, "worker-0": 10, "worker-1": 11}
NUMBERS |= {"driver": 20, "driver-1": 21, "driver-2": 22}

SMALL = {
    "model": "dinov2_vitti14",
    "weights": "random",
    "short_side": 56,
    "threads": 1,
    "sampling": {"fps": 2},
    "operators": {"embedding": {}},
    "engines": 2,
    "decoders": 1,
    "gpus_per_engine": 0,
}


class Cluster:
    """One cluster and its job, from the first machine on to the last one off."""

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: where everything logs.
        """
        self.folder = folder
        self.machines: dict[str, Machine] = {}
        self._environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "KAFKA_JARS": str(JARS),
            "PYTHONPATH": str(ROOT),
            "OMP_WAIT_POLICY": "PASSIVE",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(16),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_worker_niceness": "0",  # 15 by itself: behind whatever else this machine does
        }
        broker = self.machine("broker")
        self._server = f"{broker.address}:{BROKER_PORT}"
        self._start_broker(broker)
        self.deliveries = Deliveries(self._server, PREFIX)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.deliveries.close()
        for machine in self.machines.values():
            machine.off()

    def machine(self, name: str) -> Machine:
        """The machine of this name, switched on where it is not."""
        if name not in self.machines:
            self.machines[name] = Machine(name, NUMBERS[name], self.folder)
        return self.machines[name]

    def switch_off(self, name: str) -> None:
        """Cut its power."""
        self.machines.pop(name).off()

    def start(self, name: str, **resources: int) -> None:
        """Switch a node on and have it join, or be the head.

        Args:
            name: of its machine.
            resources: what it offers, as options of `ray start`; no processors where not given.
        """
        offered = {"num-cpus": 0, "num-gpus": 0} | resources
        place = "--head" if name == "head" else f"--address={self.address}"
        machine = self.machine(name)
        command = [
            *(Path(sys.executable).with_name("ray"), "start", place, "--block"),
            f"--node-ip-address={machine.address}",
            f"--object-store-memory={STORE_BYTES}",
            "--disable-usage-stats",
            *(["--include-dashboard=false"] if name == "head" else []),
            *(f"--{option}={amount}" for option, amount in offered.items()),
        ]
        log = machine.log(f"node-{time.time_ns()}.log")
        started = machine.start(command, log.name, self._environment)
        wait_until(lambda: "runtime started" in log.read_text() or started.poll(), f"node {name}")
        if started.poll():
            raise RuntimeError(f"no node {name}: {log.read_text()}")

    def start_cameras(self, count: int) -> Cameras:
        """Cameras on a machine of their own."""
        return Cameras(self.machine("cameras"), count, self._environment)

    def run(self, streams: Mapping[str, str], driver: str = "driver", **changes: Any) -> Job:
        """Start the job on a driver's machine, whose node is there.

        Args:
            streams: stream -> URL.
            driver: the machine.
            changes: of its configuration.
        """
        config = (
            SMALL
            | changes
            | {
                "address": self.address,
                "streams": {name: {"url": url} for name, url in streams.items()},
                "sink": f"kafka://{self._server}?topic_prefix={PREFIX}",
            }
        )
        path = self.folder / f"{driver}.yaml"
        path.write_text(to_document(config))
        machine = self.machine(driver)
        command = [sys.executable, "-m", "pipeline", "run", path]
        return Job(machine, machine.start(command, "run.log", self._environment))

    def drain(self, name: str, notice_s: int) -> None:
        """Tell Ray that a node will be gone, as clouds tell of a machine that they want back."""
        machine = self.machines[name]
        command = [
            *(Path(sys.executable).with_name("ray"), "drain-node", f"--address={self.address}"),
            *("--reason=DRAIN_NODE_REASON_PREEMPTION", "--reason-message=trial"),
            f"--deadline-remaining-seconds={notice_s}",
        ]
        if machine.start(command, "drain.log", self._environment).wait():
            raise RuntimeError(f"not drained: {machine.log('drain.log').read_text()}")

    @property
    def address(self) -> str:
        return f"{self.machine('head').address}:6379"

    def actors(self, kind: str) -> dict[int, str]:
        """Process ids of the actors of a class -> names of their machines."""
        return {
            pid: name
            for name, machine in self.machines.items()
            for pid in machine.processes(f"ray::{kind}")
        }

    def _start_broker(self, machine: Machine) -> None:
        command = [
            *(BROKER, "start", self.folder / "kafka", str(BROKER_PORT)),
            # The script itself looks for it on loopback.
            f"listeners=CLIENT://0.0.0.0:{BROKER_PORT},CONTROLLER://127.0.0.1:{BROKER_PORT + 1}",
            f"advertised.listeners=CLIENT://{self._server}",
        ]
        if machine.start(command, "broker.log", self._environment).wait():
            raise RuntimeError(f"no broker: {machine.log('broker.log').read_text()}")


class Job:
    """`dinostream run` on one machine."""

    def __init__(self, machine: Machine, process: subprocess.Popen[bytes]) -> None:
        self._machine = machine
        self._process = process

    @property
    def log(self) -> str:
        return self._machine.log("run.log").read_text()

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def signal(self, number: signal.Signals) -> None:
        self._machine.signal(number, DRIVER)

    def stop(self) -> int:
        """Drain; the exit code."""
        self.signal(signal.SIGTERM)
        return self._process.wait()

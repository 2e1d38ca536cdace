"""The driver's container, run for real beside a Ray of this machine: what its Deployment says,
with another file, another port and Ray's processes of a cluster that ends with the test."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml

GOLDEN = Path(__file__).parents[1] / "golden" / "default.yaml"
WAIT_S = 200
CONFIG = """
weights: demo
operators: {embedding: {}}
streams: {room: {url: "synthetic:room?seed=1&seconds=600"}}
sink: "sqlite:SINK"
decoders: 1
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_until(condition):
    deadline_s = time.monotonic() + WAIT_S
    while not (found := condition()):
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.2)
    return found


def of(folder):
    """Processes whose command line names a folder."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and os.fsencode(folder) in (entry / "cmdline").read_bytes():
                yield int(entry.name)


@pytest.fixture
def folder():
    """Short, for Ray's sockets."""
    path = Path(tempfile.mkdtemp(prefix="dino-", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def started(folder):
    """`started(*command, **environ)`: a process that sees a Ray and a home of this test's own."""
    environ = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(folder),
        "RAY_TMPDIR": str(folder),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
        "DINOSTREAM_TOKEN": secrets.token_hex(16),
    }
    running = []

    def start(*command, **more):
        output = (folder / f"{len(running)}.log").open("w+")
        process = subprocess.Popen(
            command, env={**environ, **more}, cwd=folder, stdout=output, stderr=subprocess.STDOUT
        )
        running.append((process, output))
        return process

    yield start
    for process, output in reversed(running):
        process.terminate()
        process.wait()
        output.close()
    for pid in of(folder):  # the driver's node, which would outlive its container's end here
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def said(folder, number):
    return (folder / f"{number}.log").read_text()


@pytest.mark.slow
def test_it_joins_waits_for_workers_and_drains(folder, started):
    objects = yaml.load_all(GOLDEN.read_text(), Loader=yaml.CSafeLoader)
    (deployment,) = (one for one in objects if one["kind"] == "Deployment")
    driver = deployment["spec"]["template"]["spec"]["containers"][0]
    config, http = folder / "config.yaml", free_port()
    config.write_text(CONFIG.replace("SINK", str(folder / "records.db")))
    script, *names = driver["args"]
    script = script.replace("/etc/dinostream/config.yaml", str(config))
    script = script.replace("0.0.0.0:8600", f"127.0.0.1:{http}")

    port = free_port()
    address = f"127.0.0.1:{port}"
    node = ("--block", "--num-gpus=0", "--object-store-memory=134217728")
    started("ray", "start", "--head", f"--port={port}", "--num-cpus=0", *node)
    run = started(*driver["command"][2:], script, *names, RAY_ADDRESS=address)
    wait_until(lambda: "Connected to Ray cluster" in said(folder, 1))
    assert run.poll() is None
    started("ray", "start", f"--address={address}", f"--num-cpus={names[1]}", *node)

    def ready():
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{http}/startupz").status == 200
        except (urllib.error.URLError, ConnectionError):
            assert run.poll() is None, said(folder, 1)
            return False

    wait_until(ready)
    run.send_signal(signal.SIGTERM)
    assert run.wait(WAIT_S) in (0, 3), said(folder, 1)
    assert "The cluster has not yet" not in said(folder, 1)

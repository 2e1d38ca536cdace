"""What is wrong with the address of a cluster is one line, and soon."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import ray

from operators.errors import UsageError
from pipeline.errors import RuntimeFailure
from pipeline.runtime.ray_cluster import _refused, _start, cluster

ROOT = Path(__file__).parents[3]


def refusal(address: str | None) -> str:
    with pytest.raises(RuntimeFailure) as caught, cluster(address):
        pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("address", ["head", "head:port", "127.0.0.1:99999999999999999999"])
def test_no_address(address: str) -> None:
    with pytest.raises(UsageError, match="want HOST:PORT, auto or local"), cluster(address):
        pass


def test_the_client_protocol() -> None:
    with pytest.raises(UsageError, match="--address auto or HOST:6379"), cluster("ray://h:10001"):
        pass


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no Ray cluster at 127.0.0.1:1: Connection refused" in refusal("127.0.0.1:1")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert "no Ray cluster at 127.0.0.1:1: Connection refused" in refusal(None)


def test_a_command_line_that_ray_cannot_take() -> None:
    with pytest.raises(UnicodeEncodeError) as caught:
        "replay caf\udce9.mp4".encode()
    assert "name the folder around it" in str(_refused("local", caught.value))


def test_who_listens_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.runtime.ray_cluster.PROBE_S", 0.5)
    with socket.create_server(("", 0)) as server:
        assert "does not answer as one" in refusal(f"127.0.0.1:{server.getsockname()[1]}")


def test_a_web_server_listens() -> None:
    with HTTPServer(("", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert "does not answer as one" in refusal(f"127.0.0.1:{server.server_port}")


@pytest.mark.slow
@pytest.mark.parametrize("mode", [{}, {"RAY_AUTH_MODE": "token"}])
def test_a_cluster_that_wants_its_token(nodes, mode: dict[str, str], tmp_path: Path) -> None:
    """Whoever says where it is: the option, or a variable that was set for something else."""
    without = {name: value for name, value in os.environ.items() if "RAY_AUTH" not in name}
    options = ["--weights", "random", "--sink", f"sqlite:{tmp_path}/t.db"]
    options += [] if mode else ["--address", nodes.address]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "replay", "synthetic:room?seconds=1", *options],
        cwd=ROOT,
        env=without | mode | {"HOME": str(tmp_path), "RAY_ADDRESS": nodes.address},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "wants its token: set RAY_AUTH_MODE=token" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("late", "starts"), [(2, True), (3, False)])
def test_ray_is_started_again_where_a_busy_machine_was_late(
    late: int, starts: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tried: list[str] = []

    def init(*, address: str, **_: object) -> None:
        tried.append(address)
        if len(tried) <= late:
            raise Exception("The current node timed out during startup. This could happen ...")

    monkeypatch.setattr(ray, "init", init)
    if starts:
        _start(tmp_path)
    else:
        with pytest.raises(Exception, match="timed out during startup"):
            _start(tmp_path)
    assert tried == ["local"] * 3


@pytest.mark.slow
def test_a_cluster_of_another_version(nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ray.__version__", "2.1.0")
    told = refusal(nodes.address)
    assert ray._private.worker._global_node is None, "what it had made before it looked"
    assert f"the Ray cluster at {nodes.address} refuses us: Version mismatch: The cluster" in told
    assert "was started with: Ray: 2.1.0 Python: " in told

"""Every node of a real cluster is looked at, and one that would not do is named with the reason."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from operators.weights.header import SHIPPED
from pipeline.configuration.resolve import resolve
from pipeline.doctor import PACKAGES
from pipeline.runtime.node_report import ClusterReport, Finding
from pipeline.runtime.ray_doctor import examine_cluster

ROOT = Path(__file__).parents[3]
PASSWORD = "not-for-anybody"


@pytest.fixture
def node(nodes: Any) -> Iterator[Callable[..., Any]]:
    """Starts a node with variables of its own; all go when the test is over."""
    started = []

    def start(environment: Mapping[str, str] | None = None, **resources: Any) -> Any:
        started.append(nodes.add(env_vars=dict(environment or {}), **resources))
        return started[-1]

    yield start
    for one in started:
        nodes.kill(one)


def findings(report: ClusterReport, node: Any) -> dict[str, Finding]:
    """Of one node: tests share the cluster, and one that was killed is in it for a while."""
    found = next(one for one in report.nodes if one.node.id == node.node_id)
    return {one.name: one for one in found.findings}


def shadowing(folder: Path, distribution: str, version: str) -> str:
    """A folder to have in front of `sys.path`, in which another version is installed."""
    metadata = folder / f"{distribution}-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    return str(folder)


def test_a_node_that_would_not_do_is_named_with_the_reason(
    nodes, node, kafka_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # where the driver has no weights to hand out
    home, bare = tmp_path / "home", tmp_path / "bare"
    for folder in (home, bare):
        folder.mkdir()
    (home / "own.safetensors").symlink_to(SHIPPED)
    (tmp_path / "late").mkdir()
    late = "import time\nours = time.time\ntime.time = lambda: ours() - 5\n"
    (tmp_path / "late" / "sitecustomize.py").write_text(late)
    old = shadowing(tmp_path / "av", "av", "1.0.0")
    alike = node({"HOME": str(home)})
    other = node({"HOME": str(bare), "PYTHONPATH": old})
    late = node({"HOME": str(home), "PYTHONPATH": str(tmp_path / "late")}, num_gpus=1)

    values = {"weights": "~/own.safetensors", "model": "dinov2_vitti14", "gpus_per_engine": 0}
    config = resolve(None, values | {"operators": ["embedding"], "sink": kafka_uri})
    report = examine_cluster(nodes.address, config, answer_s=200)
    assert report.wrong
    assert {one.name: one.state for one in report.driver}["sink"] == "ok"

    found = findings(report, alike)
    assert set(found) == {"versions", "clock", "layout", "machine", "computes", "weights", "sink"}
    troubled = {name for name, one in found.items() if one.state in ("wrong", "warning")}
    assert troubled <= {"machine"}  # a container's /dev/shm is small
    assert "answers; it has 0 topics of this prefix" in found["sink"].value

    found = findings(report, other)
    assert found["versions"].state == "wrong"
    assert found["versions"].value.startswith("av 1.0.0, the driver has ")
    assert found["weights"].value == f"{bare}/own.safetensors: no such file"
    assert found["sink"].state == "ok"

    found = findings(report, late)
    assert found["versions"].state == found["weights"].state == "ok"
    assert found["clock"].state == "wrong"
    assert "behind the driver's" in found["clock"].value
    assert "Ray lends 1 GPUs here and torch can use none" in found["computes"].value


def test_a_node_that_stands_still_does_not_keep_the_others(nodes, node, processes) -> None:
    still, beside = node(), node()
    raylet = still.all_processes["raylet"][0].process.pid
    processes.stop(raylet)
    try:
        report = examine_cluster(nodes.address, None, answer_s=20, examine_s=0.1)
    finally:
        processes.go_on(raylet)
    assert findings(report, still)["answer"].value == "no answer within 20 s"
    assert findings(report, beside)["versions"].state == "ok"


@pytest.fixture
def mute_broker() -> Iterator[str]:
    """Takes connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield f"kafka://127.0.0.1:{server.getsockname()[1]}"


def test_another_dinostream_and_a_broker_that_does_not_answer(
    nodes, node, mute_broker: str, tmp_path: Path
) -> None:
    """As a command, away from the checkout: Ray would put the current folder before the node's."""
    image = tmp_path / "image"
    for name in PACKAGES:
        shutil.copytree(ROOT / name, image / name, ignore=shutil.ignore_patterns("__pycache__"))
    with (image / "pipeline" / "job.py").open("a") as file:
        file.write("# another day's\n")
    config = tmp_path / "cameras.yaml"
    settings = {"attempt_s": 1, "security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN"}
    settings |= {"sasl_plain_username": "me", "sasl_plain_password": PASSWORD}
    sink = {"uri": mute_broker, "settings": settings}
    config.write_text(json.dumps({"weights": "demo", "sink": sink}))
    other, beside = node({"PYTHONPATH": str(image)}), node({"PYTHONPATH": str(ROOT)})
    (tmp_path / "away").mkdir()

    command = ["doctor", "--cluster", "--json", "--address", nodes.address, "--config", config]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *command],
        cwd=tmp_path / "away",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 1, done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["fine"] is False
    by_node = {one["node"]["id"]: one for one in report["nodes"]}

    (versions,) = [one for one in by_node[other.node_id]["findings"] if one["state"] == "wrong"]
    assert versions["value"].startswith("its code ")
    assert "nothing else was looked at" in versions["value"]

    wrong = {
        one["name"]: one["value"]
        for one in by_node[beside.node_id]["findings"]
        if one["state"] == "wrong"
    }
    assert set(wrong) == {"sink"}
    assert "listing topics: not confirmed within 1 s" in wrong["sink"]
    assert {one["name"]: one["state"] for one in report["driver"]}["sink"] == "wrong"

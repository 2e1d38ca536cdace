"""deploy/kafka/broker.sh, as a person at a shell uses it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from pipeline.sinks.uri import open_reader, open_sink

SCRIPT = Path(__file__).parents[3] / "deploy" / "kafka" / "broker.sh"


def call(*arguments, **how):
    return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, timeout=300, **how)


def test_usage_is_told():
    done = call()
    assert done.returncode == 2
    assert "broker.sh start [DIR] [PORT]" in done.stderr


def test_without_java_it_says_how_to_get_it(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("bash", "env", "cat", "dirname", "grep", "head", "mkdir", "ps", "sed", "seq"):
        path = shutil.which(tool)
        if path:
            (tools / tool).symlink_to(path)
    done = call("start", tmp_path / "kafka", env={"PATH": str(tools), "HOME": str(tmp_path)})
    assert done.returncode == 1
    assert "Java 17 or newer" in done.stderr
    assert "apt-get install openjdk-17-jre-headless maven" in done.stderr
    assert not (tmp_path / "kafka" / "data").exists()


def test_nothing_runs_where_nothing_was_started(tmp_path):
    assert call("status", tmp_path).returncode == 3
    assert call("stop", tmp_path).stdout == "not running\n"


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_a_stopped_broker_goes_on_where_it_was(own_broker, build):
    own_broker.start()
    uri = own_broker.uri
    assert call("status", own_broker.folder).stdout == f"{uri}\n"
    assert call("start", own_broker.folder).stdout == f"{uri}\n"  # it runs already
    sink = open_sink(uri)
    sink.publish([build.message(1)])
    sink.close()
    own_broker.stop()
    assert call("status", own_broker.folder).returncode == 3

    assert call("start", own_broker.folder).stdout == f"{uri}\n"
    assert len(list(open_reader(uri).records())) == 1


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_it_listens_on_loopback_only(kafka_broker):
    pid = (kafka_broker.folder / "pid").read_text().strip()
    inodes = set()
    for descriptor in os.scandir(f"/proc/{pid}/fd"):
        target = os.readlink(descriptor.path)
        if target.startswith("socket:"):
            inodes.add(target[8:-1])
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and rest[5] in inodes:
                listening.append(local.split(":")[0])
    assert len(listening) == 2
    assert {address[-8:] for address in listening} == {"0100007F"}


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_a_port_that_is_taken_is_named(own_broker):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(64)
        port = taken.getsockname()[1]
        done = call("start", own_broker.folder, str(port))
    assert done.returncode == 1
    assert f"port {port} or {port + 1} is taken; name another one" in done.stderr

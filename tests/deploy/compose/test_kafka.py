"""The broker of compose.yaml: a real one with its settings has clients under both names."""

import base64
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[3]
KAFKA = YAML(typ="safe").load(ROOT / "deploy" / "compose" / "compose.yaml")["services"]["kafka"]
SETTINGS = {
    name.removeprefix("KAFKA_").replace("_", ".").lower(): str(value)
    for name, value in KAFKA["environment"].items()
    if name.startswith("KAFKA_")
}
INSIDE = "127.0.0.2"  # stands for the name that other containers know, on another address


def test_the_clusters_id_is_one():
    assert len(base64.urlsafe_b64decode(KAFKA["environment"]["CLUSTER_ID"] + "==")) == 16


def test_what_the_host_reaches_is_advertised_as_the_hosts():
    (port,) = KAFKA["ports"]
    inside = port.rpartition(":")[2]
    assert f"HOST://localhost:{inside}" in SETTINGS["advertised.listeners"].split(",")
    assert f"HOST://:{inside}" in SETTINGS["listeners"].split(",")
    assert SETTINGS["log.dirs"] in KAFKA["volumes"][0]


def test_one_node_keeps_one_copy():
    copies = {
        name: value for name, value in SETTINGS.items() if re.search("replication|isr$", name)
    }
    assert len(copies) == 5
    assert set(copies.values()) == {"1"}


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_clients_come_under_both_names(own_broker, spare_ports):
    (inside,) = spare_ports(1)
    own_broker.start()
    port = int(own_broker.port)
    own_broker.stop()
    moved = {"localhost:9092": f"127.0.0.1:{port}", "localhost:29093": f"127.0.0.1:{port + 1}"}
    moved |= {"://:9092": f"://127.0.0.1:{port}", "://:19092": f"://{INSIDE}:{inside}"}
    moved |= {"kafka:19092": f"{INSIDE}:{inside}"}
    settings = []
    for name, value in SETTINGS.items():
        for old, new in moved.items():
            value = value.replace(old, new)
        if name != "log.dirs":
            settings.append(f"{name}={value}")
    own_broker.start(*settings)
    host, elsewhere = (f"kafka://127.0.0.1:{port}", f"kafka://{INSIDE}:{inside}")
    for made, read in ((host, elsewhere), (elsewhere, host)):
        prefix = f"?topic_prefix=made-at-{made[-5:]}"
        assert "created" in dinostream("topics", "create", made + prefix, "events")
        assert "events" in dinostream("topics", "list", read + prefix)


def dinostream(*words):
    command = [sys.executable, "-m", "pipeline", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout

"""The cluster file for `ray up` is one that Ray takes, and what it names is there."""

import copy
import re
import shlex
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CLUSTER = yaml.safe_load((ROOT / "deploy" / "ray-up" / "cluster.yaml").read_text())


@pytest.fixture(scope="module")
def prepared():
    """`prepared(config)`: what Ray makes of it, checked against its schema."""
    from ray.autoscaler._private.util import prepare_config, validate_config

    def prepare(config):
        config = prepare_config(copy.deepcopy(config))
        validate_config(config)
        return config

    return prepare


@pytest.mark.slow
def test_ray_takes_it_and_keeps_every_machine(prepared):
    config = prepared(CLUSTER)
    machines = len(CLUSTER["provider"]["worker_ips"])
    (kind,) = config["available_node_types"].values()
    assert (kind["min_workers"], kind["max_workers"]) == (machines, machines)
    assert config["max_workers"] == machines


@pytest.mark.slow
def test_ray_refuses_a_key_that_it_does_not_know(prepared):
    with pytest.raises(Exception, match="max_workerz"):
        prepared({**CLUSTER, "max_workerz": 2})


def test_every_node_installs_what_is_pinned_and_wants_the_token():
    (setup,) = CLUSTER["setup_commands"]
    script = re.search(r"&& (\S+)", setup)[1]
    assert "--constraint constraints.txt" in (ROOT / script).read_text()
    starts = [CLUSTER[key][-1] for key in ("head_start_ray_commands", "worker_start_ray_commands")]
    assert all("RAY_AUTH_MODE=token" in shlex.split(start) for start in starts)
    assert "~/.ray/auth_token" in CLUSTER["file_mounts"]

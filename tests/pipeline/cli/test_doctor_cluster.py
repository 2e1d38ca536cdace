"""What is printed of a cluster's nodes, and what `doctor --cluster` refuses before it looks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.runtime.node_report import ClusterReport, Finding, Node, NodeReport

DRIVER = [Finding("versions", "told", "dinostream 2026.11.0")]
GOOD = Node("5d" * 28, "10.0.0.6", "worker-2", 4, 0, 0)
BAD = Node("3f" * 28, "10.0.0.5", "worker-1", 4, 0, 0)
FINE = [Finding("versions", "ok", "dinostream 2026.11.0")]
LATE = [Finding("clock", "wrong", "2.000 s behind", "synchronise it"), *FINE]
TABLE = """driver
      --  versions           dinostream 2026.11.0
10.0.0.5 worker-1 (node 3f3f3f3f)
   WRONG  clock              2.000 s behind
                             -> synchronise it
      ok  versions           dinostream 2026.11.0
10.0.0.6 worker-2 (node 5d5d5d5d)
      ok  versions           dinostream 2026.11.0
1 of 2 nodes would not do: 10.0.0.5 worker-1 (node 3f3f3f3f)
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[str, Any]]]:
    """Puts a report in the place of a cluster; gives the addresses and configurations of calls."""

    def answer(*nodes: NodeReport) -> list[tuple[str, Any]]:
        calls = []

        def examine(address: str, config: Any) -> ClusterReport:
            calls.append((address, config))
            return ClusterReport(DRIVER, nodes)

        monkeypatch.setattr("pipeline.runtime.ray_doctor.examine_cluster", examine)
        monkeypatch.delenv("RAY_ADDRESS", raising=False)
        return calls

    return answer


def test_a_node_that_would_not_do_comes_first_and_fails(dinostream, asked) -> None:
    asked(NodeReport(BAD, LATE), NodeReport(GOOD, FINE))
    done = dinostream("doctor", "--cluster")
    assert done.returncode == 1
    table, _, left_out = done.stdout.partition("no configuration: ")
    assert table == TABLE
    assert left_out.startswith("weights, heads, operators and the sink were not looked at")


def test_nodes_that_would_do(dinostream, asked) -> None:
    asked(NodeReport(GOOD, FINE))
    done = dinostream("doctor", "--cluster", "--set", "weights=demo")
    assert done.returncode == 0
    assert done.stdout.endswith("1 of 1 nodes would do\n")


def test_json(dinostream, asked) -> None:
    asked(NodeReport(BAD, LATE), NodeReport(GOOD, FINE))
    done = dinostream("doctor", "--cluster", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["fine"], report["configured"]) == (1, False, False)
    assert [one["fine"] for one in report["nodes"]] == [False, True]
    assert report["nodes"][0]["node"]["address"] == "10.0.0.5"
    assert report["nodes"][0]["findings"][0]["state"] == "wrong"


def test_which_cluster(dinostream, asked, monkeypatch, tmp_path) -> None:
    calls = asked(NodeReport(GOOD, FINE))
    (tmp_path / "run.yaml").write_text("weights: demo\naddress: 10.0.0.7:6379\nruntime: inline\n")
    (tmp_path / "plain.yaml").write_text("weights: demo\nruntime: inline\n")
    dinostream("doctor", "--cluster")
    dinostream("doctor", "--cluster", "--config", "plain.yaml")
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.8:6379")
    dinostream("doctor", "--cluster")
    dinostream("doctor", "--cluster", "--config", "run.yaml")
    dinostream("doctor", "--cluster", "--config", "run.yaml", "--address", "10.0.0.9:6379")
    assert [address for address, _ in calls] == [
        *("auto", "auto", "10.0.0.8:6379", "10.0.0.7:6379", "10.0.0.9:6379")
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--address", "auto"], "are for --cluster; give it, too"),
        (["--set", "weights=demo"], "are for --cluster; give it, too"),
        (["--cluster", "--address", "local"], "give HOST:PORT or auto"),
        (["--cluster", "--config", "none.yaml"], "none.yaml"),
        (["--cluster", "--set", "operators.detph={}"], "did you mean depth?"),
        (["--cluster", "--set", "model=dinov2_vitx14"], "dinov2_vitx14"),
        (["--cluster", "--set", "heads.depth=nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_looked_at_is_bad_usage(dinostream, asked, arguments, told) -> None:
    calls = asked()
    done = dinostream("doctor", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert calls == []

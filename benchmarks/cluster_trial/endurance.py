"""Trials that take their time: what a job holds must not grow with what it has done."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cluster_trial.cluster import Cluster
from benchmarks.cluster_trial.deliveries import wait_until
from benchmarks.cluster_trial.figure import Figure
from benchmarks.cluster_trial.stage import Stage
from benchmarks.cluster_trial.usage import growth, peaks

# Two cameras of ten frames a second for each engine, and an operator that takes ten.
TWICE_TOO_MUCH = {
    "sampling": {"all": True},
    "operators": {"embedding": {}, "benchmarks.cluster_trial.slow:Slow": {}},
}
WARM_S = 60.0
LOOK_S = 60.0
SOAK_S = 600.0
MEMORY_GOAL_MIB = 20.0
REFUSED_CAMERAS = 20
REFUSED_PORT = 7000
TRIES = 200
TRIES_BEFORE = 2 * REFUSED_CAMERAS
REFUSED_LOOK_S = 20.0


def soak(cluster: Cluster) -> Iterator[Figure]:
    """Ten minutes at twice the load that the engines can bear."""
    stage = Stage(cluster)
    stage.begin(**TWICE_TOO_MUCH)
    began_s = time.monotonic()
    time.sleep(WARM_S)
    before = peaks(cluster, LOOK_S)
    time.sleep(SOAK_S - LOOK_S - (time.monotonic() - began_s))
    after = peaks(cluster, LOOK_S)
    dropped = sum(one.event["dropped"] for one in cluster.deliveries.events("dropped") if one.event)
    yield Figure("frames that were dropped", dropped, "")
    yield Figure("longest pause of a stream", stage.pause_s(began_s), "s")
    yield from growth(before, after, MEMORY_GOAL_MIB)
    yield from stage.end()


def reconnects(cluster: Cluster) -> Iterator[Figure]:
    """Two hundred connections that fail, beside cameras that are well."""
    stage = Stage(cluster)
    cameras = cluster.machine("cameras")
    server = [sys.executable, Path(__file__).with_name("turning_away.py")]
    log = cameras.log("refused.log")
    cameras.start([*server, cameras.address, str(REFUSED_PORT)], log.name, {})
    url = f"rtsp://{cameras.address}:{REFUSED_PORT}/cam"
    stage.streams |= {f"refused-{number}": url for number in range(REFUSED_CAMERAS)}
    stage.begin()
    wait_until(lambda: _lines(log) >= TRIES_BEFORE, "the first tries")
    began_s, first = time.monotonic(), _lines(log)
    before = peaks(cluster, REFUSED_LOOK_S)
    wait_until(lambda: _lines(log) >= first + TRIES, "all tries", within_s=900)
    after = peaks(cluster, REFUSED_LOOK_S)
    told = f"in {time.monotonic() - began_s:.0f} s"
    yield Figure("connections that failed meanwhile", _lines(log) - first, "", why=told)
    yield Figure("longest pause of the others", stage.pause_s(began_s))
    yield from growth(before, after, MEMORY_GOAL_MIB)
    yield from stage.end()


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")

"""What is done to a cluster, trial by trial, and what comes of it."""

from __future__ import annotations

import itertools
import os
import signal
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator

from benchmarks.cluster_trial.cluster import Cluster
from benchmarks.cluster_trial.deliveries import wait_until
from benchmarks.cluster_trial.endurance import reconnects, soak
from benchmarks.cluster_trial.figure import Figure
from benchmarks.cluster_trial.laws import REASONS
from benchmarks.cluster_trial.stage import CAMERAS, CORES, Stage

KILLS = 20
SPARES = 6
LOADED_S = 10.0  # for an engine that was started to have its weights
FROZEN_S = 80.0
NOTICE_S = 30  # between a drain and the end of the node, as clouds give it
ALONE_S = 30.0  # longest that a camera stays connected for nobody
AFTER_S = 20.0  # for what was away to come back and do harm


def kill_actors(cluster: Cluster) -> Iterator[Figure]:
    """Actors of every kind, one after the other, each when all streams are at work again."""
    stage = Stage(cluster)
    stage.begin()
    away_s = defaultdict(list)
    kinds = itertools.cycle(("DecodeActor", "EngineActor", "SinkActor"))
    for number, kind in zip(range(KILLS), kinds, strict=False):
        actors = sorted(cluster.actors(kind))
        victim = actors[number % len(actors)]
        away_s[kind].append(stage.hit(lambda pid=victim: os.kill(pid, signal.SIGKILL)))
    for kind, each in away_s.items():
        told = f"{len(each)} kills, median {statistics.median(each):.1f} s"
        yield Figure(f"{kind} killed: streams back", max(each), goal=5, why=told)
    yield Figure("workers without an engine in the end", 2 - len(_engines(cluster)), "", goal=0)
    yield from stage.end()


def spare_engines(cluster: Cluster) -> Iterator[Figure]:
    """Engines at work, while another one waits: the oldest, which is not the one that waits."""
    stage = Stage(cluster)
    stage.begin(spare_engines=1)
    away_s = []
    for _ in range(SPARES):
        wait_until(lambda: len(cluster.actors("EngineActor")) == 3, "an engine that waits")
        time.sleep(LOADED_S)
        victim = min(cluster.actors("EngineActor"))
        away_s.append(stage.hit(lambda pid=victim: os.kill(pid, signal.SIGKILL)))
    told = f"{SPARES} kills, median {statistics.median(away_s):.1f} s"
    yield Figure("engine killed, one waits: streams back", max(away_s), goal=5, why=told)
    yield from stage.end()


def kill_node(cluster: Cluster) -> Iterator[Figure]:
    """A worker's processes, and then the power of the other one, while the first is back."""
    stage = Stage(cluster)
    stage.begin()
    yield Figure(
        "worker killed: streams back", stage.hit(cluster.machines["worker-0"].kill), goal=25
    )
    stage.start_worker("worker-0")
    yield Figure(
        "worker without power: streams back",
        stage.hit(lambda: cluster.switch_off("worker-1")),
        goal=80,
        why="nobody says that it is gone",
    )
    yield from stage.end()


def freeze_node(cluster: Cluster) -> Iterator[Figure]:
    """A worker is paused with its network, replaced, and goes on."""
    stage = Stage(cluster)
    stage.begin()
    worker, began_s = cluster.machines["worker-0"], time.monotonic()
    yield Figure("worker frozen: streams back", stage.hit(worker.freeze), goal=80)
    old = set(worker.processes("ray::EngineActor"))
    time.sleep(max(0.0, FROZEN_S - (time.monotonic() - began_s)))
    worker.go_on()
    went_on_s = time.monotonic()
    wait_until(lambda: not old & set(worker.processes("ray::EngineActor")), "the old engine gone")
    yield Figure("its old engine is gone after it went on", time.monotonic() - went_on_s, goal=10)
    time.sleep(AFTER_S)
    yield from stage.end()


def kill_driver(cluster: Cluster) -> Iterator[Figure]:
    """The job's process, and then its machine's power; the same command goes on."""
    stage = Stage(cluster)
    stage.begin()
    killed_s = time.monotonic()
    stage.job.signal(signal.SIGKILL)
    yield Figure("driver killed: no camera connected", stage.abandoned_s(killed_s), goal=ALONE_S)
    yield Figure("started again: first records of all", _go_on_s(stage, "driver"))
    off_s = time.monotonic()
    cluster.switch_off("driver")
    yield Figure(
        "driver without power: no camera connected", stage.abandoned_s(off_s), goal=ALONE_S
    )
    cluster.start("driver-1")
    yield Figure("started elsewhere: first records of all", _go_on_s(stage, "driver-1"))
    yield from stage.end()


def second_driver(cluster: Cluster) -> Iterator[Figure]:
    """The same job once more while the first is alive, and a third while the second is frozen."""
    stage = Stage(cluster)
    stage.begin()
    for name in ("driver-1", "driver-2"):
        cluster.start(name)
    first, began_s = stage.job, time.monotonic()
    yield Figure("second driver: has taken all over", _go_on_s(stage, "driver-1"))
    wait_until(lambda: first.ended, "the first driver's end")
    yield Figure("by then the first has ended", time.monotonic() - began_s)
    yield Figure("cameras connected twice", stage.viewers_too_many(), "", goal=0)
    second = stage.job
    cluster.machines["driver-1"].freeze()
    yield Figure("third driver, second frozen: has taken all over", _go_on_s(stage, "driver-2"))
    time.sleep(FROZEN_S)
    cluster.machines["driver-1"].go_on()
    went_on_s = time.monotonic()
    wait_until(lambda: second.ended, "the second driver's end")
    yield Figure("the second has ended after it went on", time.monotonic() - went_on_s)
    time.sleep(AFTER_S)
    yield Figure("cameras connected twice", stage.viewers_too_many(), "", goal=0)
    yield from stage.end()


def add_node(cluster: Cluster) -> Iterator[Figure]:
    """An engine that waits for room gets it from a node that comes."""
    stage = Stage(cluster)
    offered = {"num-cpus": CORES, "num-gpus": 1}  # in name: a GPU is waited for
    cluster.start("worker-0", **offered)
    cluster.start("driver")
    stage.run("driver", gpus_per_engine=1)
    wait_until(lambda: "waits for room" in stage.job.log, "an engine that waits")
    began_s = time.monotonic()
    cluster.start("worker-1", **offered)
    joined_s = time.monotonic() - began_s
    told = f"of them {joined_s:.1f} s until it has joined"
    yield Figure("node added: first records of all", stage.back_s(began_s, {}), why=told)
    yield Figure("workers without an engine", 2 - len(_engines(cluster)), "", goal=0)
    yield from stage.end()


def head_loss(cluster: Cluster) -> Iterator[Figure]:
    """The head dies; when the job has ended the cluster is started anew, and so is the job."""
    stage = Stage(cluster)
    stage.begin()
    lost_s = time.monotonic()
    cluster.machines["head"].kill()
    wait_until(lambda: stage.job.ended, "the job's end")
    yield Figure("head killed: the job has ended", time.monotonic() - lost_s)
    last_s = max(one.seen_s for one in cluster.deliveries.newest().values())
    yield Figure("head killed: last record", last_s - lost_s)
    yield Figure(
        "job ended: no camera connected", stage.abandoned_s(time.monotonic()), goal=ALONE_S
    )
    for name in ("head", "worker-0", "worker-1", "driver"):
        cluster.switch_off(name)
    before, began_s = stage.sessions(), time.monotonic()
    cluster.start("head")
    stage.begin()
    yield Figure("all started again: first records of all", stage.back_s(began_s, before))
    yield from stage.end()


def drain(cluster: Cluster) -> Iterator[Figure]:
    """A node is told to go, and goes; its engine leaves before."""
    stage = Stage(cluster)
    stage.begin()
    began_s, before = time.monotonic(), stage.sessions()
    cluster.drain("worker-0", NOTICE_S)
    time.sleep(NOTICE_S)
    stayed = "worker-0" in _engines(cluster)
    cluster.machines["worker-0"].kill()
    stage.back_s(began_s, before)
    told = "its engine stayed until it was killed" if stayed else "its engine had left by then"
    yield Figure("node drained: longest pause", stage.pause_s(began_s), goal=5, why=told)
    lost = sum(len(cluster.deliveries.events(kind, began_s)) for kind in REASONS)
    yield Figure("streams that were lost, not handed over", lost, "", goal=0)
    yield from stage.end()


def _engines(cluster: Cluster) -> set[str]:
    """Machines that have one."""
    return set(cluster.actors("EngineActor").values())


def _go_on_s(stage: Stage, driver: str) -> float:
    """Start the job once more; seconds until every stream has a record of it."""
    before, began_s = stage.sessions(), time.monotonic()
    stage.run(driver)
    wait_until(lambda: len(_moved(stage, before)) == CAMERAS, "all streams taken over")
    return stage.back_s(began_s, before)


def _moved(stage: Stage, before: dict[str, str]) -> set[str]:
    return {name for name, session in stage.sessions().items() if before[name] != session}


TRIALS = {
    "kill-actors": kill_actors,
    "spare-engines": spare_engines,
    "kill-node": kill_node,
    "freeze-node": freeze_node,
    "kill-driver": kill_driver,
    "second-driver": second_driver,
    "add-node": add_node,
    "head-loss": head_loss,
    "drain": drain,
    "soak": soak,
    "reconnects": reconnects,
}

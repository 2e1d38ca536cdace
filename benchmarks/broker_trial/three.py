"""What is done to three brokers while a replay and a live run write to them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from kafka import TopicPartition

from benchmarks.broker_trial.brokers import NODES, Brokers
from benchmarks.broker_trial.here import Here
from benchmarks.broker_trial.stage import CLIP, PREFIX, TOPIC, Stage
from benchmarks.cluster_trial.figure import Figure
from pipeline.sinks.kafka.reading import partition_of
from pipeline.sinks.uri import open_reader

LOOK_S = 12.0  # a broker that says nothing is given up after 9 s
FROZEN_S = 45.0
MOVES = 20


def kill_each(brokers: Brokers, stage: Stage) -> Iterator[Figure]:
    """Each broker in turn, by SIGKILL; it comes back before the next one's turn."""
    for number, node in brokers.nodes.items():
        yield Figure(f"broker {number} killed: longest pause", stage.hit(node.kill, LOOK_S))
        yield _started_again(brokers, stage, number)


def freeze_each(brokers: Brokers, stage: Stage) -> Iterator[Figure]:
    """Each broker in turn, by SIGSTOP: it takes connections and says nothing."""
    for number, node in brokers.nodes.items():
        why = "the controller" if number == brokers.controller else ""
        pause_s = stage.hit(node.freeze, FROZEN_S)
        yield Figure(f"broker {number} frozen: longest pause", pause_s, why=why)
        yield Figure(f"broker {number} goes on: longest pause", stage.hit(node.go_on, LOOK_S))
        brokers.wait_in_sync()


def move_controller(brokers: Brokers, stage: Stage) -> Iterator[Figure]:
    """The node that leads the quorum is stopped as it should be, and started again, until two of
    them have led."""
    led = set()
    while len(led) < 2:
        number = brokers.controller
        led.add(number)
        pause_s = stage.hit(brokers.nodes[number].stop, LOOK_S)
        yield Figure(f"controller {number} stopped: longest pause", pause_s)
        yield _started_again(brokers, stage, number)


def move_leaders(brokers: Brokers, stage: Stage) -> Iterator[Figure]:
    """Leaders of the partitions that the recording's records and its progress lie in."""
    for name, key in ((TOPIC, CLIP), ("progress", _progress_key(stage))):
        topic = f"{PREFIX}.{name}"
        numbers = sorted(one.partition for one in brokers.partitions() if one.topic == topic)
        partition = TopicPartition(topic, partition_of(key, numbers))
        began_s = time.monotonic()
        move = partial(brokers.move_leader, partition)
        pauses_s = [stage.hit(move, steady_s=0.0) for _ in range(MOVES)]
        told = f"{MOVES} times in {time.monotonic() - began_s:.0f} s"
        yield Figure(f"leader of {partition.topic} moved: longest pause", max(pauses_s), why=told)


def kill_all(brokers: Brokers, stage: Stage) -> Iterator[Figure]:
    """All at once, and they come back at once."""

    def fell() -> None:
        for node in brokers.nodes.values():
            node.kill()
        brokers.start()

    yield Figure("all killed and started again: longest pause", stage.hit(fell))
    brokers.wait_in_sync()


def _started_again(brokers: Brokers, stage: Stage, number: int) -> Figure:
    pause_s = stage.hit(lambda: brokers.start_node(number))
    brokers.wait_in_sync()
    return Figure(f"broker {number} started again: longest pause", pause_s)


def _progress_key(stage: Stage) -> str:
    reader = open_reader(stage.uri)
    (job,) = {one.job for one in reader.progress() if one.stream == CLIP}
    reader.close()
    return f"{job}/{CLIP}"


Trial = Callable[[Brokers, Stage], Iterator[Figure]]
TRIALS: dict[str, Trial] = {
    "kill-each": kill_each,
    "freeze-each": freeze_each,
    "move-controller": move_controller,
    "move-leaders": move_leaders,
    "kill-all": kill_all,
}


def run(trial: str, folder: Path, port: int) -> Iterator[Figure]:
    """One trial, from the first broker on to the last verdict.

    Args:
        trial: of `TRIALS`.
        folder: where everything logs.
        port: the first of six in a row.
    """
    brokers = Brokers(folder / "kafka", range(port, port + 2 * NODES))
    with ExitStack() as stack:
        stack.callback(brokers.end)
        brokers.start()
        here = Here(folder / "runs")
        stack.callback(here.end)
        stage = Stage(here, brokers.servers)
        stack.callback(stage.close)
        stage.begin()
        brokers.wait_in_sync()
        yield from TRIALS[trial](brokers, stage)
        yield from stage.end()

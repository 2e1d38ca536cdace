"""Three Kafka nodes on loopback: what is written lies on all of them, two have to have it.

Every node is broker and controller in one. A fixture of the tests as well.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from benchmarks.broker_trial.node import Node
from benchmarks.cluster_trial.deliveries import wait_until

NODES = 3
CLUSTER = "AbrokertrialAbrokertri"
SETTINGS = (
    *("offsets.topic.replication.factor=3", "transaction.state.log.replication.factor=3"),
    *("default.replication.factor=3", "min.insync.replicas=2"),
    "transaction.state.log.min.isr=2",
)


class Brokers:
    """Three nodes, started together.

    Attributes:
        nodes: node id -> node.
        servers: their addresses, with commas between them.
    """

    def __init__(self, folder: Path, ports: Sequence[int]) -> None:
        """
        Args:
            folder: with a folder for each.
            ports: two for each, in a row.
        """
        pairs = zip(range(1, NODES + 1), ports[::2], strict=True)
        self.nodes = {number: Node(folder / f"node-{number}", port) for number, port in pairs}
        self.servers = ",".join(f"127.0.0.1:{port}" for port in ports[::2])
        voters = [f"{number}@127.0.0.1:{ports[2 * number - 1]}" for number in self.nodes]
        self._settings = (*SETTINGS, f"controller.quorum.voters={','.join(voters)}")

    def start(self, *settings: str) -> None:
        """Start all, each of which waits for one other at least."""
        with ThreadPoolExecutor(NODES) as pool:
            list(pool.map(lambda number: self.start_node(number, *settings), self.nodes))

    def start_node(self, number: int, *settings: str) -> None:
        own = (*self._settings, f"node.id={number}", *settings)
        self.nodes[number].start(*own, cluster=CLUSTER)

    def end(self) -> None:
        """Kill all: nodes that are stopped wait for each other."""
        for node in self.nodes.values():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                node.signal(signal.SIGKILL)

    @property
    def controller(self) -> int:
        """The node that leads the quorum, once there is one."""
        leader: int = wait_until(self._controller, "a controller")
        return leader

    def partitions(self) -> dict[TopicPartition, dict[str, Any]]:
        """Every partition -> its `leader_id`, `replica_nodes` and `isr_nodes`."""
        with self._admin() as admin:
            topics = admin.describe_topics(admin.list_topics())
        return {
            TopicPartition(topic["name"], one["partition_index"]): one
            for topic in topics
            for one in topic["partitions"]
        }

    def wait_in_sync(self) -> None:
        """Wait until every replica is on every node and as far as its leader."""
        wait_until(self._in_sync, "replicas in sync")

    def move_leader(self, partition: TopicPartition) -> int:
        """Have another replica lead; the node that does from now on."""
        before = self.partitions()[partition]
        replicas = [*before["replica_nodes"]]
        after = next(one for one in replicas if one != before["leader_id"])
        order = [after, *(one for one in replicas if one != after)]
        with self._admin() as admin:
            admin.alter_partition_reassignments({partition: order})
            admin.elect_leaders(0, {partition.topic: [partition.partition]})
        wait_until(lambda: self.partitions()[partition]["leader_id"] == after, "another leader")
        return after

    def _controller(self) -> int:
        """0 where it is not known at the moment."""
        try:
            with self._admin() as admin:
                quorum = admin.describe_metadata_quorum()["topics"][0]["partitions"][0]
        except KafkaError:
            return 0
        return max(0, int(quorum["leader_id"]))

    def _in_sync(self) -> bool:
        try:
            return all(len(one["isr_nodes"]) == NODES for one in self.partitions().values())
        except KafkaError:
            return False

    @contextlib.contextmanager
    def _admin(self) -> Iterator[Any]:
        admin = KafkaAdminClient(bootstrap_servers=self.servers)
        try:
            yield admin
        finally:
            admin.close()

"""What is done to one broker while a stream is written to it, and what becomes of the stream."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ConfigResource,
    ConfigResourceType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
)
from kafka.protocol.admin.client_quotas import AlterClientQuotasRequest

from benchmarks.broker_trial.node import Node
from benchmarks.broker_trial.writer import PREFIX, TOPIC, Writer, committed
from benchmarks.cluster_trial.deliveries import wait_until
from benchmarks.cluster_trial.figure import Figure
from pipeline.errors import SinkError

ATTEMPT_S = 10.0  # the sink's own; the client gives a batch up after it
WEDGES = 10
WEDGE_GOAL_S = 5.0
FROZEN_S = 20.0
AWAY_S = 30.0
KILLS = 3
BEFORE_S = 2.0
DISK_MIB = 64
FULL_S = 15.0
BYTES_PER_S = 4000  # two commits a second
THROTTLED_S = 20.0
ACLS = (
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found=true",
)
NAME = f"{PREFIX}.{TOPIC}"


def wedge(node: Node, writer: Writer) -> Iterator[Figure]:
    """Frozen for longer than the client keeps a batch, so that its producer never works again; ten
    times, each a little longer, so that it goes on at another moment of the sink's tries."""
    away_s = []
    for number in range(WEDGES):
        frozen_s = ATTEMPT_S + 1 + number
        away_s.append(_frozen(node, writer, frozen_s))
    told = ", ".join(f"{one:.1f}" for one in away_s)
    yield Figure("goes on: commit after at most", max(away_s), "s", WEDGE_GOAL_S, told)


def frozen(node: Node, writer: Writer) -> Iterator[Figure]:
    """SIGSTOP for 20 s."""
    yield Figure("goes on: commit after", _frozen(node, writer, FROZEN_S), "s", WEDGE_GOAL_S)


def killed(node: Node, writer: Writer) -> Iterator[Figure]:
    """SIGKILL, and started again half a minute later, when the sink tries as seldom as it ever
    does; three times, each a little later."""
    back_s = [_killed(node, writer, AWAY_S + number) for number in range(KILLS)]
    told = ", ".join(f"{one:.1f}" for one in back_s)
    yield Figure("started again: commit after at most", max(back_s), "s", WEDGE_GOAL_S, told)


def disk_full(node: Node, writer: Writer) -> Iterator[Figure]:
    """Its disk has no room left; Kafka ends then. It is started again when there is room."""
    filler = node.folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb") as file:
        while True:
            file.write(bytes(1 << 20))
    thread = threading.Thread(target=_make_room, args=(node, filler))
    thread.start()
    took_s = max(writer.steps_s(FULL_S + BEFORE_S))
    thread.join()
    yield Figure("longest commit", took_s, "s", why=f"disk full for {FULL_S:.0f} s or more")


def topic_deleted(node: Node, writer: Writer) -> Iterator[Figure]:
    """The topic of the records; what was in it is gone, and nobody can bring it back."""
    before = writer.written
    with _admin(node) as admin:
        admin.delete_topics([NAME])
    yield Figure("longest commit", max(writer.steps_s(5)), "s")
    found = committed(node.server)
    kept = [one for one in found if one <= before]
    yield Figure("records of before", len(kept), "", 0)
    lost = set(range(before + 1, writer.written + 1)) - set(found)
    yield Figure("records of afterwards lost", len(lost), "", 0, why=f"{len(found)} there")


def acl_revoked(node: Node, writer: Writer) -> Iterator[Figure]:
    """It may not write any more; and once it may, the next claim goes on."""
    with denied(node):
        began_s = time.monotonic()
        why = _error_of(writer)
        yield Figure("refused: told after", time.monotonic() - began_s, "s", ATTEMPT_S, why)
    writer.claim()
    yield Figure("allowed again: slowest commit", max(writer.steps_s(BEFORE_S)), "s")


@contextlib.contextmanager
def denied(node: Node) -> Iterator[None]:
    """Nobody may write the topic meanwhile; the node was started with `ACLS`."""
    pattern = ResourcePattern(ResourceType.TOPIC, NAME)
    who = ("User:ANONYMOUS", "*", ACLOperation.WRITE, ACLPermissionType.DENY)
    acl = ACL(*who, pattern)
    with _admin(node) as admin:
        admin.create_acls([acl])
        yield
        admin.delete_acls([acl])


def quota(node: Node, writer: Writer) -> Iterator[Figure]:
    """All clients together may write so many bytes a second."""
    entry = AlterClientQuotasRequest.EntryData
    limit = entry.OpData(key="producer_byte_rate", value=float(BYTES_PER_S), remove=False)
    all_clients = entry.EntityData(entity_type="client-id", entity_name=None)
    asked = AlterClientQuotasRequest(
        entries=[entry(entity=[all_clients], ops=[limit])], validate_only=False
    )
    with _admin(node) as admin:
        admin._manager.run(admin._manager.send, asked)
    free_s = writer.steps_s(BEFORE_S)
    took_s = writer.steps_s(THROTTLED_S)
    told = f"{len(took_s)} commits in {THROTTLED_S:.0f} s; {len(free_s)} in the first 2"
    yield Figure("slowest commit", max(took_s), "s", ATTEMPT_S, told)


def clock_skew(node: Node, writer: Writer) -> Iterator[Figure]:
    """The broker takes no record that is a millisecond older than its clock, as of a writer whose
    clock is too far behind, and then takes them again."""
    limit = "message.timestamp.before.max.ms"
    with _admin(node) as admin:
        _set(admin, limit, "1")
        back = threading.Timer(FROZEN_S, _set, (admin, limit, str(2**63 - 1)))
        back.start()
        began_s = time.monotonic()
        writer.step()
        took_s = time.monotonic() - began_s - FROZEN_S
        back.join()
    yield Figure("taken again: commit after", took_s, "s", WEDGE_GOAL_S)


def run(trial: str, folder: Path, port: int) -> Iterator[Figure]:
    """One trial, with a broker of its own; arguments as of `three.run`."""
    node = Node(folder / "kafka", port)
    with _small_disk(node.folder) if trial == "disk-full" else contextlib.nullcontext():
        try:
            node.start(*(ACLS if trial == "acl-revoked" else ()))
            writer = Writer(node.server, {"attempt_s": ATTEMPT_S})
            writer.steps_s(BEFORE_S)
            yield from TRIALS[trial](node, writer)
            writer.steps_s(BEFORE_S)
            if trial != "topic-deleted":
                yield from writer.verdict()
            writer.sink.close()
        finally:
            node.end()


def _frozen(node: Node, writer: Writer, seconds: float) -> float:
    """Freeze it so long; seconds from its going on to the commit that waits for it."""
    node.freeze()
    began_s = time.monotonic()
    thaw = threading.Timer(seconds, node.go_on)
    thaw.start()
    writer.step()
    thaw.join()
    away_s = time.monotonic() - began_s - seconds
    writer.steps_s(BEFORE_S)
    return away_s


def _killed(node: Node, writer: Writer, seconds: float) -> float:
    """Kill it and start it so much later; seconds from then to the commit that waits for it."""
    node.kill()
    started_s: list[float] = []

    def again() -> None:
        time.sleep(seconds)
        node.start()
        started_s.append(time.monotonic())

    thread = threading.Thread(target=again)
    thread.start()
    writer.step()
    back_s = time.monotonic()
    thread.join()
    writer.steps_s(BEFORE_S)
    return max(0.0, back_s - started_s[0])


def _make_room(node: Node, filler: Path) -> None:
    time.sleep(FULL_S)
    filler.unlink()
    wait_until(lambda: not node.alive, "the end of a broker without a disk")
    node.start()


def _error_of(writer: Writer) -> str:
    try:
        writer.step()
    except SinkError as error:
        return str(error)
    return "no error"


def _set(admin: Any, name: str, value: str) -> None:
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, NAME, {name: value})])


@contextlib.contextmanager
def _admin(node: Node) -> Iterator[Any]:
    admin = KafkaAdminClient(bootstrap_servers=node.server)
    try:
        yield admin
    finally:
        admin.close()


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    """A disk of its own under a folder; needs root."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "disk", folder], check=True)
    try:
        yield
    finally:
        shutil.copy(folder / "broker.log", folder.with_name("broker.log"))
        subprocess.run(["umount", "-l", folder], check=True)


Trial = Callable[[Node, Writer], Iterator[Figure]]
TRIALS: dict[str, Trial] = {
    "wedge": wedge,
    "frozen": frozen,
    "killed": killed,
    "disk-full": disk_full,
    "topic-deleted": topic_deleted,
    "acl-revoked": acl_revoked,
    "quota": quota,
    "clock-skew": clock_skew,
}

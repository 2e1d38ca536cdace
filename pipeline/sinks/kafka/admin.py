"""Makes and lists topics."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any

from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import BrokerResponseError, for_code

from pipeline.records.topics import CLAIMS, PROGRESS, Topic, TopicReport, topic_named
from pipeline.sinks.kafka.client import admin
from pipeline.sinks.kafka.deadline import Deadline, Stalled
from pipeline.sinks.kafka.errors import explaining
from pipeline.sinks.kafka.reach import reach
from pipeline.sinks.kafka.settings import KafkaSettings

log = logging.getLogger(__name__)

EXISTS = 36  # TOPIC_ALREADY_EXISTS
LIMIT = "max.message.bytes"
POLICY = "cleanup.policy"


def topic_names(settings: KafkaSettings, deadline: Deadline) -> list[str]:
    """Our topics in the cluster, without the prefix, sorted.

    Raises:
        UsageError, Stalled, KafkaError: the cluster does not answer.
    """
    with admin(settings, deadline) as client:
        return _existing(client, settings, deadline)


def require_broker(settings: KafkaSettings) -> None:
    """Wait until somebody listens, for as long as one attempt may take. Behind a proxy only the
    client itself can say.

    Raises:
        SinkError: nobody does.
    """
    if "proxy_url" in settings.client:
        return
    with explaining(settings, "connecting", settings.attempt_s) as deadline:
        reach(settings.servers, deadline)


def ensure_topics(
    settings: KafkaSettings, names: Collection[str], known: Collection[str], deadline: Deadline
) -> dict[str, int]:
    """Make those topics that are not there; the others are left as they are.

    Args:
        settings: the cluster.
        names: of the topics.
        known: those that were there before; one that is not any more was deleted, and is told.
        deadline: for all of it.

    Returns:
        Topic -> largest batch that it takes, bytes; nothing where the broker does not let us ask.

    Raises:
        UsageError, Stalled, KafkaError: the cluster does not answer, or does not let us.
    """
    with admin(settings, deadline) as client:
        missing = sorted(set(names) - set(_existing(client, settings, deadline)))
        for name in missing:
            if name in known:
                log.warning(
                    "%s was deleted while this run writes to it; it is made again, without what "
                    "was in it",
                    settings.topic(name),
                )
        if missing:
            _create(client, settings, [topic_named(name) for name in missing], -1, deadline)
        try:
            configs = _configs(client, settings, names, deadline)
        except BrokerResponseError as error:
            log.info("the topics' limits are not known (%s); they are found out", error)
            return {}
    for name in sorted({PROGRESS, CLAIMS} & set(configs)):
        if "compact" not in configs[name].get(POLICY, "compact"):
            log.warning(
                "%s forgets where streams stand that rest for long, since it is not compacted; "
                "set its %s to compact",
                *(settings.topic(name), POLICY),
            )
    return {name: int(config[LIMIT]) for name, config in configs.items() if LIMIT in config}


def make_topics(
    settings: KafkaSettings, topics: Sequence[Topic], replication: int
) -> list[TopicReport]:
    """What `pipeline.sinks.uri.create_topics` does in the cluster."""
    with (
        explaining(settings, "creating topics", settings.attempt_s) as deadline,
        admin(settings, deadline) as client,
    ):
        existing = set(_existing(client, settings, deadline))
        missing = [topic for topic in topics if topic.name not in existing]
        if missing:
            _create(client, settings, missing, replication, deadline)
        present = [topic for topic in topics if topic.name in existing]
        differences = _differences(client, settings, present, deadline) if present else {}
    reports = {topic.name: TopicReport(topic.name, "created") for topic in missing}
    for name, found in differences.items():
        reports[name] = TopicReport(name, "different" if found else "existing", tuple(found))
    return [reports[topic.name] for topic in topics]


def _existing(client: Any, settings: KafkaSettings, deadline: Deadline) -> list[str]:
    names = (settings.name(topic) for topic in deadline.run(client.list_topics))
    return sorted(name for name in names if name is not None)


def _create(
    client: Any,
    settings: KafkaSettings,
    topics: Sequence[Topic],
    replication: int,
    deadline: Deadline,
) -> None:
    wanted = {
        settings.topic(topic.name): {
            "num_partitions": topic.partitions,
            "replication_factor": replication,
            "configs": topic.config(),
        }
        for topic in topics
    }
    answer = deadline.run(
        lambda: client.create_topics(
            wanted, timeout_ms=int(deadline.left_s * 1000), raise_errors=False
        )
    )
    for topic in answer["topics"]:
        if topic["error_code"] not in (0, EXISTS):  # or another writer was faster
            raise for_code(topic["error_code"])(f"{topic['name']}: {topic['error_message']}")
    if not deadline.left_s:
        raise Stalled("topics were made too late to be used")
    deadline.run(
        lambda: client.wait_for_topics(list(wanted), timeout_ms=int(deadline.left_s * 900))
    )


def _differences(
    client: Any, settings: KafkaSettings, topics: Sequence[Topic], deadline: Deadline
) -> dict[str, list[str]]:
    """Where the cluster's topics are not as the table has them."""
    names = [settings.topic(topic.name) for topic in topics]
    described = deadline.run(lambda: client.describe_topics(names))
    partitions = {row["name"]: len(row["partitions"]) for row in described}
    configs = _configs(client, settings, [topic.name for topic in topics], deadline)
    found = {}
    for topic, name in zip(topics, names, strict=True):
        facts = [("partitions", str(topic.partitions), str(partitions[name]))]
        config = configs[topic.name]
        facts += [(key, want, config[key]) for key, want in topic.config().items()]
        found[topic.name] = [
            f"{key} is {has}, not {want}" for key, want, has in facts if want != has
        ]
    return found


def _configs(
    client: Any, settings: KafkaSettings, names: Collection[str], deadline: Deadline
) -> dict[str, dict[str, str]]:
    """Topic -> setting -> value."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, settings.topic(name)) for name in names]
    answer = deadline.run(lambda: client.describe_configs(resources, config_filter="all"))
    configs = answer["topic"]
    return {
        name: {key: row["value"] for key, row in configs[settings.topic(name)].items()}
        for name in names
    }

"""How much of each topic a database keeps: the words of a configuration -> limits. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from operators.errors import UsageError
from pipeline.records.topics import topic_named

OTHERS = "*"
DAY_US = 86_400 * 1_000_000
_FORM = "want {TOPIC: {days: 7, gib: 10}}, one of the two or both, above 0; * is all other topics"


@dataclass(frozen=True, slots=True)
class Limit:
    """Of one topic; older records go, and so do the oldest of too many bytes.

    Attributes:
        max_age_us: since a record was published; None: for ever.
        max_bytes: of values and headers; None: without end.
    """

    max_age_us: int | None = None
    max_bytes: int | None = None


Retention = Mapping[str, Limit]
"""Topic, or `*` for all that are not named -> its limit."""


def retention_of(settings: Mapping[str, Any]) -> Retention:
    """The limits that a sink's settings name, under `retain`.

    Raises:
        UsageError: it is no such table, or names a topic that is kept whole.
    """
    wanted = settings.get("retain") or {}
    if not isinstance(wanted, Mapping):
        raise UsageError(f"sink.settings.retain: {_FORM}; got {wanted!r}")
    limits = {str(topic): _limit(str(topic), said) for topic, said in wanted.items()}
    for topic in limits:
        if topic_named(topic).compacted:
            raise UsageError(f"sink.settings.retain.{topic}: it is kept whole; leave it out")
    return limits


def limit_of(retention: Retention, topic: str) -> Limit:
    """A topic's. Of label sets the newest is always wanted, so all are kept."""
    if topic_named(topic).compacted:
        return Limit()
    return retention.get(topic, retention.get(OTHERS, Limit()))


def _limit(topic: str, said: object) -> Limit:
    if isinstance(said, Mapping) and said and not set(said) - {"days", "gib"}:
        days, gib = (_above_0(said.get(name)) for name in ("days", "gib"))
        if all(value != 0 for value in (days, gib)):
            age_us = None if days is None else int(days * DAY_US)
            return Limit(age_us, None if gib is None else int(gib * (1 << 30)))
    raise UsageError(f"sink.settings.retain.{topic}: {_FORM}; got {said!r}")


def _above_0(value: object) -> float | None:
    """A number above 0; 0 for what is none."""
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and 0 < value < math.inf else 0.0  # type: ignore[arg-type, operator]

"""Dead letters in the place of records that are too large for the sink."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.engine.placement import Placement
from pipeline.errors import RecordsTooLarge
from pipeline.records.message import Publisher, position_of
from pipeline.records.record import Message


def with_letters(
    messages: Sequence[Message],
    error: RecordsTooLarge,
    placements: Sequence[Placement],
    publisher: Publisher,
) -> tuple[list[Message], set[tuple[str, str, str]]]:
    """The messages of a commit, and operator, session and position of each that was replaced.

    Raises:
        RecordsTooLarge: a refused one is of no operator, or none was refused.
    """
    operators = {topic: p.name for p in placements for topic in p.variants}
    refused = {(one.topic, one.id): one for one in error.refused}
    kept = list(messages)
    buried = set()
    for index, message in enumerate(messages):
        one = refused.get((message.topic, message.id))
        if one is not None:
            if message.topic not in operators:
                raise error
            operator = operators[message.topic]
            kept[index] = letter = publisher.too_large(message, operator, one)
            buried.add((operator, letter.headers["ce_session"], position_of(message)))
    if not buried:
        raise error
    return kept, buried

"""Dead letters in the place of records that are too large for the sink."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.engine.still import without_ids
from pipeline.errors import RecordsTooLarge
from pipeline.records.message import Publisher
from pipeline.records.pictured import without_picture
from pipeline.records.record import Message
from pipeline.records.topics import DEADLETTER, UNCHANGED


def with_letters(
    messages: Sequence[Message],
    error: RecordsTooLarge,
    operators: Mapping[str, str],
    publisher: Publisher,
) -> tuple[list[Message], set[tuple[str, str, str]]]:
    """The messages of a commit, and operator, session and position of each that was replaced by a
    letter; a letter that shows its frame goes without, and nothing names what is not there.
    `operators`: of each topic.

    Raises:
        RecordsTooLarge: a refused one is of no operator and shows no frame, or none was refused.
    """
    refused = {(one.topic, one.id): one for one in error.refused}
    kept = list(messages)
    buried = set()
    for index, message in enumerate(messages):
        one = refused.get((message.topic, message.id))
        if one is None:
            continue
        if message.topic in operators:
            operator = operators[message.topic]
            kept[index] = letter = publisher.too_large(message, operator, one)
            buried.add((operator, letter.headers["ce_session"], message.position))
        elif message.topic == DEADLETTER and (smaller := without_picture(message, one)):
            kept[index] = smaller
        else:
            raise error
    if kept == list(messages):
        raise error
    ids = {one.id for one in error.refused}
    return [without_ids(one, ids) if one.topic == UNCHANGED else one for one in kept], buried

"""What an error of the Kafka client means: try again, or never; and how a person is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kafka import errors

from pipeline.errors import RecordsTooLarge, SinkError
from pipeline.records.record import Message, Refused
from pipeline.secrets import mask
from pipeline.sinks.kafka.deadline import Deadline, Stalled
from pipeline.sinks.kafka.reach import Unreachable
from pipeline.sinks.kafka.refused import TOO_LARGE, described, hopeless, telling
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.stream.progress import Progress

WAY_OUT = "max.message.bytes of the topic, max_request_size in the sink's settings"


class BatchRefused(Exception):
    """A batch was too large for its topic; it held some of these messages."""

    def __init__(self, messages: Sequence[Message]) -> None:
        topics = ", ".join(sorted({message.topic for message in messages}))
        super().__init__(f"a batch of {topics} was larger than the topic takes")
        self.messages = messages


def too_large(settings: KafkaSettings, refused: Sequence[Refused]) -> RecordsTooLarge:
    """Some records of a commit can never be written."""
    first = refused[0]
    return RecordsTooLarge(
        f"{settings.where}: records larger than their topics take: {len(refused)}, such as "
        f"{first.id} of {first.size_bytes} bytes: {settings.topic(first.topic)} takes "
        f"{first.limit_bytes} ({WAY_OUT})",
        refused,
    )


def progress_too_large(settings: KafkaSettings, refused: Refused, progress: Progress) -> SinkError:
    """A stream cannot go on: what a resume needs does not fit."""
    sizes = {name: len(state) for name, state in progress.operators.items()}
    largest = max(sizes, key=lambda name: sizes[name], default="")
    whose = f", {sizes[largest]} of them the memory of operator {largest}" if largest else ""
    return SinkError(
        f"{settings.where}: the progress of stream {progress.stream} has {refused.size_bytes} bytes"
        f"{whose}; {settings.topic(refused.topic)} takes {refused.limit_bytes} ({WAY_OUT})",
    )


def explained(
    error: BaseException,
    settings: KafkaSettings,
    what: str,
    elapsed_s: float,
    *,
    worked: bool = False,
) -> SinkError:
    """The error for `error`, which ended `what` after so long, or for what kept its clients from
    connecting where that says more; secrets masked. `worked`: the settings are good, since
    something was done with them before."""
    worst = settings.trouble.worst
    said = mask(described(error))
    where = settings.where
    if isinstance(error, (BatchRefused, *TOO_LARGE)):
        return SinkError(
            f"{where}: {what}: a record is larger than its topic takes ({said}; {WAY_OUT})",
        )
    if errors.InvalidTransactionTimeoutError.__name__ in said:
        return SinkError(
            f"{where}: {what}: the broker refuses transactions of so long (twice attempt_s, or "
            "transaction_timeout_ms in the sink's settings); stay within its "
            "transaction.max.timeout.ms",
        )
    if worst and worst.final:  # once it has worked, somebody may set right what he set wrong
        refused = f"{where}: {what} was refused: {mask(str(worst))}"
        return SinkError(refused, retryable=worked)
    if hopeless(error):
        return SinkError(f"{where}: {what} was refused: {said}")
    if isinstance(error, Unreachable):
        return SinkError(
            f"{where}: {what}: no broker within {elapsed_s:.0f} s ({error}). Does it run, and is "
            "the address right?",
            retryable=True,
        )
    if worst and telling(error) <= worst.weight and not (worked and worst.doubts_settings):
        said = mask(str(worst))
    elif "bootstrap" in said:
        said = "it takes connections but does not answer"
    return SinkError(
        f"{where}: {what}: not confirmed within {elapsed_s:.0f} s ({said}). What is not confirmed "
        "counts as not done",
        retryable=True,
    )


@contextmanager
def explaining(
    settings: KafkaSettings,
    what: str,
    seconds: float,
    *,
    cut: threading.Event | None = None,
    worked: bool = False,
) -> Iterator[Deadline]:
    """A deadline for a block, which is over at once where it is `cut`, and an error that a person
    understands where it is not met; `worked` as of `explained`.

    Raises:
        SinkError: the block raised an error of the client, or stalled.
    """
    deadline = Deadline(seconds, cut=cut)
    settings.trouble.clear()
    try:
        yield deadline
    except (errors.KafkaError, Stalled, Unreachable) as error:
        raise explained(error, settings, what, deadline.elapsed_s, worked=worked) from error

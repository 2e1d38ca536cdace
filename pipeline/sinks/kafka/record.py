"""A message as the Kafka client takes it, and how large it is on the wire. Pure."""

from __future__ import annotations

from kafka.record.default_records import DefaultRecordBatchBuilder

from pipeline.records.record import Message

CODECS = {"none": 0, "gzip": 1, "lz4": 3, "zstd": 4}

MOST_OF_A_CHAR = 4  # bytes of UTF-8
FRAMING = 100  # bytes of a batch with one record, its lengths and its key's

Parts = tuple[bytes, bytes | None, list[tuple[str, bytes]]]
"""Key, value and headers. No value of ours is empty: that is a tombstone."""


def parts(message: Message) -> Parts:
    """What `KafkaProducer.send` is given."""
    headers = [(name, value.encode()) for name, value in message.headers.items()]
    return message.key.encode(), message.value or None, headers


def is_below(message: Message, limit: int) -> bool:
    """Whether it surely is, told in a tenth of the time that `estimated_bytes` takes."""
    headers = message.headers
    chars = len(message.key) + sum(map(len, headers)) + sum(map(len, headers.values()))
    return len(message.value) + MOST_OF_A_CHAR * chars + 10 * len(headers) + FRAMING < limit


def estimated_bytes(message: Message) -> int:
    """Never less than `batch_bytes`; what the client holds against `max_request_size`."""
    estimated: int = DefaultRecordBatchBuilder.estimate_size_in_bytes(*parts(message))
    return estimated


def batch_bytes(message: Message, compression: str) -> int:
    """Of a batch with this one record, compressed: what a broker holds against a topic's
    `max.message.bytes`."""
    batch = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=CODECS[compression],
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=0,
    )
    batch.append(0, 0, *parts(message))
    return len(batch.build())

"""Other products' formats by name, and a result as messages of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from operators.format import JSON
from pipeline.client.fault import FAULTS, told
from pipeline.client.other import Raw
from pipeline.client.result import Result
from pipeline.convert.deepstream import full, minimal
from pipeline.convert.metropolis import frame
from pipeline.convert.wire import delimited
from pipeline.errors import UnreadableRecord
from pipeline.records.record import Message

PROTOBUF = "application/x-protobuf"


@dataclass(frozen=True, slots=True)
class ForeignFormat:
    """How another product writes.

    Attributes:
        topics: of the records that have a counterpart there.
        content_type: of its messages.
        values: of one result, as many as it takes.
    """

    topics: tuple[str, ...]
    content_type: str
    values: Callable[[Result], Iterator[bytes]]

    def on_its_own(self, value: bytes) -> bytes:
        """A message among others in a file: a line of JSON, or behind its length."""
        return value + b"\n" if self.content_type == JSON else delimited(value)


FORMATS: Mapping[str, ForeignFormat] = {
    "deepstream-minimal": ForeignFormat(("segmentation.summary",), JSON, minimal),
    "deepstream": ForeignFormat(("segmentation.summary", "action.episodes"), JSON, full),
    "metropolis": ForeignFormat(("segmentation.summary",), PROTOBUF, frame),
}


def converted(result: Result, name: str) -> list[Message]:
    """Messages of a result for a topic called like the format; equal results, equal messages.

    Args:
        result: of a topic of the format's.
        name: of the format.

    Raises:
        UnreadableRecord: it is not understood, or lacks what such messages say.
    """
    if isinstance(result, Raw):
        raise UnreadableRecord(f"{result.id} cannot be read: {result.fault}")
    try:
        return _messages(result, name)
    except FAULTS as error:
        raise UnreadableRecord(f"{result.id} cannot be converted: {told(error)}") from None


def _messages(result: Result, name: str) -> list[Message]:
    form, said = FORMATS[name], result.attributes
    return [
        Message(
            name,
            said["streamid"],
            {
                "content-type": form.content_type,
                "ce_specversion": "1.0",
                "ce_id": f"{name}/{result.id}/{number}",
                "ce_source": f"/streams/{said['streamid']}",
                "ce_type": f"dinostream.{name}.v1",
                "ce_time": said["time"],
                "ce_streamid": said["streamid"],
            },
            value,
        )
        for number, value in enumerate(form.values(result))
    ]

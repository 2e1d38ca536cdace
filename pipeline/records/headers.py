"""The headers of messages: attributes of CloudEvents in binary mode, all of them text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from operators.format import Format
from operators.frames import FrameInfo
from operators.moment import rfc3339
from operators.operator import Operator
from operators.result import Result, record_id
from pipeline.records.frame import frame_attributes

ATTRIBUTE = re.compile(r"[a-z0-9]{1,20}")
OWN = {"specversion", "id", "source", "type", "subject", "data", "dataschema", "datacontenttype"}
OWN |= {"pts", "region", "traceparent", "untrained", "outofdomain"}


def headers_of(
    topic: str,
    identity: str,
    declared: Format,
    attributes: Mapping[str, str],
    *,
    source: str | None = None,
) -> dict[str, str]:
    """Of one message.

    Args:
        topic: without the prefix.
        identity: its id.
        declared: what its value is.
        attributes: further ones, by their names.
        source: where it comes from; None: the stream that `streamid` names.
    """
    envelope = {
        "specversion": "1.0",
        "id": identity,
        "source": source or f"/streams/{attributes['streamid']}",
        "type": f"dinostream.{topic}.v1",
        **({"dataschema": declared.schema} if declared.schema else {}),
        **attributes,
    }
    attached = {f"ce_{name}": value for name, value in envelope.items()}
    return {"content-type": declared.content_type} | attached


class RecordHeaders:
    """Of the records of one stream in one topic. Little of them changes from frame to frame; the
    rest is made, and checked, where it differs from that of the record before."""

    def __init__(self, model: str) -> None:
        """`model`: architecture and weights, as records name them."""
        self._model = model
        self._lasting: tuple[object, ...] = ()
        self._before: dict[str, str] = {}

    def of(self, result: Result, variant: str, operator: Operator) -> dict[str, str]:
        """Of the record of one result.

        Raises:
            ValueError: an attribute of the result has a name or value that CloudEvents forbids, or
                it is not of the content type that the operator declares.
        """
        info, declared = result.info, operator.topics[result.operator]
        made = (variant, result.content_type, declared, tuple(result.attributes.items()))
        worth = (operator.untrained, operator.rendered_only, info.rendered)
        seen = (info.stream, info.session, info.time_base, info.clock, info.source_hw, info.region)
        lasting = (made, worth, seen, info.epoch, info.pts is None)
        if lasting != self._lasting:
            self._before = self._made(result, variant, operator)
        self._lasting = lasting  # equal things, but perhaps other objects, which compare slowly
        headers = self._before | _passing(info.event_time_us, info.ingest_time_us, info.pts)
        headers["ce_id"] = record_id(result, variant)
        return headers

    def _made(self, result: Result, variant: str, operator: Operator) -> dict[str, str]:
        declared = operator.topics[result.operator]
        if result.content_type != declared.content_type:
            raise ValueError(
                f"operator {operator.name} gives topic {result.operator} {result.content_type}; "
                f"its topics declare {declared.content_type}"
            )
        own = {"variant": variant, "model": self._model} | _worth(operator, result.info)
        frame = frame_attributes(result.info) | own
        checked = _checked(result.attributes, result.operator, taken=frame)
        identity = record_id(result, variant)
        return headers_of(result.operator, identity, declared, frame | checked)


@lru_cache(maxsize=512)  # records of a frame come operator by operator
def _passing(event_time_us: int, ingest_time_us: int, pts: int | None) -> dict[str, str]:
    """What no two frames have in common."""
    times = {"ce_time": rfc3339(event_time_us), "ce_ingesttime": rfc3339(ingest_time_us)}
    return times if pts is None else times | {"ce_pts": str(pts)}


def _worth(operator: Operator, info: FrameInfo) -> dict[str, str]:
    """What a value must not be taken for, where its maker knows."""
    foreign = operator.rendered_only and not info.rendered
    marks = {"untrained": operator.untrained, "outofdomain": foreign}
    return {name: "true" for name, holds in marks.items() if holds}


def _checked(
    attributes: Mapping[str, str], operator: str, *, taken: Mapping[str, str]
) -> dict[str, str]:
    for name, value in attributes.items():
        if not ATTRIBUTE.fullmatch(name) or name in taken or name in OWN:
            raise ValueError(
                f"operator {operator} names a record attribute {name!r}; allowed are 1-20 of a-z "
                "and 0-9, and no name that dinostream or CloudEvents uses itself"
            )
        if not isinstance(value, str) or not value:
            raise ValueError(
                f"operator {operator} gives attribute {name} the value {value!r}; it must be a "
                "string that is not empty"
            )
    return dict(attributes)

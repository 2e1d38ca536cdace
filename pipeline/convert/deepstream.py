"""Results as DeepStream's message converter writes them (`nvmsgconv`, 6.2 to 9.2): a frame in one
minimal message, or an object in each full one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from operators.result import canonical_json
from pipeline.client.action import Episode
from pipeline.client.result import Result
from pipeline.client.segmentation import SegmentationSummary
from pipeline.convert.scene import UNTRACKED, Part, marks, parts, position

MINIMAL_VERSION = "4.0"
FULL_VERSION = "1.0"


def minimal(result: Result) -> Iterator[bytes]:
    """One message, `objects` as `id|left|top|right|bottom|label`; none where it is no summary."""
    if isinstance(result, SegmentationSummary):
        said = {
            "version": MINIMAL_VERSION,
            "id": position(result),
            "@timestamp": _time(result),
            "sensorId": result.stream,
            "objects": [_line(part) for part in parts(result)],
        }
        yield canonical_json(said | _custom(result))


def full(result: Result) -> Iterator[bytes]:
    """A message for each object of a summary, or one for an episode of action, which is an event
    without an object."""
    if isinstance(result, SegmentationSummary):
        for number, part in enumerate(parts(result)):
            yield _full(result, number, {"id": "", "type": ""}, {"object": _object(part)})
    elif isinstance(result, Episode):
        yield _full(result, 0, {"id": result.id, "type": result.label.name}, {})


def _full(result: Result, number: int, event: Mapping[str, str], more: Mapping[str, Any]) -> bytes:
    """Where the camera stands is not known here, so `place` and `location` are left out."""
    said: dict[str, Any] = {
        "messageid": f"{result.id}/{number}",
        "mdsversion": FULL_VERSION,
        "@timestamp": _time(result),
        "sensor": {"id": result.stream, "type": "Camera", "description": ""},
        "analyticsModule": {
            "id": result.variant,
            "description": result.topic,
            "source": "dinostream",
            "version": result.model,
        },
        "event": event,
        "videoPath": "",
    }
    return canonical_json({**said, **more, **_custom(result)})


def _line(part: Part) -> str:
    label = part.label.replace("|", "/")
    return "|".join([UNTRACKED, *map(str, part.box), label])


def _object(part: Part) -> dict[str, Any]:
    names = ("topleftx", "toplefty", "bottomrightx", "bottomrighty")
    box = dict(zip(names, part.box, strict=True))
    return {part.label: {"share": part.share}, "id": UNTRACKED, "bbox": box}


def _time(result: Result) -> str:
    return result.attributes["time"]


def _custom(result: Result) -> dict[str, Any]:
    said = marks(result)
    return {"customMessage": said} if said else {}

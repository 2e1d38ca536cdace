"""Results as Metropolis' services take frames: `nv.Frame` of NVIDIA's schema, on the wire.

Field numbers are of the published `nv.proto`; `pipeline.convert.wire` writes them.
"""

from __future__ import annotations

from collections.abc import Iterator

from operators.moment import microseconds
from pipeline.client.result import Result
from pipeline.client.segmentation import SegmentationSummary
from pipeline.convert.scene import UNTRACKED, Part, marks, parts, position
from pipeline.convert.wire import entries, float32, message, text, whole

VERSION = "4.0"


def frame(result: Result) -> Iterator[bytes]:
    """One `nv.Frame` with an object for each part; none where it is no summary."""
    if isinstance(result, SegmentationSummary):
        info = {"dinostreamid": result.id, **dict.fromkeys(marks(result), "true")}
        yield b"".join(
            [
                text(1, VERSION),
                text(2, position(result)),
                message(3, _timestamp(result)),
                text(4, result.stream or ""),
                *(message(5, _object(part)) for part in parts(result)),
                entries(12, info),
            ]
        )


def _timestamp(result: Result) -> bytes:
    seconds, left_us = divmod(microseconds(result.time) or 0, 1_000_000)
    return whole(1, seconds) + whole(2, left_us * 1000)


def _object(part: Part) -> bytes:
    """Confidence is left out: nothing says it."""
    box = b"".join(float32(number, edge) for number, edge in enumerate(part.box, start=1))
    own = text(1, UNTRACKED) + message(2, box) + text(3, part.label)
    return own + entries(5, {"share": str(part.share)})

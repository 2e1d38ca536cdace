"""What a record says of the frame that it is about: attributes by their names."""

from __future__ import annotations

from operators.frames import FrameInfo
from operators.moment import rfc3339

FRAME = (
    *("time", "streamid", "session", "timebase", "clock", "ingesttime", "sourcewidth"),
    *("sourceheight", "epoch", "pts", "region"),
)


def frame_attributes(info: FrameInfo) -> dict[str, str]:
    """Those of `FRAME` that the frame has."""
    height, width = info.source_hw
    attributes = {
        "time": rfc3339(info.event_time_us),
        "streamid": info.stream,
        "session": info.session,
        "timebase": f"{info.time_base.numerator}/{info.time_base.denominator}",
        "clock": info.clock,
        "ingesttime": rfc3339(info.ingest_time_us),
        "sourcewidth": str(width),
        "sourceheight": str(height),
        "epoch": str(info.epoch),
    }
    attributes |= {} if info.pts is None else {"pts": str(info.pts)}
    return attributes | ({"region": ",".join(map(str, info.region))} if info.region else {})

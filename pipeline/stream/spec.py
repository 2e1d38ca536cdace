"""What a decode host needs to know to open a stream.

Goes to the child over its stdin, never on a command line: a URL may hold a password.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from operators.places.places import Places
from pipeline.media.device import Device
from pipeline.media.frame_size import FrameSize
from pipeline.media.region import Region
from pipeline.media.site import is_remote
from pipeline.media.tape import Taping
from pipeline.media.transfer import SPOOL_BYTES
from pipeline.stream.chunk import Counts, Cursor
from pipeline.stream.gate import Gate
from pipeline.stream.layout import Layout
from pipeline.stream.sampling import Sampling
from pipeline.stream.shots import ShotRule

MAX_PIXELS = 4096 * 4096
BASE_BYTES = 512 << 20  # address space of a child that decodes small pictures: 345 MiB
DRIVER_BYTES = 1 << 30  # that CUDA may take of the host beside them; not measured yet
BYTES_PER_PIXEL = 40  # 8K H.264 took 31, 8K 10-bit HEVC 37 (FFmpeg 8.1, 2026-11)


Drop = Literal["oldest", "latest", "block"]
"""The oldest go where there is no room; all but the newest go; none does, and the source waits."""

TimeSource = Literal["arrival", "capture"]
"""What event time goes by: when frames come here, or the camera's own wall clock."""

Breaks = tuple[tuple[str, str, int], ...]
"""Session and position of a frame, and how many sampled frames behind it were not computed; before
the stream's first frame the time, microseconds since the epoch, by which that was so, and ""."""

Moment = tuple[str, str, int]
"""Session, position and event time, microseconds since the epoch, of a frame."""

_ABOVE_0 = (
    *("max_pixels", "latency_ms", "chunk_ms", "stall_s", "buffer_frames", "max_age_s"),
    "spool_bytes",
)


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One stream to decode.

    Attributes:
        stream: stream id.
        url: a path, a live URL, or a canonical `synthetic:` URI.
        live: frames that are not asked for in time are dropped, oldest first, and a lost
            connection is made again as a new session.
        session: "" for live: the child mints one per connection.
        samplings: the stream's rules; rule i is bit i of `Frames.taken`.
        rules: operator's key in the configuration -> the rule that it goes by, by its number; no
            other operator runs on the stream.
        short_side: target of the frame's short side, pixels; rounded to multiples of the patch.
        region: the part of its pictures that is looked at; None: all.
        places: what is drawn over its pictures: zones, lines, and what alerts ask of them.
        patch: side of a patch of the model, pixels; DINOv2's, where nothing else is said.
        start_time_us: event time of the first frame, microseconds since the epoch.
        epoch: which assignment of the stream this is.
        cursor: go on after this frame; None: from the beginning.
        max_pixels: larger pictures are refused; also decides how much memory decoding may take.
        damaged: give out pictures that a loss has spoilt, instead of counting them as lost.
        deinterlace: take one field of interlaced pictures.
        decode: what decodes it; see `Device`.
        latency_ms: live: how long after a frame came its records should be in the sink. Frames
            are computed in time for that; no record depends on it.
        priority: live: where not all frames can be, those of a higher one are.
        chunk_ms: a chunk that holds frames closes after this long.
        stall_s: a decoder without a sign of life for so long is killed.
        drop: live: what happens to frames that the engine is too slow for, see `Drop`.
        buffer_frames: live: more than this are not kept.
        max_age_s: live: nor are frames that arrived longer ago.
        join: further files that are played after `url`, as one stream.
        spool_bytes: recordings over http: most that may be copied to disk.
        span_s: recordings: frames are taken from here on until the first that reaches there,
            seconds since the first frame; None: all of them.
        clock: live: what event time goes by, where the camera tells its own; see `TimeSource`.
        transport: what the packets of an rtsp camera come over, `tcp` or `udp`.
        follow: `url` is a folder or a file that grows. Each file is a session of its own, which
            the child names; `session` is the place.
        layout: the files are a chain of a recorder's, which are so called, in the order of their
            times; None: they are not.
        tape: live: what comes is kept there too; None: nowhere.
        taped: `url` is the folder of a tape.
        late_begins: of a tape: the segments that frames begin with in sessions whose beginning is
            gone. Others are not played: what remembers the past would say other things.
        breaks: of a tape: where the run that is done again had not computed frames, which are
            left out again; None: all are computed.
        gate: which frames are not computed, because nothing has changed; None: all are.
        shots: how cuts are told among all decoded frames; None: nobody looks for them.
        kept: `url` is a stream's folder in an archive: instead of pixels comes what was kept of
            its frames' features.
        kept_by: the job that kept them, whose sampling, gate and failures decided which frames
            are there; of several jobs a hash, of which session is whose too.
        at: recordings: frames are wanted from this one on, which is looked for; None: from the
            cursor on, or the beginning. No job has one.
    """

    stream: str
    url: str = field(repr=False)
    live: bool = False
    session: str = ""
    samplings: tuple[Sampling, ...] = (Sampling("fps", 5),)
    rules: Mapping[str, int] = field(default_factory=dict)
    short_side: int = 224
    region: Region | None = None
    places: Places | None = None
    patch: int = 14
    start_time_us: int | None = None
    epoch: int = 0
    cursor: Cursor | None = field(default=None, repr=False)
    max_pixels: int = MAX_PIXELS
    damaged: bool = False
    deinterlace: bool = True
    decode: Device = "cpu"
    latency_ms: int = 1000
    priority: int = 0
    chunk_ms: int = 500
    stall_s: float = 10.0
    drop: Drop = "oldest"
    buffer_frames: int = 64
    max_age_s: float = 5.0
    join: tuple[str, ...] = field(default=(), repr=False)
    spool_bytes: int = SPOOL_BYTES
    span_s: tuple[float, float] | None = None
    clock: TimeSource = "arrival"
    transport: str = "tcp"
    follow: bool = False
    layout: Layout | None = None
    tape: Taping | None = field(default=None, repr=False)
    taped: bool = False
    late_begins: tuple[str, ...] = ()
    breaks: Breaks | None = field(default=None, repr=False)
    gate: Gate | None = None
    shots: ShotRule | None = None
    kept: bool = False
    kept_by: str = ""
    at: Moment | None = None

    def __post_init__(self) -> None:
        if not self.samplings:
            raise ValueError("a stream needs at least one sampling rule")
        FrameSize(self.short_side, self.patch)  # which refuses what holds no patch
        if not self.live and not self.session:
            raise ValueError(f"recorded stream {self.stream!r} needs a session")
        for name in _ABOVE_0:
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")

    @property
    def size(self) -> FrameSize:
        """Of the frames."""
        return FrameSize(self.short_side, self.patch)

    @property
    def picture_side(self) -> int:
        """Short side, pixels, of pictures that are as large as the frames need them."""
        share = self.region.least_share if self.region else 1.0
        return math.ceil(self.short_side / share)

    @property
    def room(self) -> int:
        """Live: how many frames wait for the engine."""
        return 1 if self.drop == "latest" else self.buffer_frames

    @property
    def memory_bytes(self) -> int:
        """What the decode process may take: enough for pictures of `max_pixels`."""
        driver_bytes = 0 if self.decode == "cpu" else DRIVER_BYTES
        return BASE_BYTES + driver_bytes + BYTES_PER_PIXEL * self.max_pixels

    @property
    def endless(self) -> bool:
        """It may go on for ever: nothing waits until it is over."""
        return self.live or self.follow

    @property
    def networked(self) -> bool:
        """Some of it comes over http(s), of S3 stores too."""
        return any(is_remote(url) for url in (self.url, *self.join))

    @property
    def counts(self) -> Counts:
        """Frames up to the cursor."""
        cursor = self.cursor or {}
        return Counts(*(cursor.get(name, 0) for name in ("decoded", "sampled", "lost")))

    def after(self, cursor: Cursor | None) -> StreamSpec:
        """The same stream, to go on elsewhere."""
        return replace(self, cursor=cursor)

    def to_json(self) -> dict[str, Any]:
        """JSON values, secrets included."""
        values = asdict(self)
        values["samplings"] = [rule.canonical() for rule in self.samplings]
        values["join"] = list(self.join)
        values["places"] = self.places and self.places.to_json()
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> StreamSpec:
        """What `to_json` wrote."""
        samplings = tuple(Sampling.parse(text) for text in values["samplings"])
        span_s = values["span_s"] and tuple(values["span_s"])
        region = values["region"] and Region(**values["region"])
        rest = {"samplings": samplings, "join": tuple(values["join"]), "span_s": span_s}
        breaks = values["breaks"] and tuple(tuple(one) for one in values["breaks"])
        rest |= {
            "breaks": breaks,
            "at": values["at"] and tuple(values["at"]),
            "late_begins": tuple(values["late_begins"]),
            "region": region,
            "places": values["places"] and Places.from_json(values["places"]),
            "tape": values["tape"] and Taping(**values["tape"]),
            "gate": values["gate"] and Gate(**values["gate"]),
            "shots": values["shots"] and ShotRule(**values["shots"]),
            "layout": values["layout"] and Layout(**values["layout"]),
        }
        return cls(**{**values, **rest})

"""What goes through the pipe from a decode child to its host.

A message is two lengths, a JSON header and raw pixels; no pickle, so a broken decoder can hand over
wrong pictures, but no code.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from operators.frames import FrameInfo
from pipeline.log_line import LogLine
from pipeline.stream.chunk import End, Entry, Fault, Frames, Gap, Shot
from pipeline.stream.drift import Drift

_LENGTHS = struct.Struct("<IQ")
LARGEST_HEADER = 16 << 20
LARGEST_PIXELS = 1 << 30
_PLAIN = {"gap": Gap, "fault": Fault, "end": End}


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        kind: `chunk` (the answer to a request) or `news` (what nobody asked for: trouble, what is
            left when a connection is over, and without entries a mere sign of life).
        entries: of a chunk, or news.
        lines: that the child has logged since its last message.
    """

    kind: str
    entries: tuple[Entry, ...] = ()
    lines: tuple[LogLine, ...] = ()


def pack(message: Message) -> list[bytes | memoryview]:
    """The message as buffers to be written one after the other."""
    pixels: list[memoryview] = []
    header = {
        "kind": message.kind,
        "lines": [asdict(line) for line in message.lines],
        "entries": [_to_json(entry, pixels) for entry in message.entries],
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    size = sum(view.nbytes for view in pixels)
    return [_LENGTHS.pack(len(text), size) + text, *pixels]


@dataclass(slots=True)
class Unpacker:
    """Puts messages together from whatever pieces the pipe gives."""

    _buffer: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[Message]:
        """Take more bytes; the messages that are complete now.

        Raises:
            ValueError: these bytes are no message.
        """
        self._buffer += data
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> Message | None:
        if len(self._buffer) < _LENGTHS.size:
            return None
        header_bytes, pixel_bytes = _LENGTHS.unpack_from(self._buffer)
        if header_bytes > LARGEST_HEADER or pixel_bytes > LARGEST_PIXELS:
            raise ValueError(f"message of {header_bytes} + {pixel_bytes} bytes")
        body = _LENGTHS.size + header_bytes
        if len(self._buffer) < body + pixel_bytes:
            return None
        header = json.loads(self._buffer[_LENGTHS.size : body].decode())
        pixels = np.frombuffer(bytes(self._buffer[body : body + pixel_bytes]), np.uint8)
        del self._buffer[: body + pixel_bytes]
        return _message(header, pixels)


def _message(header: dict[str, Any], pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> Message:
    entries: list[Entry] = []
    for values in header["entries"]:
        kind = values.pop("entry")
        if kind == "frames":
            shape = values["shape"]
            size = int(np.prod(shape))
            entries.append(_frames(values, pixels[:size].reshape(shape)))
            pixels = pixels[size:]
        elif kind == "shot":
            entries.append(Shot(**{**values, "last": FrameInfo.from_json(values["last"])}))
        else:
            entries.append(_plain(kind, values))
    lines = tuple(LogLine(**line) for line in header["lines"])
    return Message(header["kind"], tuple(entries), lines)


def _plain(kind: str, values: dict[str, Any]) -> Entry:
    if "by_rule" in values:
        values["by_rule"] = tuple(values["by_rule"])
    entry: Entry = _PLAIN[kind](**values)
    return entry


def _to_json(entry: Entry, pixels: list[memoryview]) -> dict[str, Any]:
    if isinstance(entry, Frames):
        if entry.pixels.size:
            pixels.append(np.ascontiguousarray(entry.pixels).data.cast("B"))
        return {
            "entry": "frames",
            "shape": entry.pixels.shape,
            "infos": [info.to_json() for info in entry.infos],
            "taken": entry.taken,
            "cursor": entry.cursor,
            "share": entry.share,
            "before": entry.before,
            "arrived_s": entry.arrived_s,
            "drift": entry.drift,
            "ahead_us": entry.ahead_us,
            "repeats": entry.repeats,
        }
    if isinstance(entry, Shot):
        plain = {name: getattr(entry, name) for name in ("start", "frames", "began")}
        return {"entry": "shot", "last": entry.last.to_json(), **plain}
    return {"entry": type(entry).__name__.lower(), **asdict(entry)}


def _frames(values: dict[str, Any], pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> Frames:
    infos = tuple(FrameInfo.from_json(info) for info in values["infos"])
    taken, cursor = tuple(values["taken"]), values["cursor"]
    drift = values["drift"] and Drift(*values["drift"])
    more = (values["share"], values["before"], tuple(values["arrived_s"]), drift)
    return Frames(infos, pixels, taken, cursor, *more, values["ahead_us"], values["repeats"])


def write_all(fd: int, buffers: Sequence[bytes | memoryview]) -> None:
    """Write the buffers to a blocking descriptor."""
    import os

    for buffer in buffers:
        view = memoryview(buffer)
        while view:
            view = view[os.write(fd, view) :]

"""Which records a reader is asked for. Pure; each kind of sink looks where they lie."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.records.record import StoredRecord


@dataclass(frozen=True, slots=True)
class Filter:
    """Records that have all of this; what is None or empty is not looked at.

    Attributes:
        streams: whose they are. Label sets are nobody's.
        session: of one stream.
        variant: of operators' records; of events and dead letters the job.
        since_us: published then or later, microseconds since the epoch.
        until_us: published before.
    """

    streams: tuple[str, ...] = ()
    session: str | None = None
    variant: str | None = None
    since_us: int | None = None
    until_us: int | None = None

    def __post_init__(self) -> None:
        if self.session is not None and len(self.streams) != 1:
            raise ValueError(f"session {self.session} is of one stream, got {self.streams}")

    def takes(self, record: StoredRecord) -> bool:
        """Whether a record is one of them."""
        headers = record.message.headers
        return (
            (not self.streams or headers.get("ce_streamid") in self.streams)
            and self.session in (None, headers.get("ce_session"))
            and self.variant in (None, headers.get("ce_variant"))
            and (self.since_us is None or record.timestamp_us >= self.since_us)
            and (self.until_us is None or record.timestamp_us < self.until_us)
        )

    def ids(self, topic: str) -> list[tuple[str, str]]:
        """From which id of a topic, up to which, they lie: ids begin `topic/stream/session/`."""
        session = "" if self.session is None else f"{self.session}/"
        firsts = [f"{topic}/{stream}/{session}" for stream in self.streams] or [f"{topic}/"]
        return [(first, f"{first[:-1]}0") for first in firsts]  # 0 comes behind the stroke


ALL = Filter()


def unknown_stream(name: str, known: Iterable[str]) -> str:
    """That nobody has written a stream of this name, and which there are; the nearest first."""
    there = sorted(set(known))
    near = difflib.get_close_matches(name, there, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"no stream {name!r}; {hint}there are: {', '.join(there) or 'none'}"

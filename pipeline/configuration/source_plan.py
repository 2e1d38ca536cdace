"""One stream that a user named, before it has rules: its id, its place and its session."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.stream.gate import Gate
from pipeline.stream.layout import Layout


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """One stream.

    Attributes:
        stream: its id.
        url: a path, a live URL, or a canonical `synthetic:` URI.
        live: a camera; its sessions are minted when it connects.
        session: "" for live.
        join: further files that are played after `url`.
        layout: these are a chain; all their paths are absolute.
        taped: `url` is the folder of a tape.
        late_begins: of a tape: the segments that sessions begin with whose beginning is gone.
        kept_at: `url` is a stream of an archive, whose frames had that short side, pixels.
        kept_by: what decided which frames are in it, see `StreamSpec`.
        kept_gate: which of these repeat one that was computed; None: none does.
        kept_rules: by which sampling rules its sessions were kept, in canonical form; each once.
    """

    stream: str
    url: str = field(repr=False)
    live: bool
    session: str
    join: tuple[str, ...] = field(default=(), repr=False)
    layout: Layout | None = None
    taped: bool = False
    late_begins: tuple[str, ...] = ()
    kept_at: int | None = None
    kept_by: str = ""
    kept_gate: Gate | None = None
    kept_rules: tuple[tuple[str, ...], ...] = ()

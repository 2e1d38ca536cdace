"""Where a shard's chunks come from: decode processes beside it, or actors elsewhere."""

from __future__ import annotations

from typing import Protocol

from pipeline.stream.chunk import Chunk
from pipeline.stream.spec import StreamSpec


class Feed(Protocol):
    """Streams opened by name, chunks pulled. Called from one thread; a bad stream never raises.

    Every sampled frame is handed over once, or counted: in a live stream's Gap where it was
    dropped, in a Fault where it died with a process. `End.sampled` is their sum.

    Crashes, hangs and lost connections are dealt with inside and become Fault, Gap and End entries.
    After a stream's End nothing more comes from it.
    """

    def open(self, spec: StreamSpec) -> None:
        """Start decoding a stream, after `spec.cursor` where it has one; one of the same name only
        after its End."""
        ...

    def request(self, stream: str) -> None:
        """Ask for the stream's next chunk. At most one may be outstanding; exactly one comes, and
        none unasked but `Trouble`: what else arrives meanwhile is kept for the next request.

        A recording decodes when asked, and one chunk ahead; a live stream decodes always and drops
        its oldest frames.
        """
        ...

    def wait(self, timeout_s: float) -> list[Chunk]:
        """The chunks that have arrived, at the latest after `timeout_s`; maybe none. `Trouble` of
        live streams comes at once, asked or not, and answers nothing."""
        ...

    def stop(self, stream: str) -> None:
        """End a stream soon: chunks that are asked for still come, the last with End("stopped")."""
        ...

    def close(self) -> None:
        """Kill all decoders. Called once, last."""
        ...

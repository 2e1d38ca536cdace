"""A recording decoded once from beginning to end, in a child process as ever.

A specification in -> its entries out, the End last. For whoever wants pixels and no job.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from pipeline.decode.host import DecodeHost
from pipeline.stream.chunk import End, Entry
from pipeline.stream.spec import StreamSpec

_WAIT_S = 1.0


def decoded(spec: StreamSpec) -> Generator[Entry]:
    """Entries in order, every frame with its pixels, whatever a gate would leave out, and no shots;
    the decoder ends when the generator is closed."""
    host = DecodeHost()
    try:
        host.open(replace(spec, gate=None, shots=None))
        while True:
            host.request(spec.stream)
            chunks = host.wait(_WAIT_S)
            while not chunks:
                chunks = host.wait(_WAIT_S)
            for entry in (entry for chunk in chunks for entry in chunk.entries):
                yield entry
                if isinstance(entry, End):
                    return
    finally:
        host.close()

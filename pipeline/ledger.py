"""What became of every sampled frame of a stream, per operator.

Pure. sampled = published + covered + silent + deadletter, once all is committed; frames dropped
before any operator saw them are counted beside them.
"""

from __future__ import annotations

from collections.abc import Mapping

COUNTERS = ("sampled", "published", "covered", "silent", "deadletter", "dropped")


class Ledger:
    """Counters of one stream.

    `published`: the frame has a record of its own. `covered`: an operator with a memory took it
    into a span. `silent`: the operator had nothing to say. `deadletter`: the operator failed on it.
    `dropped`: a live buffer was full.
    """

    def __init__(self, counts: Mapping[str, Mapping[str, int]] | None = None) -> None:
        self._counts = {name: dict(row) for name, row in (counts or {}).items()}

    def add(self, operator: str, counter: str, frames: int) -> None:
        """Count `frames` more; nothing is written for none."""
        assert counter in COUNTERS
        if frames:
            row = self._counts.setdefault(operator, {})
            row[counter] = row.get(counter, 0) + frames

    def counts(self) -> dict[str, dict[str, int]]:
        """A copy: operator -> counter -> frames."""
        return {name: dict(row) for name, row in self._counts.items()}

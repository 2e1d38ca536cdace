"""Embeddings of a sink -> a table: block by block, each record once, and what is left out counted.

A pass begins where the table's last block ended. So a table follows a sink that is being written
by one pass after another, and goes on after a kill in the same way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from pipeline.errors import NoVectors
from pipeline.records.filter import Filter
from pipeline.records.jump import Jump
from pipeline.records.record import StoredRecord
from pipeline.sinks.reading import Plan, Reading
from pipeline.sinks.sink import Reader
from pipeline.vectors.choice import Choice
from pipeline.vectors.comparable import require_comparable
from pipeline.vectors.record import Found, found_in
from pipeline.vectors.row import TOPIC
from pipeline.vectors.writer import TableWriter

BLOCK_ROWS = 8192

Tell = Callable[[int], None]
"""Hears how many records were read so far."""


@dataclass(slots=True)
class Account:
    """What became of the records that passes have read.

    Attributes:
        read: of topic `embedding`.
        added: vectors that are in the table now.
        repeated: that it had already.
        others: of streams or times that were not asked for.
        variants: that were not asked for -> how many.
        unreadable: why -> how many.
    """

    read: int = 0
    added: int = 0
    repeated: int = 0
    others: int = 0
    variants: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)

    def skipped(self) -> list[str]:
        """What was left out although it was asked for, in words."""
        return [f"{count} unreadable: {why}" for why, count in sorted(self.unreadable.items())]


class Gathering:
    """One table's passes over one sink."""

    def __init__(
        self,
        reader: Reader,
        writer: TableWriter,
        choice: Choice,
        *,
        name: str,
        tell: Tell = lambda read: None,
        on_jump: Callable[[Jump], None] = lambda jump: None,
    ) -> None:
        """
        Args:
            reader: of the sink.
            writer: of the table.
            choice: which vectors.
            name: what the sink is called, secrets masked.
            tell: hears of every block.
            on_jump: is told of records that are gone before they were read.
        """
        self.account = Account()
        self._reader = reader
        self._writer = writer
        self._choice = choice
        self._name = name
        self._tell = tell
        self._on_jump = on_jump
        self._models: dict[str, str] = {}  # variant -> model, of what was taken
        self._dimension = writer.head.dimension if writer.head else 0  # 0: not known yet
        if writer.head:
            self._models = dict.fromkeys(writer.head.variants, writer.head.model)

    def run(self) -> int:
        """One pass, up to what was there at its beginning; how many vectors came.

        Raises:
            MixedVectors: of two variants, none of which was asked for, or of two models.
            SinkError: the sink cannot be read.
            TableError: the table cannot be written.
        """
        if TOPIC not in self._reader.topics():
            return 0
        plan = Plan(
            (TOPIC,),
            Filter(self._choice.streams),
            offsets=self._writer.offsets,
            on_jump=self._on_jump,
        )
        before, reading = self.account.added, self._reader.read(plan)
        try:
            records = iter(reading)
            while block := list(islice(records, BLOCK_ROWS)):
                self._take(block, reading)
        finally:
            reading.close()
        return self.account.added - before

    def _take(self, block: Sequence[StoredRecord], reading: Reading) -> None:
        self.account.read += len(block)
        taken = list(self._wanted(block))
        for record in block:
            reading.done(record)
        dimension = len(taken[0].vector) if taken else 0
        vectors = np.stack([one.vector for one in taken]) if taken else np.empty((0, dimension))
        added = self._writer.append(
            [one.row for one in taken],
            vectors.astype(np.float32),
            model=taken[0].model if taken else "",
            marks=sorted({mark for one in taken for mark in one.marks}),
            offsets=dict(reading.offsets),
        )
        self.account.added += added
        self.account.repeated += len(taken) - added
        self._tell(self.account.read)

    def _wanted(self, block: Sequence[StoredRecord]) -> Iterator[Found]:
        variants = self._choice.variants
        for record in block:
            try:
                found = found_in(record)
            except (KeyError, ValueError) as error:
                self.account.unreadable[_told(error)] += 1
                continue
            variant = found.row.series.variant
            if not self._choice.takes(found.row):
                self.account.others += 1
                continue
            if variants and variant not in variants:
                self.account.variants[f"{variant} of {found.model}"] += 1
                continue
            if self._models.get(variant) != found.model:
                self._admit(variant, found.model)
            if not self._fits(found):
                continue
            yield found

    def _fits(self, found: Found) -> bool:
        """Whether a vector has as many numbers as those before it; one model makes no others."""
        self._dimension = self._dimension or len(found.vector)
        if len(found.vector) == self._dimension:
            return True
        why = f"a vector of {len(found.vector)} numbers, the others have {self._dimension}"
        self.account.unreadable[why] += 1
        return False

    def _admit(self, variant: str, model: str) -> None:
        """A variant that was not met before."""
        models = {**self._models, variant: model}
        require_comparable(self._name, self._choice, models)
        self._models = models


def require_vectors(name: str, choice: Choice, account: Account) -> None:
    """See that there was something.

    Args:
        name: what the sink is called, secrets masked.
        choice: what was asked for.
        account: of all passes.

    Raises:
        NoVectors: nothing was, and why.
    """
    if account.added or account.repeated:
        return
    if not account.read:
        asked = f" of {', '.join(choice.streams)}" if choice.streams else ""
        raise NoVectors(
            f"{name} has no records of topic {TOPIC}{asked}; let the job publish them (operators: "
            "{embedding: {}})"
        )
    why = [f"{account.others} of other times"] if account.others else []
    why += [f"{count} of variant {one}" for one, count in sorted(account.variants.items())]
    raise NoVectors(
        f"{name} has no vectors of what was asked for among {account.read} records of topic "
        f"{TOPIC}: {'; '.join([*why, *account.skipped()])}"
    )


def _told(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"no attribute {str(error).strip(chr(39)).removeprefix('ce_')}"
    return str(error)

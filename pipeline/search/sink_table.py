"""Where vectors are looked for: a table that `index` has made, or one of a sink for the while."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operators.errors import UsageError
from pipeline.errors import MixedVectors, NoVectors
from pipeline.records.filter import unknown_stream
from pipeline.secrets import mask_url
from pipeline.sinks.reading import nobody_wrote
from pipeline.sinks.uri import open_reader
from pipeline.vectors.choice import Choice
from pipeline.vectors.comparable import require_comparable
from pipeline.vectors.gather import Account, Gathering, Tell, require_vectors
from pipeline.vectors.table import Table
from pipeline.vectors.writer import TableWriter
from pipeline.view.scratch import scratch


@dataclass(frozen=True, slots=True)
class SinkTable:
    """Vectors of a sink, those of which a choice lets be compared.

    Attributes:
        table: the vectors.
        sink: URI of the sink that their records lie in; of a folder secrets are masked.
        account: what became of the records that were read for it; of a folder nothing was.
        settings: of the sink's client.
    """

    table: Table
    sink: str
    account: Account
    settings: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def opened(
    place: str,
    choice: Choice,
    *,
    settings: Mapping[str, Any] | None = None,
    tell: Tell = lambda read: None,
) -> Iterator[SinkTable]:
    """
    Args:
        place: the folder of a table, or a sink's URI.
        choice: which vectors there have to be; of a table there may be more.
        settings: of a sink's client, as of `open_reader`.
        tell: hears how many of a sink's records were read.

    Raises:
        UsageError: there is no such place, or no such stream.
        NoVectors: none of what is chosen.
        MixedVectors: some are of two models, or of two variants and none is chosen; or of a
            folder none is of a variant that is.
        SinkError: the sink cannot be read.
    """
    folder = Path(place)
    if folder.is_dir():
        table = Table(folder)
        _require(table, choice, place)
        yield SinkTable(table, table.head.sink, Account(), settings or {})
        return
    if folder.is_file():
        raise UsageError(f"{place} is a file; of a database say sqlite:{place}")
    if ":" not in place:
        raise UsageError(
            f"{place} is no folder of vectors, nor a sink such as sqlite:results.db; `dinostream "
            f"index SINK -o {place}` would make it"
        )
    with scratch() as own:
        account = gathered(place, own / "vectors", choice, settings=settings, tell=tell)
        yield SinkTable(Table(own / "vectors"), place, account, settings or {})


def gathered(
    sink: str,
    folder: Path,
    choice: Choice,
    *,
    settings: Mapping[str, Any] | None = None,
    tell: Tell = lambda read: None,
    on_jump: Callable[[object], None] = lambda jump: None,
) -> Account:
    """Add a sink's vectors to a table, up to what is there now; what became of its records.

    Args:
        sink: URI.
        folder: of the table; made where it is missing, else gone on with.
        choice: which vectors.
        settings: as of `open_reader`.
        tell: hears how many records were read.
        on_jump: is told of records that are gone before they were read.

    Raises:
        as `opened`; TableError: the table cannot be gone on with.
    """
    name, chosen = mask_url(sink), choice.plain()
    with (
        closing(open_reader(sink, settings=settings)) as reader,
        closing(TableWriter(folder, sink=name, choice=chosen)) as writer,
    ):
        gathering = Gathering(reader, writer, choice, name=name, tell=tell, on_jump=on_jump)
        gathering.run()
        if writer.head is None:
            if unknown := nobody_wrote(choice.streams, reader):
                raise NoVectors(unknown)
            require_vectors(name, choice, gathering.account)
    return gathering.account


def _require(table: Table, choice: Choice, place: str) -> None:
    """See that a table has what is chosen, and that it can be compared."""
    streams = {one.stream for one in table.head.series}
    if unknown := next((one for one in choice.streams if one not in streams), None):
        raise UsageError(unknown_stream(unknown, streams))
    if unknown := next((one for one in choice.variants if one not in table.head.variants), None):
        there = ", ".join(table.head.variants)
        raise MixedVectors(f"{place} has no vectors of variant {unknown}; there are: {there}")
    chosen = table.variants(choice)
    if not chosen:
        raise NoVectors(f"{place} has {len(table)} vectors, none of the times asked for")
    require_comparable(place, choice, dict.fromkeys(chosen, table.head.model))

"""`dinostream view --view rerun`: records as a file for Rerun's viewer."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from pipeline.cli.countdown import countdown

TOLD_EVERY = 1000  # records between two looks at the clock


def write(sink: str, output: Path, since_us: int | None, settings: Mapping[str, Any]) -> int:
    """Write the file, and say what became of the records. Errors as of `export`."""
    from pipeline.records.filter import Filter
    from pipeline.sinks.uri import open_reader
    from pipeline.view.rerun_file import PER_S, export

    where = Filter(since_us=since_us)
    with closing(open_reader(sink, settings=settings)) as reader, countdown("reading") as tell:

        def read(records: int) -> None:
            if records % TOLD_EVERY == 0:
                tell(None, f"{records} records")

        done = export(reader, output, where=where, tell=read)
    click.echo(
        f"{output}: {done.shown} records; {done.spared} were left out, of frames beyond "
        f"{PER_S:g} a second of a series; {done.unread} could not be read"
    )
    return 0

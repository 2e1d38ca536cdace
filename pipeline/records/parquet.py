"""Rows of records in a Parquet file, which is whole when it is closed.

Cells as `tail --format csv` has them in -> one file; `time` is a timestamp there.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from operators.errors import UsageError
from pipeline.errors import SinkError
from pipeline.records.lines import NUMBERS

AT_ONCE = 10_000  # rows of a group, which wait in memory


class ParquetFile:
    """A file that appears under its name when the block ends, by Ctrl-C too, with all that was
    added. Until then, and after a kill, it is `NAME.part`, which nothing can read; an error leaves
    neither."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        """
        Args:
            path: where to; a file that is there is replaced.
            columns: names; a cell for each in every row.

        Raises:
            UsageError: pyarrow is not installed.
            SinkError: it cannot be written there.
        """
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            raise UsageError(
                "Parquet wants a package that is not installed: pip install pyarrow, or install "
                "dinostream with the extra: pip install '.[parquet]'"
            ) from None
        types = {
            **dict.fromkeys(columns, pyarrow.string()),
            **dict.fromkeys(NUMBERS, pyarrow.int64()),
            "time": pyarrow.timestamp("us", tz="UTC"),
        }
        self._arrow = pyarrow
        self._schema = pyarrow.schema([(name, types[name]) for name in columns])
        self._path, self._part = path, path.with_name(f"{path.name}.part")
        self._rows: list[dict[str, Any]] = []
        try:
            self._writer = pyarrow.parquet.ParquetWriter(self._part, self._schema)
        except OSError as error:
            raise SinkError(f"cannot write {path}: {error}") from None

    def add(self, cells: Sequence[str | int]) -> None:
        """One row.

        Raises:
            SinkError: it cannot be written, or a cell is not of its column's type.
        """
        row: dict[str, Any] = dict(zip(self._schema.names, cells, strict=True))
        row = {name: None if cell == "" else cell for name, cell in row.items()}
        self._rows.append(row | {"time": _moment(row["time"])})
        if len(self._rows) >= AT_ONCE:
            self._write()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None or issubclass(kind, KeyboardInterrupt):
                self._write()
                self._writer.close()
                self._part.replace(self._path)
        except OSError as error:
            raise SinkError(f"cannot write {self._path}: {error}") from None
        finally:
            with suppress(OSError):  # of a full disk, where that is told already
                self._writer.close()
            self._part.unlink(missing_ok=True)

    def _write(self) -> None:
        rows, self._rows = self._rows, []
        try:
            self._writer.write_table(self._arrow.Table.from_pylist(rows, schema=self._schema))
        except (OSError, UnicodeError, self._arrow.ArrowException) as error:
            raise SinkError(f"cannot write {self._path}: {error}") from None


def _moment(text: str | None) -> datetime | None:
    """None where a record of somebody else has no time, or none that can be read."""
    with suppress(TypeError, ValueError, OverflowError):
        moment = datetime.fromisoformat(text or "")
        return moment.astimezone(UTC) if moment.tzinfo else None
    return None

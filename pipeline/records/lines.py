"""Stored records as facts by name, and as lines, the way `tail` prints them.

A record -> attributes by their plain names, `topic`, `partition`, `offset`, `data`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from operators.result import JPEG, JSON, OCTETS, PNG
from pipeline.errors import SinkError
from pipeline.records.record import Message, StoredRecord

FIRST = ("id", "type", "time", "streamid")  # what a person looks for
SUFFIXES = {PNG: ".png", JPEG: ".jpg", JSON: ".json", OCTETS: ".bin"}
COLUMNS = ("topic", "partition", "offset", "streamid", "time", "id", "data")
NUMBERS = ("partition", "offset")
UNSAFE = re.compile(r"[^A-Za-z0-9._+-]")


def record_facts(record: StoredRecord, *, save: Path | None = None) -> dict[str, Any]:
    """What is known of a record, JSON values.

    Args:
        record: what a reader gave.
        save: a folder to write binary values to; `data` then names the file.

    Raises:
        SinkError: the value cannot be saved there.
    """
    message = record.message
    return attributes(message) | {
        "topic": message.topic,
        "partition": record.partition,
        "offset": record.offset,
        "data": _data(message, save),
    }


def record_line(record: StoredRecord, *, save: Path | None = None, **more: Any) -> str:
    """One line of JSON; arguments and errors as of `record_facts`, and `more` facts."""
    facts = record_facts(record, save=save)
    data = facts.pop("data")
    line = json.dumps(facts | more | {"data": data}, ensure_ascii=False)
    return line.encode(errors="backslashreplace").decode()  # half a surrogate pair, as JSON has it


def csv_line(record: StoredRecord, *, save: Path | None = None, **more: Any) -> str:
    """One line of CSV, of `cells`; arguments and errors as of these."""
    return csv_row(cells(record, save=save, **more))


def cells(record: StoredRecord, *, save: Path | None = None, **more: Any) -> list[str | int]:
    """Of `COLUMNS` and the names of `more`. `NUMBERS` are numbers, all else is text: JSON where it
    was none. Arguments and errors as of `record_line`."""
    facts = record_facts(record, save=save) | more
    values = {name: facts.get(name, "") for name in (*COLUMNS, *more)}
    return [one if name in NUMBERS else _text(one) for name, one in values.items()]


def _text(value: Any) -> str:
    """Half a surrogate pair is none, and nothing could write it."""
    if isinstance(value, str):
        with suppress(UnicodeEncodeError):
            value.encode()
            return value
    return json.dumps(value)


def csv_row(cells: Sequence[str | int]) -> str:
    """Cells as RFC 4180 has them, without the end of the line."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def attributes(message: Message) -> dict[str, str]:
    """CloudEvents attributes by their plain names, `content-type` as `datacontenttype`."""
    headers = message.headers
    return {name: headers[header] for name, header in _in_order(tuple(headers))}


@lru_cache  # records of one topic have the same headers
def _in_order(headers: tuple[str, ...]) -> list[tuple[str, str]]:
    """Plain name and header of each, as a person reads them."""
    named = {
        "datacontenttype" if header == "content-type" else header.removeprefix("ce_"): header
        for header in headers
    }
    first = {name: named[name] for name in FIRST if name in named}
    return list((first | {name: named[name] for name in sorted(named)}).items())


def _data(message: Message, save: Path | None) -> Any:
    if message.headers.get("content-type") == JSON:
        try:
            return json.loads(message.value)
        except ValueError:
            pass  # somebody else's record in our topic: shown by size and digest
    digest = hashlib.sha256(message.value).hexdigest()
    facts: dict[str, Any] = {"size": len(message.value), "sha256": digest}
    return facts if save is None else facts | {"path": str(_saved(message, save))}


def _saved(message: Message, folder: Path) -> Path:
    """The id is untrusted: it becomes one flat file name."""
    suffix = SUFFIXES.get(message.headers.get("content-type", ""), ".bin")
    path = folder / f"{UNSAFE.sub('_', message.headers.get('ce_id', 'unnamed'))[:200]}{suffix}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(message.value)
    except OSError as error:
        raise SinkError(f"cannot save {path}: {error.strerror}") from error
    return path

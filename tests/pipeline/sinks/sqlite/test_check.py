"""Whether a database can be written is found out without leaving one behind."""

from __future__ import annotations

import pytest

from operators.errors import UsageError
from pipeline.sinks.sqlite.check import check_database
from pipeline.sinks.sqlite.sink import SqliteSink


def test_what_is_not_there_is_not_made(tmp_path):
    check_database(tmp_path / "results.db")
    check_database(tmp_path / "new" / "folder" / "results.db")
    (tmp_path / "link.db").symlink_to("elsewhere/results.db")
    check_database(tmp_path / "link.db")
    assert [one.name for one in tmp_path.iterdir()] == ["link.db"]


def test_what_is_there_must_be_ours(tmp_path):
    ours, notes = tmp_path / "results.db", tmp_path / "notes.db"
    SqliteSink(ours).close()
    check_database(ours)
    notes.write_text("buy milk\n" * 100)
    for path, why in (
        (notes, "no SQLite database"),
        (tmp_path, "is a folder; name a file in it"),
        (notes / "results.db", "notes.db is a file, not a folder"),
        (notes / "new" / "results.db", "notes.db is a file, not a folder"),
    ):
        with pytest.raises(UsageError, match=why):
            check_database(path)

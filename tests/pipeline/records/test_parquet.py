"""A Parquet file is there whole or not at all, whatever goes wrong."""

from __future__ import annotations

import random
import resource
from contextlib import contextmanager

import pyarrow.parquet
import pytest

from pipeline.errors import SinkError
from pipeline.records.parquet import ParquetFile

COLUMNS = ("offset", "time", "data")
TIME = "2026-11-22T17:00:00Z"


@contextmanager
def full_disk(at_bytes):
    """No file grows further."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (at_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def write(path, cells):
    with ParquetFile(path, COLUMNS) as file:
        for offset, cell in enumerate(cells):
            file.add((offset, TIME, cell))


@pytest.mark.parametrize("part", [0.5, 0.999], ids=["when rows are written", "when it is closed"])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, part):
    texts = [random.Random(number).randbytes(20).hex() for number in range(1000)]
    whole = tmp_path / "whole.parquet"
    write(whole, texts)
    size_bytes = whole.stat().st_size
    with (
        pytest.raises(SinkError, match=r"cannot write .*File too large"),
        full_disk(int(part * size_bytes)),
    ):
        write(tmp_path / "r.parquet", texts)
    assert list(tmp_path.iterdir()) == [whole]


@pytest.mark.parametrize("cell", [5, "\ud800"], ids=["a number", "half a surrogate pair"])
def test_a_cell_that_is_no_text_is_told_and_leaves_the_file_as_it_was(tmp_path, cell):
    path = tmp_path / "r.parquet"
    write(path, ["of yesterday"])
    with pytest.raises(SinkError, match=r"cannot write .*r\.parquet: "):
        write(path, [cell])
    assert list(tmp_path.iterdir()) == [path]
    (row,) = pyarrow.parquet.read_table(path).to_pylist()
    assert row["data"] == "of yesterday"

"""Blocks are added whole or not at all, by one writer, each row once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from contextlib import closing

import numpy as np
import pytest

from operators.errors import UsageError
from pipeline.errors import TableError
from pipeline.vectors.row import Row, Series
from pipeline.vectors.table import Table
from pipeline.vectors.writer import TableWriter
from tests.pipeline.vectors.conftest import directions

SERIES = Series("gate", "b1b2c3d4e5f6", "0a1b2c3d4e5f")
CHOICE = {"streams": []}


def rows(first: int, behind: int) -> list[Row]:
    return [Row(SERIES, str(n), n * 1_000_000) for n in range(first, behind)]


def add(folder, first: int, behind: int, **how) -> int:
    with closing(TableWriter(folder, sink="the sink", choice=CHOICE)) as writer:
        vectors = directions(100)[first:behind]
        offsets = {("embedding", 0): behind}
        return writer.append(rows(first, behind), vectors, model="m", offsets=offsets, **how)


def test_blocks_come_behind_each_other_and_offsets_with_them(tmp_path):
    assert add(tmp_path, 0, 10) == 10
    assert add(tmp_path, 10, 25, marks=["untrained"]) == 15
    table = Table(tmp_path)
    assert [table.row(n).position for n in range(25)] == [str(n) for n in range(25)]
    assert table.head.marks == ("untrained",)
    assert table.head.offsets == {("embedding", 0): 25}


def test_rows_that_are_there_already_are_left_out(tmp_path):
    add(tmp_path, 0, 10)
    assert add(tmp_path, 5, 12) == 2
    assert add(tmp_path, 0, 12) == 0
    table = Table(tmp_path)
    assert [table.row(n).position for n in range(len(table))] == [str(n) for n in range(12)]


def test_one_process_at_a_time_writes(tmp_path):
    told = pytest.raises(TableError, match="being written by another process")
    with closing(TableWriter(tmp_path, sink="the sink", choice=CHOICE)), told:
        TableWriter(tmp_path, sink="the sink", choice=CHOICE)
    add(tmp_path, 0, 3)


def test_a_table_of_another_sink_or_choice_is_refused(tmp_path):
    add(tmp_path, 0, 3)
    with pytest.raises(
        UsageError, match="holds vectors of the sink, all of them, not vectors of another"
    ):
        TableWriter(tmp_path, sink="another", choice=CHOICE)
    with pytest.raises(
        UsageError, match=r"not vectors of the sink, streams \['gate'\]; give the same options"
    ):
        TableWriter(tmp_path, sink="the sink", choice={"streams": ["gate"]})


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(UsageError, match=r"holds something else \(holiday.jpg\)"):
        TableWriter(tmp_path, sink="the sink", choice=CHOICE)


@pytest.mark.parametrize("file", ["numbers.f16", "rows.bin"])
def test_a_table_that_lost_something_is_not_gone_on_with(tmp_path, file):
    add(tmp_path, 0, 3)
    os.truncate(tmp_path / file, 10)
    with pytest.raises(TableError, match=f"{file} is torn"):
        add(tmp_path, 3, 5)


@pytest.mark.slow
@pytest.mark.parametrize("survives", ["_rows", "_numbers"])
def test_a_writer_that_is_killed_in_a_block_leaves_the_blocks_before_it(tmp_path, survives):
    """It dies when half of the block's rows, or of its numbers, are written."""
    add(tmp_path, 0, 10)
    script = f"""
        import os, signal
        from pathlib import Path
        from pipeline.vectors import writer
        from tests.pipeline.vectors import test_writer

        real = writer._put

        def put(descriptor, data):
            if descriptor == held[0].{survives}:
                real(descriptor, data[: len(data) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            real(descriptor, data)

        held = []
        begun = writer.TableWriter.__init__
        def begin(self, *given, **named):
            begun(self, *given, **named)
            held.append(self)

        writer.TableWriter.__init__ = begin
        writer._put = put
        test_writer.add(Path({str(tmp_path)!r}), 10, 30)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(Table(tmp_path)) == 10
    add(tmp_path, 10, 30)
    table = Table(tmp_path)
    assert [table.row(n).position for n in range(30)] == [str(n) for n in range(30)]
    np.testing.assert_array_equal(table.matrix, directions(100)[:30].astype(np.float16))

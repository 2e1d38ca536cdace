"""A pool is a table's rows in an order of their own, and of one kind."""

import numpy as np
import pytest

from operators.groups.grid import cosines
from pipeline.errors import NoVectors
from pipeline.vectors.choice import EVERY, Choice
from pipeline.vectors.pool import pool_of
from pipeline.vectors.table import Table


def directions(count, seed=0):
    drawn = np.random.default_rng(seed).standard_normal((count, 32))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def test_rows_come_by_stream_and_time_with_their_vectors(table_of):
    gate, yard = directions(5), directions(4, seed=1)
    pool = pool_of(table_of(yard=yard, gate=gate), EVERY, name="the table")
    assert [row.series.stream for row in pool.rows] == ["gate"] * 5 + ["yard"] * 4
    assert pool.times_us.tolist() == [row.time_us for row in pool.rows]
    assert np.diagonal(cosines(pool.units, np.concatenate((gate, yard)))).min() > 0.999
    assert pool.by_time.tolist() == [0, 5, 1, 6, 2, 7, 3, 8, 4]
    assert pool.number(pool.rows[3].id) == 3
    assert pool.number("embedding/x") is None


def test_only_what_was_chosen(table_of):
    table = table_of(gate=directions(5), yard=directions(4))
    chosen = Choice(("gate",), since_us=1_000_000, until_us=3_000_000)
    pool = pool_of(table, chosen, name="the table")
    assert [(row.series.stream, row.position) for row in pool.rows] == [
        ("gate", "1"),
        ("gate", "2"),
    ]
    with pytest.raises(NoVectors, match="the table has 9 vectors, none of what was asked for"):
        pool_of(table, Choice(since_us=10**12), name="the table")


def test_of_two_variants_those_that_were_chosen(archive, tmp_path):
    variants = ("0a1b2c3d4e5f", "ffffffffffff")
    for number, variant in enumerate(variants):
        archive.fill(directions(3, seed=number), f"cam{number}", variant=variant)
    archive.gather(tmp_path / "vectors", Choice(variants=variants))
    table = Table(tmp_path / "vectors")
    assert len(pool_of(table, Choice(variants=variants), name="the table")) == 6
    assert len(pool_of(table, Choice(variants=variants[:1]), name="the table")) == 3

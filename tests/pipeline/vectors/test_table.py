"""A table on disk: what was put in comes out, and what is no table says so."""

from __future__ import annotations

import json
from contextlib import closing

import numpy as np
import pytest

from pipeline.errors import TableError
from pipeline.vectors.choice import Choice
from pipeline.vectors.table import Table
from tests.pipeline.vectors.conftest import SESSION, VARIANT, Archive, directions


def test_vectors_and_whose_they_are_come_back(table_of):
    vectors = {"gate": directions(40), "yard": directions(30, seed=1)}
    table = table_of(**vectors)
    assert len(table) == 70
    assert table.head.model == "dinov2_vits14-b938bf1bc15c"
    assert table.head.variants == (VARIANT,)
    for number in range(70):
        row = table.row(number)
        assert row.time_us == int(row.position) * 1_000_000
        assert table.find(row.id) == number
        exact = vectors[row.series.stream][int(row.position)]
        np.testing.assert_allclose(table.matrix[number], exact, rtol=2**-10, atol=2**-14)
    assert table.matrix.dtype == np.float16


def test_rows_are_chosen_by_stream_variant_and_time(table_of):
    table = table_of(gate=directions(40), yard=directions(30, seed=1))
    for choice, count in (
        (Choice(), 70),
        (Choice(("yard",)), 30),
        (Choice(variants=(VARIANT,)), 70),
        (Choice(variants=("f" * 12,)), 0),
        (Choice(("yard", "gate"), since_us=25_000_000, until_us=35_000_000), 15),
    ):
        taken = table.chosen(choice)
        rows = [table.row(n) for n in range(70)]
        assert [bool(one) for one in taken] == [
            choice.takes(row) and VARIANT in (choice.variants or VARIANT) for row in rows
        ]
        assert int(taken.sum()) == count


def test_ids_that_it_has_not_are_not_found(table_of):
    table = table_of(gate=directions(3))
    there = f"embedding/gate/{SESSION}/1/{VARIANT}"
    assert table.find(there) == 1
    for part, other in enumerate(("gates", "b" * 12, "7", "f" * 12), start=1):
        parts = there.split("/")
        parts[part] = other
        assert table.find("/".join(parts)) is None
    assert table.find("nonsense") is None
    assert table.find(f"embedding/gate/{SESSION}/{'1' * 99}/{VARIANT}") is None


def test_its_order_does_not_depend_on_what_came_first(tmp_path):
    vectors = directions(20)
    for name, streams in (("one", ("yard", "gate")), ("other", ("gate", "yard"))):
        with closing(Archive(tmp_path / f"{name}.db")) as archive:
            archive.write(
                *[archive.embedding(n, vectors[n], one) for n in range(20) for one in streams]
            )
            archive.gather(tmp_path / name)
    one, other = Table(tmp_path / "one"), Table(tmp_path / "other")
    ids = [[t.row(int(n)).id for n in t.in_order()] for t in (one, other)]
    assert ids[0] == ids[1]
    told = [(r.split("/")[1], int(r.split("/")[3])) for r in ids[0]]
    assert told == sorted(told)


def test_what_is_no_table_is_named(tmp_path, table_of):
    with pytest.raises(TableError, match="holds no vectors"):
        Table(tmp_path / "nowhere")
    table_of(gate=directions(5))
    folder = tmp_path / "vectors"
    head = folder / "vectors.json"
    said = json.loads(head.read_text())
    for wrong, told in (
        (said | {"format": 99}, "format 99"),
        (said | {"kind": "another"}, "no head of a table"),
        (said | {"rows": "many"}, "damaged"),
        ([], "no head of a table"),
    ):
        head.write_text(json.dumps(wrong))
        with pytest.raises(TableError, match=told):
            Table(folder)
    head.write_text("{")
    with pytest.raises(TableError, match="damaged"):
        Table(folder)


def test_a_table_that_is_torn_is_named(tmp_path, table_of):
    table_of(gate=directions(5))
    numbers = tmp_path / "vectors" / "numbers.f16"
    numbers.write_bytes(numbers.read_bytes()[:-2])
    with pytest.raises(TableError, match=r"numbers.f16 is torn, it should hold 5 rows"):
        Table(tmp_path / "vectors")

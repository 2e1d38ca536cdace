"""A moment as a user names it is a row."""

from __future__ import annotations

import pytest

from operators.errors import UsageError
from pipeline.errors import NoVectors
from pipeline.search.moment import row_at, row_of
from pipeline.vectors.choice import Choice
from pipeline.vectors.table import Table
from tests.pipeline.vectors.conftest import SESSION, VARIANT, directions

OTHER = "f" * 12


@pytest.fixture
def table(table_of):
    return table_of(gate=directions(20), yard=directions(5, seed=1))


def test_an_id_is_its_row(table):
    identity = f"embedding/yard/{SESSION}/3/{VARIANT}"
    assert table.row(row_of(table, identity)).id == identity
    with pytest.raises(NoVectors, match="there is no vector of embedding/hall"):
        row_of(table, identity.replace("yard", "hall"))


def test_a_row_is_of_a_variant_that_was_chosen(archive, tmp_path):
    """Each frame has a vector of either variant."""
    for variant in (VARIANT, OTHER):
        archive.fill(directions(3), variant=variant)
    archive.gather(tmp_path / "vectors", Choice(variants=(VARIANT, OTHER)))
    table = Table(tmp_path / "vectors")
    for variant in (VARIANT, OTHER):
        identity = f"embedding/gate/{SESSION}/1/{variant}"
        assert table.row(row_at(table, "gate@1", (variant,))).id == identity
        assert table.row(row_of(table, identity, (variant,))).id == identity
    with pytest.raises(NoVectors, match=f"is of variant {OTHER}, and vectors of {VARIANT} are"):
        row_of(table, identity, (VARIANT,))
    with pytest.raises(NoVectors, match="no vector of gate of variant eeeeeeeeeeee"):
        row_at(table, "gate@1", ("e" * 12,))


@pytest.mark.parametrize(
    ("where", "position"),
    [
        ("gate@7.4", "7"),
        ("gate@0", "0"),
        ("gate@1970-01-01T00:00:12Z", "12"),
        ("gate@1970-01-01T01:00:12.3+01:00", "12"),
        ("yard@4", "4"),
        ("gate@23", "19"),
        ("gate@0:00:12.0", "12"),
    ],
)
def test_the_nearest_vector_is_of_a_moment(table, where, position):
    row = table.row(row_at(table, where))
    assert (row.series.stream, row.position) == (where.partition("@")[0], position)


@pytest.mark.parametrize(
    ("where", "error", "told"),
    [
        ("gate", UsageError, "--at takes STREAM@TIME"),
        ("gate@", UsageError, "--at takes STREAM@TIME"),
        ("gat@3", UsageError, "no stream 'gat'; did you mean gate"),
        ("gate@noon", UsageError, "no time with a zone"),
        ("gate@2026-11-29T17:00:00", UsageError, "no time with a zone"),
        ("gate@60", NoVectors, "within 5 s of 60; the nearest is of 0:00:19.0"),
    ],
)
def test_what_is_no_moment_says_so(table, where, error, told):
    with pytest.raises(error, match=told):
        row_at(table, where)

"""Where vectors are looked for: a folder, a sink, or nothing that is either."""

from __future__ import annotations

import pytest

from operators.errors import UsageError
from pipeline.errors import MixedVectors, NoDatabase, NoVectors
from pipeline.search.sink_table import gathered, opened
from pipeline.vectors.choice import EVERY, Choice
from tests.pipeline.vectors.conftest import MODEL, VARIANT, directions

OTHER = "f" * 12


def ids(archive):
    return [archive.table.row(int(n)).id for n in archive.table.in_order()]


def test_a_sink_and_its_index_are_the_same(archive, tmp_path):
    archive.fill(directions(30))
    sink = f"sqlite:{archive.path}"
    assert gathered(sink, tmp_path / "v", EVERY).added == 30
    with opened(sink, EVERY) as of_sink, opened(str(tmp_path / "v"), EVERY) as of_table:
        assert ids(of_sink) == ids(of_table)
        assert of_sink.sink == of_table.sink == sink
        folder = of_sink.table.matrix.filename
    assert not folder.exists()


def test_what_is_neither_says_so(tmp_path, archive):
    with pytest.raises(UsageError, match="is no folder of vectors, nor a sink such as"):
        opened(str(tmp_path / "nowhere"), EVERY).__enter__()
    with pytest.raises(UsageError, match="is a file; of a database say sqlite:"):
        opened(str(archive.path), EVERY).__enter__()
    with pytest.raises(NoDatabase):
        opened(f"sqlite:{tmp_path / 'no.db'}", EVERY).__enter__()
    with pytest.raises(NoVectors, match="no records of topic embedding"):
        opened(f"sqlite:{archive.path}", EVERY).__enter__()


def test_a_table_without_what_is_chosen_says_what_it_has(archive, tmp_path):
    archive.fill(directions(30))
    folder = str(tmp_path / "v")
    gathered(f"sqlite:{archive.path}", tmp_path / "v", EVERY)
    for choice, error, told in (
        (Choice(("gat",)), UsageError, "no stream 'gat'; did you mean gate"),
        (Choice(variants=("f" * 12,)), MixedVectors, f"there are: {VARIANT}"),
        (Choice(since_us=10**9), NoVectors, "has 30 vectors, none of the times"),
    ):
        with pytest.raises(error, match=told):
            opened(folder, choice).__enter__()


def test_a_folder_of_two_variants_is_refused_as_its_sink_is(archive, tmp_path):
    """Unless each is named, or what is chosen is of one of them alone."""
    archive.fill(directions(3))
    archive.fill(directions(3, seed=1), "yard", variant=OTHER)
    both = Choice(variants=(VARIANT, OTHER))
    sink, folder = f"sqlite:{archive.path}", str(tmp_path / "v")
    gathered(sink, tmp_path / "v", both)
    for place in (sink, folder):
        with pytest.raises(MixedVectors) as refusal:
            opened(place, EVERY).__enter__()
        said = f"has vectors of variants {VARIANT} of {MODEL} and {OTHER} of {MODEL}"
        assert said in str(refusal.value)
        assert f"--variant {VARIANT}" in str(refusal.value)
        for choice in (both, Choice(("yard",)), Choice(variants=(OTHER,))):
            with opened(place, choice) as it:
                assert it.table.chosen(choice).sum() == (6 if choice is both else 3)

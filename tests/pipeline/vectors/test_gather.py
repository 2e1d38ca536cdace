"""Records of a sink become a table: all that were asked for, and what was not taken is counted."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import MixedVectors, NoVectors
from pipeline.vectors import gather
from pipeline.vectors.choice import Choice
from pipeline.vectors.gather import require_vectors
from pipeline.vectors.table import Table
from tests.pipeline.vectors.conftest import MODEL, VARIANT, directions

OTHER, OTHER_MODEL = "f" * 12, "dinov2_vitb14-aaaaaaaaaaaa"


def test_a_pass_goes_on_where_the_last_one_ended(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(gather, "BLOCK_ROWS", 16)
    told = []
    archive.fill(directions(50))
    first = archive.gather(tmp_path / "t", tell=told.append).account
    assert (first.read, first.added, told) == (50, 50, [16, 32, 48, 50])
    archive.fill(directions(60), "yard")
    second = archive.gather(tmp_path / "t").account
    assert (second.read, second.added, second.repeated) == (60, 60, 0)
    assert archive.gather(tmp_path / "t").account.read == 0
    assert len(Table(tmp_path / "t")) == 110


def test_records_that_come_again_are_counted_and_not_added(archive, tmp_path):
    archive.fill(directions(20))
    gathering = archive.gather(tmp_path / "t")
    gathering._writer.head.offsets.clear()  # as of a broker that lost its place
    gathering._writer.head.write(tmp_path / "t")
    again = archive.gather(tmp_path / "t").account
    assert (again.read, again.added, again.repeated) == (20, 0, 20)
    assert len(Table(tmp_path / "t")) == 20


def test_streams_and_times_are_chosen(archive, tmp_path):
    archive.fill(directions(20))
    archive.fill(directions(20), "yard")
    choice = Choice(("yard",), since_us=5_000_000, until_us=8_000_000)
    account = archive.gather(tmp_path / "t", choice).account
    table = Table(tmp_path / "t")
    rows = [table.row(n) for n in range(len(table))]
    assert [(one.series.stream, one.position) for one in rows] == [("yard", n) for n in "567"]
    assert (account.read, account.others) == (20, 17)


def test_what_is_no_vector_is_counted_with_its_reason(archive, tmp_path):
    good = directions(4)
    torn = archive.embedding(5, good[0], dim="31")
    headless = archive.embedding(6, good[0])
    del headless.headers["ce_session"]
    archive.fill(good)
    archive.write(
        torn,
        headless,
        archive.embedding(7, good[0] * np.float32(np.nan)),
        archive.embedding(8, good[0] * 3),
        archive.embedding(9, good[0], time="yesterday"),
    )
    account = archive.gather(tmp_path / "t").account
    assert (account.read, account.added, account.unreadable.total()) == (9, 4, 5)
    assert account.skipped() == [
        "1 unreadable: Invalid isoformat string: 'yesterday'",
        "1 unreadable: a vector of 32 numbers, its dim is 31",
        "1 unreadable: a vector of length 3, not 1",
        "1 unreadable: a vector of length nan, not 1",
        "1 unreadable: no attribute session",
    ]


def test_a_vector_of_another_width_is_counted_and_spoils_no_other(archive, tmp_path):
    archive.fill(directions(4))
    archive.write(archive.embedding(4, directions(1, 16)[0]))
    account = archive.gather(tmp_path / "t").account
    told = ["1 unreadable: a vector of 16 numbers, the others have 32"]
    assert (account.added, account.skipped()) == (4, told)
    archive.write(
        archive.embedding(5, directions(1, 16)[0]), archive.embedding(6, directions(1)[0])
    )
    account = archive.gather(tmp_path / "t").account
    assert (account.added, account.skipped()) == (1, told)
    assert Table(tmp_path / "t").matrix.shape == (5, 32)


def test_vectors_of_two_variants_are_refused_and_both_named(archive, tmp_path):
    archive.fill(directions(4))
    archive.fill(directions(4), "yard", variant=OTHER, model=OTHER_MODEL)
    with pytest.raises(MixedVectors) as refusal:
        archive.gather(tmp_path / "t")
    for name in (VARIANT, MODEL, OTHER, OTHER_MODEL, "--variant"):
        assert name in str(refusal.value)
    chosen = archive.gather(tmp_path / "chosen", Choice(variants=(OTHER,))).account
    assert (chosen.added, chosen.variants.total()) == (4, 4)
    assert Table(tmp_path / "chosen").head.model == OTHER_MODEL


def test_two_variants_of_one_model_go_together_where_both_are_named(archive, tmp_path):
    archive.fill(directions(4))
    archive.fill(directions(4), "yard", variant=OTHER)
    with pytest.raises(MixedVectors, match="name each"):
        archive.gather(tmp_path / "t")
    both = Choice(variants=(OTHER, VARIANT))
    assert archive.gather(tmp_path / "both", both).account.added == 8
    archive.fill(directions(4), "hall", variant="e" * 12, model=OTHER_MODEL)
    all_three = Choice(variants=(OTHER, VARIANT, "e" * 12))
    with pytest.raises(MixedVectors, match="the models see differently"):
        archive.gather(tmp_path / "all", all_three)


def test_a_second_variant_that_comes_later_is_refused_too(archive, tmp_path):
    archive.fill(directions(4))
    archive.gather(tmp_path / "t")
    archive.fill(directions(4), "yard", variant=OTHER)
    with pytest.raises(MixedVectors):
        archive.gather(tmp_path / "t")
    assert len(Table(tmp_path / "t")) == 4


def test_an_empty_sink_says_what_it_lacks(archive, tmp_path):
    account = archive.gather(tmp_path / "t").account
    with pytest.raises(NoVectors, match="has no records of topic embedding; let the job publish"):
        require_vectors("the sink", Choice(), account)
    archive.fill(directions(4))
    nobody = Choice(("yard",))
    with pytest.raises(NoVectors, match="no records of topic embedding of yard"):
        require_vectors("the sink", nobody, archive.gather(tmp_path / "u", nobody).account)
    never = Choice(since_us=10**12)
    with pytest.raises(NoVectors, match="4 of other times"):
        require_vectors("the sink", never, archive.gather(tmp_path / "v", never).account)
    wrong = Choice(variants=(OTHER,))
    with pytest.raises(NoVectors, match=f"4 of variant {VARIANT} of {MODEL}"):
        require_vectors("the sink", wrong, archive.gather(tmp_path / "w", wrong).account)


def test_marks_of_records_are_kept(archive, tmp_path):
    archive.fill(directions(4), untrained="true")
    archive.gather(tmp_path / "t")
    assert Table(tmp_path / "t").head.marks == ("untrained",)

"""The newest ledger of every job, summed by operator; whatever is left over waits."""

from itertools import permutations

import pytest

from pipeline.plot.ledger import Ledgers


def manifest(stored, counts, stream="gate", job="feedfacecafe"):
    return stored(topic="manifest", data={"stream": stream, "operators": counts}, ce_variant=job)


def rows(panel):
    return {
        row.name: {part.name.split()[0]: part.value for part in row.parts if part.value}
        for row in panel.rows
    }


def test_the_newest_of_a_job_counts_whatever_the_order(asked, stored):
    ended = stored(
        topic="events",
        data={
            "stream": "gate",
            "kind": "ended",
            "operators": {"depth": {"sampled": 9, "published": 9}},
        },
        ce_variant="feedfacecafe",
    )
    first = manifest(stored, {"depth": {"sampled": 4, "published": 4}})
    second = manifest(stored, {"depth": {"sampled": 8, "published": 7, "deadletter": 1}})
    for order in permutations([first, second, ended]):
        (panel,) = asked(Ledgers(), order)
        assert rows(panel) == {"depth": {"published": 9}}


def test_jobs_add_up_and_what_is_not_settled_waits(asked, stored):
    records = [
        manifest(stored, {"action": {"sampled": 10, "covered": 6, "silent": 1, "dropped": 3}}),
        manifest(stored, {"action": {"sampled": 5, "covered": 5}}, "yard"),
        manifest(stored, {"action": {"sampled": 5, "published": 5}}, "yard", "0" * 12),
    ]
    (panel,) = asked(Ledgers(), records)
    expected = {"published": 5, "covered": 11, "silent": 1, "waiting": 3, "dropped": 3}
    assert rows(panel) == {"action": expected}
    assert panel.rows[0].said == "23"
    assert {name for name, _ in panel.legend} == set(expected)
    assert "3 jobs" in panel.notes[0]


@pytest.mark.parametrize("frames", [-1, "many", None, float("nan"), 10**400])
def test_what_is_no_number_is_refused(stored, frames):
    with pytest.raises((ValueError, TypeError)):
        Ledgers().see(manifest(stored, {"depth": {"sampled": 1, "covered": frames}}))


def test_without_a_ledger_it_is_unknown(asked, stored):
    (panel,) = asked(Ledgers(), [stored(topic="events", data={"kind": "started"})])
    assert panel.said.startswith("Unknown")

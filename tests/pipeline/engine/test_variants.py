"""Variants of a stream's records, known without the operator."""

from dataclasses import replace

import pytest

from operators.errors import UsageError
from operators.places.alert import Alert
from operators.places.places import Places
from operators.places.shapes import Zone
from operators.segmentation.labelsets import Label, LabelSet
from operators.variant import Computation, RecordKind
from operators.zones.findable import Findable
from pipeline.engine.variants import Variants
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

COMPUTATION = Computation("vit", "f" * 64, "bicubic", "torch", "float32", "cpu")
TAPE = StreamSpec("gate", "/srv/tapes/gate", session="f" * 12, taped=True)
LATE = replace(TAPE, late_begins=("1700000000000000-000003",))


@pytest.fixture
def variant():
    """Of one operator's records."""

    def of(spec, *, remembers=False, placed=False):
        kinds = {"mood": RecordKind({"operator": "mood"}, remembers)}
        return Variants(kinds, COMPUTATION, placed=placed).on(spec, Sampling("fps", 5))["mood"]

    return of


@pytest.mark.parametrize("breaks", [None, ()], ids=["replayed", "verified"])
def test_what_remembers_says_other_things_of_a_tape_without_its_beginning(variant, breaks):
    whole, late = replace(TAPE, breaks=breaks), replace(LATE, breaks=breaks)
    later = replace(late, late_begins=("1700000000000000-000004",))
    assert len({variant(spec, remembers=True) for spec in (whole, late, later)}) == 3
    assert len({variant(spec, remembers=False) for spec in (whole, late, later)}) == 1


def test_what_a_run_had_dropped_makes_another_variant_only_where_it_is_computed(variant):
    live = replace(TAPE, taped=False, live=True)
    assert variant(replace(TAPE, breaks=()), remembers=True) == variant(live, remembers=True)
    assert variant(TAPE, remembers=True) != variant(live, remembers=True)


def test_what_remembers_says_other_things_of_what_another_job_has_kept(variant):
    kept = [StreamSpec("gate", "/srv/kept", session=one, kept=True, kept_by=one) for one in "jk"]
    footage = StreamSpec("gate", "/srv/gate.mp4", session="j")
    assert len({variant(spec, remembers=True) for spec in (footage, *kept)}) == 3
    assert len({variant(spec, remembers=False) for spec in (footage, *kept)}) == 1
    assert variant(replace(kept[0], session="grown"), remembers=True) == variant(
        kept[0], remembers=True
    )


def test_event_times_are_in_every_variant_of_a_recording_that_is_said_to_begin(variant):
    """They are in attributes of all records, and a user's own operator may read them."""
    clip = StreamSpec("gate", "/srv/gate.mp4", session="f" * 12)
    for remembers in (True, False):
        begun = [replace(clip, start_time_us=time_us) for time_us in (None, 0, 1)]
        assert len({variant(spec, remembers=remembers) for spec in begun}) == 3


def test_what_is_drawn_over_a_stream_counts_for_operators_that_read_it(variant):
    dock = Zone("dock", ((0, 0), (1, 0), (1, 1)))
    drawn = replace(TAPE, places=Places((dock,)))
    elsewhere = replace(TAPE, places=Places((replace(dock, points=((0, 0), (1, 0), (0, 1))),)))
    assert len({variant(spec, placed=True) for spec in (TAPE, drawn, elsewhere)}) == 3
    assert len({variant(spec) for spec in (TAPE, drawn, elsewhere)}) == 1


def test_an_alert_about_what_nobody_finds_is_refused_before_a_stream_is_opened():
    labels = LabelSet("room", (Label(0, "wall", (0, 0, 0)),))
    variants = Variants({}, COMPUTATION, placed=True, findable=Findable(labels, metric=False))
    zone = Zone("dock", ((0, 0), (1, 0), (1, 1)))
    places = [
        Places((zone,), (), (Alert("alert", "dock", label, share_over=0.5),))
        for label in ("wall", "wal")
    ]
    assert variants.on(replace(TAPE, places=places[0]), Sampling("fps", 5)) == {}
    with pytest.raises(
        UsageError, match=r"streams\.gate\.alerts\.alert: .* no class 'wal'; near it"
    ):
        variants.on(replace(TAPE, places=places[1]), Sampling("fps", 5))

"""What is found in a sink before anything is drawn."""

from dataclasses import replace
from itertools import pairwise

import pytest

from operators.errors import UsageError
from pipeline.records.commit import Commit
from pipeline.records.payloads import time_us
from pipeline.render.survey import SAMPLES, holds_records, survey
from pipeline.render.wanted import DRAWN, MADE, Wanted
from pipeline.sinks.uri import open_reader, open_sink


@pytest.fixture
def look(records):
    def looked(sink, **changes):
        wanted = replace(Wanted(sink, "clip.mp4", records.session, None, DRAWN), **changes)
        reader = open_reader(sink)
        try:
            return survey(reader, wanted)
        finally:
            reader.close()

    return looked


def test_topics_labels_and_ends_are_found(look, stored, records):
    found = look(stored(records.all()))
    assert found.stream == "cam"
    assert set(found.topics) == set(MADE)
    assert [label.name for label in found.labels["two"].labels] == ["wall", "floor"]
    assert (found.first.time_us, found.first.position) == (0, "0")
    assert found.last_us == 1_500_000
    assert not found.untrained
    assert not found.out_of_domain


def test_records_of_what_has_not_learnt_from_footage_are_told(look, stored, records):
    records.operator.rendered_only = True
    assert look(stored(records.all())).out_of_domain


def test_of_several_models_one_is_drawn_and_the_others_are_named(look, stored, records):
    old, new = "dinov2_vitti14-0123456789ab", "dinov2_vitti14-ba9876543210"
    newer = replace(records, model=new, variant="f" * 12)
    sink = stored([*records.all(), newer.maps(5)[2]])  # the newer run has pca alone
    found = look(sink)
    assert (found.model, set(found.topics)) == (new, {"pca"})
    assert found.notes == (f"drawn is {new}, there are records of {old} too: --model chooses",)
    for chosen in (old, "dinov2_vitti14-0123"):
        found = look(sink, model=chosen)
        assert (found.model, set(found.topics), found.notes) == (old, set(MADE), ())
    assert look(sink, model="dinov2_vitti14").model == new
    assert look(sink, variants=(records.variant,)).model == old
    with pytest.raises(UsageError, match=rf"are of {old}, {new}; none are of dinov2_vits14, var"):
        look(sink, model="dinov2_vits14", variants=("a" * 12,))
    wanted = Wanted(sink, "clip.mp4", records.session, None, DRAWN, model="dinov2_vitti14-f")
    assert not holds_records(sink, wanted, settings={})


def test_of_several_variants_the_newest_is_drawn_and_the_others_are_named(look, stored, records):
    newer = replace(records, variant="f" * 12)
    found = look(stored([*records.all(), newer.maps(5)[0]]))
    assert set(found.topics) == set(MADE)
    assert found.topics["depth"].headers["ce_variant"] == newer.variant
    assert found.topics["pca"].headers["ce_variant"] == records.variant
    assert found.notes == (
        f"drawn is the newest variant of depth, {newer.variant}; there are {records.variant} too: "
        "--variant chooses",
    )


def test_records_of_a_region_are_not_drawn_over_whole_pictures(look, stored, records):
    info = replace(records.info(0), region=(80, 0, 160, 90), source_hw=(90, 80))
    part = records.of(info, "embedding", "application/octet-stream", b"")
    with pytest.raises(UsageError, match="cam are of the region 80,0,160,90 of its pictures"):
        look(stored([part]), operators=("embedding",))


@pytest.mark.slow
def test_of_many_records_a_few_are_kept_from_all_over(look, stored, records):
    frames = 5 * SAMPLES
    found = look(stored([m for n in range(frames) for m in records.maps(n)]), operators=("pca",))
    samples = found.topics["pca"].samples
    times_s = [time_us(message.headers["ce_time"]) / 1e6 for message in samples]
    assert SAMPLES / 2 <= len(samples) <= SAMPLES
    assert times_s == sorted(times_s)
    assert (times_s[0], times_s[-1]) == (0, pytest.approx(frames / 10, rel=0.05))
    steps = {round(b - a, 3) for a, b in pairwise(times_s)}
    assert len(steps) == 1


def test_a_sink_with_other_records_only_holds_none(look, stored, records, build):
    sink = stored([build.message(0, topic="embedding"), records.all()[0]])
    with pytest.raises(UsageError, match="no records of depth, segmentation, pca, anomaly, action"):
        look(sink)


def test_whether_records_are_there(stored, records, tmp_path):
    sink = stored(records.all())
    wanted = Wanted(sink, "clip.mp4", records.session, None, DRAWN)
    assert holds_records(sink, wanted, settings={})
    assert not holds_records(sink, replace(wanted, session="f" * 12), settings={})
    assert not holds_records(f"sqlite:{tmp_path / 'absent.db'}", wanted, settings={})
    assert not (tmp_path / "absent.db").exists()


def test_records_of_a_job_that_was_interrupted_are_not_all(stored, records):
    uri = stored(records.all())
    wanted = Wanted(uri, "clip.mp4", records.session, None, DRAWN)
    sink = open_sink(uri)
    progress = sink.claim({"cam": "feedfacecafe"})["cam"]
    for status, there in (("running", False), ("ok", True)):
        progress = replace(
            progress, session=records.session, status=status, sequence=progress.sequence + 1
        )
        sink.commit([Commit([], progress)])
        assert holds_records(uri, wanted, settings={}) is there
    sink.close()

"""What a cluster has published of some moments: read once, and only what is of use is kept."""

from __future__ import annotations

from contextlib import closing

import pytest

from operators.moment import rfc3339
from pipeline.records.record import Message, StoredRecord
from pipeline.search.episode import Episode
from pipeline.search.fetched import Span, kept
from pipeline.search.pictured import Shown, gallery
from pipeline.sinks.uri import open_sink
from pipeline.vectors.row import Row, Series
from pipeline.view.footage import Footage
from pipeline.view.pictures import NoPicture
from tests.pipeline.search.test_pictured import episode, jpeg, level
from tests.pipeline.vectors.conftest import SESSION, VARIANT

S = 1_000_000
BEGAN_US = 1_795_000_000 * S
LATER = "f" * 12


def picture(number: int, stream="gate", session=SESSION, variant=VARIANT, **attributes) -> Message:
    """Of a frame, one each second, as bright as its number."""
    began_us = int(session) if session.isdecimal() else 0
    headers = {
        "content-type": "image/jpeg",
        "ce_id": f"frames/{stream}/{session}/{number}/{variant}",
        "ce_streamid": stream,
        "ce_session": session,
        "ce_variant": variant,
        "ce_time": rfc3339(began_us + number * S),
        **{f"ce_{name}": text for name, text in attributes.items()},
    }
    return Message("frames", stream, headers, jpeg(number * 5))


def stored(*messages: Message) -> list[StoredRecord]:
    return [StoredRecord(one, BEGAN_US, offset) for offset, one in enumerate(messages)]


def positions(records: list[StoredRecord]) -> list[str]:
    return [one.message.position for one in records]


def test_the_nearest_to_each_moment_and_the_last_are_kept():
    records = stored(*[picture(number) for number in range(0, 40, 5)])
    spans = [
        Span("gate", SESSION, 18 * S, 12 * S, 24 * S),
        Span("gate", SESSION, 5 * S, 5 * S, 5 * S),
    ]
    assert positions(kept(records, spans)) == ["5", "20", "35"]
    nothing_near = [Span("gate", SESSION, 18 * S, 17 * S, 19 * S)]
    assert positions(kept(records, nothing_near)) == ["35"]


def test_of_two_variants_each_is_kept_and_the_newest_stays_the_newest():
    records = stored(picture(5), picture(6), picture(5, variant=LATER), picture(7, variant=LATER))
    found = kept(records, [Span("gate", SESSION, 5 * S, 0, 9 * S)])
    assert [one.offset for one in found] == [0, 1, 2, 3]


def test_connections_of_a_live_stream_are_on_one_axis():
    first, second = str(BEGAN_US), str(BEGAN_US + 60 * S)
    records = stored(*[picture(n, session=first) for n in (0, 30)], picture(0, session=second))
    at_us = BEGAN_US + 58 * S
    found = kept(records, [Span("gate", first, at_us, at_us - 30 * S, at_us + 5 * S)])
    assert [one.message.headers["ce_session"] for one in found] == [first, second]
    assert positions(found) == ["30", "0"]


def test_what_somebody_else_wrote_stops_nothing():
    odd = picture(5)
    nameless = Message("frames", "gate", {"ce_id": "frames/x"}, b"")
    timeless = Message("frames", "gate", odd.headers | {"ce_time": "soon"}, b"")
    records = stored(nameless, timeless, odd)
    assert kept(records, [Span("gate", SESSION, 5 * S, 5 * S, 5 * S)]) == [records[2]]


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_a_sheet_over_a_cluster_has_the_pictures_that_it_published(kafka_uri):
    camera = str(BEGAN_US)
    with closing(open_sink(kafka_uri)) as sink:
        sink.publish([picture(number) for number in range(0, 40, 5)])
        sink.publish([picture(number, "yard", camera) for number in range(0, 40, 5)])
        sink.publish([picture(0, "hall", blurred="person")])
    nowhere, read = Footage(()), []
    live = Row(Series("yard", camera, VARIANT), "10", BEGAN_US + 10 * S)
    shown = Shown([live, episode(15, 15, 15).best], [episode(18, 12, 24)])
    with gallery(kafka_uri, nowhere, shown, tell=read.append) as pictures:
        assert level(pictures.of(live)) == pytest.approx(50, abs=3)
        assert level(pictures.of(episode(15, 15, 15).best)) == pytest.approx(75, abs=3)
        assert level(pictures.of_episode(episode(18, 12, 24))) == pytest.approx(100, abs=3)
        with pytest.raises(NoPicture, match="the records have no pictures"):
            pictures.of_episode(Episode(live._replace(position="11"), 0.9, 0, 1, 1))
    assert read[-1] == 16  # those of `hall` were not asked for
    of_hall = Row(Series("hall", SESSION, VARIANT), "1", S)
    hidden = gallery(kafka_uri, nowhere, Shown([of_hall]))
    with hidden as pictures, pytest.raises(NoPicture, match="the job hides"):
        pictures.of(of_hall)


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_a_cluster_without_pictures_has_those_of_footage(kafka_uri, small_clip, tmp_path):
    with closing(open_sink(kafka_uri)) as sink:
        sink.publish([picture(0, "hall")])
    clip = small_clip(tmp_path / "gate.mp4", "bright")
    footage = Footage.of([str(clip)])
    (session,) = footage._recordings
    row = Row(Series("gate.mp4", session, VARIANT), "2048", 200_000)
    with gallery(kafka_uri, footage, Shown([row])) as pictures:
        assert level(pictures.of(row)) > 180

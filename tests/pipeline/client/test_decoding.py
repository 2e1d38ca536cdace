"""Every kind of record as its class says it is, and what is not understood."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from operators.png import rgb_png
from pipeline import subscribe
from pipeline.client import results
from pipeline.client.decoding import BY_TOPIC
from pipeline.errors import UnreadableRecord
from pipeline.records.message import Publisher, progress_message
from pipeline.records.pictured import PicturedPublisher
from pipeline.records.record import Message
from pipeline.records.topics import TOPICS
from pipeline.stream.progress import Progress

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLASSES = {
    "depth": results.Depth,
    "depth.summary": results.DepthSummary,
    "segmentation": results.Segmentation,
    "segmentation.summary": results.SegmentationSummary,
    "classify": results.Classification,
    "action": results.Action,
    "action.episodes": results.Episode,
    "embedding": results.Embedding,
    "pca": results.PrincipalComponents,
    "frames": results.Frame,
    "detections": results.Detections,
    "zones": results.Zones,
    "zones.episodes": results.ZoneEpisode,
    "zones.alerts": results.ZoneAlert,
    "tracks": results.Tracks,
    "tracks.zones": results.Visit,
    "tamper": results.View,
    "tamper.episodes": results.TamperEpisode,
    "anomaly": results.Anomaly,
    "anomaly.summary": results.AnomalySummary,
    "labels": results.LabelSet,
    "events": results.Event,
    "manifest": results.Books,
}


@pytest.fixture(scope="module")
def read(run_uri):
    """Topic -> its results in a real run, in order; none is refused."""
    read = {}
    for result in subscribe(run_uri, follow=False, strict=True):
        read.setdefault(result.topic, []).append(result)
    return read


@pytest.mark.slow
def test_every_topic_has_a_class_and_every_record_of_a_run_is_of_it(read):
    assert list(BY_TOPIC) == list(TOPICS)
    assert set(read) == set(CLASSES)
    for topic, found in read.items():
        assert {type(one) for one in found} == {CLASSES[topic]}


@pytest.mark.slow
def test_what_records_say_of_themselves_has_types(read):
    first, second = read["embedding"][:2]
    assert first.id == f"embedding/room-1/{first.session}/0/{first.variant}"
    assert (first.type, first.partition) == ("dinostream.embedding.v1", 0)
    assert (first.stream, first.clock, first.epoch) == ("room-1", "media", 1)
    assert (first.time, second.time) == (EPOCH, EPOCH + timedelta(seconds=0.2))
    assert (first.pts, second.pts, second.time_base) == (0, 6, Fraction(1, 30))
    assert (first.source_hw, first.region, first.traceparent) == ((240, 320), None, None)
    assert (first.untrained, first.out_of_domain) == (True, False)
    assert first.ingested.tzinfo is UTC
    assert first.ingested <= first.published <= datetime.now(UTC)
    assert second.offset > first.offset
    assert first.attributes["dim"] == "192"
    (labels, *_) = read["labels"]
    assert (labels.stream, labels.time, labels.epoch, labels.pts) == (None, None, None, None)


@pytest.mark.slow
def test_maps_are_arrays(read):
    depth = read["depth"][0]
    assert (depth.metres.dtype, depth.metres.shape) == (np.float32, (8, 12))
    assert (depth.disparity, depth.domain, depth.calibrated) == (None, "own", None)
    assert depth.head is None
    assert depth.valid.all()
    assert 0 < depth.metres.min() <= depth.metres.max() <= 10
    summary = read["depth.summary"][0]
    assert summary.metric
    assert list(summary.percentiles) == [5, 25, 50, 75, 95]
    assert summary.percentiles[50] == pytest.approx(np.median(depth.metres), abs=0.1)
    assert summary.grid.shape == (3, 3)
    assert read["pca"][0].rgb.shape == (8, 12, 3)
    distances, told = read["anomaly"][0].distances, read["anomaly.summary"][0]
    assert (distances.dtype, distances.shape) == (np.float32, (2, 3))
    assert distances.max() == pytest.approx(told.highest) == told.score
    assert (told.over, told.threshold, told.patches) == (True, 0, 6)
    assert told.box == (0, 0, 320, 240)
    picture = read["frames"][0]
    assert (picture.rgb().dtype, picture.rgb().shape) == (np.uint8, (28, 37, 3))
    assert (picture.blurred, picture.untrained) == (("person",), True)
    vector = read["embedding"][0].vector
    assert (vector.dtype, len(vector)) == (np.float32, 192)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


@pytest.mark.slow
def test_class_ids_have_names_and_colours(read):
    segmentation, summary = read["segmentation"][0], read["segmentation.summary"][0]
    assert segmentation.ids.shape == (8, 12)
    assert segmentation.label_set == summary.label_set == "ade20k"
    first = summary.classes[0]
    assert segmentation.labels[first.id].name == first.name
    assert segmentation.mask(first.name).mean() == pytest.approx(first.share, abs=1e-6)
    where = np.argwhere(segmentation.ids == first.id)[0]
    assert tuple(segmentation.colours()[tuple(where)]) == segmentation.labels[first.id].rgb
    left, top, right, bottom = first.components[0].box
    assert 0 <= left < right <= 320
    assert 0 <= top < bottom <= 240
    with pytest.raises(ValueError, match=r"label set ade20k has no 'unicorn'; known: .*wall"):
        segmentation.mask("unicorn")
    (ade20k,) = [one for one in read["labels"] if one.name == "ade20k"]
    assert ade20k.labels == segmentation.labels


@pytest.mark.slow
def test_windows_episodes_and_events_have_times(read):
    action, episode = read["action"][0], read["action.episodes"][0]
    assert (action.start.position, action.start.time) == ("0", EPOCH)
    assert action.end.time == action.time > action.start.time
    assert (action.frames, action.partial) == (8, False)
    assert action.labels[0].score >= action.labels[-1].score
    assert episode.start.time <= episode.peak.time <= episode.end.time
    assert episode.windows >= 1
    assert 0 < episode.label.score <= 1
    assert len(read["classify"][0].labels) == 2
    assert [one.kind for one in read["events"]] == ["started", "ended"]
    assert read["events"][1].data["outcome"] == "ok"


@pytest.mark.slow
def test_zones_have_outlines_classes_and_what_became_of_them(read):
    (zone,) = read["zones"][0].zones
    assert (zone.name, read["zones"][0].label_set) == ("left", "ade20k")
    assert zone.outline == ((0, 0), (160, 0), (160, 240), (0, 240))
    assert 0 < zone.nearest_m <= zone.median_m <= 10
    assert sum(one.share for one in zone.classes) == pytest.approx(1, abs=0.1)
    entered = read["zones.episodes"][0]
    assert (entered.kind, entered.zone, entered.cut) == ("entered", "left", False)
    assert entered.label in zone.occupied
    assert entered.start.time <= entered.peak.time <= entered.end.time == entered.time
    assert 0 < entered.peak_share <= 1
    begins, ends = read["zones.alerts"]
    assert (begins.alert, begins.begins, begins.end, begins.peak_share) == (
        "near",
        True,
        None,
        None,
    )
    assert (begins.nearest_below_m, begins.share_over, begins.for_s) == (100, None, 0)
    assert (ends.begins, ends.cut, ends.end.time) == (False, True, ends.time)
    assert ends.nearest_m == min(one.zones[0].nearest_m for one in read["zones"])


@pytest.mark.slow
def test_tracks_go_on_from_frame_to_frame_and_visits_end_with_the_stream(read):
    first, last = read["tracks"][0], read["tracks"][-1]
    assert first.tracks == (), "an id takes two frames"
    assert first.label_set == "untrained"
    track = last.tracks[0]
    assert (track.id, track.start) == (1, "0")
    assert track.age_s == pytest.approx((last.time - first.time).total_seconds())
    assert 0 <= track.box[0] <= track.box[2] <= 320
    entered = read["tracks.zones"][0]
    assert (entered.kind, entered.zone, entered.end, entered.dwell_s) == (
        *("entered", "left"),
        *(None, None),
    )
    assert entered.start.time == entered.time
    over = next(one for one in read["tracks.zones"][1:] if one.track == entered.track)
    assert (over.start, over.label_set) == (entered.start, "untrained")
    assert over.dwell_s == pytest.approx((over.end.time - over.start.time).total_seconds())
    assert read["tracks.zones"][-1].kind == "cut"


def test_a_crossing_says_who_crosses_which_way_and_how_many_have(file, build):
    value = {
        **{"line": "gate", "direction": "in", "id": 3, "label": {"id": 1, "name": "ball"}},
        "total": {"in": 2, "out": 1},
    }
    message = build.message(1, topic="lines.crossed", data=json.dumps(value).encode())
    file.write(changed(message, LABELSET))
    (crossing,) = subscribe(file.uri, follow=False, strict=True)
    assert (crossing.line, crossing.inward, crossing.track) == ("gate", True, 3)
    assert crossing.label == results.TrackLabel(1, "ball")
    assert (crossing.came_in, crossing.went_out) == (2, 1)


def test_relative_depth_is_no_metres(file, build):
    steps = np.array([[0, 1024], [2048, 65535]], np.uint16)
    said = RELATIVE | {"ce_depthhead": "da3metric"}
    file.write(changed(build.message(1, topic="depth", data=grey_png(steps)), said))
    (depth,) = subscribe(file.uri, follow=False, strict=True)
    assert depth.metres is None
    assert (depth.head, depth.calibrated) == ("da3metric", False)
    assert depth.valid.tolist() == [[False, True], [True, True]]
    assert depth.disparity[1, 0] == 2.0
    assert np.isnan(depth.disparity[0, 0])


def test_dead_letters_may_show_the_frame(file, build):
    picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    plain = Publisher("cam1", "feedfacecafe", build.model)
    pictured = PicturedPublisher("cam1", "feedfacecafe", build.model, 0.0, lambda _: picture)
    error = ValueError("no such luck")
    file.write(*(one.dead_letter(build.info(2), "depth", error) for one in (plain, pictured)))
    letter, shown = subscribe(file.uri, topics=["deadletter"], follow=False, strict=True)
    assert (letter.operator, letter.error, letter.position) == ("depth", "ValueError", "6000")
    assert letter.picture is None
    assert (shown.picture == picture).all()
    assert shown.picture_step == 1


def test_dinostreams_own_books_are_plain_data(file):
    progress = Progress("feedfacecafe", "cam1", sequence=3)
    file.write(progress_message(progress))
    (books,) = subscribe(file.uri, topics=["progress"], follow=False, strict=True)
    assert isinstance(books, results.Books)
    assert books.data["sequence"] == 3


LABELSET = {"ce_labelset": "mine"}
METRIC = {"ce_depthkind": "metric", "ce_depthscale": "0.001"}
RELATIVE = {
    "ce_depthkind": "relativedisparity",
    "ce_depthscale": "0.0009765625",
    "ce_depthcalibrated": "false",
}
RGB = rgb_png(np.zeros((2, 2, 3), np.uint8))


@pytest.mark.parametrize(
    ("topic", "data", "headers", "fault"),
    [
        ("mood", b"{}", {}, "type 'dinostream.mood.v1' is not known to this version"),
        (
            "action",
            b"{}",
            {"ce_type": "dinostream.action.v2"},
            "type 'dinostream.action.v2' is not",
        ),
        ("action", b"{", {}, "JSONDecodeError"),
        ("action", b"{}", {}, "'start' is missing"),
        ("action", b"[]", {}, "TypeError"),
        ("events", b"[1]", {"ce_dataschema": "urn:dinostream:schemas:events.v1"}, "AttributeError"),
        ("action", b"{}", {"content-type": "text/plain"}, "content-type 'text/plain', not"),
        ("action", b"{}", {"ce_dataschema": "urn:other"}, "ce_dataschema 'urn:other', not"),
        ("action", b"{}", {"ce_time": "yesterday"}, "ValueError"),
        ("action", b"{}", {"ce_time": "2026-11-22T17:00:00"}, "has no zone"),
        ("action", b"{}", {"ce_region": "1,2,3"}, "ValueError"),
        ("action", b"[" * 100_000, {}, "RecursionError"),
        ("depth", RGB, METRIC, "not [h, w]"),
        ("depth", RGB[:40], METRIC, "Error"),
        ("depth", b"GIF89a", METRIC, "UnidentifiedImageError"),
        ("depth", RGB, {}, "'ce_depthkind' is missing"),
        ("depth.summary", b'{"unit": "ft"}', {}, "unit 'ft'"),
        ("depth.summary", b'{"unit": "m", "grid": [[1]]}', {}, "not [3, 3]"),
        ("segmentation", RGB, LABELSET, "class ids are palette indices"),
        ("frames", RGB, {}, "UnidentifiedImageError"),
        ("embedding", b"1234", {"ce_dim": "2"}, "a vector of 1 numbers, its dim is 2"),
        ("embedding", b"123", {"ce_dim": "1"}, "buffer size"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_is_not_understood_is_given_as_it_is_or_refused(
    file, build, topic, data, headers, fault
):
    base = "action" if topic == "events" else topic
    message = changed(build.message(1, topic=base, data=data), headers)
    if topic == "events":
        message = changed(replace(message, topic=topic), {"ce_type": "dinostream.events.v1"})
    file.write(message)
    subscription = subscribe(file.uri, follow=False)
    (raw,) = subscription
    assert isinstance(raw, results.Raw)
    assert fault in raw.fault
    assert (raw.id, raw.value, raw.stream) == (message.id, data, "cam1")
    assert subscription.counts.unread == 1
    with pytest.raises(UnreadableRecord, match=message.id) as refused:
        list(subscribe(file.uri, follow=False, strict=True))
    assert fault in str(refused.value)


def test_values_of_ones_own_topics_are_there(file, build):
    file.write(build.message(1, topic="mood", data=json.dumps({"mood": "calm"}).encode()))
    file.write(build.message(2, topic="embedding", data=b"1234"))
    mood, vector = subscribe(file.uri, follow=False)
    assert mood.json() == {"mood": "calm"}
    with pytest.raises(ValueError, match="is application/octet-stream, not application/json"):
        vector.json()


def test_a_label_set_that_nobody_published_is_unknown_until_it_is_there(file, build, monkeypatch):
    monkeypatch.setattr("pipeline.client.labels.LOOK_S", 0.0)
    ids = np.array([[0, 7]], np.uint8)
    messages = [
        changed(build.message(n, topic="segmentation", data=grey_png(ids)), LABELSET)
        for n in (1, 2)
    ]
    file.write(*messages)
    read = iter(subscribe(file.uri, topics=["segmentation"], follow=False))
    first = next(read)
    assert first.labels == {}
    assert not first.colours().any()
    with pytest.raises(ValueError, match="label set mine has no 'cat'; known: none"):
        first.mask("cat")
    file.write_labels("mine", {"id": 7, "name": "cat", "rgb": [1, 2, 3]})
    second = next(read)
    assert second.mask("cat").tolist() == [[False, True]]
    assert second.colours().tolist() == [[[0, 0, 0], [1, 2, 3]]]


def changed(message: Message, headers: dict[str, str]) -> Message:
    return replace(message, headers={**message.headers, **headers})


def grey_png(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return file.getvalue()

"""Where records of one topic lie along an axis, and how they are found by time and by frame."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from pipeline.view.series import Axis, Series, Shelf, place_of
from tests.pipeline.view.conftest import BEGAN_US, CAMERA, RECORDING, SECOND_US, Book

AGAIN = str(BEGAN_US + 100 * SECOND_US)
LIVE, RECORDED = Axis("gate", "live"), Axis("gate", RECORDING)


def test_connections_are_one_axis_and_a_recording_one_of_its_own(book, index):
    book.write(*[book.frame(n) for n in range(3)])
    book.write(*[book.frame(n, session=RECORDING) for n in range(4)])
    book.write(*[book.frame(n, session=AGAIN) for n in range(2)])
    book.write(book.frame(0, stream="gate-2"), book.frame(0, topic="pca"))
    live, recorded = Series(index, "depth", LIVE), Series(index, "depth", RECORDED)
    assert (len(live), len(recorded)) == (5, 4)
    assert [live.time_us(n) - BEGAN_US for n in (0, 2, 3)] == [0, 400_000, 100 * SECOND_US]
    assert recorded.time_us(3) == 600_000


def test_a_time_is_found_by_looking_at_a_few(book, index):
    book.write(*[book.frame(n) for n in range(500)])
    series = Series(index, "depth", LIVE)
    looked = []
    index_headers = index.headers
    index.headers = lambda offset: looked.append(offset) or index_headers(offset)
    at_us = BEGAN_US + 50 * SECOND_US
    assert (series.last_at(at_us), series.first_at(at_us)) == (250, 250)
    assert (series.last_at(at_us - 1), series.first_at(at_us - 1)) == (249, 250)
    assert (series.last_at(BEGAN_US - 1), series.first_at(1 << 62)) == (-1, 500)
    assert len(looked) < 60
    assert series.last_to(place_of(CAMERA, "123")) == 123
    assert series.last_to(place_of(CAMERA, "123+2")) == 123
    assert series.last_to(place_of(AGAIN, "0")) == 499


def test_positions_are_in_the_order_of_frames():
    order = [
        ("7", "5"),
        ("8", ""),
        ("8", "+1"),
        ("8", "-4"),
        ("8", "9"),
        ("8", "10"),
        ("8", "10+2"),
    ]
    places = [place_of(f"17950000000000{session.zfill(2)}", at) for session, at in order]
    assert places == sorted(places)
    assert place_of(RECORDING, "10") > place_of(RECORDING, "9+12")


def test_records_of_which_a_frame_has_several_stand_where_it_does(book, index):
    whole = [book.frame(n) for n in range(3)]
    ids = [one.id.replace(f"/{n}/", f"/{n}.gate.7/") for n, one in enumerate(whole)]
    parts = [
        replace(one, headers={**one.headers, "ce_id": own})
        for one, own in zip(whole, ids, strict=True)
    ]
    book.write(*parts)
    series = Series(index, "depth", LIVE)
    assert [series.last_to(place_of(CAMERA, str(n))) for n in range(3)] == [0, 1, 2]
    assert parts[1].position == "1"


def test_the_variant_that_was_written_last_is_taken(book, index):
    book.write(*[book.frame(n, session=RECORDING, variant="a" * 12) for n in range(5)])
    book.write(*[book.frame(n, session=RECORDING, variant="b" * 12) for n in range(2)])
    series = Series(index, "depth", RECORDED)
    assert (len(series), series.variants) == (2, {RECORDING: "b" * 12})


def test_new_records_are_taken_in_each_once_in_whatever_order(book, index):
    book.write(*[book.frame(n) for n in range(3)])
    shelf = Shelf(index)
    series = shelf.series("depth", LIVE)
    book.write(*[book.frame(n) for n in range(3, 6)])
    for at in (6, 4, 5, 4, 2):
        shelf.take("depth", at, index.headers(at))
    assert list(series.offsets) == [1, 2, 3, 4, 5, 6]
    shelf.take("pca", 7, index.headers(6))
    shelf.take("depth", 8, {**index.headers(6), "ce_streamid": "yard"})
    assert shelf.series("depth", LIVE) is series
    assert len(series) == 6


def test_another_variant_is_looked_for_anew(book, index):
    book.write(*[book.frame(n) for n in range(3)])
    shelf = Shelf(index)
    before = shelf.series("depth", LIVE)
    book.write(book.frame(3, variant="b" * 12))
    shelf.take("depth", 4, index.headers(4))
    assert list(shelf.series("depth", LIVE).offsets) == [4]
    assert list(before.offsets) == [1, 2, 3]


def test_what_comes_while_a_series_is_looked_for_is_in_it(book, index, monkeypatch):
    book.write(book.frame(0))
    shelf = Shelf(index)
    found = index.offsets

    def slow(*where):
        offsets = found(*where)
        book.write(book.frame(1))
        shelf.take("depth", 2, index.headers(2))  # nobody has the series yet
        return offsets

    monkeypatch.setattr(index, "offsets", slow)
    assert list(shelf.series("depth", LIVE).offsets) == [1, 2]


def test_so_many_records_are_remembered_at_most(book, index):
    for stream in ("a", "b", "c"):
        book.write(*[book.frame(n, stream=stream) for n in range(4)])
    shelf = Shelf(index, most_records=8)
    kept = {name: shelf.series("depth", Axis(name, "live")) for name in "abc"}
    assert shelf.series("depth", Axis("c", "live")) is kept["c"]
    assert shelf.series("depth", Axis("a", "live")) is not kept["a"]


def test_another_file_begins_anew(book, index, tmp_path):
    book.write(*[book.frame(n) for n in range(3)])
    shelf = Shelf(index)
    assert len(shelf.series("depth", LIVE)) == 3
    other = Book(tmp_path / "other.db")
    other.write(other.frame(0))
    other.sink.close()
    book.sink.close()
    (tmp_path / "other.db").replace(book.path)
    assert index.end() == 1  # as the follower asks five times a second
    assert len(shelf.series("depth", LIVE)) == 1
    assert index.generation == 1


def test_records_that_were_removed_are_no_error(book, index):
    book.write(*[book.frame(n) for n in range(10)])
    series = Series(index, "depth", LIVE)
    with sqlite3.connect(book.path) as connection:
        connection.execute("DELETE FROM records WHERE offset <= 4")
    assert series.first_left() == 4
    assert series.last_at(BEGAN_US + SECOND_US) == 5
    assert series.headers(0) == {}

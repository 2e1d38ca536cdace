"""The order of segments, under a clock set by hand."""

from __future__ import annotations

from itertools import islice

import pytest

from pipeline.errors import SourceError
from pipeline.media.hls_feed import Expired, Feed
from pipeline.media.hls_playlist import Part, Playlist, Resource, Segment
from pipeline.media.picture import Stall


def playlist(
    *numbers: int, ended: bool = False, folder: str = "", target_s: float = 2.0
) -> Playlist:
    segments = tuple(
        Segment(number, 2.0, Part(Resource(f"{folder}{number}.ts"), None)) for number in numbers
    )
    return Playlist(segments, target_s, ended)


class Server:
    """Gives one playlist after the other, the last for ever; time passes by waiting alone."""

    def __init__(self, *answers: Playlist | SourceError) -> None:
        self.answers = list(answers)
        self.asked_s: list[float] = []
        self.now_s = 100.0

    def load(self) -> Playlist:
        self.asked_s.append(self.now_s)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, SourceError):
            raise answer
        return answer

    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    def feed(self, first: Playlist, stall_s: float = 10.0) -> Feed:
        return Feed(first, self.load, stall_s=stall_s, clock=lambda: self.now_s, wait=self.wait)


def told(feed: Feed, count: int) -> list[int | Stall | Expired]:
    """The first things that are not None; numbers for segments."""
    items = (item for item in feed.segments() if item is not None)
    return [i.number if isinstance(i, Segment) else i for i in islice(items, count)]


def test_a_recording_is_played_from_its_first_segment_to_its_last() -> None:
    feed = Server(playlist()).feed(playlist(3, 4, 5, 6, 7, ended=True))
    assert told(feed, 99) == [3, 4, 5, 6, 7]
    assert not feed.live


def test_a_live_one_is_begun_three_before_its_end_and_followed() -> None:
    server = Server(playlist(4, 5, 6, 7), playlist(4, 5, 6, 7), playlist(6, 7, 8, 9))
    feed = server.feed(playlist(1, 2, 3, 4, 5, 6))
    assert (feed.live, feed.left_s) == (True, 6.0)
    assert told(feed, 6) == [4, 5, 6, 7, 8, 9]
    assert server.asked_s == [102.0, 104.0, 105.0]  # sooner where nothing was new


def test_each_step_of_waiting_is_a_sign_of_life() -> None:
    feed = Server(playlist(0)).feed(playlist(0))
    assert list(islice(feed.segments(), 6))[1:] == [None] * 5


def test_segments_that_left_before_they_were_read() -> None:
    server = Server(playlist(9, 10))
    items = told(server.feed(playlist(4, 5)), 5)
    assert items[:2] + items[3:] == [4, 5, 9, 10]
    assert isinstance(items[2], Expired)
    assert (items[2].seconds, items[2].detail) == (
        6.0,
        "3 segments left the playlist before they were read",
    )


def test_a_playlist_that_stands_still_is_told_once_and_goes_on() -> None:
    server = Server(*[playlist(0, 1)] * 40, playlist(1, 2), playlist(1, 2))
    first, second, stall, third, again = told(server.feed(playlist(0, 1)), 5)
    assert (first, second, third) == (0, 1, 2)
    assert isinstance(stall, Stall)
    assert stall.detail == "its playlist has had no new segment for 10 s"
    assert isinstance(again, Stall)  # after 2


def test_three_target_durations_are_no_stall() -> None:
    server = Server(playlist(0))
    _, stall = told(server.feed(playlist(0), stall_s=1.0), 2)
    assert isinstance(stall, Stall)
    assert server.now_s - 100.0 == pytest.approx(6.0, abs=1.0)


@pytest.mark.parametrize(("target_s", "pause_s"), [(0, 0.25), (7, 7), (86400, 60)])
def test_whatever_a_playlist_says_of_itself_it_is_loaded_again(target_s, pause_s) -> None:
    server = Server(playlist(0, target_s=target_s))
    feed = server.feed(playlist(0, target_s=target_s), stall_s=1)
    assert isinstance(told(feed, 2)[1], Stall)
    assert server.asked_s[0] == 100 + pause_s
    assert server.asked_s[1] == server.asked_s[0] + max(pause_s / 2, 0.25)
    assert server.now_s <= 100 + max(1.0, 3.5 * pause_s)


def test_it_may_be_empty_in_the_beginning() -> None:
    feed = Server(playlist(), playlist(57, 58, 59, 60)).feed(playlist())
    assert told(feed, 3) == [58, 59, 60]


def test_a_live_one_that_is_ended_ends() -> None:
    feed = Server(playlist(0, 1, 2, ended=True)).feed(playlist(0, 1))
    assert told(feed, 99) == [0, 1, 2]


def test_an_older_copy_out_of_a_cache_is_passed_over() -> None:
    server = Server(playlist(2, 3, 4), playlist(4, 5, 6))
    assert told(server.feed(playlist(2, 3, 4, 5)), 4) == [3, 4, 5, 6]


def test_one_that_begins_anew_is_another_connection() -> None:
    feed = Server(playlist(0, 1, folder="new")).feed(playlist(7, 8, 9))
    with pytest.raises(SourceError, match="begins anew, at segment 0") as caught:
        told(feed, 9)
    assert caught.value.retryable


def test_a_server_may_be_away_for_a_while_and_not_for_ever() -> None:
    away = SourceError("HTTP 503", retryable=True)
    assert told(Server(away, away, playlist(0, 1)).feed(playlist(0)), 2) == [0, 1]
    server = Server(away)
    with pytest.raises(SourceError, match="gone: HTTP 503"):
        told(server.feed(playlist(0)), 2)
    assert server.now_s - 100.0 == pytest.approx(10.0, abs=1.0)


@pytest.mark.parametrize(("seconds", "number"), [(0, 5), (1, 4), (2, 4), (3, 3), (99, 2)])
def test_so_much_before_a_segment(seconds: float, number: int) -> None:
    feed = Server(playlist()).feed(playlist(2, 3, 4, 5, 6, ended=True))
    assert feed.before(5, seconds) == number


def test_going_elsewhere() -> None:
    feed = Server(playlist()).feed(playlist(2, 3, 4, ended=True))
    assert feed.go(4)
    assert not feed.go(9)
    assert told(feed, 9) == [4]


@pytest.mark.parametrize(
    ("number", "comes", "expired_s"),
    [
        (6, [6, 7, 8, 9], 0),  # there may be more of it
        (4, [5, 6, 7, 8, 9], 0),
        (1, [5, 6, 7, 8, 9], 6),
        (10, [7, 8, 9], 0),  # an encoder that counts anew
    ],
)
def test_going_on_where_an_earlier_connection_ended(number, comes, expired_s) -> None:
    first = playlist(5, 6, 7, 8, 9)
    for feed in (
        Server(playlist(5, 6, 7, 8, 9, 10, ended=True)).feed(first),
        Server(first, playlist(5, 6, 7, 8, 9, 10, ended=True)).feed(playlist()),
    ):
        feed.go_behind(number)
        items = told(feed, 99)
        assert items[-1 - len(comes) :] == [*comes, 10]
        left = [item.seconds for item in items if isinstance(item, Expired)]
        assert left == ([expired_s] if expired_s else [])


def test_numbers_that_are_more_than_a_day_ahead_are_another_encoder() -> None:
    far = (10**30, 10**30 + 1)
    feed = Server(playlist(*far, ended=True)).feed(playlist(*far))
    feed.go_behind(7)
    with pytest.raises(SourceError, match="begins anew, at segment 1000"):
        told(Server(playlist(*far)).feed(playlist(0, 1)), 9)
    assert told(feed, 9) == [*far]

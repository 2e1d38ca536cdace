"""From a loss to the next picture that needs no other, in whatever order they are shown."""

from __future__ import annotations

import pytest

from pipeline.media.damage import HELD, REFRESHED, REMEMBERED, Damage, Fed


class Codec:
    """Feeds packets and takes pictures out as a decoder would."""

    def __init__(self) -> None:
        self.damage: Damage[int | None] = Damage()
        self.good: list[int | None] = []
        self.bad: list[int | None] = []

    def feed(self, pts: int | None, recovers_in: int | None = None, **more: bool) -> Codec:
        self.damage.feed(Fed(pts, recovers_in, **more))
        return self

    def come(self, pts: int | None, *, key: bool = False, faulty: bool = False) -> Codec:
        self._take(self.damage.come(pts, pts, key=key, faulty=faulty))
        return self

    def both(self, pts: int | None, recovers_in: int | None = None, **more: bool) -> Codec:
        """A decoder without delay."""
        return self.feed(pts, recovers_in, **more).come(pts, key=recovers_in == 0)

    def end(self) -> Codec:
        self._take(self.damage.drain())
        return self

    def _take(self, decided) -> None:
        for pts, damaged in decided:
            (self.bad if damaged else self.good).append(pts)


def test_a_gap_spoils_all_until_the_next_key_frame() -> None:
    codec = Codec()
    for pts in range(12):
        codec.both(pts, 0 if pts % 5 == 0 else None, gap=pts == 7)
    assert codec.good == [0, 1, 2, 3, 4, 5, 6, 10, 11]
    assert codec.bad == [7, 8, 9]


def test_a_key_frame_before_which_one_is_missing_is_right() -> None:
    assert Codec().both(0, 0).both(1).both(5, 0, gap=True).both(6).good == [0, 1, 5, 6]


def test_a_stream_begins_at_its_first_key_frame() -> None:
    codec = Codec().both(0).both(1).both(2, 0).both(3)
    assert (codec.good, codec.bad) == ([2, 3], [0, 1])


def test_the_decoders_word_makes_a_key_frame_where_the_container_has_none() -> None:
    codec = Codec().feed(0).come(0, key=True).feed(1).come(1)
    assert codec.good == [0, 1]


def test_what_is_shown_late_but_decoded_before_the_loss_is_right() -> None:
    """Decoded 0 4 2 then a loss before 3; shown 0 2 3 4."""
    codec = Codec().both(0, 0).feed(4).feed(2).come(2).feed(3, gap=True).come(3).come(4)
    assert (codec.good, codec.bad) == ([0, 2, 4], [3])


def test_what_refers_to_a_later_picture_waits_until_that_has_come() -> None:
    """4 is not as it was sent; 2 and 3 are decoded after it, refer to it and come out before it."""
    codec = Codec().both(0, 0).feed(4).feed(2).come(2).feed(3).come(3)
    assert codec.good == [0]
    assert codec.come(4, faulty=True).bad == [2, 3, 4]


def test_nobody_waits_for_ever() -> None:
    codec = Codec().both(0, 0).feed(1000)
    for pts in range(1, HELD + 2):
        codec.both(pts)
    assert codec.good == [0, 1]


def test_an_open_gops_leading_pictures_go_with_what_they_refer_to() -> None:
    """Decoded 10 (key) 8 9 13; 8 and 9 refer back to what was spoilt."""
    codec = Codec().both(0, 0).both(5, gap=True)
    codec.feed(10, 0).feed(8).come(8).feed(9).come(9).come(10, key=True).both(13).end()
    assert (codec.good, codec.bad) == ([0, 10, 13], [5, 8, 9])


def test_intra_refresh_heals_when_it_has_been_everywhere() -> None:
    codec = Codec().both(0, 0).both(1, gap=True).both(2, 3)
    for pts in range(3, 8):
        codec.both(pts)
    assert (codec.good, codec.bad) == ([0, 5, 6, 7], [1, 2, 3, 4])


def test_a_loss_during_a_refresh_spoils_it() -> None:
    codec = Codec().both(0, 0).both(1, gap=True).both(2, 3).both(3, gap=True)
    for pts in range(4, 8):
        codec.both(pts)
    codec.both(8, 1).both(9)
    assert codec.good == [0, 9]


def test_a_stream_that_never_has_a_key_frame_is_not_lost_for_ever() -> None:
    codec = Codec()
    for pts in range(REFRESHED + 3):
        codec.both(pts)
    assert codec.good == list(range(REFRESHED, REFRESHED + 3))


def test_a_packet_that_cannot_be_decoded_is_counted_by_whoever_saw_it() -> None:
    codec = Codec().both(0, 0).feed(1)
    codec.damage.fail()
    codec.come(1).both(2).end()  # H.264's decoder makes the best of it
    assert (codec.good, codec.bad, codec.damage.withheld()) == ([0], [2], 0)


def test_what_the_decoder_keeps_to_itself_is_counted_at_the_next_key_frame() -> None:
    codec = Codec().both(0, 0).feed(1, gap=True).feed(2)
    assert codec.damage.withheld() == 0
    codec.both(3, 0)
    assert codec.damage.withheld() == 2


@pytest.mark.parametrize(("recovers_in", "good"), [(None, [0]), (0, [0, 1, 2])])
def test_a_suspect_is_cleared_by_a_key_frame_alone(recovers_in, good) -> None:
    """Files that were put together begin with one; counters that jump elsewhere are a loss."""
    codec = Codec().both(0, 0).both(1, suspect=True)
    assert codec.good == [0]
    assert codec.both(2, recovers_in).good == good


def test_a_suspect_at_the_end_is_damaged() -> None:
    assert Codec().both(0, 0).both(1, suspect=True).end().bad == [1]


def test_without_pts_what_lies_around_a_loss_goes_with_it() -> None:
    codec = Codec().both(None, 0).feed(None).feed(None, gap=True)
    codec.come(None).come(None).both(None, 0).both(None)
    assert (len(codec.good), len(codec.bad)) == (3, 2)


def test_memory_is_bounded() -> None:
    codec = Codec().both(0, 0)
    for pts in range(10 * REMEMBERED):
        codec.feed(pts)
    assert len(codec.damage._fed) == REMEMBERED

"""What one browser is sent next: the newest of each stream that it watches, one at a time."""

from __future__ import annotations

from pipeline.view.slots import LEAST_S, PENDING_S, STALE_S, Due, Slots


class Clock:
    """Stands where a test puts it."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


def due(slots, now_s):
    slots.clock.now_s = now_s
    return slots.due()


def test_only_what_is_watched_and_the_newest_of_it():
    slots = Slots(clock=Clock())
    slots.watch(["gate"])
    for offset in (1, 2, 3):
        slots.hear("gate", "depth", offset)
        slots.hear("yard", "depth", offset)
    slots.hear("gate", "action", 4)
    assert due(slots, 0.0) == [Due("gate", "depth", 3)]
    assert due(slots, 100.0) == []
    assert slots.take_left_out() == 0


def test_nothing_is_sent_before_the_last_one_is_drawn_and_what_is_left_out_is_counted():
    slots = Slots(clock=Clock())
    slots.watch(["gate"])
    slots.hear("gate", "depth", 1)
    assert due(slots, 0.0)
    for offset in (2, 3, 4):
        slots.hear("gate", "depth", offset)
    assert due(slots, 1.0) == []
    slots.drawn("gate")
    assert due(slots, 1.0) == [Due("gate", "depth", 4)]
    assert (slots.take_left_out(), slots.take_left_out()) == (2, 0)


def test_a_browser_that_says_nothing_is_tried_again():
    slots = Slots(clock=Clock())
    slots.watch(["gate"])
    slots.hear("gate", "depth", 1)
    due(slots, 0.0)
    slots.hear("gate", "depth", 2)
    assert due(slots, PENDING_S - 0.1) == []
    assert due(slots, PENDING_S + 0.1)


def test_pictures_go_before_maps_and_never_faster_than_is_drawn():
    slots = Slots(clock=Clock())
    slots.watch(["gate"])
    slots.hear("gate", "segmentation", 1)
    slots.hear("gate", "frames", 2)
    slots.hear("gate", "depth", 3)
    assert due(slots, 0.0) == [Due("gate", "frames", 2)]
    slots.drawn("gate")
    slots.hear("gate", "frames", 5)
    assert due(slots, LEAST_S / 2) == []
    assert due(slots, LEAST_S) == [Due("gate", "frames", 5)]


def test_maps_come_back_where_pictures_have_stopped():
    slots = Slots(clock=Clock())
    slots.watch(["gate"])
    slots.hear("gate", "frames", 1)
    slots.hear("gate", "depth", 2)
    assert due(slots, 0.0) == [Due("gate", "frames", 1)]
    slots.drawn("gate")
    slots.clock.now_s = STALE_S + 1
    slots.hear("gate", "depth", 3)
    assert slots.due() == [Due("gate", "depth", 3)]


def test_another_database_begins_anew():
    slots = Slots(clock=Clock())
    slots.watch(["gate"])
    slots.unseen()
    slots.hear("gate", "depth", 900)
    assert slots.due()
    slots.begin_anew()
    assert slots.unseen() == ["gate"]
    slots.hear("gate", "depth", 1)
    assert slots.due() == [Due("gate", "depth", 1)]


def test_who_watches_something_else_keeps_what_stays():
    slots = Slots(clock=Clock())
    slots.watch(["gate", "yard"])
    assert slots.unseen() == ["gate", "yard"]
    slots.hear("gate", "depth", 1)
    due(slots, 0.0)
    slots.watch(["gate", "lobby"])
    assert slots.unseen() == ["lobby"]
    slots.hear("yard", "depth", 2)
    assert due(slots, 100.0) == []
    assert slots.watched() == ["gate", "lobby"]

"""Cameras whose clocks step, and frames that are older than they look: no event time is ahead."""

import itertools

from pipeline.stream.chunk import Gap

AFTER_S = 5


def test_a_camera_whose_clock_steps(habits, pulled):
    """Its reports' wall clock by ten days, its timestamps by an hour, and back by an hour."""
    host = pulled()
    host.open("reports", habits("--audio", "--rtcp", "--step", f"{AFTER_S}:900000"))
    host.open("ahead", habits("--rtpstep", f"{AFTER_S}:3600"))
    host.open("back", habits("--rtpstep", f"{AFTER_S}:-3600"))
    names = ("reports", "ahead", "back")
    host.until(lambda: all(len(after_gap(host, name)) > 10 for name in names))
    for name in names:
        assert host.told(name) == ["clock"], host.story()[name]
        check(host.infos(name))


def test_frames_that_came_while_the_camera_was_opened_are_dated_back(camera, pulled):
    gate = camera()
    host = pulled()
    host.open("gate", gate.url())
    host.until(lambda: len(host.infos("gate")) > 30)
    assert host.told("gate") == []
    infos = host.infos("gate")
    check(infos)
    first = infos[0]
    assert int(first.session) - first.event_time_us > 0  # older than the connection was up
    steps = {b.event_time_us - a.event_time_us for a, b in itertools.pairwise(infos)}
    assert steps == {100_000}


def after_gap(host, name):
    entries = host.entries[name]
    places = [k for k, entry in enumerate(entries) if isinstance(entry, Gap)]
    return [
        info
        for entry in entries[places[0] if places else len(entries) :]
        for info in getattr(entry, "infos", ())
    ]


def check(infos):
    """Never in the future, never back, and no step."""
    assert all(info.event_time_us <= info.ingest_time_us for info in infos)
    steps = [b.event_time_us - a.event_time_us for a, b in itertools.pairwise(infos)]
    assert all(0 <= step < 60_000_000 for step in steps)

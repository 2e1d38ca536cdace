"""Which record holds when."""

from pipeline.render.track import Held, Track, held_maps, held_windows


def shown(track, times_us):
    return [message and message.id for message in map(track.at, times_us)]


def test_maps_hold_from_their_frame_to_the_next(build):
    maps = [build.message(number) for number in (3, 6, 9)]
    ids = [message.id for message in maps]
    times = [0, 99_998, 99_999, 199_997, 199_998, 10_000_000]
    assert shown(Track(held_maps(maps)), times) == [None, None, *ids[:1] * 2, ids[1], ids[2]]


def test_what_goes_back_in_time_is_left_out(build):
    one, two = build.message(1), build.message(2)
    track = Track(iter([Held(10, one), Held(30, two), Held(20, one), Held(40, one)]))
    assert shown(track, [10, 35, 39, 45]) == [one.id, two.id, two.id, one.id]


def test_no_records(build):
    assert shown(Track(iter(())), [0, 5]) == [None, None]


def test_of_overlapping_windows_the_nearest_one(records):
    windows = [records.window(0, 8, "a", 1), records.window(4, 12, "b", 1)]
    windows.append(records.window(8, 16, "c", 1))
    times = [0, 500_000, 600_000, 900_000, 1_000_000, 3_000_000]
    ids = [message.id for message in windows]
    assert shown(Track(held_windows(windows)), times) == [
        ids[0], ids[0], ids[1], ids[1], ids[2], ids[2],
    ]  # fmt: skip

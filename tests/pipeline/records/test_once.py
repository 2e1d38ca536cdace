"""Which records a consumer is given: each once, and none of a writer that was replaced."""

from __future__ import annotations

import pytest

from pipeline.records.once import Once


def headers(
    number: int, epoch: int = 1, *, session: str = "a1b2c3d4e5f6", stream: str = "s", variant="v"
) -> dict[str, str]:
    return {
        "ce_id": f"{stream}/{session}/{number}/{variant}",
        "ce_streamid": stream,
        "ce_session": session,
        "ce_variant": variant,
        "ce_epoch": str(epoch),
    }


def test_each_id_of_a_topic_is_delivered_once():
    once = Once()
    assert [once.delivers("depth", headers(n)) for n in (1, 2, 1, 2, 3)] == [
        *(True, True, False, False, True)
    ]
    assert once.delivers("action", headers(1))
    assert (once.repeated, once.stale) == (2, 0)


def test_an_older_epoch_is_dropped_once_a_newer_one_was_seen():
    once = Once()
    assert once.delivers("depth", headers(1, epoch=1))
    assert once.delivers("depth", headers(2, epoch=2))
    assert not once.delivers("depth", headers(3, epoch=1))
    assert once.delivers("depth", headers(3, epoch=2))  # what was dropped does not count as seen
    assert (once.repeated, once.stale) == (0, 1)


def test_epochs_may_begin_anew():
    once = Once()
    assert once.delivers("depth", headers(1, epoch=5))
    once.forget_epochs()
    assert once.delivers("depth", headers(2, epoch=1))
    assert not once.delivers("depth", headers(1, epoch=1)), "an id is an id"


@pytest.mark.parametrize("other", [{"stream": "t"}, {"variant": "w"}, {"session": "b1b2c3d4e5f6"}])
def test_epochs_of_other_streams_variants_and_files_are_their_own(other):
    once = Once()
    assert once.delivers("depth", headers(1, epoch=5))
    assert once.delivers("depth", headers(1, epoch=1, **other))


def test_there_is_no_order_between_topics_nor_between_partitions():
    """Events and dead letters of a run have one variant, and whoever reads both meets them in any
    order; where a topic was given more partitions, a stream's older records lie in another one."""
    once = Once()
    assert once.delivers("events", headers(1, epoch=2))
    assert once.delivers("deadletter", headers(1, epoch=1))
    assert once.delivers("events", headers(3, epoch=1), partition=5)
    assert not once.delivers("events", headers(4, epoch=1))


def test_connections_of_a_live_stream_share_their_epochs():
    once = Once()
    assert once.delivers("depth", headers(1, epoch=2, session="1763830800000002"))
    assert not once.delivers("depth", headers(1, epoch=1, session="1763830800000001"))


def test_records_without_a_variant_or_an_epoch_have_only_their_id():
    once = Once()
    assert once.delivers("labels", {"ce_id": "labels/ade20k/1"})
    assert not once.delivers("labels", {"ce_id": "labels/ade20k/1"})
    assert once.delivers("progress", {"ce_id": "a", "ce_streamid": "s", "ce_epoch": "2"})
    assert once.delivers("progress", {"ce_id": "b", "ce_streamid": "s", "ce_epoch": "1"})
    assert once.delivers("depth", {"ce_id": "x", "ce_variant": "v", "ce_epoch": "many"})


def test_memory_is_bounded_and_the_last_records_are_in_it():
    once = Once(records=100, writers=100)
    for number in range(1000):
        assert once.delivers("depth", headers(number))
    for number in range(900, 1000):
        assert not once.delivers("depth", headers(number)), "of the last hundred"
    assert once.delivers("depth", headers(0)), "too far back: again, rather than not at all"
    assert len(once._seen._young) + len(once._seen._old) <= 200


def test_epochs_are_remembered_for_the_last_writers():
    once = Once(records=100, writers=10)
    for number in range(10):
        assert once.delivers("depth", headers(1, epoch=2, stream=f"s{number}"))
    assert not once.delivers("depth", headers(2, epoch=1, stream="s0"))
    for number in range(1000):
        once.delivers("depth", headers(number, epoch=2, stream=f"t{number}"))
    assert len(once._epochs._young) + len(once._epochs._old) <= 20

"""Reading in a loop: where it begins and goes on, what ends it, what is left behind."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from operators.errors import UsageError
from pipeline import subscribe
from pipeline.errors import NoDatabase


@pytest.fixture
def frames(file, build):
    """A file with frames 0 to 4 of two topics; gives its URI."""
    for number in range(5):
        file.write(build.message(number), build.message(number, topic="mood"))
    return file.uri


def numbers(results):
    """Of which frames they are."""
    return [result.pts // 3000 for result in results]


def test_topics_and_streams_narrow_it_down(frames):
    assert numbers(subscribe(frames, follow=False)) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    subscription = subscribe(frames, topics=["mood"], streams=["cam1"], follow=False)
    assert numbers(subscription) == [0, 1, 2, 3, 4]
    assert (subscription.counts.delivered, subscription.counts.repeated) == (5, 0)
    with pytest.raises(UsageError, match=r"no stream 'cam2'; did you mean cam1\?"):
        list(subscribe(frames, streams=["cam2"], follow=False))


def test_a_time_of_publishing_is_a_start(frames):
    third = list(subscribe(frames, topics=["mood"], follow=False))[2]
    later = third.published + timedelta(hours=1)
    elsewhere = third.published.astimezone(tz=None)
    assert numbers(subscribe(frames, topics=["mood"], start=elsewhere, follow=False)) == [2, 3, 4]
    assert list(subscribe(frames, start=later, follow=False)) == []


def test_offsets_are_behind_what_is_done_and_a_start(frames):
    subscription = subscribe(frames, topics=["action", "mood"], follow=False)
    for result in subscription:
        if (result.topic, result.pts) == ("mood", 3000):
            break  # not done
    kept = subscription.offsets
    assert set(kept) == {("action", 0), ("mood", 0)}
    again = subscribe(frames, topics=["action", "mood"], start=kept, follow=False)
    assert [(one.topic, one.pts // 3000) for one in again][:3] == [
        *(("mood", 1), ("action", 2), ("mood", 2))
    ]
    only_mood = subscribe(frames, start={("mood", 0): kept["mood", 0]}, follow=False)
    assert numbers(one for one in only_mood if one.topic == "action") == [0, 1, 2, 3, 4]


def test_who_leaves_on_purpose_says_what_is_done(frames):
    subscription = subscribe(frames, topics=["mood"], follow=False)
    for result in subscription:
        if result.pts == 3000:
            subscription.done()
            break
    rest = subscribe(frames, topics=["mood"], start=subscription.offsets, follow=False)
    assert numbers(rest) == [2, 3, 4]


def test_a_body_that_raises_has_not_done_its_record(frames):
    subscription = subscribe(frames, topics=["mood"], follow=False)
    with suppress(ZeroDivisionError):
        for result in subscription:
            _ = 1 // (result.pts - 6000)
    rest = subscribe(frames, topics=["mood"], start=subscription.offsets, follow=False)
    assert numbers(rest) == [2, 3, 4]


def test_offsets_that_are_not_there_are_told(frames, caplog):
    jumps = []
    start = {("mood", 0): 99}
    read = subscribe(frames, topics=["mood"], start=start, follow=False, on_jump=jumps.append)
    assert numbers(read) == [0, 1, 2, 3, 4]
    assert [(one.topic, one.wanted, one.at, one.is_rewind) for one in jumps] == [
        ("mood", 99, 1, True)
    ]
    list(subscribe(frames, topics=["mood"], start=start, follow=False))
    assert "mood, partition 0: there is no offset 99; it was made anew" in caplog.text


class Follower:
    """A thread that reads until it is stopped."""

    def __init__(self, uri, **how):
        self.subscription = subscribe(uri, **how)
        self.numbers = []
        self.news = threading.Condition()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for result in self.subscription:
            with self.news:
                self.numbers += numbers([result])
                self.news.notify()

    def wait(self, *expected):
        with self.news:
            assert self.news.wait_for(lambda: self.numbers == [*expected], timeout=30)

    def stop(self):
        self.subscription.stop()
        self.thread.join()


def test_it_follows_and_begins_with_what_comes_from_now_on(file, build):
    file.write(build.message(1))
    follower = Follower(file.uri, topics=["action"])
    follower.wait(1)
    file.write(build.message(2))
    follower.wait(1, 2)
    follower.stop()
    late = Follower(file.uri, topics=["action"], start="latest")
    for number in range(3, 1000):
        file.write(build.message(number))
        with late.news:
            if late.news.wait_for(lambda: late.numbers, timeout=0.1):
                break
    late.stop()
    assert late.numbers[0] > 2


def test_a_file_that_is_replaced_is_read_from_its_beginning(new_file, build, tmp_path):
    old = new_file(tmp_path / "r.db")
    old.write(build.message(1), build.message(2, topic="mood"))
    jumps = []
    start = {("action", 0): 1, ("mood", 0): 2}
    follower = Follower(old.uri, start=start, on_jump=jumps.append)
    follower.wait(1, 2)
    old.close()
    for left in tmp_path.glob("r.db*"):  # its log, too, which the reader holds
        left.unlink()
    new_file(tmp_path / "r.db").write(build.message(3, topic="mood"))
    follower.wait(1, 2, 3)
    follower.stop()
    assert follower.subscription.offsets == {("action", 0): 1, ("mood", 0): 2}, "of the new file"
    assert [(one.topic, one.wanted, one.at) for one in jumps] == [("", 3, 1)]
    assert str(jumps[0]).startswith("the database: there is no offset 3; it was made anew")


def test_a_file_that_is_not_there_yet_is_waited_for(new_file, build, tmp_path, caplog):
    path = tmp_path / "later" / "r.db"
    with pytest.raises(NoDatabase):
        list(subscribe(f"sqlite:{path}", follow=False))
    idle = Follower(f"sqlite:{path}")
    idle.stop()
    follower = Follower(f"sqlite:{path}")
    new_file(path).write(build.message(1))
    follower.wait(1)
    follower.stop()
    assert "no such database" in caplog.text


def test_a_subscription_is_read_once_and_stopped_at_any_time(frames):
    subscription = subscribe(frames)
    for result in subscription:
        assert result.pts == 0
        subscription.stop()
    assert subscription.counts.delivered == 1
    with pytest.raises(UsageError, match="read once"):
        next(iter(subscription))
    early = subscribe(frames)
    early.stop()
    assert list(early) == []


def reading_threads():
    return [one.name for one in threading.enumerate() if one.name.startswith("subscription")]


def test_async_reads_the_same_and_goes_on_beside_others(file, build):
    async def read():
        told = []
        subscription = subscribe(file.uri, topics=["action"])
        async for result in subscription:
            told += numbers([result])
            if told == [0]:  # written while this waits
                asyncio.get_running_loop().call_soon(file.write, build.message(1))
            else:
                subscription.stop()
        return told

    file.write(build.message(0))
    assert asyncio.run(read()) == [0, 1]
    assert reading_threads() == []


@pytest.mark.parametrize("where", ["waiting", "body"])
def test_cancellation_leaves_no_thread_behind(file, build, where):
    async def main():
        reached = asyncio.Event()

        async def read():
            async for _ in subscribe(file.uri):
                reached.set()
                if where == "body":
                    await asyncio.Event().wait()

        task = asyncio.create_task(read())
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while reading_threads():  # after a body the loop closes the generator, soon
            await asyncio.sleep(0)

    file.write(build.message(0))
    asyncio.run(main())
    assert reading_threads() == []


def test_an_error_of_reading_comes_out_of_the_async_loop():
    async def read():
        async for _ in subscribe("sqlite:never.db", follow=False):
            pass

    with pytest.raises(NoDatabase):
        asyncio.run(read())
    assert reading_threads() == []


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"topics": "depth"}, r"lists of names, such as topics=\['depth'\]"),
        ({"start": "begining"}, "start is 'begining'; allowed are 'beginning', 'latest'"),
        ({"start": datetime(2026, 11, 29)}, "has no zone"),  # noqa: DTZ001
        ({"start": {"mood": 3}}, r"start has 'mood': 3; offsets are \(topic, partition\): number"),
        ({"start": {("mood", 0): -1}}, r"start has \('mood', 0\): -1"),
        ({"group": "alarms", "follow": False}, "a group has a name and no end to stop at"),
        ({"group": ""}, "group '': a group has a name"),
        ({"start": {("mood", 3): 7}}, r"it has no \('mood', 3\)"),
        (
            {"group": "alarms"},
            "a database has no consumer groups, got group 'alarms'; keep the off",
        ),
        ({"topics": ["moody"]}, "no topic 'moody'; did you mean mood?"),
        ({"start": {("moody", 0): 1}}, "no topic 'moody'; did you mean mood?"),
        ({"settings": {"client_id": "x"}}, "a sqlite: sink has no settings"),
    ],
)
def test_what_cannot_be_is_said(frames, how, told):
    with pytest.raises(UsageError, match=told):
        next(iter(subscribe(frames, **how)))


def test_a_sink_of_no_known_kind_is_refused():
    with pytest.raises(UsageError, match="of no known kind"):
        next(iter(subscribe("results.db")))

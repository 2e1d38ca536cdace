"""Subscribing to a real broker: groups that crash, repeats, replaced writers, loops that end."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading

import pytest

from pipeline import subscribe
from pipeline.client.results import Books, LabelSet
from pipeline.records.message import labels_message
from pipeline.sinks.uri import open_sink

pytestmark = [pytest.mark.needs_kafka, pytest.mark.slow]

MEMBER = """
import sys
from pipeline import subscribe
from pipeline.sinks.kafka import settings

settings.SESSION_MS = 6000  # the least that the broker takes: the next member waits for its end
for result in subscribe(sys.argv[1], topics=["action"], group="alarms"):
    print(result.id, flush=True)
    if result.json()["number"] == int(sys.argv[2]):
        input()  # the body takes its time
"""


@pytest.fixture
def sink(kafka_uri):
    sink = open_sink(kafka_uri, settings={"attempt_s": 5})
    yield sink
    sink.close()


def test_a_body_that_raises_gets_the_same_record_again(sink, kafka_uri, build):
    sink.publish([build.message(number) for number in range(6)])
    seen = []
    for crash_at in (2, 4, None):
        subscription = subscribe(kafka_uri, topics=["action"], group="alarms")
        try:
            for result in subscription:
                seen.append(result.json()["number"])
                if seen[-1] == crash_at:
                    raise ZeroDivisionError
                if seen[-1] == 5:
                    subscription.done()
                    break
        except ZeroDivisionError:
            pass
    assert seen == [0, 1, 2, 2, 3, 4, 4, 5]
    sink.publish([build.message(6)])
    for result in subscribe(kafka_uri, topics=["action"], group="alarms"):
        assert result.json()["number"] == 6
        break


def test_a_member_that_is_killed_in_the_body_loses_nothing(sink, kafka_uri, build):
    messages = [build.message(number) for number in range(8)]
    sink.publish(messages)

    def member(slow_at):
        command = [sys.executable, "-c", MEMBER, kafka_uri, str(slow_at)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    with member(4) as first:
        seen = [first.stdout.readline().strip() for _ in range(5)]
        first.send_signal(signal.SIGKILL)
    assert seen == [message.id for message in messages[:5]]
    with member(7) as second:
        again = []
        while messages[7].id not in again:
            again.append(second.stdout.readline().strip())
        second.send_signal(signal.SIGKILL)
    begun = [message.id for message in messages].index(again[0])
    assert begun <= 4, "the record whose body did not end comes again, and at most some before it"
    assert again == [message.id for message in messages[begun:]]


def test_repeats_and_replaced_writers_are_counted(sink, kafka_uri, build):
    new, old = build.message(1, epoch=2), build.message(2, epoch=1)
    sink.publish([new, old, new, build.message(3, epoch=2)])
    subscription = subscribe(kafka_uri, topics=["action"], follow=False)
    assert [result.json()["number"] for result in subscription] == [1, 3]
    counts = subscription.counts
    assert (counts.delivered, counts.repeated, counts.stale) == (2, 1, 1)
    assert list(subscription.offsets.values()) == [4]
    again = subscribe(kafka_uri, start=subscription.offsets, topics=["action"], follow=False)
    assert list(again) == []


def test_labels_and_books_are_read_from_a_broker(sink, kafka_uri):
    sink.claim({"cam1": "feedfacecafe"})
    sink.publish([labels_message("mine", [{"id": 7, "name": "cat", "rgb": [1, 2, 3]}])])
    topics = ["labels", "claims", "progress"]
    found = list(subscribe(kafka_uri, topics=topics, follow=False, strict=True))
    assert {type(one) for one in found} == {LabelSet, Books}
    (claim,) = [one for one in found if one.topic == "claims"]
    assert claim.data["progress"]["stream"] == claim.stream == "cam1"


@pytest.mark.parametrize("group", [None, "alarms"])
def test_cancellation_leaves_no_thread_behind(sink, kafka_uri, build, group):
    async def main():
        reached = asyncio.Event()

        async def read():
            async for _ in subscribe(kafka_uri, topics=["action"], group=group):
                reached.set()

        task = asyncio.create_task(read())
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    sink.publish([build.message(1)])
    before = set(threading.enumerate())
    asyncio.run(main())
    for left in set(threading.enumerate()) - before:
        left.join(timeout=30)  # the client's own, which ends with its connections
        assert not left.is_alive(), left.name

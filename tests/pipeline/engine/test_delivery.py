"""What lanes hear of the sink: how much was kept in each of its outages."""

from __future__ import annotations

import json
from types import SimpleNamespace

from pipeline.engine.committer import Committed, News, OnDisk
from pipeline.engine.delivery import Delivery
from pipeline.engine.lane import Lane
from pipeline.engine.scheduler import Scheduler
from pipeline.engine.tally import Tally
from pipeline.records.commit import Commit, Link
from pipeline.records.message import Publisher
from pipeline.records.outage import Outage
from pipeline.records.record import Message
from pipeline.sinks.sink import Receipt
from pipeline.stream.progress import Progress
from pipeline.stream.spec import StreamSpec

AWAY = Outage(0, 3.0, 4, "nobody answers")


def commit(number: int) -> Commit:
    """One that was kept before: the lane does not wait for it."""
    message = Message("depth", "cam", {"ce_id": f"cam/{number}"}, b"1")
    return Commit((message,), Progress("job", "cam", sequence=100 + number), Link(0, {}, {}))


def kept_and_sent(number: int, outage: Outage | None) -> list[News]:
    one, ended = (commit(number),), (outage,) if outage else ()
    return [OnDisk(one, 0.0, outage), Committed(one, Receipt(1), 0.0, ended, 1)]


def test_an_outage_counts_what_was_kept_in_it_alone():
    """Between the two the sink is there, and slow: the log is never empty."""
    publisher = Publisher("cam", "job", "model", live=True)
    spec, start = StreamSpec("cam", "x", live=True), Progress("job", "cam")
    lanes = {"cam": Lane(spec, start, (), publisher)}
    news = [one for number in range(10) for one in kept_and_sent(number, None)]
    news = [*kept_and_sent(10, AWAY), *news, *kept_and_sent(11, AWAY)]
    committer = SimpleNamespace(take=lambda: news, waiting=lambda: {"cam": 1})
    roster = SimpleNamespace(lanes=lanes)
    assert Delivery(committer, roster, Scheduler(lanes, 8), Tally(), None).settle()
    told = lanes["cam"].outbox.next_news(start)
    said = [json.loads(one.value) for one in told.messages if one.topic == "events"]
    outages = [event["kept"] for event in said if event["kind"] == "outage"]
    assert outages == [1, 1]

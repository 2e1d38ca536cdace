"""What was kept and turns out too large: its frames become dead letters, each once."""

from __future__ import annotations

from fractions import Fraction
from types import MappingProxyType

from operators.format import BUILT_IN
from operators.frames import FrameInfo
from operators.operator import Operator
from operators.result import JSON, Result
from pipeline.engine.committer import send_kept
from pipeline.engine.mending import Mending
from pipeline.errors import RecordsTooLarge
from pipeline.records.commit import Commit, Link
from pipeline.records.message import Publisher
from pipeline.records.record import Message, Refused
from pipeline.sinks.sink import Receipt
from pipeline.stream.progress import Progress

MOST = 100


class Depth(Operator):
    """Two records of a frame."""

    name = "depth"
    topics = MappingProxyType({**BUILT_IN["depth"]})

    def __call__(self, features):
        raise NotImplementedError


def record(topic: str, number: int, size: int) -> Message:
    info = FrameInfo("cam", "1", str(number), number, Fraction(1, 5), 0, 0, (360, 640))
    kind = "image/png" if topic == "depth" else JSON
    publisher = Publisher("cam", "job", "model", live=True)
    return publisher.record(Result(info, topic, kind, b"1" * size, {}), "0123456789ab", Depth())


def commit_one_refusal_at_a_time(commits) -> Receipt:
    """As a broker does whose limit is not known before."""
    for message in (m for one in commits for m in one.messages if m.topic.startswith("depth")):
        if (size := len(message.value)) > MOST:
            refused = Refused(message.topic, message.id, size, MOST)
            raise RecordsTooLarge("larger than its topic takes", [refused])
    return Receipt()


def test_a_frame_of_which_two_records_are_refused_one_after_the_other_is_buried_once():
    large = [record(topic, 0, MOST + 1) for topic in BUILT_IN["depth"]]
    messages = (*large, record("depth.summary", 1, MOST))
    ledger = {"depth": {"sampled": 2, "published": 2}}
    place = {"session": "1", "position": "1", "frames": 2, "ledger": ledger}
    progress = Progress("job", "cam", epoch=1, sequence=1, **place)
    link = Link(0, {}, dict.fromkeys(BUILT_IN["depth"], "depth"))
    mending = Mending()
    mending.begin({"cam": Progress("job", "cam", epoch=1)})
    kept = [Commit(messages, progress, link)]
    (sent,), _ = send_kept(kept, mending, commit_one_refusal_at_a_time)
    assert [m.topic for m in sent.messages if m.topic == "deadletter"] == ["deadletter"] * len(
        large
    )
    assert sent.progress.ledger["depth"] == {"sampled": 2, "published": 1, "deadletter": 1}

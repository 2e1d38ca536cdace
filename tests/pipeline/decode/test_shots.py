"""Each shot is told once, behind its last frame, by whichever process goes on."""

import json
from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from operators.frames import FrameInfo
from pipeline.decode.buffer import Buffer
from pipeline.decode.collector import Collector, entries
from pipeline.decode.recorded import RecordedSupervisor, left_open
from pipeline.decode.shots import Shots
from pipeline.decode.slate import Note
from pipeline.decode.track import Glimpse, Sample
from pipeline.decode.wire import Message, Unpacker, pack
from pipeline.media.miniature import COLUMNS, ROWS
from pipeline.stream.chunk import End, Fault, Frames, Gap, Shot
from pipeline.stream.sampling import Sampling
from pipeline.stream.shots import ShotRule
from pipeline.stream.spec import StreamSpec
from pipeline.testing import ManualClock

FPS, EVERY = 25, 5  # frames a second, and which of them are sampled
PIXELS = np.zeros((14, 14, 3), np.uint8)


@cache
def scene(name):
    """Cells that are like those of no other name; a dot is black."""
    if name == ".":
        return np.stack([np.full((ROWS, COLUMNS), level, np.uint8) for level in (16, 128, 128)])
    blocks = np.random.default_rng(ord(name)).integers(40, 220, (3, ROWS // 3, COLUMNS // 3))
    return np.kron(blocks, np.ones((1, 3, 3), np.int64)).astype(np.uint8)


def dimmed(name, light):
    """Between black, 0, and as it is, 1."""
    return (scene(".") + light * (scene(name) - scene(".").astype(float))).astype(np.uint8)


def frame(number, name, session="x"):
    """What a reader gives of one frame: a glimpse, and a sample where one is taken."""
    time_us = number * 1_000_000 // FPS
    info = FrameInfo("s", session, str(number), number, Fraction(1, FPS), time_us, 7, (90, 160))
    glimpse = Glimpse(info, scene(name))
    if number % EVERY:
        return [glimpse]
    return [glimpse, Sample(info, PIXELS, 1, {"sampled": number // EVERY + 1})]


def film(names, first=0, **more):
    return [
        item for number, name in enumerate(names, first) for item in frame(number, name, **more)
    ]


def spec(rule=None, **more):
    rules = (Sampling("every", EVERY),)
    return StreamSpec("s", "x.mp4", session="x", samplings=rules, shots=rule or ShotRule(), **more)


def judged(items, own=None):
    shots = Shots(own or spec())
    return [told for item in items for told in shots.judge(item)]


def spans(items):
    """First and last frame of every shot, and how it began."""
    found = [one for one in items if isinstance(one, Shot)]
    for one in found:
        assert one.frames == int(one.last.position) - int(one.start["position"]) + 1
    return [(int(one.start["position"]), int(one.last.position), one.began)
            for one in found]  # fmt: skip


OK = End("s", "ok")
TWO = "a" * 33 + "b" * 40


def test_a_cut_lies_before_the_first_frame_of_the_new_shot():
    told = judged([*film(TWO), OK])
    assert spans(told) == [(0, 32, "start"), (33, 72, "cut")]
    (first, _) = [one for one in told if isinstance(one, Shot)]
    assert first.start == {"position": "0", "time": "1970-01-01T00:00:00.000000Z"}
    assert first.last.place == {"position": "32", "time": "1970-01-01T00:00:01.280000Z"}


def test_a_shot_is_told_right_before_the_next_sample():
    told = judged(film(TWO))
    place = next(number for number, one in enumerate(told) if isinstance(one, Shot))
    follows = told[place + 1]
    assert isinstance(follows, Sample)
    assert follows.info.position == "40", "33 is cut off, which is known at 36"
    assert not any(isinstance(one, Glimpse) for one in told)


def test_a_picture_that_fades_out_and_in_again_is_two_shots():
    light = [*np.linspace(1, 0, 15), *[0] * 5, *np.linspace(0, 1, 15)]
    names = "a" * 50 + "b" * 50
    items = [
        replace(one, cells=dimmed(names[number], light[number - 33] if 33 <= number < 68 else 1))
        for number in range(100)
        for one in frame(number, names[number])[:1]
    ]
    (one, other) = spans(judged([*items, OK]))
    assert (one[0], other[1], one[2], other[2]) == (0, 99, "start", "fade")
    assert 53 <= other[0] == one[1] + 1 < 57, "from the first frame on that is not black any more"


def test_shots_are_as_long_as_they_have_to_be():
    names = "a" * 20 + "b" * 9 + "c" * 31
    assert [span[:2] for span in spans(judged([*film(names), OK]))] == [(0, 19), (20, 59)]
    short = spec(ShotRule(min_s=0.3))
    found = [span[:2] for span in spans(judged([*film(names), OK], short))]
    assert found == [(0, 19), (20, 28), (29, 59)]


@pytest.mark.parametrize("reason", ["clock", "resumed", "discontinuity", "gap"])
def test_behind_a_break_another_shot_begins(reason):
    told = judged([*film("a" * 30), Gap("s", reason), *film("a" * 20, 30), OK])
    assert spans(told) == [(0, 29, "start"), (30, 49, "gap")]


@pytest.mark.parametrize(
    "between", [Gap("s", "size"), Gap("s", "dropped", 3, cause="late"), Fault("s", "decode", "", 2)]
)
def test_what_is_no_break_of_the_film_ends_no_shot(between):
    told = judged([*film("a" * 30), between, *film("a" * 20, 30), OK])
    assert spans(told) == [(0, 49, "start")]
    assert between in told


@pytest.mark.parametrize("reason", ["clock", "discontinuity", "gap", "size"])
def test_what_lies_behind_a_span_changes_no_shot_of_it(reason):
    """Nothing is glimpsed there, up to the sampled frame that reaches its end."""
    within, (_, behind) = film(TWO[:-3]), frame(75, "c")
    plain = judged([*within, behind, OK])
    broken = judged([*within, Gap("s", reason), behind, OK])
    assert spans(plain) == spans(broken) == [(0, 32, "start"), (33, 69, "cut")]


def test_a_session_is_another_film():
    told = judged([*film("a" * 30), *film("a" * 20, 0, session="y"), OK])
    assert spans(told) == [(0, 29, "start"), (0, 19, "start")]
    broken = judged([*film("a" * 30), Gap("s", "gap"), *film("a" * 20, 0, session="y"), OK])
    assert spans(broken) == spans(told), "a break of one film is none of the next"


@pytest.mark.parametrize(
    "end",
    [
        End("s", "stopped"),
        End("s", "ok", unfinished=True),
        End("s", "degraded", unfinished=True),
        End("s", "rejected"),
    ],
)
def test_what_goes_on_another_day_is_not_over(end):
    told = judged([*film("a" * 33 + "b" * 9), end])
    assert spans(told) == [(0, 32, "start")]
    told = judged([*film("a" * 33 + "b" * 7), end])
    assert spans(told) == [], "the next run comes past that cut once more, and tells of it"


def test_a_resume_at_any_sample_tells_the_same():
    names = "a" * 21 + "b" * 17 + "." * 6 + "c" * 31 + "a" * 20 + "c" * 2 + "a" * 9
    items = [*film(names), Gap("s", "clock"), *film("d" * 19, len(names)), OK]
    whole = judged(items)
    assert len(spans(whole)) > 4
    samples = [one for one in items if isinstance(one, Sample)]
    for number, sample in enumerate(samples):
        place = next(i for i, one in enumerate(whole) if isinstance(one, Sample)
                     and one.info == sample.info)  # fmt: skip
        cursor = json.loads(json.dumps(whole[place].cursor))
        behind = items[items.index(sample) + 1 :]
        again = judged(behind, spec().after(cursor))
        assert spans(again) == spans(whole[place:]), number
        assert [one.cursor for one in again if isinstance(one, Sample)] == [
            one.cursor for one in whole[place + 1 :] if isinstance(one, Sample)
        ]


def test_a_cursor_is_small():
    told = judged(film("a" * 50))
    assert isinstance(told[-1], Sample)
    assert len(json.dumps(told[-1].cursor)) < 16_000


def test_without_a_rule_nothing_is_touched():
    one = frame(0, "a")[1]
    assert Shots(replace(spec(), shots=None)).judge(one) == [one]


def test_a_chunk_has_the_shot_between_its_runs_and_goes_through_the_pipe():
    told = judged([*film(TWO), OK])
    collector = Collector(10_000, lambda: 0.0)
    for one in told:
        collector.add(one)
    chunk = collector.take()
    kinds = [type(one) for one in chunk]
    assert kinds == [Frames, Shot, Frames, Shot, End]
    assert [run.before for run in chunk if isinstance(run, Frames)] == [0, 8]
    unpacker = Unpacker()
    (message,) = unpacker.feed(b"".join(map(bytes, pack(Message("chunk", chunk)))))
    assert [one for one in message.entries if isinstance(one, Shot)] == [chunk[1], chunk[3]]


def live(**more):
    return replace(spec(), live=True, session="", **more)


def taken(buffer):
    found = []
    while some := buffer.take(0):
        found += some
    return found


def test_of_a_camera_no_shot_is_dropped_with_frames():
    buffer = Buffer(live(buffer_frames=2))
    for item in film("a" * 30 + "b" * 30 + "c" * 30):
        buffer.put(item)
    buffer.close()
    found = taken(buffer)
    assert sum(len(one.infos) for one in found if isinstance(one, Frames)) == 2
    assert [began for *_, began in spans(found)] == ["start", "cut", "cut"]
    assert "shots" not in found[-2].cursor


def test_of_a_camera_the_last_shot_is_told_once_it_is_over_or_stopped():
    buffer = Buffer(live())
    for item in film(TWO):
        buffer.put(item)
    buffer.close()
    for item in film("c" * 9, len(TWO)):  # which comes too late
        buffer.put(item)
    buffer.close()
    assert spans(taken(buffer)) == [(0, 32, "start"), (33, 72, "cut")]


def test_the_shot_that_nobody_goes_on_with_is_told_of_its_cursor():
    told = judged(film(TWO))
    ends = {}
    for sample in (one for one in told if isinstance(one, Sample)):
        cursor = json.loads(json.dumps(sample.cursor))
        (span,) = spans(left_open(spec().after(cursor)))
        ends[sample.info.position] = span
    assert ends["30"] == (0, 30, "start"), "all that was seen, cut or not"
    assert ends["35"] == (0, 35, "start"), "too few frames lie behind the cut"
    assert ends["40"] == (33, 40, "cut")
    assert left_open(spec()) == left_open(replace(spec(), shots=None).after(cursor)) == []


class Dying:
    """A decode process that brings frames of a film up to one place, and dies there each time."""

    whole = entries(judged(film(TWO)[: 41 + 9]))
    note, last_words = Note(), ""

    def __init__(self, own):
        self._chunk = () if own.cursor else self.whole

    def request(self):
        """It has brought what it will."""

    def read(self):
        return [Message("chunk", self._chunk)], False

    def look(self):
        return self.note

    def kill(self):
        return "the decode process died of SIGSEGV"


@pytest.mark.parametrize(("follow", "began"), [(False, ["start", "cut"]), (True, ["start"])])
def test_a_recording_that_is_given_up_tells_the_shot_that_it_stands_in(follow, began):
    """In one chunk with its end, so in one commit; what may go on tells it then."""
    supervisor = RecordedSupervisor(spec(follow=follow), ManualClock(), launch=Dying)
    chunks = []
    while not supervisor.done:
        supervisor.request()
        if supervisor.process:
            supervisor.read()
        chunks += [chunk.entries for chunk in supervisor.pop()]
    said = [one for chunk in chunks for one in chunk]
    *_, last, end = chunks[-1] if not follow else (None, *chunks[-1][-2:])
    assert (end.outcome, end.unfinished) == ("degraded", follow)
    assert [span[2] for span in spans(said)] == began
    assert isinstance(last, Fault if follow else Shot)


def test_entries_keep_the_order():
    told = judged([*film(TWO), OK])
    assert [type(one) for one in entries(told)] == [Frames, Shot, Frames, Shot, End]

"""Which sampled frames repeat one, and that a resume at any frame decides the same."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from operators.frames import FrameInfo
from pipeline.decode.collector import entries
from pipeline.decode.stillness import Stillness
from pipeline.decode.track import Sample
from pipeline.decode.wire import Message, Unpacker, pack
from pipeline.stream.chunk import Fault, Gap
from pipeline.stream.gate import Gate
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

SIZE_HW = (56, 112)
FIVE = Sampling("fps", 5)


def sample(number, level=100, *, taken=1, session="x", body=None):
    """Frame `number` of five a second: grey, and white where its body is (rows, columns)."""
    time_us = number * 200_000
    info = FrameInfo(
        "s", session, str(number), number, Fraction(1, 5), time_us, 7, (56, 112), "media"
    )
    pixels = np.full((*SIZE_HW, 3), level, np.uint8)
    if body:
        pixels[body] = 255
    return Sample(info, pixels, taken, {"position": str(number), "sampled": number + 1})


def spec(gate=None, *, rules=(FIVE,), **more):
    gate = gate or Gate(threshold=8, at_least_every_s=60.0)
    return StreamSpec("s", "x.mp4", session="x", samplings=rules, gate=gate, **more)


def repeated(items, own=None):
    """What each frame repeats; "" of those that are computed."""
    stillness = Stillness(own or spec())
    judged = [stillness.judge(item) for item in items]
    return [one.repeats for one in judged if isinstance(one, Sample)]


def test_still_frames_repeat_the_first():
    assert repeated([sample(number) for number in range(5)]) == ["", "0", "0", "0", "0"]


def test_a_slow_change_adds_up():
    levels = [100, 104, 108, 109, 113, 117, 118, 100]
    frames = [sample(number, level) for number, level in enumerate(levels)]
    assert repeated(frames) == ["", "0", "0", "", "3", "3", "", ""]


def test_a_body_of_two_by_two_patches_is_seen_wherever_it_is():
    """28 x 28 pixels, at the size whose cells are the largest beside patches."""
    stillness = Stillness(spec())
    shape = (518, 518, 3)
    grey = replace(sample(0), pixels=np.full(shape, 100, np.uint8))
    stillness.judge(grey)
    for number, at in enumerate(range(0, 490, 7), start=1):
        pixels = np.full(shape, 100, np.uint8)
        pixels[at : at + 28, 490 - at : 518 - at] = 140
        assert stillness.judge(replace(sample(number), pixels=pixels)).repeats == ""


def test_noise_that_no_cell_remembers_is_none():
    draw = np.random.default_rng(1)
    frames = [sample(number) for number in range(6)]
    noisy = [
        replace(one, pixels=np.clip(one.pixels + draw.normal(0, 3, one.pixels.shape), 0, 255))
        for one in frames
    ]
    noisy = [replace(one, pixels=one.pixels.astype(np.uint8)) for one in noisy]
    assert repeated(noisy) == ["", "0", "0", "0", "0", "0"]


def test_a_frame_is_computed_when_its_time_has_come():
    frames = [sample(number) for number in range(12)]
    assert repeated(frames, spec(Gate(8, 1.0))) == ["", *["0"] * 4, "", *["5"] * 4, "", "10"]


def test_what_a_rule_takes_that_did_not_take_the_computed_one_is_computed():
    rules = (FIVE, Sampling("fps", 1))
    masks = [0b11, 0b01, 0b01, 0b01, 0b01, 0b11, 0b01, 0b01]
    frames = [sample(number, taken=mask) for number, mask in enumerate(masks)]
    assert repeated(frames, spec(rules=rules)) == ["", *["0"] * 7]
    moved = [frames[0], sample(1, 200), *[sample(n, 200, taken=masks[n]) for n in range(2, 8)]]
    assert repeated(moved, spec(rules=rules)) == ["", "", "1", "1", "1", "", "5", "5"]


@pytest.mark.parametrize(
    "behind",
    [
        [Gap("s", "clock"), sample(3)],
        [Gap("s", "dropped", 1, cause="late"), sample(3)],
        [sample(9)],  # behind a hole
        [sample(3, session="y")],
    ],
)
def test_behind_a_break_a_frame_is_computed(behind):
    assert repeated([sample(0), sample(1), sample(2), *behind]) == ["", "0", "0", ""]


def test_a_loss_in_between_is_no_break():
    assert repeated([sample(0), Fault("s", "decode", "bad", 1), sample(1)]) == ["", "0"]


def test_a_resume_at_any_frame_decides_the_same():
    rules = (FIVE, Sampling("fps", 1))
    levels = [100, 101, 101, 130, 131, 100, 100, 104, 108, 109, 109, 109, 60, 60, 60, 60]
    masks = [0b11 if number % 5 == 0 else 0b01 for number in range(len(levels))]
    own = spec(Gate(8, 1.4), rules=rules)
    frames = [sample(n, levels[n], taken=mask) for n, mask in enumerate(masks)]
    stillness = Stillness(own)
    judged = [stillness.judge(one) for one in frames]
    whole = [one.repeats for one in judged]
    assert 4 < whole.count("") < len(whole)
    for cut, one in enumerate(judged[:-1], start=1):
        cursor = json.loads(json.dumps(one.cursor))
        assert repeated(frames[cut:], own.after(cursor)) == whole[cut:]


def test_a_connection_begins_anew_and_keeps_no_cells_in_its_cursor():
    own = replace(spec(), live=True, cursor={"mark": [1], "still": "of a recording"})
    stillness = Stillness(own)
    assert "still" not in stillness.judge(sample(0)).cursor
    assert stillness.judge(sample(1)).repeats == "0"


def test_without_a_gate_nothing_is_touched():
    one = sample(0)
    assert Stillness(replace(spec(), gate=None)).judge(one) is one


def test_repetitions_travel_without_their_pixels():
    stillness = Stillness(spec())
    levels = [100, 100, 100, 200, 200]
    runs = entries([stillness.judge(sample(n, level)) for n, level in enumerate(levels)])
    assert [run.repeats for run in runs] == ["", "0", "", "3"]
    assert [len(run.infos) for run in runs] == [1, 2, 1, 1]
    assert [run.pixels.shape for run in runs][1] == (0, *SIZE_HW, 3)
    unpacker = Unpacker()
    (message,) = unpacker.feed(b"".join(map(bytes, pack(Message("chunk", runs)))))
    for sent, came in zip(runs, message.entries, strict=True):
        assert (came.infos, came.repeats, came.cursor) == (sent.infos, sent.repeats, sent.cursor)
        assert (came.pixels == sent.pixels).all()
    part = message.entries[1].only([1])
    assert (len(part.infos), part.size_hw) == (1, SIZE_HW)

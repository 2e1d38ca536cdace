"""Boxes of a detector outside: which frame a line is of, what becomes of it, what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from operators.detect.build import build_detect
from operators.detect.told_boxes import FORMAT, ToldBoxes
from operators.errors import DinostreamError, UsageError, WeightsError
from operators.variant import RecordKind
from operators.weights.head_request import HeadRequest

CAT = {"box": [10, 20.5, 110, 90], "name": "cat", "score": 0.75}
DOG = {"box": [300, 100, 639, 360], "name": "dog", "score": 0.9}
HEAD = {"format": FORMAT, "detector": {"family": "mine", "text": "cat."}}


@pytest.fixture
def written(tmp_path):
    """`written({...}, {...})`: a file of these lines."""

    def made(*lines: dict[str, Any] | str, name: str = "boxes.jsonl") -> Path:
        path = tmp_path / name
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("\n".join(texts) + "\n")
        return path

    return made


@pytest.fixture
def detect(tiny):
    """`detect(path, threshold=0.8)`: the operator that replay makes of a file."""

    def made(path: Path, **settings: Any):
        request = HeadRequest("detect", tiny, "a" * 64, str(path))
        operator = build_detect(settings, request)
        operator.load(torch.device("cpu"), torch.float32)
        return operator

    return made


def line(*objects: dict[str, Any], position: str | int = "18000", **more: Any) -> dict[str, Any]:
    return {"stream": "cam", "position": position, "objects": list(objects)} | more


def said(operator, features) -> dict[str, list[Any]]:
    return {one.info.position: json.loads(one.data)["objects"] for one in operator(features)}


def test_a_frames_line_is_its_record_the_surest_first(
    detect, written, features_of, frame, tiny
) -> None:
    operator = detect(written(HEAD, line(CAT, DOG), line(position=36000)))
    told = said(operator, features_of([frame(number) for number in range(4)], tiny))
    assert told == {"18000": [{**DOG, "id": 1}, {**CAT, "id": 0}], "36000": []}
    (first, *_) = operator(features_of([frame(1)], tiny))
    assert (first.operator, first.attributes) == (
        "detections",
        {"labelset": operator.labels.name},
    )
    assert [label.name for label in operator.labels.labels] == ["cat", "dog"]
    assert not operator.untrained


def test_frames_are_found_by_time_too_written_in_milliseconds(
    detect, written, features_of, frame, tiny
) -> None:
    at = {"stream": "cam", "time": "1970-01-01T00:00:00.201Z", "objects": [CAT]}
    far = {"stream": "cam", "time": "1970-01-01T01:00:00.602+01:00", "objects": [DOG]}
    operator = detect(written(far, at))
    told = said(operator, features_of([frame(number) for number in range(4)], tiny))
    assert list(told) == ["18000"]


def test_another_session_or_stream_is_another_frame(
    detect, written, features_of, frame, tiny
) -> None:
    operator = detect(written(line(CAT, session="f" * 12)))
    infos = [frame(1), frame(1, session="f" * 12), frame(1, stream="b", session="f" * 12)]
    told = operator(features_of(infos, tiny))
    assert [one.info for one in told] == infos[1:2]


@pytest.mark.parametrize(
    "other",
    [
        {"stream": "cam", "time": "1970-01-01T00:00:00.200Z", "objects": [DOG]},
        line(DOG, session="0123456789ab"),
    ],
)
def test_two_lines_of_one_frame_that_spell_it_differently_are_its_error(
    detect, written, features_of, frame, tiny, other
) -> None:
    operator = detect(written(line(CAT), other))
    with pytest.raises(DinostreamError, match=r"lines .*: are of one frame, 18000 of cam"):
        operator(features_of([frame(1)], tiny))


def test_a_stream_that_the_file_does_not_know_is_told_once(
    detect, written, features_of, frame, tiny, caplog
) -> None:
    operator = detect(written(line(CAT, session="f" * 12)))
    known = [frame(number, session="f" * 12) for number in (1, 2)]
    assert len(operator(features_of(known, tiny))) == 1
    assert caplog.messages == []
    assert operator(features_of([frame(1), frame(2)], tiny)) == []
    (said,) = caplog.messages
    assert "tells nothing of stream cam, session 0123456789ab" in said


def test_batch_mates_and_padding_change_no_bit(detect, written, features_of, frame, tiny) -> None:
    operator = detect(written(line(CAT, DOG), line(CAT, position="36000")))
    many = operator(features_of([frame(0), frame(1), frame(2)], tiny))
    alone = [one for n in range(3) for one in operator(features_of([frame(n)], tiny))]
    assert many == alone
    whole = operator.compute(features_of([frame(1)], tiny, batch_size=4), slice(0, 4))
    assert [tuple(one.shape) for one in whole] == [(4, 2, 4), (4, 2), (4, 2)]
    assert whole[1][1:].sum() == 0


def test_whoever_tracks_is_not_told_that_nothing_is_there(
    detect, written, features_of, frame, tiny
) -> None:
    operator = detect(written(line(CAT)))
    features = features_of([frame(2)], tiny)
    numbers = [np.asarray(one[0]) for one in operator.shared(features, slice(0, 1))]
    with pytest.raises(DinostreamError, match="tells nothing of frame 36000 of cam; whoever track"):
        operator.detections(frame(2), *numbers)


def test_a_box_of_a_larger_picture_is_an_error_of_its_frame(
    detect, written, features_of, frame, tiny
) -> None:
    operator = detect(written(HEAD, line({**CAT, "box": [0, 0, 641, 10]})))
    with pytest.raises(DinostreamError, match=r"line 2: box .* reaches out .* which is 640x360"):
        operator(features_of([frame(1)], tiny))


def test_a_threshold_leaves_out_what_is_below_it(detect, written, features_of, frame, tiny) -> None:
    operator = detect(written(line(CAT, DOG)), threshold=0.8)
    assert said(operator, features_of([frame(1)], tiny)) == {"18000": [{**DOG, "id": 1}]}


def test_whatever_can_change_a_record_changes_its_variant(detect, written) -> None:
    def fields(*lines: Any, **settings: Any) -> str:
        kind = RecordKind.of(detect(written(*lines), **settings), "detections")
        return json.dumps(kind.fields, sort_keys=True)

    told = fields(HEAD, line(CAT))
    assert '"detector": {"family": "mine", "text": "cat."}' in told
    others = [
        fields(HEAD, line(DOG)),
        fields(HEAD, line({**CAT, "score": 0.5})),
        fields(line(CAT)),
        fields(HEAD, line(CAT), threshold=0.8),
    ]
    assert len({told, *others}) == 5
    assert fields(HEAD, line(CAT)) == told


def test_a_file_in_which_nothing_was_found_says_which_labels_there_are(detect, written) -> None:
    operator = detect(written(HEAD | {"labels": ["cat"]}, line()))
    assert [label.name for label in operator.labels.labels] == ["cat"]
    with pytest.raises(WeightsError, match="names no thing at all; say in its first line"):
        detect(written(HEAD, line()))


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("[1]",), "line 1: want an object"),
        ((HEAD, "{"), "line 2: no JSON"),
        (({"format": "dinostream.boxes.v9"},), "format 'dinostream.boxes.v9', this release reads"),
        (({**HEAD, "labels": "cat"},), "labels must be a list of names"),
        (({**HEAD, "detector": 3},), "detector must be an object"),
        ((line(CAT, mask=1),), "line 1: says mask; allowed: objects, position"),
        (({"position": 3, "objects": []},), "want a stream"),
        (({"stream": "cam", "objects": []},), "want a position, or a time such as"),
        ((line(position=True),), "want a position, or a time such as"),
        (({"stream": "cam", "time": "1970-01-01T00:00:01", "objects": []},), "is none with a zone"),
        (({"stream": "cam", "position": 3},), "want objects, a list"),
        ((line("cat"),), "objects hold objects, got 'cat'"),
        ((line({**CAT, "id": 3}),), "says id; allowed: box, name, score"),
        ((line({**CAT, "name": ""}),), "want a name, got ''"),
        ((line({**CAT, "score": 0}),), "want a score above 0 and up to 1, got 0"),
        ((line({**CAT, "score": 1.5}),), "want a score above 0 and up to 1, got 1.5"),
        ((line({**CAT, "score": 10**400}),), "want a score above 0 and up to 1, got 1000"),
        ((line({**CAT, "box": [0, 0, 10**400, 1]}),), "want a box of four numbers"),
        ((line({**CAT, "name": "\ud800"}),), r"want a name, got '\\ud800'"),
        (({**HEAD, "labels": ["\ud800"]},), "labels must be a list of names"),
        (({**HEAD, "detector": {"by": "\ud800"}},), "line 1: detector holds what no record can"),
        (({**HEAD, "detector": {"at": math.nan}},), "detector holds what no record"),
        (("[" * 100_000,), "line 1: no JSON"),
        ((line({**CAT, "box": [1, 2, 3]}),), "want a box of four numbers"),
        (('{"stream":"cam","position":3,"objects":[{"box":[0,0,NaN,1]}]}',), "want a name"),
        ((line({**CAT, "box": [110, 20, 10, 90]}),), "upside down, without area or out of its"),
        ((line({**CAT, "box": [-1, 20, 10, 90]}),), "upside down, without area or out of its"),
        ((line(CAT), line(DOG)), "line 2: is of the same frame as line 1"),
        (
            [
                {"stream": "cam", "time": f"1970-01-01T00:00:00.20{digit}Z", "objects": [CAT]}
                for digit in (0, 2)
            ],
            "line 2: may be of the same frame as line 1",
        ),
    ],
)
def test_lines_that_are_none(written, lines, why) -> None:
    with pytest.raises(WeightsError, match=why):
        ToldBoxes(written(*lines))


def test_a_line_that_is_not_utf_8_has_its_number(written) -> None:
    path = written(HEAD, line(CAT))
    path.write_bytes(path.read_bytes().replace(b"cam", b"caf\xe9"))
    with pytest.raises(WeightsError, match="line 2: is not UTF-8"):
        ToldBoxes(path)


def test_what_is_no_head(detect, written, tmp_path) -> None:
    with pytest.raises(UsageError, match="no such head file"):
        detect(tmp_path / "nowhere.jsonl")
    with pytest.raises(UsageError, match="it has boxes alone; leave out the setting masks"):
        detect(written(line(CAT)), masks=True)
    many = [{**CAT, "name": f"kind {number}"} for number in range(257)]
    with pytest.raises(WeightsError, match=r"boxes\.jsonl: label set .* want 1-256 labels"):
        detect(written(line(*many)))

"""The operator `tamper`: what it says of a camera, and that it says the same after a resume."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from operators.backbones.architectures import Architecture
from operators.errors import DinostreamError, UsageError
from operators.frames import Features, FrameInfo
from operators.result import Result
from operators.tamper.operator import Tamper, build_tamper
from operators.variant import Computation, RecordKind
from operators.weights.head_request import HeadRequest

Picture = NDArray[np.uint8]
Noisy = Callable[..., Picture]
Scene = Sequence[Picture]
See = Callable[..., Features]

QUICK = {"learn_s": 1.0, "least_s": 1.0}
ON_CPU = Computation("dinov2_vitti14", "a" * 64, "112", "torch", "float32", "cpu")


def build(arch: Architecture, **settings: Any) -> Tamper:
    return build_tamper(QUICK | settings, HeadRequest("tamper", arch, "a" * 64))


@pytest.fixture
def see(frame: Callable[..., FrameInfo]) -> See:
    """Features of one frame: patches are the colours of the picture, as a poor backbone's."""

    def seen(number: int, picture: Picture, **other: Any) -> Features:
        height, width = (side // 14 for side in picture.shape[:2])
        cells = picture[: height * 14, : width * 14].reshape(height, 14, width, 14, 3)
        patches = torch.from_numpy(cells.mean(axis=(1, 3), dtype=np.float32) - 128)[None]
        info = frame(number, **other)
        return Features((info,), patches[:, 0, 0], patches, pixels=picture[None])

    return seen


@pytest.fixture
def scene(noisy: Noisy, wall: Picture) -> Scene:
    """80 frames: the wall, then from 20 to 34 another part of it, then from 60 on a sheet."""
    moved, sheet = np.roll(wall, 80, axis=1), np.full_like(wall, 70)
    shown = [*[wall] * 20, *[moved] * 15, *[wall] * 25, *[sheet] * 20]
    return [noisy(number, picture) for number, picture in enumerate(shown)]


def run(tamper: Tamper, see: See, pictures: Scene, first: int = 0) -> list[Result]:
    return [
        result
        for number, picture in enumerate(pictures, start=first)
        for result in tamper(see(number, picture))
    ]


def said(results: Sequence[Result], topic: str) -> list[dict[str, Any]]:
    return [json.loads(one.data) for one in results if one.operator == topic]


def spans(results: Sequence[Result]) -> list[tuple[str, int, int, str]]:
    return [
        (
            one["kind"],
            *(int(one[name]["position"]) // 18_000 for name in ("start", "end")),
            one["outcome"],
        )
        for one in said(results, "tamper.episodes")
    ]


def test_every_frame_has_its_view_and_every_trouble_an_episode(
    tiny: Architecture, see: See, scene: Scene, frame: Callable[..., FrameInfo]
) -> None:
    tamper = build(tiny)
    results = run(tamper, see, scene) + tamper.reset("cam", "end")
    assert spans(results) == [("moved", 20, 34, "over"), ("covered", 60, 79, "cut")]
    views = [one["view"] for one in said(results, "tamper")]
    assert views == [
        *[None] * 5,  # it takes a second to know the view
        *["clear"] * 20,
        *["moved"] * 15,  # told a second late, at the beginning and at the end
        *["clear"] * 25,
        *["covered"] * 15,
    ]
    during = said(results, "tamper")[30]
    assert during["since"] == {"position": "360000", "time": "1970-01-01T00:00:04.000000Z"}
    assert during["signs"]["changed"] > 0.9
    episode = next(one for one in results if one.operator == "tamper.episodes")
    assert (episode.start, episode.info) == (frame(20), frame(34))


def test_no_two_records_have_one_id(tiny: Architecture, see: See, scene: Scene) -> None:
    tamper = build(tiny)
    results = run(tamper, see, scene) + tamper.reset("cam", "end")
    ids = [(one.operator, one.info.position) for one in results]
    assert len(set(ids)) == len(ids) == len(scene) + 2


def test_it_goes_on_where_it_was(tiny: Architecture, see: See, scene: Scene) -> None:
    tamper = build(tiny)
    whole = [(one.operator, one.data) for one in run(tamper, see, scene)]
    for cut in (0, 3, 22, 37):
        before, after = build(tiny), build(tiny)
        results = run(before, see, scene[:cut])
        after.restore("cam", before.snapshot("cam"))
        results += run(after, see, scene[cut:], first=cut)
        assert [(one.operator, one.data) for one in results] == whole


def test_batch_mates_and_other_streams_change_nothing(
    tiny: Architecture, see: See, scene: Scene
) -> None:
    alone, together = build(tiny), build(tiny)
    for number in range(0, 40, 2):
        pair = [see(number, scene[number]), see(number, scene[-number - 1], stream="other")]
        both = Features(
            (pair[0].infos + pair[1].infos),
            torch.cat([one.cls for one in pair] + [torch.full((1, 3), torch.nan)]),
            torch.cat([one.patches for one in pair] + [torch.full((1, 12, 16, 3), torch.nan)]),
            pixels=np.concatenate([one.pixels for one in pair if one.pixels is not None]),
        )
        mine = [one for one in together(both) if one.info.stream == "cam"]
        assert mine == alone(pair[0])


def test_a_gap_ends_an_episode_and_forgets_no_camera(
    tiny: Architecture, see: See, scene: Scene
) -> None:
    tamper = build(tiny)
    run(tamper, see, scene[:30])
    assert spans(tamper.reset("cam", "dropped")) == [("moved", 20, 29, "cut")]
    later = run(tamper, see, scene[35:50], first=35)
    assert said(later, "tamper")[0]["view"] == "clear"  # of what it had learnt before
    for reason in ("session", "reconnected", "size", "end", "error"):
        tamper.reset("cam", reason)
        assert said(run(tamper, see, scene[:1]), "tamper")[0]["view"] is None


def test_a_view_that_stays_moved_becomes_the_cameras_own(
    tiny: Architecture, see: See, wall: Picture, noisy: Noisy
) -> None:
    tamper, moved = build(tiny, adopt_s=4.0), np.roll(wall, 80, axis=1)
    pictures = [noisy(number, wall if number < 10 else moved) for number in range(60)]
    results = run(tamper, see, pictures)
    assert spans(results) == [("moved", 10, 30, "adopted")]
    views = [one["view"] for one in said(results, "tamper")]
    assert views[30:37] == ["moved", *[None] * 5, "clear"]
    assert set(views[36:]) == {"clear"}


def test_a_camera_may_freeze_and_a_drawn_one_may_not(
    tiny: Architecture, see: See, wall: Picture, noisy: Noisy
) -> None:
    pictures = [noisy(min(number, 20)) for number in range(40)]
    tamper = build(tiny)
    results = run(tamper, see, pictures) + tamper.reset("cam", "end")
    assert spans(results) == [("frozen", 21, 39, "cut")]
    drawn = build(tiny)
    for number, picture in enumerate(pictures):
        drawn(see(number, picture, rendered=True))
    assert drawn.reset("cam", "end") == []


def test_a_frame_without_numbers_or_pixels_is_named(
    tiny: Architecture, see: See, wall: Picture
) -> None:
    seen = see(3, wall)
    with pytest.raises(DinostreamError, match="tamper: frame 54000 of cam gives NaN"):
        build(tiny)(replace(seen, patches=seen.patches * torch.nan))
    with pytest.raises(ValueError, match="hold no pixels"):
        build(tiny)(replace(seen, pixels=None))


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("share", 1.5, "operator tamper: share must be a number from 0 to 1, got 1.5"),
        ("adopt_s", 1, "adopt_s must be above least_s, got 1 and 1"),
        ("least_s", -1, "least_s must be a number from 0 to 3600, got -1"),
        ("learn_s", True, "learn_s must be a number from 0 to 3600, got True"),
        ("memory_s", "a week", "memory_s must be a number from 1 to 604800"),
        ("lest_s", 3, "has no setting 'lest_s'; did you mean least_s?"),
    ],
)
def test_a_setting_that_does_not_do_is_named(
    tiny: Architecture, setting: str, value: object, told: str
) -> None:
    with pytest.raises(UsageError, match=told.replace("?", r"\?")):
        build(tiny, **{setting: value})


def test_a_setting_makes_another_variant(tiny: Architecture) -> None:
    def variant(**settings: Any) -> str:
        kind = RecordKind.of(build(tiny, **settings), "tamper")
        return kind.variant(ON_CPU, sampling="fps=5")

    changed = [{}, {"share": 0.6}, *({name: 7.0} for name in ("learn_s", "least_s"))]
    changed += [{"memory_s": 7.0}, {"adopt_s": 7.0}]
    assert len({variant(**one) for one in changed}) == len(changed)


@pytest.mark.parametrize("state", [b"", b"{}\n", b'{"format":2}\n', b'{"format":1}\n', b"[]\n"])
def test_a_state_that_it_does_not_know_is_refused(tiny: Architecture, state: bytes) -> None:
    with pytest.raises(ValueError, match="not a state of format 1"):
        build(tiny).restore("cam", state)


def test_repetitions_are_as_their_frame_was_and_no_frozen_picture(
    tiny: Architecture, see: See, noisy: Noisy, wall: Picture
) -> None:
    tamper, sheet = build(tiny), np.full_like(wall, 70)
    assert tamper.repeat(see(0, wall).infos[0]) == []
    run(tamper, see, [noisy(number) for number in range(20)])
    for number in range(20, 40):
        assert tamper.repeat(see(number, wall).infos[0]) == []
    (view, *_) = said(run(tamper, see, [noisy(40)], first=40), "tamper")
    assert view["view"] == "clear"
    run(tamper, see, [noisy(41, sheet)], first=41)
    for number in range(42, 60):
        tamper.restore("cam", tamper.snapshot("cam"))
        assert tamper.repeat(see(number, sheet).infos[0]) == []
    results = run(tamper, see, [noisy(60 + number) for number in range(12)], first=60)
    ((kind, start, end, _),) = spans(results)
    assert (start, end) == (41, 59)
    assert kind != "frozen"

"""Pictures of frames: what they show, what they hide, and that they never show what they should
hide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from operators.backbones.architectures import Architecture
from operators.errors import DinostreamError, UsageError
from operators.fetch import Fetch
from operators.frames import Features, FrameInfo
from operators.pictures.operator import Frames, build_frames, class_ids
from operators.result import JPEG
from operators.segmentation.labelsets import Label, LabelSet
from operators.segmentation.linear import segmentation_layout
from operators.segmentation.operator import Segmentation
from operators.variant import Computation, RecordKind
from operators.weights.head_request import HeadRequest
from operators.weights.heads import Head

GRID = (8, 12)
ON_CPU = Computation("dinov2_vitti14", "a" * 64, "112", "torch", "float32", "cpu")
ROOM = LabelSet(
    "room",
    tuple(Label(number, name, (number, 0, 0)) for number, name in enumerate(("wall", "person"))),
)


def build(arch: Architecture, **settings: Any) -> Frames:
    return build_frames(settings, HeadRequest("frames", arch, "a" * 64))


@pytest.fixture
def segmentation(tiny: Architecture) -> Callable[..., Segmentation]:
    """A head that says `person` where the first channel of a patch is above 0."""

    def made(**options: Any) -> Segmentation:
        tensors = {name: torch.zeros(size) for name, size in segmentation_layout(tiny, 2).items()}
        tensors["decode_head.bn.weight"] += 1
        tensors["decode_head.bn.running_var"] += 1
        tensors["decode_head.conv_seg.weight"][1, 0] = 1
        head = Head("segmentation", "made", tensors, options.pop("sha256", "b" * 64))
        operator = Segmentation(head, tiny, ROOM, **options)
        operator.load(torch.device("cpu"), torch.float32)
        return operator

    return made


@pytest.fixture
def people(
    tiny: Architecture, features_of: Callable[..., Features], frame: Callable[..., FrameInfo]
) -> Features:
    """Three frames of noise; of the second the patches from (2, 3) to (4, 5) are a person."""
    seen = features_of([frame(number) for number in range(3)], tiny, grid=GRID)
    seen.patches[..., 0] = -1
    seen.patches[1, 2:5, 3:6, 0] = 1
    return seen


def opened(data: bytes) -> NDArray[np.int64]:
    return np.asarray(Image.open(BytesIO(data)), dtype=np.int64)


def smooth(height: int, width: int) -> NDArray[np.uint8]:
    down, across = np.mgrid[:height, :width]
    return np.stack([down, across, down + across], axis=-1).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("source_hw", "seen_hw", "short_side", "size_hw"),
    [
        ((720, 1280), (224, 392), 180, (180, 320)),
        ((1280, 720), (392, 224), 180, (320, 180)),  # upright
        ((600, 600), (224, 224), 180, (180, 180)),
        ((720, 1280), (224, 392), 224, (221, 392)),  # no wider than what was seen
        ((720, 1280), (112, 196), 180, (110, 196)),
        ((90, 120), (224, 294), 180, (90, 120)),  # nor larger than its source
        ((4, 2000), (14, 6986), 180, (4, 2000)),
    ],
)
def test_a_picture_has_its_sources_proportions_and_is_never_enlarged(
    tiny: Architecture,
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    source_hw: tuple[int, int],
    seen_hw: tuple[int, int],
    short_side: int,
    size_hw: tuple[int, int],
) -> None:
    info = frame(0, source_hw=source_hw)
    seen = replace(features_of([info], tiny), pixels=smooth(*seen_hw)[None])
    (result,) = build(tiny, short_side=short_side, quality=95)(seen)
    assert (result.info, result.operator, result.content_type) == (info, "frames", JPEG)
    assert result.attributes == {}
    want = Image.fromarray(smooth(*seen_hw)).resize(size_hw[::-1], Image.Resampling.BICUBIC)
    got = opened(result.data)
    assert got.shape == (*size_hw, 3)
    assert np.abs(got - np.asarray(want)).mean() < 2


def test_what_was_found_is_hidden_and_nothing_else(
    tiny: Architecture, people: Features, segmentation: Callable[..., Segmentation]
) -> None:
    open_ = build(tiny, short_side=112)
    hiding = build(tiny, short_side=112, blur=["person"]).beside({"segmentation": segmentation()})
    before, after = open_(people), hiding(people)
    assert [result.attributes for result in after] == [{"blurred": "person"}] * 3
    assert [a.data == b.data for a, b in zip(after, before, strict=True)] == [True, False, True]
    was, now = opened(before[1].data), opened(after[1].data)
    assert was.shape == now.shape == (94, 168, 3)
    person = (slice(2 * 12, 5 * 11), slice(3 * 14, 6 * 14))
    assert contrast(was[person]) > 30
    assert contrast(now[person]) < 3, "noise came in, and nearly one grey is left"
    far = (slice(84, None), slice(None))
    assert np.abs(now[far] - was[far]).max() <= 40
    assert contrast(now[far]) == pytest.approx(contrast(was[far]), rel=0.05)


def contrast(pixels: NDArray[np.int64]) -> float:
    """Of each pixel with its neighbour to the right."""
    return float(np.abs(np.diff(pixels.mean(axis=-1), axis=1)).mean())


def test_what_cannot_be_segmented_has_no_picture(
    tiny: Architecture, people: Features, segmentation: Callable[..., Segmentation]
) -> None:
    people.patches[1, 0, 0, 3] = torch.nan
    hiding = build(tiny, blur=["person"]).beside({"segmentation": segmentation()})
    with pytest.raises(DinostreamError, match="frames: frame 18000 of cam"):
        hiding(people.take([1]))
    assert len(hiding(people.take([0, 2]))) == 2


def test_nothing_is_shown_before_it_is_known_what_finds_the_classes(
    tiny: Architecture, people: Features
) -> None:
    with pytest.raises(ValueError, match="nothing finds person, so there is no picture"):
        build(tiny, blur=["person"])(people)


def test_features_without_pixels_have_no_picture(tiny: Architecture, people: Features) -> None:
    with pytest.raises(ValueError, match="hold no pixels; build them with Backbone"):
        build(tiny)(replace(people, pixels=None))


@pytest.mark.parametrize("blur", [[], ["person"]])
def test_a_frames_picture_does_not_depend_on_batch_mates_nor_on_how_it_comes_from_a_card(
    tiny: Architecture,
    people: Features,
    segmentation: Callable[..., Segmentation],
    blur: list[str],
) -> None:
    hiding = build(tiny, blur=blur).beside({"segmentation": segmentation()})
    together = hiding(people)
    assert [hiding(people.take([row])) for row in range(3)] == [[one] for one in together]
    fetch = Fetch(people, [hiding])
    fetch.wait()
    assert fetch.say(hiding, [0, 1, 2]) == together
    assert fetch.say(hiding, [1]) == together[1:2]


def test_of_a_card_that_hides_nothing_nothing_is_copied(
    tiny: Architecture, people: Features
) -> None:
    (pixels,) = build(tiny).computed(people, slice(0, 8))
    assert isinstance(pixels, np.ndarray)
    assert np.shares_memory(pixels, people.pixels)


def test_pictures_mean_what_they_show_whatever_the_weights(
    tiny: Architecture, segmentation: Callable[..., Segmentation]
) -> None:
    random = segmentation()
    random.untrained = True
    operators = {"segmentation": random}
    bare, hiding = build(tiny), build(tiny, blur=["person"])
    bare.untrained = hiding.untrained = True  # as the registry says of all with random weights
    assert not bare.beside(operators).untrained
    assert hiding.beside(operators).untrained, "what it hides it finds by random weights"
    random.untrained, random.rendered_only = False, True
    assert hiding.beside(operators).rendered_only
    assert not bare.beside(operators).rendered_only


def test_all_that_can_change_a_picture_makes_another_variant(
    tiny: Architecture,
    segmentation: Callable[..., Segmentation],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def variant(settings: dict[str, Any], **options: Any) -> str:
        frames = build(tiny, **settings).beside({"segmentation": segmentation(**options)})
        return RecordKind.of(frames, "frames").variant(ON_CPU)

    hiding = {"blur": ["person"]}
    seen = [
        variant({}),
        variant({"quality": 76}),
        variant({"short_side": 181}),
        variant(hiding),
        variant({"blur": ["person", "wall"]}),
        variant(hiding, map_scale=2),
        variant(hiding, scales=2),
        variant(hiding, sha256="c" * 64),
    ]
    assert len(set(seen)) == len(seen)
    assert variant({}, map_scale=2, sha256="c" * 64) == seen[0], "nothing is found"
    assert variant(hiding, regions=1) == seen[3], "which no picture depends on"
    assert variant({"blur": ["wall", "person", "wall"]}) == seen[4], "in whatever order"
    monkeypatch.setattr("operators.variant.jpeg_identity", lambda: "of another")
    assert variant({}) not in seen


def test_who_is_to_be_hidden_has_to_be_found(
    tiny: Architecture, segmentation: Callable[..., Segmentation]
) -> None:
    with pytest.raises(
        UsageError, match=r"frames\.blur: what finds person is segmentation, which does not run"
    ):
        build(tiny, blur=["person"]).beside({})
    with pytest.raises(UsageError, match="set room has no class 'persons'; near it are person"):
        build(tiny, blur=["persons"]).beside({"segmentation": segmentation()})
    with pytest.raises(UsageError, match="has no class 'quux'; it has wall, person"):
        build(tiny, blur=["quux"]).beside({"segmentation": segmentation()})


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"quality": 96}, "frames: quality must be a whole number from 1 to 95, got 96"),
        ({"short_side": 15}, "frames: short_side must be a whole number from 16 to 2160, got 15"),
        ({"blur": "person"}, r"frames: blur must be a list of names, such as \[person, car\], got"),
        ({"every_s": 1}, "frames has no setting 'every_s'.* Settings: quality, short_side, blur"),
    ],
)
def test_settings_that_do_not_do(tiny: Architecture, settings: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        build(tiny, **settings)


def test_every_class_of_a_name_is_hidden():
    names = ("person", "wall", "person")
    labels = LabelSet("twice", tuple(Label(n, name, (n, 0, 0)) for n, name in enumerate(names)))
    assert class_ids(labels, "person") == (0, 2)
    with pytest.raises(UsageError, match="has no class 'persona'; near it are person"):
        class_ids(labels, "persona")

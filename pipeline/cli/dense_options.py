"""Options of everything that fits or measures dense heads: which data.

click's values in -> items and labels out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from operators.errors import UsageError
from pipeline.cli.countdown import countdown
from pipeline.cli.options import FiniteRange

if TYPE_CHECKING:
    from operators.segmentation.labelsets import LabelSet
    from pipeline.configuration.config import Config
    from pipeline.fit.dense_item import DenseItem, ThingItem
    from pipeline.fit.dense_plan import Tell
    from pipeline.fit.scenes import Scenes
    from pipeline.media.frame_size import FrameSize

Callback = TypeVar("Callback", bound=Callable[..., Any])
FOLDER = click.Path(path_type=Path)


_IMAGES = click.option("--images", type=FOLDER, metavar="DIR", help="Pictures.")
_MASKED = (
    _IMAGES,
    click.option("--masks", type=FOLDER, metavar="DIR", help="PNGs of class ids, same names."),
)
_MEASURED = (
    _IMAGES,
    click.option("--depth", type=FOLDER, metavar="DIR", help="16-bit PNGs, or .npy in metres."),
    click.option(
        "--depth-scale",
        type=FiniteRange(0, min_open=True),
        default=0.001,
        show_default=True,
        help="Metres per step of a PNG.",
    ),
)
_BOXED = (
    _IMAGES,
    click.option(
        "--boxes",
        type=FOLDER,
        metavar="JSON|DIR",
        help="Of the things: COCO's JSON, with masks or without, or a folder of YOLO's text files.",
    ),
)
_SCENES = (
    click.option("--synthetic", metavar="SCENE", help="Rendered scenes, such as world."),
    click.option("--seeds", metavar="A:B", help="Of the scenes: from A, below B."),
    click.option(
        "--frames", type=click.IntRange(1), default=4, show_default=True, help="Of each scene."
    ),
    click.option(
        "--seconds",
        type=FiniteRange(0, min_open=True),
        default=8.0,
        show_default=True,
        help="Length of a scene.",
    ),
    click.option(
        "--size",
        "sizes",
        metavar="WxH",
        multiple=True,
        show_default="the backbone's own",
        help="Rendered size. Of several each scene has one.",
    ),
)


def scene_options(function: Callback) -> Callback:
    """Which rendered scenes."""
    return _with(function, _SCENES)


def mask_options(function: Callback) -> Callback:
    """Pictures with masks, or rendered scenes."""
    return _with(function, (*_MASKED, *_SCENES))


def depth_options(function: Callback) -> Callback:
    """Pictures with depth maps, or rendered scenes."""
    return _with(function, (*_MEASURED, *_SCENES))


def boxed_options(function: Callback) -> Callback:
    """Pictures with boxes, or rendered scenes."""
    return _with(function, (*_BOXED, *_SCENES))


def scenes_of(given: Mapping[str, Any]) -> Scenes:
    """The scenes that options name.

    Raises:
        UsageError: seeds or a size that are none.
    """
    from pipeline.fit.scenes import Scenes

    return Scenes(
        given["synthetic"],
        seed_range(given["seeds"] or ""),
        frames=given["frames"],
        seconds=given["seconds"],
        fps=given.get("scene_fps", 5),
        sizes_wh=tuple(_size(text) for text in given["sizes"]),
    )


def seed_range(text: str) -> range:
    """`A:B` as seeds.

    Raises:
        UsageError: it is none, or empty.
    """
    found = re.fullmatch(r"(\d{1,18}):(\d{1,18})", text)
    seeds = range(int(found[1]), int(found[2])) if found else range(0)
    if not seeds:
        raise UsageError(f"--seeds takes A:B with A < B, such as 0:400; got {text!r}")
    return seeds


def frame_size(config: Config) -> FrameSize:
    """Of frames at the backbone that a configuration names.

    Raises:
        UsageError: no such model.
    """
    from operators.backbones.architectures import architecture
    from pipeline.media.frame_size import FrameSize

    return FrameSize(config.short_side, architecture(config.model).patch)


def mask_items(
    given: Mapping[str, Any], size: FrameSize
) -> tuple[Sequence[DenseItem], LabelSet | None]:
    """What `mask_options` name: pictures with class ids, and what these mean where it is known.

    Raises:
        UsageError: not exactly one kind of data, or data that do not do.
    """
    from pipeline.fit.mask_labels import read_labels
    from pipeline.fit.pairs import pairs
    from pipeline.fit.truth_files import MaskFile
    from pipeline.synthetic.labels import labels_of

    if _kind(given, "masks") == "scenes":
        scenes = scenes_of(given)
        return scenes.items("segmentation", size), labels_of(scenes.scene)
    named = given.get("labels")  # only a fit asks: a head knows its own
    labels = named and read_labels(named, name=named.stem)
    return pairs(given["images"], given["masks"], MaskFile()), labels


def depth_items(given: Mapping[str, Any], size: FrameSize) -> Sequence[DenseItem]:
    """What `depth_options` name: pictures with metres.

    Raises:
        UsageError: not exactly one kind of data, or data that do not do.
    """
    from pipeline.fit.pairs import pairs
    from pipeline.fit.truth_files import DepthFile

    if _kind(given, "depth") == "scenes":
        return scenes_of(given).items("depth", size)
    return pairs(given["images"], given["depth"], DepthFile(given["depth_scale"]))


def boxed_items(
    given: Mapping[str, Any], size: FrameSize, *, fit: bool = True
) -> tuple[Sequence[ThingItem], LabelSet, Sequence[str]]:
    """What `boxed_options` name: pictures with things, what class ids mean, what was left out.

    Raises:
        UsageError: not exactly one kind of data, or data that do not do; of a fit, also a class
            without a box.
    """
    from pipeline.fit.boxed import refuse_empty_labels
    from pipeline.fit.coco_boxes import coco_boxes
    from pipeline.fit.yolo_boxes import yolo_boxes
    from pipeline.synthetic.labels import things_of

    if _kind(given, "boxes", "JSON|DIR") == "scenes":
        scenes = scenes_of(given)
        return scenes.items("detect", size), things_of(scenes.scene), ()
    pictures, boxes = given["images"], given["boxes"]
    boxed = (yolo_boxes if boxes.is_dir() else coco_boxes)(pictures, boxes)
    if fit:
        refuse_empty_labels(boxed, boxes)
    return boxed.items, boxed.labels, boxed.notes


def cache_folder(given: Path | None) -> Path:
    """Where computed features are kept."""
    from operators.weights.cache import default_cache_dir

    return given or default_cache_dir() / "features"


@contextmanager
def telling(command: str = "fit") -> Iterator[Tell]:
    """Progress of a command that has several parts, each with the time that it has left."""
    with countdown(command) as tell:

        def told(what: str, done: int, total: int) -> None:
            tell(done / total if total else None, f"{what} {done}/{total}")

        yield told


def _kind(given: Mapping[str, Any], partner: str, place: str = "DIR") -> Literal["files", "scenes"]:
    if given["synthetic"] and not given["images"] and not given[partner]:
        return "scenes"
    if given["images"] and given[partner] and not given["synthetic"]:
        return "files"
    raise UsageError(
        f"give --images DIR and --{partner} {place}, or --synthetic SCENE and --seeds A:B"
    )


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if not found:
        raise UsageError(f"--size takes WIDTHxHEIGHT, such as 640x360; got {text!r}")
    return int(found[1]), int(found[2])


def _with(function: Callback, options: Sequence[Callable[[Callback], Callback]]) -> Callback:
    for option in reversed(options):
        function = option(function)
    return function

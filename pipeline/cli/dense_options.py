"""Options of everything that fits or measures dense heads: which data, which backbone.

click's values in -> items, labels and a backbone out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from operators.backbones.architectures import DEMO_MODEL, DEMO_SHORT_SIDE, architecture
from operators.errors import UsageError
from pipeline.cli.countdown import countdown
from pipeline.cli.options import a_patch_or_more

if TYPE_CHECKING:
    from operators.segmentation.labelsets import LabelSet
    from pipeline.fit.dense_item import DenseItem
    from pipeline.fit.dense_plan import Tell
    from pipeline.fit.scenes import Scenes
    from pipeline.media.frame_size import FrameSize

Callback = TypeVar("Callback", bound=Callable[..., Any])
T = TypeVar("T")
FOLDER = click.Path(path_type=Path)


def _unless_demo(demo: T, otherwise: T) -> Callable[[click.Context, click.Parameter, T | None], T]:
    """What an option is that was left out: the demo weights have one model, and one size that
    their heads know."""

    def chosen(ctx: click.Context, _: click.Parameter, value: T | None) -> T:
        if value is not None:
            return value
        return demo if ctx.params["weights"] == "demo" else otherwise

    return chosen


_usual_side = _unless_demo(DEMO_SHORT_SIDE, 224)


def _short_side(ctx: click.Context, option: click.Parameter, value: int | None) -> int:
    return a_patch_or_more(ctx, option, _usual_side(ctx, option, value))


_BACKBONE = (
    click.option(
        "--weights",
        default="auto",
        show_default=True,
        metavar="auto|demo|random|PATH",
        is_eager=True,
    ),
    click.option(
        "--model",
        callback=_unless_demo(DEMO_MODEL, "dinov2_vits14"),
        show_default="dinov2_vits14; of demo weights theirs",
        is_eager=True,
        help="Architecture.",
    ),
    click.option(
        "--short-side",
        type=click.IntRange(1),
        callback=_short_side,
        show_default=f"224; of demo weights {DEMO_SHORT_SIDE}",
        metavar="PX",
    ),
    click.option(
        "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of every draw."
    ),
    click.option("--cache", type=FOLDER, metavar="DIR", help="Where computed features are kept."),
)
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
        type=click.FloatRange(0, min_open=True),
        default=0.001,
        show_default=True,
        help="Metres per step of a PNG.",
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
        type=click.FloatRange(0, min_open=True),
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


def backbone_options(function: Callback) -> Callback:
    """Model, weights, size, seed and cache."""
    return _with(function, _BACKBONE)


def scene_options(function: Callback) -> Callback:
    """Which rendered scenes."""
    return _with(function, _SCENES)


def mask_options(function: Callback) -> Callback:
    """Pictures with masks, or rendered scenes."""
    return _with(function, (*_MASKED, *_SCENES))


def depth_options(function: Callback) -> Callback:
    """Pictures with depth maps, or rendered scenes."""
    return _with(function, (*_MEASURED, *_SCENES))


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
        fps=given.get("fps", 5),
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


def frame_size(given: Mapping[str, Any]) -> FrameSize:
    """Of frames at the backbone that options name.

    Raises:
        UsageError: no such model.
    """
    from pipeline.media.frame_size import FrameSize

    return FrameSize(given["short_side"], architecture(given["model"]).patch)


def mask_items(given: Mapping[str, Any]) -> tuple[Sequence[DenseItem], LabelSet | None]:
    """What `mask_options` name: pictures with class ids, and what these mean where it is known.

    Raises:
        UsageError: not exactly one kind of data, or data that do not do.
    """
    from pipeline.fit.mask_labels import read_labels
    from pipeline.fit.pairs import pairs
    from pipeline.fit.truth_files import MaskFile
    from pipeline.synthetic.labels import LABELS

    if _kind(given, "masks") == "scenes":
        return scenes_of(given).items("segmentation", frame_size(given)), LABELS
    named = given.get("labels")  # only a fit asks: a head knows its own
    labels = named and read_labels(named, name=named.stem)
    return pairs(given["images"], given["masks"], MaskFile()), labels


def depth_items(given: Mapping[str, Any]) -> Sequence[DenseItem]:
    """What `depth_options` name: pictures with metres.

    Raises:
        UsageError: not exactly one kind of data, or data that do not do.
    """
    from pipeline.fit.pairs import pairs
    from pipeline.fit.truth_files import DepthFile

    if _kind(given, "depth") == "scenes":
        return scenes_of(given).items("depth", frame_size(given))
    return pairs(given["images"], given["depth"], DepthFile(given["depth_scale"]))


def cache_folder(given: Path | None) -> Path:
    """Where computed features are kept."""
    from operators.weights.download import default_cache_dir

    return given or default_cache_dir() / "features"


@contextmanager
def telling(command: str = "fit") -> Iterator[Tell]:
    """Progress of a command that has several parts, each with the time that it has left."""
    with countdown(command) as tell:

        def told(what: str, done: int, total: int) -> None:
            tell(done / total if total else None, f"{what} {done}/{total}")

        yield told


def _kind(given: Mapping[str, Any], partner: str) -> Literal["files", "scenes"]:
    if given["synthetic"] and not given["images"] and not given[partner]:
        return "scenes"
    if given["images"] and given[partner] and not given["synthetic"]:
        return "files"
    raise UsageError(f"give --images DIR and --{partner} DIR, or --synthetic SCENE and --seeds A:B")


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if not found:
        raise UsageError(f"--size takes WIDTHxHEIGHT, such as 640x360; got {text!r}")
    return int(found[1]), int(found[2])


def _with(function: Callback, options: Sequence[Callable[[Callback], Callback]]) -> Callback:
    for option in reversed(options):
        function = option(function)
    return function

"""How well a backbone finds the same thing again: a benchmark's pictures -> its numbers.

Beside them stand those of random weights and of a few pixels, because a benchmark may be easier
than it looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from operators.backbones.backbone import Backbone
from operators.errors import UsageError
from operators.frames import FrameBatch, FrameInfo
from operators.vector.embedding import unit_length
from pipeline.features.store import FeatureStore
from pipeline.media.frame_size import FrameSize
from pipeline.media.still import read_upright, scaled
from pipeline.search.revisited import PROTOCOLS, Ranks, Retrieved, Truth, retrieved
from pipeline.search.truth_file import Benchmark
from pipeline.vectors.nearest import cosines

PIXELS = "8x8 pixels"
_CELLS = 8
_TOGETHER = 64

Tell = Callable[[str, int, int], None]
"""What is worked on, how many pictures are done, and of how many."""
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Measured:
    """
    Attributes:
        what: what saw the pictures.
        protocols: easy, medium, hard -> numbers; those that no query asks for are not there.
        untrained: it has random weights.
    """

    what: str
    protocols: dict[str, Retrieved]
    untrained: bool = False


def by_backbone(
    benchmark: Benchmark, backbone: Backbone, cache: Path, *, short_side: int, tell: Tell
) -> Measured:
    """Of class tokens.

    Args:
        benchmark: pictures and truths.
        backbone: from `open_backbone`.
        cache: where features are kept.
        short_side: of pictures, pixels.
        tell: hears how far it is.

    Raises:
        SourceError: a picture cannot be read; names the file.
        UsageError: what is asked for lies outside of its picture.
    """
    name, paths = backbone.loaded.name, list(benchmark.gallery)
    with closing(FeatureStore(cache, backbone, short_side=short_side)) as store:
        for first in range(0, len(paths), _TOGETHER):
            store.compute_images(paths[first : first + _TOGETHER])
            tell(name, min(first + _TOGETHER, len(paths)), len(paths))
        gallery = np.stack([unit_length(store.image(path).cls[0, -1]) for path in paths])
    size = FrameSize(short_side, backbone.loaded.model.architecture.patch)
    queries = list(_asked(benchmark, backbone, size))
    measured = _measured(name, gallery, queries, benchmark.truths)
    return replace(measured, untrained=backbone.loaded.untrained)


def by_pixels(benchmark: Benchmark) -> Measured:
    """Of the mean colours of a few cells, less the picture's own; errors as of `by_backbone`."""
    gallery = np.stack([_cells(read_upright(path)) for path in benchmark.gallery])
    asked = zip(benchmark.queries, benchmark.truths, strict=True)
    queries = [_cells(cut_out(path, truth)) for path, truth in asked]
    return _measured(PIXELS, gallery, queries, benchmark.truths)


def cut_out(path: Path, truth: Truth) -> NDArray[np.uint8]:
    """What is asked for of a query's picture, RGB uint8 `[H, W, 3]`.

    Raises:
        SourceError: the picture cannot be read; names the file.
        UsageError: it lies outside of it.
    """
    rgb = read_upright(path)
    if truth.box is None:
        return rgb
    left, top, right, bottom = (max(0, round(side)) for side in truth.box)
    part = rgb[top:bottom, left:right]
    if not part.size:
        raise UsageError(f"{path} is {rgb.shape[1]}x{rgb.shape[0]}, bbx {truth.box} is outside")
    return part


def _asked(benchmark: Benchmark, backbone: Backbone, size: FrameSize) -> Iterator[Vectors]:
    infos = (FrameInfo.of_picture(),)
    for path, truth in zip(benchmark.queries, benchmark.truths, strict=True):
        pixels = scaled(cut_out(path, truth), size)
        features = backbone(FrameBatch(infos, pixels[None]))
        yield unit_length(features.cls[0].float().cpu().numpy())


def _measured(
    what: str, gallery: Vectors, queries: Sequence[Vectors], truths: Sequence[Truth]
) -> Measured:
    halves = gallery.astype(np.float16)
    rankings = [_ranking(halves, query) for query in queries]
    asked = {
        name: protocol
        for name, protocol in PROTOCOLS.items()
        if any(protocol.numbers(truth)[0] for truth in truths)
    }
    return Measured(what, {name: retrieved(rankings, truths, one) for name, one in asked.items()})


def _ranking(gallery: NDArray[np.float16], query: Vectors) -> Ranks:
    """Of equal pictures the one with the lower number first."""
    return np.argsort(-cosines(gallery, query.astype(np.float16)), kind="stable")


def _cells(rgb: NDArray[np.uint8]) -> Vectors:
    small = Image.fromarray(rgb).resize((_CELLS, _CELLS), Image.Resampling.BOX)
    cells = np.asarray(small, np.float32).ravel()
    centred = cells - cells.mean()
    return unit_length(centred) if centred.any() else centred

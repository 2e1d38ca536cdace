"""Depth, classes, components and anomalies as pictures on a sheet, with what they mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from operators.segmentation.labelsets import LabelSet
from pipeline.drawing.canvas import Canvas
from pipeline.drawing.legend import (
    BAR_WIDTH,
    amount_bar,
    named_shares,
    order_bar,
    scale_bar,
    swatches,
)
from pipeline.drawing.palette import NOTHING, amount_colours, class_colours, depth_colours
from pipeline.drawing.scale import round_scale
from pipeline.records.payloads import anomaly_map, class_ids, depth_map, rgb_pixels
from pipeline.records.record import Message
from pipeline.render.layout import Cell
from pipeline.render.panel import Pixels, laid_over
from pipeline.render.survey import Found
from pipeline.render.track import Track

OVER = {"depth": 0.6, "segmentation": 0.5, "pca": 0.65, "anomaly": 0.6}  # share of a map in a blend
_LINE = 21  # of a legend
_INDENT = 12  # of a scale: its first number is centred below its end
_CLASSES = 7  # with a colour of their own: two lines of names in a narrow column
_LEAST_RANGE = 0.01  # of distances: below, a scale would show noise alone
_PCA_SAYS = ("alike in colour: alike to the backbone", "black: background, by the first component")


class MapPanel:
    """A record's map, kept as colours until the next one."""

    title: str
    note: str
    smooth = True

    def __init__(self, track: Track, *, blend: bool) -> None:
        """
        Args:
            track: the topic's records.
            blend: lay it over the frame instead of standing alone.
        """
        self._track = track
        self._share = OVER[self.title] if blend else 1.0
        self._shown: Message | None = None
        self._colours: Pixels | None = None

    def picture(self, moment_us: int, frame: Pixels, began_us: int) -> Pixels:
        """The map that holds now."""
        message = self._track.at(moment_us)
        if message is not self._shown:
            self._shown = message
            self._colours = None if message is None else self.colours(message)
        return laid_over(self._colours, frame, self._share, smooth=self.smooth)

    def colours(self, message: Message) -> Pixels:
        """A record's map in colours, RGB uint8 `[h, w, 3]`."""
        raise NotImplementedError


class DepthPanel(MapPanel):
    """Near is bright, far is dark, on one scale from the first frame to the last."""

    title = "depth"

    def __init__(self, track: Track, found: Found, *, blend: bool) -> None:
        super().__init__(track, blend=blend)
        self._metric = found.headers.get("ce_depthkind") == "metric"
        low, high = _range([depth_map(message).values for message in found.samples])
        self._marks = round_scale(low, high) if self._metric else [low, high]
        self.note = f"{'metres' if self._metric else 'relative disparity, no unit'}, near is bright"

    def draw_legend(self, canvas: Canvas, cell: Cell) -> None:
        """The scale: metres, or far and near."""
        place = (cell.left + _INDENT, cell.top + cell.height + 8)
        width = min(BAR_WIDTH, cell.right - cell.left - 2 * _INDENT - 40)
        if self._metric:
            scale_bar(canvas, place, self._marks, width=width)
        else:
            order_bar(canvas, place, width=width)

    def colours(self, message: Message) -> Pixels:
        """On the film's scale."""
        return depth_colours(depth_map(message).values, *self._ends)

    @property
    def _ends(self) -> tuple[float, float]:
        """The values that are brightest and darkest: of disparity the large ones are near."""
        low, high = self._marks[0], self._marks[-1]
        return (low, high) if self._metric else (high, low)


class SegmentationPanel(MapPanel):
    """The classes that cover most in colours of their own, the others grey."""

    title = "segmentation"
    smooth = False

    def __init__(self, track: Track, found: Found, labels: LabelSet, *, blend: bool) -> None:
        super().__init__(track, blend=blend)
        self.note = f"classes of {labels.name}, and their shares of the film"
        names = [label.name for label in labels.labels]
        shares = _shares([class_ids(message) for message in found.samples], names)
        colours = class_colours(list(shares)[:_CLASSES])
        self._table = np.array([colours.get(name, NOTHING) for name in names], np.uint8)
        self._entries = named_shares(shares, colours)

    def draw_legend(self, canvas: Canvas, cell: Cell) -> None:
        """Names in two lines."""
        top = cell.top + cell.height + _LINE
        swatches(canvas, (cell.left, top), self._entries, right=cell.right, lines=2)

    def colours(self, message: Message) -> Pixels:
        """By the film's table."""
        ids = np.minimum(class_ids(message), len(self._table) - 1)
        coloured: Pixels = self._table[ids]
        return coloured


class PcaPanel(MapPanel):
    """Colours as they were published."""

    title = "pca"
    note = "first three components of the patch features"

    def draw_legend(self, canvas: Canvas, cell: Cell) -> None:
        """What black and colours say."""
        for line, text in enumerate(_PCA_SAYS):
            canvas.text((cell.left, cell.top + cell.height + (line + 1) * _LINE), text, 15)

    def colours(self, message: Message) -> Pixels:
        """The record is a picture already."""
        return rgb_pixels(message)


class AnomalyPanel(MapPanel):
    """What is unusual is bright, on one scale from the first frame to the last."""

    title = "anomaly"
    note = "distance to the nearest that is usual there"

    def __init__(self, track: Track, found: Found, *, blend: bool) -> None:
        super().__init__(track, blend=blend)
        highest = max(float(anomaly_map(message).max()) for message in found.samples)
        self._marks = round_scale(0.0, max(highest, _LEAST_RANGE))

    def draw_legend(self, canvas: Canvas, cell: Cell) -> None:
        """The scale."""
        place = (cell.left + _INDENT, cell.top + cell.height + 8)
        width = min(BAR_WIDTH, cell.right - cell.left - 2 * _INDENT)
        amount_bar(canvas, place, self._marks, width=width)

    def colours(self, message: Message) -> Pixels:
        """On the film's scale."""
        return amount_colours(anomaly_map(message), self._marks[0], self._marks[-1])


def _shares(maps: Sequence[NDArray[np.uint8]], names: Sequence[str]) -> dict[str, float]:
    """Name -> share of the maps, largest first."""
    counts = np.zeros(256)
    for ids in maps:
        counts += np.bincount(ids.ravel(), minlength=256) / (ids.size * len(maps))
    order = [number for number in np.argsort(-counts, kind="stable") if counts[number]]
    return {names[number]: float(counts[number]) for number in order if number < len(names)}


def _range(maps: Sequence[NDArray[np.float32]]) -> tuple[float, float]:
    """Without the outermost hundredth, which would flatten the rest."""
    known = np.concatenate([values[np.isfinite(values)] for values in maps])
    if not known.size:
        return 0.0, 1.0
    low, high = np.percentile(known, (1, 99))
    return float(low), float(max(high, low + 1e-3))

"""Cameras' views that are spoilt, and what only looks like it: which of both `tamper` tells.

    python -m benchmarks.tamper CLIP... [--model dinov2_vitti14] [--weights demo] [--short-side 112]

Clips of cameras that stand still are played to and fro: CLEAN_S as they were filmed, SPOILT_S with
exactly one thing done to every frame, CLEAN_S again. Of what is done to a view, an episode of its
kind has to be told, and no other; of rain, light and lorries, none.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from operators.backbones.backbone import Backbone
from operators.frames import FrameBatch, FrameInfo
from operators.result import Result
from operators.tamper.operator import Patience, Tamper
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.features.backbone import open_backbone
from pipeline.features.footage import Footage
from pipeline.stream.chunk import Frames

FPS = 5
CLEAN_S, SPOILT_S = 25, 25
MARGIN = 0.15  # of each side, that a camera which is moved comes to see

Picture = NDArray[np.uint8]
Spoil = Callable[[Picture, float], Picture]
"""A whole picture and the seconds since it began -> what the camera sees, margins cut off."""


def view(picture: Picture, across: float = 0.0, down: float = 0.0) -> Picture:
    """What a camera sees of a picture: all but margins, from -1 to 1 of them beside its place."""
    height, width = picture.shape[:2]
    top, left = (round(side * MARGIN) for side in (height, width))
    y, x = round(top * (1 + down)), round(left * (1 + across))
    return picture[y : y + height - 2 * top, x : x + width - 2 * left]


def turned(picture: Picture, _: float) -> Picture:
    return view(np.asarray(Image.fromarray(picture).rotate(12, Image.Resampling.BICUBIC)))


def blurred(picture: Picture, _: float) -> Picture:
    radius = min(picture.shape[:2]) / 100
    return view(np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius))))


def hand(picture: Picture, second: float) -> Picture:
    """Skin close to the lens: a little of the light comes through, and the sensor's noise stays."""
    seen = view(picture)
    blur = ImageFilter.GaussianBlur(min(seen.shape[:2]) / 5)
    through = np.asarray(Image.fromarray(seen).filter(blur)) * 0.3 + (90, 60, 50)
    return _noisy(through, second)


def sheet(picture: Picture, second: float) -> Picture:
    return _noisy(np.full(view(picture).shape, 60.0), second)


def _noisy(light: NDArray[np.float64], second: float) -> Picture:
    draw = np.random.default_rng(int(second * 1000))
    return _picture(light + draw.normal(0, 3, light.shape))


def _picture(light: NDArray[Any]) -> Picture:
    clipped: Picture = light.clip(0, 255).astype(np.uint8)
    return clipped


def lamp(picture: Picture, _: float) -> Picture:
    """Switched on at the right: darker on the left, brighter there, at once."""
    seen = view(picture)
    return _picture(seen * np.linspace(0.7, 1.4, seen.shape[1])[:, None])


def dusk(picture: Picture, second: float) -> Picture:
    return _picture(view(picture) * (1 - 0.6 * min(1, second / SPOILT_S)))


def rain(picture: Picture, second: float) -> Picture:
    seen = view(picture) * 0.8 + 30.0
    draw = np.random.default_rng(int(second * 1000))
    length = seen.shape[0] // 12
    for _ in range(150):
        y, x = draw.integers(seen.shape[0] - length), draw.integers(seen.shape[1])
        seen[y : y + length, x] += 60
    return _picture(seen)


def lorry(picture: Picture, second: float) -> Picture:
    """It hides seven tenths of the view's width, and is through after 4 s."""
    seen = view(picture).copy()
    height, width = seen.shape[:2]
    front = int(width * 1.7 * second / 4)
    seen[height // 8 :, max(0, front - int(0.7 * width)) : min(front, width)] = (150, 140, 120)
    return seen


SPOILT: dict[str, tuple[str, Spoil | None]] = {
    "shifted by 15 %": ("moved", lambda picture, _: view(picture, 1, 1)),
    "turned by 12 degrees": ("moved", turned),
    "a hand before it": ("covered", hand),
    "a sheet before it": ("covered", sheet),
    "out of focus": ("defocused", blurred),
    "overexposed": ("blinded", lambda picture, _: _picture(view(picture) * 4.0 + 120)),
    "in the dark": ("blinded", lambda picture, _: _picture(view(picture) * 0.03)),
    "frozen": ("frozen", None),
}
"""What is done to a view -> the kind that has to be told."""
HARMLESS: dict[str, Spoil] = {
    "as it was filmed": lambda picture, _: view(picture),
    "a lamp switched on": lamp,
    "dusk within 25 s": dusk,
    "rain": rain,
    "a lorry passes": lorry,
}


@dataclass(frozen=True, slots=True)
class Told:
    """Of one trial: kinds, and seconds from what was done until it was told; None: never."""

    kinds: tuple[str, ...]
    delay_s: float | None


class Trial:
    """A backbone and the operator, and clips in memory."""

    def __init__(
        self,
        backbone: Backbone,
        patience: Patience,
        *,
        clean_s: int = CLEAN_S,
        spoilt_s: int = SPOILT_S,
    ) -> None:
        self._backbone = backbone
        self._patience = patience
        self._clean_s, self._spoilt_s = clean_s, spoilt_s
        self._clean: dict[int, list[NDArray[Any]]] = {}

    def run(self, pictures: Sequence[Picture], spoil: Spoil | None) -> Told:
        """Play a clip, and do one thing to it; None: it stands still."""
        tamper = Tamper(patience=self._patience)
        results: list[Result] = []
        begin, end = self._clean_s * FPS, (self._clean_s + self._spoilt_s) * FPS
        order = list(to_and_fro(len(pictures), end + self._clean_s * FPS))
        if spoil is None:
            order[begin:end] = [order[begin - 1]] * (end - begin)
        for number, index in enumerate(order):
            if spoil is not None and begin <= number < end:
                numbers = self._numbers(tamper, spoil(pictures[index], (number - begin) / FPS))
            else:
                numbers = self._as_filmed(tamper, pictures, index)
            results += tamper.say(_info(number), *numbers)
        results += tamper.reset("cam", "end")
        return _told(results, self._clean_s)

    def forget(self) -> None:
        """Another clip comes."""
        self._clean.clear()

    def _as_filmed(
        self, tamper: Tamper, pictures: Sequence[Picture], index: int
    ) -> list[NDArray[Any]]:
        if index not in self._clean:
            self._clean[index] = self._numbers(tamper, view(pictures[index]))
        return self._clean[index]

    def _numbers(self, tamper: Tamper, seen: Picture) -> list[NDArray[Any]]:
        patch = self._backbone.loaded.model.architecture.patch
        height, width = (side // patch * patch for side in seen.shape[:2])
        size = (width, height)
        pixels = np.asarray(Image.fromarray(seen).resize(size, Image.Resampling.BILINEAR))
        features = self._backbone(FrameBatch((FrameInfo.of_picture(),), pixels[None]))
        return [np.asarray(one[0]).copy() for one in tamper.computed(features, slice(0, 1))]


def to_and_fro(count: int, frames: int) -> Iterator[int]:
    """0, 1, ... count - 1, count - 2, ... 1, 0, 1, ..."""
    turn = [*range(count), *range(count - 2, 0, -1)]
    return islice(cycle(turn), frames)


def _info(number: int) -> FrameInfo:
    info = FrameInfo.of_picture((360, 640))
    return replace(
        info, stream="cam", position=str(number), event_time_us=number * 1_000_000 // FPS
    )


def _told(results: Sequence[Result], clean_s: int) -> Told:
    said = [json.loads(one.data) for one in results if one.operator == "tamper.episodes"]
    views = [json.loads(one.data) for one in results if one.operator == "tamper"]
    first = next((n for n, one in enumerate(views) if one["view"] not in (None, "clear")), None)
    delay_s = None if first is None else first / FPS - clean_s
    return Told(tuple(one["kind"] for one in said), delay_s)


def pictures_of(clip: str, short_side: int) -> list[Picture]:
    """What a run decodes of a clip, with margins around what the camera is to see."""
    whole = round(short_side / (1 - 2 * MARGIN))
    config = resolve(None, {"sources": [clip], "sampling": {"fps": FPS}, "short_side": whole})
    (spec,) = stream_specs(config, live=False)
    footage = Footage()
    try:
        entries = [one for one in footage.entries(spec) if isinstance(one, Frames)]
    finally:
        footage.close()
    if not entries:
        raise SystemExit(f"{clip}: no frame can be decoded")
    return [picture for one in entries for picture in one.pixels]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("clips", nargs="+", metavar="CLIP")
    options.add_argument("--model", default="dinov2_vitti14")
    options.add_argument("--weights", default="demo")
    options.add_argument("--short-side", type=int, default=112)
    given = options.parse_args()
    trial = Trial(open_backbone(given.model, given.weights), Patience())
    told: dict[str, list[Told]] = {name: [] for name in (*SPOILT, *HARMLESS)}
    for clip in given.clips:
        pictures = pictures_of(clip, given.short_side)
        trial.forget()
        done = {name: spoil for name, (_, spoil) in SPOILT.items()} | HARMLESS
        for name, spoil in done.items():
            told[name].append(trial.run(pictures, spoil))
        print(clip, len(pictures), {name: found[-1] for name, found in told.items()}, flush=True)
    _report(told)


def _report(told: dict[str, list[Told]]) -> None:
    for name, (kind, _) in SPOILT.items():
        right = [one for one in told[name] if one.kinds == (kind,)]
        other = sorted({k for one in told[name] for k in one.kinds if one not in right})
        delays = [one.delay_s for one in right if one.delay_s is not None]
        median = f"{np.median(delays):.1f} s" if delays else "-"
        print(f"| {name} | {kind} | {len(right)} of {len(told[name])} | {median} | {other} |")
    for name in HARMLESS:
        alarms = [kind for one in told[name] for kind in one.kinds]
        hours = len(told[name]) * (2 * CLEAN_S + SPOILT_S) / 3600
        print(f"| {name} | nothing | {len(alarms)} in {hours:.2f} h | {alarms} |")


if __name__ == "__main__":
    main()

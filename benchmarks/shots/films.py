"""Films whose cuts are known: stretches of real clips, one behind the other, with what looks like a
cut and is none in the midst of them.

Pictures of clips and a seed in -> a film's pictures and its truth. Each stretch is of one clip that
has no cut of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FPS = 25
WIDTH, HEIGHT = 320, 180
STRETCH_FRAMES = (20, 80)
DISSOLVE_FRAMES = (10, 25)
FADE_FRAMES = (8, 16)  # from a picture to black, and as many back
KINDS = {"cut": 0.7, "dissolve": 0.15, "fade": 0.15}
"""How one stretch becomes the next, and how often."""
UPSETS = ("none", "none", "none", "flash", "lamp", "shake", "pan")
"""What happens within a stretch, each as often as it stands here."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Change:
    """From one stretch to the next.

    Attributes:
        kind: one of `KINDS`.
        first, last: frames at which a new shot may be said to begin; of a cut there is one.
    """

    kind: str
    first: int
    last: int


@dataclass(slots=True)
class Film:
    """What is shown, where it changes, and of each frame what upsets the stretch that it is of."""

    pictures: list[Picture] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    upsets: list[str] = field(default_factory=list)


def made(
    clips: Sequence[Sequence[Picture]], stretches: int, seed: int, *, calm: bool = False
) -> Film:
    """A film of so many stretches.

    Args:
        clips: pictures of each, uint8 RGB `[H, W, 3]`.
        stretches: two neighbours are of two clips.
        seed: of all that is drawn.
        calm: nothing upsets a stretch.
    """
    draw = np.random.default_rng(seed)
    film, before = Film(), -1
    for number in range(stretches):
        clip = int(draw.choice([one for one in range(len(clips)) if one != before]))
        upset = "none" if calm else str(draw.choice(UPSETS))
        pictures = list(_stretch(clips[clip], upset, draw))
        kind = str(draw.choice([*KINDS], p=[*KINDS.values()])) if number else ""
        _append(film, pictures, kind, draw)
        film.upsets += [upset] * (len(film.pictures) - len(film.upsets))
        before = clip
    return film


def _append(film: Film, pictures: list[Picture], kind: str, draw: np.random.Generator) -> None:
    shown = film.pictures
    if kind == "cut":
        film.changes.append(Change(kind, len(shown), len(shown)))
    elif kind == "dissolve":
        frames = min(int(draw.integers(*DISSOLVE_FRAMES)), len(shown), len(pictures) // 2)
        old, shown[-frames:] = shown[-frames:], []
        film.changes.append(Change(kind, len(shown), len(shown) + frames))
        for step, (one, other) in enumerate(zip(old, pictures, strict=False), start=1):
            shown.append(_mixed(one, other, step / (frames + 1)))
        pictures = pictures[frames:]
    elif kind == "fade":
        frames = min(int(draw.integers(*FADE_FRAMES)), len(shown), len(pictures) // 2)
        black = np.zeros_like(pictures[0])
        for step in range(1, frames + 1):
            shown[-step] = _mixed(black, shown[-step], (step - 1) / frames)
            pictures[step - 1] = _mixed(black, pictures[step - 1], (step - 1) / frames)
        film.changes.append(Change(kind, len(shown) - frames, len(shown) + frames))
    shown += pictures


def _mixed(one: Picture, other: Picture, share: float) -> Picture:
    """So much of the other."""
    return (one * (1 - share) + other * share + 0.5).astype(np.uint8)


def _stretch(clip: Sequence[Picture], upset: str, draw: np.random.Generator) -> Iterator[Picture]:
    """Frames of a clip from some moment on, and what upsets them."""
    frames = min(len(clip), int(draw.integers(*STRETCH_FRAMES)))
    first = int(draw.integers(0, len(clip) - frames + 1))
    at, lasts = int(draw.integers(8, max(9, frames - 12))), int(draw.integers(1, 4))
    shake = draw.uniform(-0.06, 0.06, (frames, 2))
    for number, picture in enumerate(clip[first : first + frames]):
        left, top, part = 0.0, 0.0, 1.0
        if upset == "shake":
            left, top, part = *(0.1 + shake[number]), 0.8
        elif upset == "pan":
            left, top, part = 0.5 * float(np.clip((number - at) / 8, 0, 1)), 0.25, 0.5
        seen = _window(picture, left, top, part)
        if upset == "flash" and at <= number < at + lasts:
            seen = _lit(seen, lambda light: light * 0.5 + 140)
        elif upset == "lamp" and number >= at:
            seen = _lit(seen, lambda light: light * 1.5 + 12)
        yield seen


def _window(picture: Picture, left: float, top: float, part: float) -> Picture:
    """A part of a picture in the film's shape, from its upper left corner; shares of its sides."""
    height, width = picture.shape[:2]
    tall = min(height, width * HEIGHT / WIDTH)
    wide = tall * WIDTH / HEIGHT
    x = (width - wide) / 2 + left * wide
    y = (height - tall) / 2 + top * tall
    box = (x, y, x + part * wide, y + part * tall)
    resized = Image.fromarray(picture).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR, box)
    return np.asarray(resized)


def _lit(picture: Picture, light: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Picture:
    lit: Picture = light(picture.astype(np.float64)).clip(0, 255).astype(np.uint8)
    return lit

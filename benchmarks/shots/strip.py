"""The picture of docs/shots.md: `python -m benchmarks.shots.strip -o docs/pictures/shots.png`.

Two rendered scenes, one cut off from the other, one lit by a flash, one faded into the other: the
frames around each, with what is found in the film that they make.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.shots.__main__ import ours
from benchmarks.shots.films import FPS, HEIGHT, WIDTH, Picture
from pipeline.drawing.canvas import Canvas
from pipeline.media.encode import write_clip
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import parse_scene_uri

SCENES = ("room?seed=3", "street?seed=5")
FRAMES = 50  # of a scene, each time
SHOWN = 8  # frames of a row
CUT, FLASH, FADE = FRAMES, FRAMES + FRAMES // 2, 2 * FRAMES
FADES = 12  # frames down to black, and as many up
GAP, HEAD = 4, 22  # pixels
_MARK = (214, 39, 40)


def film() -> list[Picture]:
    """A cut, a flash of two frames, a fade."""
    room, street = (_rendered(name) for name in SCENES)
    lit = [
        _mixed(np.full_like(picture, 255), picture, 0.4) if FLASH <= number < FLASH + 2 else picture
        for number, picture in enumerate(street, start=CUT)
    ]
    shown = [*room, *lit, *room]
    for step in range(FADES + 1):
        for number in (FADE - step, FADE + step):
            shown[number] = _mixed(shown[number], np.zeros_like(shown[number]), step / FADES)
    return shown


def _rendered(name: str) -> list[Picture]:
    text = f"synthetic:{name}&seconds=4&fps={FPS}&size={WIDTH}x{HEIGHT}"
    scene = open_scene(parse_scene_uri(text))
    return [scene.render(number).rgb for number in range(FRAMES)]


def _mixed(one: Picture, other: Picture, share: float) -> Picture:
    """So much of the first."""
    return (one * share + other * (1 - share)).astype(np.uint8)


def drawn(pictures: Sequence[Picture], found: Sequence[int]) -> Image.Image:
    """Frames around each change; where a shot is said to begin, there is a bar before its first."""
    wide, high = WIDTH // 2, HEIGHT // 2
    rows = {
        "A cut": range(CUT - SHOWN // 2, CUT + SHOWN // 2),
        "A flash of two frames": range(FLASH - 3, FLASH + 5),
        "A fade, every third frame": range(FADE - 12, FADE + 12, 3),
    }
    total = len(rows) * (high + 2 * HEAD)
    canvas = Canvas(SHOWN * (wide + GAP) + GAP, total)
    for row, (name, numbers) in enumerate(rows.items()):
        top = row * (high + 2 * HEAD) + HEAD
        canvas.text((GAP, top - 6), name, 13, bold=True)
        for column, number in enumerate(numbers):
            left = GAP + column * (wide + GAP)
            picture = Image.fromarray(pictures[number])
            canvas.paste(picture, (left, top, left + wide, top + high))
            begins = [one for one in found if number - numbers.step < one <= number]
            said = f"{number}: a shot from {begins[0]} on" if begins else str(number)
            canvas.text((left, top + high + 15), said, 12, bold=bool(begins))
            if begins:
                canvas.rectangle((left - GAP, top, left, top + high), _MARK)
    return canvas.finish(total)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("-o", "--out", type=Path, required=True, metavar="PNG")
    given = options.parse_args()
    pictures = film()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        write_clip(path, pictures, fps=FPS)
        found = ours(path)
    few = drawn(pictures, found).quantize(128, dither=Image.Dither.NONE)
    few.save(given.out, optimize=True)


if __name__ == "__main__":
    main()

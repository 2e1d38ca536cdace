"""Frozen features, then an SVM, boosted trees, nearest neighbours: the usual Food-101 walk-through.

Draws pictures of ten made-up dishes, fits one head with each classifier, prints accuracy and F1.
docs/fit.md tells of it. Nothing is fetched. Run: python benchmarks/dishes.py --weights demo
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 224
CLASSIFIERS = ("linear", "logistic", "svm", "xgboost", "knn")

Draw = ImageDraw.ImageDraw
Dice = np.random.Generator


def colour(dice: Dice, red: int, green: int, blue: int, spread: int = 35) -> tuple[int, ...]:
    """A colour near this one."""
    jitter = dice.integers(-spread, spread + 1, 3)
    return tuple(np.clip(np.array([red, green, blue]) + jitter, 0, 255).tolist())


def spots(draw: Draw, dice: Dice, count: int, size: tuple[int, int], rgb: tuple[int, ...]) -> None:
    """Ellipses anywhere on the plate."""
    for _ in range(count):
        angle, reach = dice.uniform(0, 2 * np.pi), 60 * np.sqrt(dice.uniform())
        x, y = SIDE / 2 + reach * np.cos(angle), SIDE / 2 + reach * np.sin(angle)
        wide, high = dice.uniform(*size), dice.uniform(*size)
        box = (x - wide, y - high, x + wide, y + high)
        draw.ellipse(box, fill=colour(dice, *rgb), outline=colour(dice, 60, 50, 40))


def disc(draw: Draw, radius: float, fill: tuple[int, ...], middle: float = SIDE / 2) -> None:
    """A circle on the middle of the plate."""
    draw.ellipse((middle - radius, middle - radius, middle + radius, middle + radius), fill=fill)


def pizza(draw: Draw, dice: Dice) -> None:
    disc(draw, 72, colour(dice, 200, 140, 60))
    disc(draw, 64, colour(dice, 230, 190, 90))
    spots(draw, dice, 9, (8, 11), (190, 50, 40))


def salad(draw: Draw, dice: Dice) -> None:
    spots(draw, dice, 45, (6, 22), (90, 160, 60))
    spots(draw, dice, 5, (7, 9), (210, 60, 50))


def soup(draw: Draw, dice: Dice) -> None:
    disc(draw, 70, colour(dice, 200, 120, 50, 60))
    spots(draw, dice, 4, (3, 5), (70, 140, 50))


def noodles(draw: Draw, dice: Dice) -> None:
    for _ in range(40):
        box = np.sort(dice.uniform(45, SIDE - 45, (2, 2)), axis=0).ravel().tolist()
        first = dice.uniform(0, 360)
        draw.arc(box, first, first + 200, fill=colour(dice, 225, 195, 110), width=4)


def rice(draw: Draw, dice: Dice) -> None:
    spots(draw, dice, 320, (2, 4), (225, 220, 205))


def cake(draw: Draw, dice: Dice) -> None:
    for layer in range(4):
        shade = colour(dice, 120, 70, 40) if layer % 2 else colour(dice, 240, 215, 190)
        top = 70 + 22 * layer
        draw.polygon([(60, top), (165, top), (165, top + 22), (60, top + 22)], fill=shade)


def pancakes(draw: Draw, dice: Dice) -> None:
    for layer in range(5):
        box = (50, 120 - 13 * layer, 175, 175 - 13 * layer)
        draw.ellipse(box, fill=colour(dice, 205, 150, 80), outline=(120, 80, 40))


def fruit(draw: Draw, dice: Dice) -> None:
    for rgb in ((220, 60, 50), (240, 160, 40), (110, 60, 140), (150, 200, 60)):
        spots(draw, dice, 3, (13, 19), rgb)


def sushi(draw: Draw, dice: Dice) -> None:
    for row in (80, 125):
        for column in (55, 95, 135):
            box = (column, row, column + 32, row + 26)
            draw.rounded_rectangle(
                box, 6, fill=colour(dice, 235, 235, 230), outline=(20, 30, 20), width=4
            )
            draw.ellipse(
                (column + 10, row + 7, column + 22, row + 19), fill=colour(dice, 235, 120, 80)
            )


def eggs(draw: Draw, dice: Dice) -> None:
    for column in (85, 135):
        disc(draw, dice.uniform(32, 40), colour(dice, 245, 240, 225, 10), column)
        disc(draw, dice.uniform(11, 16), colour(dice, 245, 190, 50), column)


DISHES: tuple[Callable[[Draw, Dice], None], ...] = (
    *(pizza, salad, soup, noodles, rice),
    *(cake, pancakes, fruit, sushi, eggs),
)


def picture(dish: Callable[[Draw, Dice], None], dice: Dice) -> Image.Image:
    """One dish on a plate on a table: turned, lit and seen from somewhere."""
    table = np.full((SIDE, SIDE, 3), colour(dice, 130, 110, 95, 70))
    grain = dice.normal(0, 12, (SIDE, 1, 1)) + dice.normal(0, 6, (SIDE, SIDE, 1))
    image = Image.fromarray(np.clip(table + grain, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    disc(draw, 100, colour(dice, 215, 215, 215, 40))
    disc(draw, 86, colour(dice, 230, 230, 230, 25))
    dish(draw, dice)
    image = image.rotate(
        dice.uniform(0, 360), Image.Resampling.BILINEAR, fillcolor=tuple(table[0, 0])
    )
    crop = dice.uniform(0, 40, 4)
    image = image.crop((*crop[:2].tolist(), *(SIDE - crop[2:]).tolist())).resize((SIDE, SIDE))
    lit = np.asarray(image.filter(ImageFilter.GaussianBlur(dice.uniform(0, 1.5))), np.float64)
    lit = lit * dice.uniform(0.55, 1.25) + dice.normal(0, 8, lit.shape)
    return Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))


def draw_all(folder: Path, each: int) -> None:
    """So many pictures of every dish, in a folder of its own."""
    for number, dish in enumerate(DISHES):
        place = folder / dish.__name__
        place.mkdir(parents=True, exist_ok=True)
        for index in range(each):
            dice = np.random.default_rng([number, index])
            picture(dish, dice).save(place / f"{index:03}.jpg", quality=90)


def fitted(folder: Path, classifier: str, options: list[str]) -> dict[str, object] | None:
    """What `dinostream fit classify` says; None where the classifier is not installed."""
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "--log-level",
        "error",
        "fit",
        "classify",
        "--json",
    ]
    command += ["--images", str(folder / "pictures"), "--classifier", classifier]
    command += ["--cache", str(folder / "cache"), "-o", str(folder / f"{classifier}.safetensors")]
    done = subprocess.run([*command, *options], stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else None


def main() -> None:
    """Draw, fit, tell."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--folder", type=Path, default=Path("results/dishes"))
    arguments.add_argument("--each", type=int, default=40, help="pictures of each dish")
    arguments.add_argument("--model", default="dinov2_vitti14")
    arguments.add_argument("--weights", default="demo")
    arguments.add_argument("--short-side", default="112")
    given = arguments.parse_args()
    draw_all(given.folder / "pictures", given.each)
    options = ["--model", given.model, "--weights", given.weights, "--short-side", given.short_side]
    print(f"{'classifier':<12}{'accuracy':>10}{'F1':>8}   chosen on validation")
    for classifier in CLASSIFIERS:
        report = fitted(given.folder, classifier, options)
        if report is None:
            print(f"{classifier:<12}  could not be fitted, see above")
            continue
        metrics, chosen = report["metrics"], report["trained"]["chosen"]
        print(f"{classifier:<12}{metrics['top1']['value']:>10.3f}{metrics['f1']:>8.3f}   {chosen}")


if __name__ == "__main__":
    main()

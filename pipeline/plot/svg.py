"""A drawing: shapes and text in -> one SVG document out, the same bytes for the same calls.

Paper, ink and lines follow the reader's light or dark scheme. Colours of data are those of every
other picture, so whatever has one is outlined in ink. Knows nothing of charts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from pipeline.drawing.palette import GREY, INK, PAPER, RGB, RULE, WARNING

Point = tuple[float, float]

_DARK: Mapping[str, RGB] = {
    "paper": (17, 20, 27),
    "ink": (229, 231, 235),
    "grey": (156, 163, 175),
    "rule": (55, 61, 73),
    "warning": (251, 191, 36),
}
_LIGHT: Mapping[str, RGB] = {
    "paper": PAPER,
    "ink": INK,
    "grey": GREY,
    "rule": RULE,
    "warning": WARNING,
}
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CHAR_WIDTH = 0.6  # of a letter's size; whoever reads has a font of their own


class Drawing:
    """One picture. Places are pixels from the left and the top; `role` is one of paper, ink, grey,
    rule and warning."""

    def __init__(self, width: float, height: float, title: str, description: str) -> None:
        """
        Args:
            width, height: pixels.
            title, description: for whoever does not see it.
        """
        size = {"width": _number(width), "height": _number(height)}
        box = {"viewBox": f"0 0 {size['width']} {size['height']}"}
        spoken = {"role": "img", "aria-labelledby": "title description"}
        self._root = ElementTree.Element(
            "svg", {"xmlns": "http://www.w3.org/2000/svg", **size, **box, **spoken}
        )
        self._add("title", {"id": "title"}).text = clean(title)
        self._add("desc", {"id": "description"}).text = clean(description)
        self._add("style", {}).text = _style()
        self._add("rect", {"class": "paper", **size})

    def text(
        self,
        place: Point,
        text: str,
        size: float = 12,
        *,
        role: str = "ink",
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        """A line of text.

        Args:
            place: of its baseline.
            size: of its letters, pixels.
            anchor: what of it is there: start, middle or end.
        """
        x, y = place
        look = {"class": role, "font-size": _number(size), "text-anchor": anchor}
        weight = {"font-weight": "600"} if bold else {}
        place_of = {"x": _number(x), "y": _number(y)}
        self._add("text", {**place_of, **look, **weight}).text = clean(text)

    def rule(self, begin: Point, end: Point, *, role: str = "rule", dashed: bool = False) -> None:
        """A thin straight line."""
        (x1, y1), (x2, y2) = begin, end
        places = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
        dash = {"stroke-dasharray": "4 3"} if dashed else {}
        at = {name: _number(value) for name, value in places.items()}
        self._add("line", {"class": f"{role}-line", **at, **dash})

    def line(self, points: Sequence[Point], colour: RGB, *, dashed: bool = False) -> None:
        """A line of data, in a casing that is seen on either paper."""
        dash = {"stroke-dasharray": "6 4"} if dashed else {}
        self._add("path", {"class": "casing", "d": _path(points), **dash})
        self._add(
            "path", {"class": "data-line", "stroke": _hex(colour), "d": _path(points), **dash}
        )

    def area(self, points: Sequence[Point], colour: RGB, said: str = "") -> None:
        """A filled shape of data.

        Args:
            points: around it.
            said: what a reader is told of it.
        """
        look = {"class": "data", "fill": _hex(colour), "d": f"{_path(points)}Z"}
        shape = self._add("path", look)
        if said:
            ElementTree.SubElement(shape, "title").text = clean(said)

    def box(
        self, left: float, top: float, right: float, bottom: float, colour: RGB, said: str = ""
    ) -> None:
        """A filled rectangle of data."""
        self.area([(left, top), (right, top), (right, bottom), (left, bottom)], colour, said)

    def document(self) -> str:
        """All of it, in ASCII: whatever it goes through, it stays what it is."""
        ElementTree.indent(self._root, " ")
        document: bytes = ElementTree.tostring(self._root, encoding="us-ascii")
        return document.decode("ascii") + "\n"

    def _add(self, tag: str, attributes: dict[str, str]) -> ElementTree.Element:
        return ElementTree.SubElement(self._root, tag, attributes)


def clean(text: str) -> str:
    """Without what no XML may hold, which names from elsewhere may."""
    return _NO_XML.sub("\ufffd", text)


def text_width(text: str, size: float) -> float:
    """About how wide a text is, pixels."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return size * (_CHAR_WIDTH * (len(text) - wide) + wide)


def shortened(text: str, width: float, size: float) -> str:
    """As much of a text as fits, pixels."""
    if text_width(text, size) <= width:
        return text
    text = text[: int(width / size / _CHAR_WIDTH)]  # no more can fit, however long it is
    while text and text_width(f"{text}…", size) > width:
        text = text[:-1]
    return f"{text}…"


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: float) -> str:
    return f"{round(value, 1) + 0.0:g}"  # without a minus before 0


def _hex(colour: RGB) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _style() -> str:
    fixed = [
        "text{font-family:system-ui,-apple-system,'Segoe UI',sans-serif}",
        ".data{stroke-width:.6;stroke-linejoin:round}",
        ".data-line,.casing{fill:none;stroke-width:1.8;stroke-linejoin:round}.casing{stroke-width:3}",
    ]
    dark = f"@media (prefers-color-scheme:dark){{{_scheme(_DARK)}}}"
    return "".join([*fixed, _scheme(_LIGHT), dark])


def _scheme(colours: Mapping[str, RGB]) -> str:
    roles = [
        f".{role}{{fill:{_hex(rgb)}}}.{role}-line{{stroke:{_hex(rgb)}}}"
        for role, rgb in colours.items()
    ]
    outline = f".data,.casing{{stroke:{_hex(colours['ink'])}}}"
    return "".join([*roles, outline])

"""What a sheet shows, read back out of its SVG; and stored records of a stream."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from xml.etree import ElementTree

import pytest

from operators.moment import rfc3339
from pipeline.records.record import StoredRecord

SVG = "{http://www.w3.org/2000/svg}"
START_US = 1_796_000_000_000_000


class Shown:
    """A document, parsed.

    Attributes:
        size: width and height, as they are written.
        texts: all lines of text, in order.
        baselines: how far from the top each of them stands, pixels.
        tags: all kinds of elements.
        areas: what a filled shape is said to be -> corners of each such shape.
    """

    def __init__(self, document):
        root = ElementTree.fromstring(document)
        self.tags = {element.tag.removeprefix(SVG) for element in root.iter()}
        self.size = (root.get("width"), root.get("height"))
        self.baselines = [float(element.get("y")) for element in root.iter(f"{SVG}text")]
        self.texts = [element.text for element in root.iter(f"{SVG}text")]
        self.title = root.findtext(f"{SVG}title")
        self.description = root.findtext(f"{SVG}desc")
        self.style = root.findtext(f"{SVG}style")
        self.lines = [points(one) for one in root.iter(f"{SVG}path") if is_line(one)]
        self.rules = [one.attrib for one in root.iter(f"{SVG}line")]
        self.areas = defaultdict(list)
        for path in root.iter(f"{SVG}path"):
            if said := path.findtext(f"{SVG}title"):
                self.areas[said].append(points(path))

    def widths(self, said):
        """Of such shapes, pixels."""
        return [max(x for x, _ in one) - min(x for x, _ in one) for one in self.areas[said]]

    def heights(self, said):
        """Of such shapes, pixels."""
        return [max(y for _, y in one) - min(y for _, y in one) for one in self.areas[said]]


def is_line(path):
    return path.get("class") == "data-line"


def points(path):
    pairs = re.findall(r"(-?[\d.]+),(-?[\d.]+)", path.get("d"))
    return [(float(x), float(y)) for x, y in pairs]


@pytest.fixture
def shown():
    return Shown


@pytest.fixture
def stored(build):
    """`stored(3, "gate", topic="events", data={...}, published_s=12)`: seconds since a moment."""

    def made(number=0, stream="gate", *, topic="mood", data=None, published_s=0.0, **more):
        headers, info = {}, {}
        for name, value in more.items():
            (headers if name.startswith("ce_") else info)[name] = value
        base = "mood" if topic in ("events", "manifest", "deadletter") else topic
        value = json.dumps({} if data is None else data).encode()
        message = build.message(number, stream, topic=base, data=value, **info)
        message = type(message)(topic, stream, {**message.headers, **headers}, value)
        return StoredRecord(message, START_US + round(published_s * 1e6), number)

    made.start_us = START_US
    made.at = lambda seconds: rfc3339(START_US + round(seconds * 1e6))
    return made


@pytest.fixture
def asked():
    """Puts records through a question; gives its panels."""

    def through(question, records):
        for record in records:
            assert question.wants(record.message.topic)
            question.see(record)
        return question.panels()

    return through

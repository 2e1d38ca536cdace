"""A drawing is an XML document, whatever is written into it, and can be read in light and dark."""

import re

import pytest

from pipeline.plot.svg import Drawing, shortened, text_width

HOSTILE = "</text><script>alert('1')</script>&lt;\"]]>"


@pytest.mark.parametrize("text", [HOSTILE, "a\0b\x1b[31m", "\udce9\ufffe", "日本 é 🦕"])
def test_any_text_is_text_and_nothing_else(shown, text):
    drawing = Drawing(100, 50, text, text)
    drawing.text((1, 2), text)
    drawing.area([(0, 0), (1, 0), (1, 1)], (1, 2, 3), text)
    document = drawing.document()
    assert document.isascii()
    seen = shown(document)
    expected = "".join("\ufffd" if one in "\0\x1b\udce9\ufffe" else one for one in text)
    assert seen.texts == [expected]
    assert [seen.title, seen.description, *seen.areas] == [expected] * 3
    assert seen.tags == {"svg", "title", "desc", "style", "rect", "text", "path"}


def test_text_stands_out_from_the_paper_in_light_and_dark(shown):
    style = shown(Drawing(1, 1, "", "").document()).style
    light, dark = style.split("@media (prefers-color-scheme:dark)")
    for scheme in (light, dark):
        colours = dict(re.findall(r"\.(\w+)\{fill:#(\w{6})\}", scheme))
        for role in ("ink", "grey", "warning"):
            assert contrast(colours[role], colours["paper"]) >= 4.5
        (outline,) = re.findall(r"\.data,\.casing\{stroke:#(\w{6})\}", scheme)
        assert contrast(outline, colours["paper"]) >= 4.5


def test_it_can_be_spoken_and_loads_nothing():
    document = Drawing(10, 10, "a", "b").document()
    assert 'role="img" aria-labelledby="title description"' in document
    assert re.findall(r"https?://[^\"]*", document) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"href|@import|url\(", document)


def test_places_are_short_numbers():
    drawing = Drawing(10, 10, "", "")
    drawing.line([(-0.04, 1 / 3), (2.0, 1e3)], (0, 0, 0))
    assert 'd="M0,0.3L2,1000"' in drawing.document()


def test_what_is_too_wide_is_cut_and_says_so():
    assert shortened("depth", 100, 10) == "depth"
    cut = shortened("segmentation", 40, 10)
    assert cut.endswith("…")
    assert text_width(cut, 10) <= 40 < text_width("segmentation", 10)
    assert text_width("日本", 10) > text_width("ab", 10)


def contrast(one, other):
    """As WCAG has it, of two colours in hex."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

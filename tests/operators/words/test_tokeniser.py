"""CLIP's pieces: held to transformers' tokeniser on a small vocabulary, odd texts included."""

from __future__ import annotations

import os

import pytest

from operators.words.tokeniser import Tokeniser, cleaned, words_of

os.environ.setdefault("HF_HUB_OFFLINE", "1")

TEXTS = (
    "a photo of the person.",
    "  A Photo\u00a0of\tMANY   forklifts!! ",
    "don't they'll people's photo's 'tis rock'n'roll ''s",
    "naïve café façade ÅNGSTRÖM ß ŉ",
    "cafe\u0301 and caf\u00e9 are one word",  # two ways to write one letter
    "人が歩いている 自転車 한국어 العربية हिन्दी",
    "🚜 🏗️ 👩‍🚒 photo🚒photo",
    "2026-11-30 12:34 ½ ²x Ⅷ ٣٤ a1b2",
    "<|photo|> </w> #@!? \u201cquoted\u2019 — dash…",
    "x",
    "!",
    "",
    "photo" * 60,
    "\u200d\ufe0f a\u0327b",
)


@pytest.fixture(scope="module")
def ours(merges):
    return Tokeniser(merges)


@pytest.mark.slow
def test_pieces_are_transformers(ours, merges):
    transformers = pytest.importorskip("transformers")
    from tokenizers.pre_tokenizers import ByteLevel

    symbols = sorted(ByteLevel.alphabet())
    pieces = [*symbols, *(f"{symbol}</w>" for symbol in symbols), *map("".join, merges)]
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    twin = transformers.CLIPTokenizer(vocab=vocabulary, merges=list(merges))
    straight = str.maketrans("\u201c\u2019", "\"'")  # upstream's ftfy does it, transformers not
    for text in TEXTS:
        assert ours(text) == twin(text.translate(straight))["input_ids"], text
    assert ours.size == len(pieces)


def test_joined_pieces_are_used(ours):
    photo, letters = ours("photo"), ours("otohp")
    assert len(photo) == 3
    assert len(letters) > 3
    assert (photo[0], photo[-1]) == (ours.size - 2, ours.size - 1)


def test_entities_quotes_and_space_are_read_as_upstream_does():
    assert cleaned("  Tom &amp;amp; Jerry\n ") == "tom & jerry"
    assert cleaned("the driver\u2019s \u201cseat\u201d") == 'the driver\'s "seat"'
    assert cleaned("e\u0301") == "\u00e9"


def test_words_end_where_upstreams_pattern_ends_them():
    assert list(words_of("it's 42 o'clock...now")) == [
        *("it", "'s", "4", "2", "o", "'", "clock", "...", "now")
    ]
    assert list(words_of("")) == list(words_of("   ")) == []

"""A vocabulary file: what is taken of it, and files that are none."""

from __future__ import annotations

import gzip

import pytest

from operators.errors import WeightsError
from operators.words.merges import read_merges


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vocabulary.txt.gz"


def packed(*lines: str) -> bytes:
    return gzip.compress("\n".join(("#version", *lines)).encode())


def test_the_heading_and_what_is_over_are_left_out(path):
    path.write_bytes(packed("p h", "ph o", "never used"))
    assert read_merges(path, 516) == (("p", "h"), ("ph", "o"))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"p h\nph o\n", "is no gzip; --vocabulary takes CLIP's bpe_simple_vocab_16e6.txt.gz"),
        (packed("p h"), r"has 1 pairs, a text tower of 516 pieces needs 2"),
        (packed("p h o", "a b"), r"line 2: want two pieces with a space between, got 'p h o'"),
        (packed("p h", "a b")[:-9], "damaged or cut short"),
        (gzip.compress(b"#version\np \xff\n"), "damaged or cut short"),
        (gzip.compress(bytes(17 << 20)), "unpacks to more than 16 MiB"),
    ],
    # A gzip holds the second that it was made in: processes would collect tests of other names.
    ids=["plain", "few", "three", "cut", "not UTF-8", "large"],
)
def test_what_is_no_vocabulary_is_refused(path, content, why):
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=rf"vocabulary\.txt\.gz.*{why}"):
        read_merges(path, 516)


def test_a_file_that_is_not_there_is_named(path):
    with pytest.raises(WeightsError, match=r"vocabulary\.txt\.gz: cannot be read \(No such file"):
        read_merges(path, 516)

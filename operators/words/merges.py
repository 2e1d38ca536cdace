"""CLIP's vocabulary file: a gzip in -> the pairs of pieces that are joined, the first ones first.

The file is a user's own, so it is read with limits. Must not know how a text is cut.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from operators.errors import WeightsError

SPECIAL = 2  # start and end of a text, the last numbers
PIECES = 512  # every byte within a word, and at its end

_MOST_BYTES = 16 << 20  # unpacked; the published file has 3 MB

Merge = tuple[str, str]


def read_merges(path: Path, vocabulary: int) -> tuple[Merge, ...]:
    """The pairs of a vocabulary.

    The published file has more lines than CLIP uses: its first is a heading, and as many follow as
    the vocabulary has room for.

    Args:
        path: `bpe_simple_vocab_16e6.txt.gz`, or one like it.
        vocabulary: numbers that the text tower knows.

    Raises:
        WeightsError: no such file, no gzip, no such text, or too few pairs.
    """
    lines = _text(path).split("\n")[1:]
    wanted = vocabulary - PIECES - SPECIAL
    if wanted < 0 or len(lines) < wanted:
        raise WeightsError(
            f"{path}: has {len(lines)} pairs, a text tower of {vocabulary} pieces needs {wanted}; "
            "give the vocabulary that belongs to it with --vocabulary"
        )
    return tuple(_pair(path, number, line) for number, line in enumerate(lines[:wanted], start=2))


def _text(path: Path) -> str:
    try:
        with gzip.open(path, "rb") as file:
            content = file.read(_MOST_BYTES + 1)
        text = content.decode("utf-8")
    except gzip.BadGzipFile as error:
        raise WeightsError(
            f"{path}: is no gzip; --vocabulary takes CLIP's bpe_simple_vocab_16e6.txt.gz as it is"
        ) from error
    except (EOFError, zlib.error, UnicodeDecodeError) as error:
        raise WeightsError(f"{path}: damaged or cut short ({error})") from error
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(content) > _MOST_BYTES:
        raise WeightsError(f"{path}: unpacks to more than {_MOST_BYTES >> 20} MiB; no vocabulary")
    return text


def _pair(path: Path, number: int, line: str) -> Merge:
    match line.split():
        case [first, second]:
            return first, second
    raise WeightsError(f"{path}, line {number}: want two pieces with a space between, got {line!r}")

"""Words of a user: a text file with one a line -> labels. Must not know what reads them."""

from __future__ import annotations

from pathlib import Path

from operators.errors import UsageError

_MOST_BYTES = 1 << 20


def read_words(path: Path) -> tuple[str, ...]:
    """The lines of a file in UTF-8, without blank ones and space around.

    Raises:
        UsageError: unreadable, of another encoding (names the line), too large, or empty.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(content) > _MOST_BYTES:
        raise UsageError(f"{path}: has more than {_MOST_BYTES >> 20} MiB; want a label a line")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        rest = error.object  # what stands behind a mark of the encoding
        line = rest.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{path}, line {line}: byte 0x{rest[error.start]:02x} is not UTF-8; save the file "
            "in that encoding"
        ) from error
    words = tuple(word for line in text.splitlines() if (word := line.strip()))
    if not words:
        raise UsageError(f"{path}: holds no labels; want one a line")
    return words

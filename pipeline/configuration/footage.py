"""A recorder's folder and how it names its files -> chains: which files are whose, in their order.

Reads directories, and of files only the ends of those that are of one size.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from operators.errors import UsageError
from operators.moment import rfc3339
from pipeline.configuration.bucket import names_in
from pipeline.configuration.counted import counted
from pipeline.configuration.folder import PassedOver
from pipeline.errors import SourceError
from pipeline.media.filename import is_system, is_video
from pipeline.media.fingerprint import SESSION_DIGITS
from pipeline.media.s3 import is_s3
from pipeline.media.transfer import Transfer, recording_session
from pipeline.stream.joint import JITTER_US
from pipeline.stream.layout import Layout

if TYPE_CHECKING:
    from pipeline.configuration.config import Config

log = logging.getLogger(__name__)

COMPARED_BYTES = 64 << 10  # at the ends of files of one size
COMPARED_FILES = 100  # recorders that allocate ahead have more of one size, and all are


class Piece(NamedTuple):
    """One file of a chain.

    Attributes:
        start_us, end_us: by its name.
        name: below the folder.
        size: bytes.
    """

    start_us: int
    name: str
    end_us: int | None
    size: int


def layout_of(config: Config) -> Layout | None:
    """How the files of its sources are put together; None: they are not.

    Raises:
        UsageError: it makes no sense, or another key says otherwise.
    """
    if config.layout is None:
        if config.timezone is not None:
            raise UsageError("timezone is of a layout's times, and there is no layout")
        return None
    others = {"join": config.join, "start_time": config.start_time, "span_s": config.span_s}
    for name, given in others.items():
        if given:
            raise UsageError(f"layout: files follow each other by their names; leave {name} out")
    try:
        return Layout(config.layout, config.timezone or "")
    except ValueError as error:
        raise UsageError(f"layout {config.layout!r}: {error}") from None


def chain_session(layout: Layout, stream: str) -> str:
    """12 hex: neither of the place nor of the files, which come and go."""
    facts = "\0".join(("chain", layout.template, layout.timezone, stream))
    return hashlib.sha256(facts.encode("utf-8", "surrogateescape")).hexdigest()[:SESSION_DIGITS]


def chains_of(
    folder: str, layout: Layout, clock: Callable[[], float] = time.monotonic
) -> dict[str, list[str]]:
    """Name of a stream ("" where the layout has none) -> paths of its files by their times.

    Args:
        folder: absolute, or `s3://BUCKET/FOLDER/`.
        layout: of the names below it.
        clock: seconds, monotonic.

    Raises:
        UsageError: no file is so called, a name holds no time, or two files are of one time.
    """
    passed = PassedOver()
    chains: dict[str, list[Piece]] = {}
    listed = names_in(folder) if is_s3(folder) else _walked(folder, layout, passed)
    for name, size in counted(f"listing {folder}", listed, clock):
        try:
            named = layout.read(name)
        except ValueError as error:
            raise UsageError(f"{os.path.join(folder, name)}: {error}") from None
        if named is None:
            passed.add("files that the layout does not match", name)
            continue
        piece = Piece(named.start_us, name, named.end_us, size)
        chains.setdefault(named.stream, []).append(piece)
    if not chains:
        raise UsageError(_nothing(folder, layout, passed))
    if str(passed):
        log.warning("%s: passed over %s", folder, passed)
    for stream, pieces in chains.items():
        pieces.sort()
        _refuse_one_time_twice(folder, pieces, layout)
        _refuse_one_file_twice(folder, pieces)
        span = rfc3339(pieces[0].start_us), rfc3339(pieces[-1].start_us)
        log.info("%s: %d files begin from %s to %s", stream or folder, len(pieces), *span)
    return {
        stream: [os.path.join(folder, piece.name) for piece in pieces]
        for stream, pieces in chains.items()
    }


def _walked(
    folder: str, layout: Layout, passed: PassedOver, inside: str = "", depth: int = 1
) -> Iterator[tuple[str, int]]:
    """Files as deep as the layout is, and videos elsewhere, which it might have meant."""
    try:
        entries = list(os.scandir(os.path.join(folder, inside)))
    except OSError:
        passed.add("folders that cannot be read", inside or ".")
        return
    for entry in entries:
        name = f"{inside}/{entry.name}" if inside else entry.name
        if entry.is_dir():
            if entry.is_symlink() or is_system(entry.name):
                kind = "links to folders" if entry.is_symlink() else "hidden and system folders"
                passed.add(kind, name)
            else:
                yield from _walked(folder, layout, passed, name, depth + 1)
        elif entry.is_file() and (depth == layout.depth or is_video(name)):
            if entry.name.startswith("."):
                passed.add("hidden files", name)
                continue
            try:
                size = entry.stat().st_size
            except OSError:
                passed.add("files that were gone when they were looked at", name)
            else:
                yield name, size


def _nothing(folder: str, layout: Layout, passed: PassedOver) -> str:
    there = f"; there are {passed}" if str(passed) else ", nor any video"
    example = os.path.join(folder, layout.example)
    return f"no file is called as layout {layout.template!r} says, such as {example}{there}"


def _refuse_one_time_twice(folder: str, pieces: Sequence[Piece], layout: Layout) -> None:
    for one, other in pairwise(pieces):
        both = f"{os.path.join(folder, one.name)} and {os.path.join(folder, other.name)}"
        if one.start_us == other.start_us:
            raise UsageError(
                f"{both} begin at one time, {rfc3339(one.start_us)}; one stream cannot"
            )
        over_us = (one.end_us or 0) - other.start_us - layout.resolution_us
        if over_us > JITTER_US:
            raise UsageError(
                f"{both} overlap: the first ends at {rfc3339(one.end_us or 0)}, and the second "
                f"begins at {rfc3339(other.start_us)}; take one of them away"
            )


def _refuse_one_file_twice(folder: str, pieces: Sequence[Piece]) -> None:
    of_size: dict[int, list[str]] = {}
    for piece in pieces:
        of_size.setdefault(piece.size, []).append(piece.name)
    for size, names in of_size.items():
        if not size or not 1 < len(names) <= COMPARED_FILES:
            continue
        known: dict[str, str] = {}
        for name in names:
            path = os.path.join(folder, name)
            first = known.setdefault(_content(path), path)
            if first != path:
                raise UsageError(f"{first} and {path} hold the same; take one of them away")


def _content(path: str) -> str:
    try:
        with closing(Transfer()) as transfer:
            return recording_session(path, transfer, COMPARED_BYTES)
    except SourceError as error:
        raise UsageError(f"{path} {error}") from None

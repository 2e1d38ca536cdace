"""The files that a folder or a glob stands for; what of it is passed over is told.

Reads directories, opens no file. docs/configuration.md says what counts.
"""

from __future__ import annotations

import glob
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from operators.errors import UsageError
from pipeline.configuration.counted import counted
from pipeline.media.filename import as_sorted, is_picture, is_system, is_video
from pipeline.media.tape import is_tape

log = logging.getLogger(__name__)

Named = tuple[str, str]
"""Path below what was given, and path."""

_SHOWN = 3  # names of each kind


class PassedOver:
    """What lies in a folder and is not played."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}

    def add(self, kind: str, name: str) -> None:
        """One more; `name` below what was given."""
        self._names.setdefault(kind, []).append(name)

    def __str__(self) -> str:
        """`folders that cannot be read: 1 (private)`; empty where nothing was."""
        return ", ".join(f"{kind}: {_listed(names)}" for kind, names in self._names.items())


def files_of(source: str) -> list[Named]:
    """The files that a path, folder or glob stands for, as a person would sort them.

    Raises:
        UsageError: there are none.
    """
    if os.path.isfile(source):
        return [(os.path.basename(source), source)]
    passed = PassedOver()
    if os.path.isdir(source):
        root, found = source, counted(f"listing {source}", _walked(source, passed))
        nothing = f"no video file in {source} or below it; name a file to have it tried"
    elif glob.has_magic(source):
        root = os.path.dirname(source[: re.search(r"[*?[]", source).start()])  # type: ignore[union-attr]
        found, nothing = _matching(source, root, passed), f"no file matches {source}"
    else:
        raise UsageError(f"no such file or folder: {source}")
    place = _place_in_folder if os.path.isdir(source) else _place
    files = sorted(_once(root, found, passed, place), key=lambda named: as_sorted(named[0]))
    told = f"passed over {passed}" if str(passed) else ""
    if not files:
        raise UsageError("; ".join(filter(None, (nothing, told))))
    if told:
        log.warning("%s: %s", source, told)
    return files


def videos_below(folder: str) -> Iterator[str]:
    """Names of the videos in a folder that are in no tape, as they are met."""
    return (name for name, _ in _walked(folder, PassedOver()))


def pictures_below(folder: Path) -> list[Path]:
    """Every picture in a folder or below it, sorted; thumbnails that a file server keeps beside the
    pictures are none of ours."""
    found = (path for path in folder.rglob("*") if is_picture(path.name))
    return sorted(p for p in found if not any(map(is_system, p.relative_to(folder).parts)))


def _walked(folder: str, passed: PassedOver) -> Iterator[Named]:
    """Links to folders are not followed: they may lead back, or to what is there already."""

    def unreadable(error: OSError) -> None:
        passed.add("folders that cannot be read", os.path.relpath(error.filename, folder))

    for place, below, names in os.walk(folder, onerror=unreadable):
        where = os.path.relpath(place, folder)
        for name in list(below):
            path = os.path.join(place, name)
            if kind := _closed(path):
                below.remove(name)
                passed.add(kind, os.path.normpath(os.path.join(where, name)))
        for name in filter(is_video, names):
            path, inside = os.path.join(place, name), os.path.normpath(os.path.join(where, name))
            if name.startswith("."):
                passed.add("hidden files", inside)
            elif os.path.islink(path) and not os.path.exists(path):
                passed.add("links to nothing", inside)
            else:
                yield inside, path


def _closed(folder: str) -> str:
    """Why nobody looks into it; "" where one does."""
    if os.path.islink(folder):
        return "links to folders"
    if is_system(os.path.basename(folder)):
        return "hidden and system folders"
    return "tapes, to be named themselves" if is_tape(folder) else ""


def _matching(pattern: str, root: str, passed: PassedOver) -> Iterator[Named]:
    """What a glob finds below its fixed part. It leaves out what is hidden itself, and goes into a
    system folder that it names."""
    for place in _unreadable(pattern):
        passed.add("folders that cannot be read", os.path.relpath(place, root or "."))
    taped = cache(is_tape)
    for path in glob.glob(pattern, recursive=True):
        name = os.path.relpath(path, root or ".")
        parents = os.path.dirname(name).split(os.sep)
        if any(is_system(part) and part.strip(".") and part not in pattern for part in parents):
            passed.add("files in hidden and system folders", name)
        elif taped(os.path.dirname(path)):
            passed.add("files of tapes", name)
        elif os.path.isfile(path):
            yield name, path
        elif os.path.isdir(path):
            if "**" not in pattern:  # which goes into them by itself
                passed.add("folders", name)
        else:
            passed.add("links to nothing", name)


def _unreadable(pattern: str) -> Iterator[str]:
    """Folders that a glob would have looked into, were it allowed to."""
    parent = os.path.dirname(pattern)
    while glob.has_magic(parent):
        for place in glob.glob(os.path.join(parent, ""), recursive=True):
            if not os.access(place, os.R_OK | os.X_OK):
                yield place
        parent = os.path.dirname(parent)


def _once(
    root: str, found: Iterable[Named], passed: PassedOver, place_of: Callable[[str, Named], str]
) -> Iterator[Named]:
    """Each file by one name: its own, where it has one here, else the first of its links."""
    real_root = os.path.realpath(root or ".")
    files: dict[str, Named] = {}
    for name, path in sorted(found, key=lambda named: as_sorted(named[0])):
        place = place_of(real_root, (name, path))
        known = files.get(place)
        if known is None:
            files[place] = (name, path)
        elif place == os.path.join(real_root, name):
            files[place] = (name, path)
            passed.add("links to files that are there", known[0])
        else:
            passed.add("links to files that are there", name)
    return iter(files.values())


def _place(_: str, named: Named) -> str:
    """Where a file lies itself."""
    return os.path.realpath(named[1])


def _place_in_folder(real_root: str, named: Named) -> str:
    """The same of what was met in a folder: no other link can lie on the way."""
    name, path = named
    return _place(real_root, named) if os.path.islink(path) else os.path.join(real_root, name)


def _listed(names: list[str]) -> str:
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return f"{len(names)} ({', '.join([*names[:_SHOWN], *more])})"

"""Folders of pictures, recordings and scenes -> a corpus in a folder, made once.

Of recordings one frame of every shot, of a long shot one of every part; pictures that repeat an
earlier one are left out. A command that was killed goes on with the source that it was at.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from operators.errors import DinostreamError, UsageError
from operators.whole_file import whole_file
from pipeline.configuration.source_plan import SourcePlan
from pipeline.errors import SinkError
from pipeline.pretrain.copies import first_of_each
from pipeline.pretrain.corpus import MANIFEST, MARK, Corpus, open_corpus
from pipeline.pretrain.finder import RecordingFinder, found_in_file
from pipeline.pretrain.found import Found
from pipeline.pretrain.journal import Journal
from pipeline.pretrain.picture import Picture
from pipeline.pretrain.report import Report
from pipeline.pretrain.rules import Rules
from pipeline.pretrain.sources import named
from pipeline.secrets import mask_url

JOURNAL = "journal.jsonl"
_TOGETHER = 256  # picture files that are read ahead
_KIND = {"kind": "dinostream pretrain corpus", "format": 1}

Tell = Callable[[float | None, str], None]
"""Called with the share that is done and how far that is, in words."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """
    Attributes:
        corpus: whole.
        report: what became of its sources.
    """

    corpus: Corpus
    report: Report


def gather(
    sources: Sequence[str], folder: Path, rules: Rules, *, run: Path, tell: Tell, threads: int = 1
) -> Gathered:
    """Make a corpus, or go on with one; one that is whole is opened, and its sources are not
    looked at again.

    Args:
        sources: as of `pipeline.pretrain.sources.named`.
        folder: of the corpus alone; made where it is missing. Nobody else may be at work there.
        rules: which frames.
        run: as of `named`.
        tell: hears how far it is.
        threads: picture files that are read at a time; changes nothing of the corpus.

    Raises:
        UsageError: a source is nothing, or the folder holds a corpus of others.
        DinostreamError: no source gives a picture; says why the first does not.
        SinkError: the folder cannot be written.
    """
    asked = {"sources": [_place(one) for one in sources], **rules.facts()}
    if (folder / MARK).exists():
        return _whole(folder, asked)
    wanted = named(sources, run=run)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with closing(Journal(folder / JOURNAL, asked)) as journal:
            found = [
                *_in_recordings(wanted.recordings, folder, rules, journal, tell),
                *_in_files(wanted.pictures, journal, tell, threads),
            ]
        _write(folder, found, rules, asked)
    except OSError as error:
        raise SinkError(f"cannot write {folder}: {error.strerror or error}") from error
    return _whole(folder, asked)


def _place(source: str) -> str:
    """The same from whatever folder the command is given, without secrets."""
    has_scheme = ":" in source.partition("/")[0]
    return mask_url(source) if has_scheme else os.path.abspath(source)


def _whole(folder: Path, asked: Mapping[str, Any]) -> Gathered:
    corpus = open_corpus(folder)
    said = json.loads((folder / MARK).read_text(encoding="utf-8"))
    if other := [name for name, value in asked.items() if said["asked"].get(name) != value]:
        raise UsageError(
            f"{folder} holds a corpus of other {', '.join(other)}; give the same again, or another "
            "folder"
        )
    (folder / JOURNAL).unlink(missing_ok=True)
    return Gathered(corpus, Report.from_json(said["report"]))


def _in_recordings(
    plans: Sequence[SourcePlan], folder: Path, rules: Rules, journal: Journal, tell: Tell
) -> Iterator[Found]:
    pictures = 0
    with closing(RecordingFinder(folder, rules)) as finder:
        for done, plan in enumerate(plans):
            part = partial(_tell_recordings, tell, done, len(plans), pictures)
            found = journal.found.get(plan.stream)
            if found is None:
                part(0.0)
                for ahead in plans[done : done + 2]:
                    if ahead.stream not in journal.found:
                        finder.prepare(ahead)
                found = finder(plan, part)
                if found.pictures:
                    journal.add(found)
            pictures += len(found.pictures)
            yield found


def _tell_recordings(tell: Tell, done: int, total: int, pictures: int, share: float | None) -> None:
    """So many are done, and so much of the next one; None: nobody knows."""
    so_far = f"{done} of {total} recordings, {pictures} pictures"
    tell((done + (share or 0.0)) / total, so_far)


def _in_files(paths: Sequence[Path], journal: Journal, tell: Tell, threads: int) -> Iterator[Found]:
    readers = ThreadPoolExecutor(threads, "picture")
    try:
        for begin in range(0, len(paths), _TOGETHER):
            some = paths[begin : begin + _TOGETHER]
            tell(begin / len(paths), f"{begin} of {len(paths)} picture files")
            read = readers.map(found_in_file, [p for p in some if str(p) not in journal.found])
            for path in some:
                found = journal.found.get(str(path))
                if found is None:
                    found = next(read)
                    if found.pictures:
                        journal.add(found)
                yield found
    finally:
        readers.shutdown(cancel_futures=True)


def _write(folder: Path, found: Sequence[Found], rules: Rules, asked: Mapping[str, Any]) -> None:
    """The manifest, then what says that the corpus is whole."""
    pictures = [picture for one in found for picture in one.pictures]
    if not pictures:
        raise DinostreamError(_nothing(found))
    kept = pictures
    if not rules.keep_copies:
        tinies = np.stack([tiny for one in found for tiny in one.tinies])
        kept = [pictures[place] for place in first_of_each(tinies)]
    manifest = "".join(f"{json.dumps(one.to_json())}\n" for one in kept).encode()
    with whole_file(folder / MANIFEST) as draft:
        draft.write_bytes(manifest)
    said = {
        **_KIND,
        "identity": hashlib.sha256(manifest).hexdigest(),
        "asked": asked,
        "report": Report.of(found, len(kept)).to_json(),
    }
    _clear(folder, kept)
    with whole_file(folder / MARK) as draft:
        draft.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def _clear(folder: Path, kept: Sequence[Picture]) -> None:
    """Copies, and frames of a recording that was then read anew."""
    wanted = {one.path for one in kept}
    for path in folder.glob("*.jpg"):
        if path.name not in wanted:
            path.unlink()


def _nothing(found: Sequence[Found]) -> str:
    for one in found:
        if one.trouble:
            return f"none of {len(found)} sources gives a picture; {one.source}: {one.trouble}"
    return f"none of {len(found)} sources gives a picture"

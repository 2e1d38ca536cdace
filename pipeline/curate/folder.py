"""The folder of a data set: what each recording gave, and the pictures that were taken.

What recordings gave is kept, so that a command that was killed goes on, and one with another wish
decodes nothing again. The data set is written anew by each, and what neither its recordings nor its
settings gave goes: it may show what this one hides.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from operators.moment import rfc3339
from pipeline.curate.chosen import Chosen, Entry
from pipeline.curate.harvest import Harvest, read_harvest
from pipeline.errors import SinkError
from pipeline.owned_folder import owned_folder

COMMAND, CANDIDATES, PICTURES = "curate", "candidates", "pictures"
MANIFEST, LEFT_OUT, REPORT, SHEET = "manifest.jsonl", "left_out.jsonl", "report.json", "sheet.png"


class DatasetFolder:
    """From `open_folder`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def harvest(self, key: str) -> Harvest | None:
        """What a recording gave, if that is kept; errors as of `read_harvest`."""
        place = self._place(key)
        return read_harvest(place) if place.exists() else None

    def keep(self, key: str, harvest: Harvest) -> None:
        """Keep it; errors as of `Harvest.write`."""
        harvest.write(self._place(key))

    def keep_only(self, keys: Iterable[str]) -> None:
        """Remove what other recordings or settings gave.

        Args:
            keys: of what stays.

        Raises:
            SinkError: it cannot be removed.
        """
        wanted = {self._place(key) for key in keys}
        try:
            for path in (self.path / CANDIDATES).glob("*.safetensors"):
                if path not in wanted:
                    path.unlink()
        except OSError as error:
            raise SinkError(f"cannot write {self.path}: {error.strerror or error}") from error

    def write(
        self, chosen: Sequence[Chosen], report: Mapping[str, Any], sheet: Image.Image
    ) -> None:
        """Write the data set in place of one that is there; the report last.

        Raises:
            SinkError: it cannot be written.
        """
        taken = [one for one in chosen if one.decision.verdict == "taken"]
        others = [one for one in chosen if one.decision.verdict != "taken"]
        try:
            for name in (REPORT, MANIFEST, LEFT_OUT, SHEET):
                (self.path / name).unlink(missing_ok=True)
            self._write_pictures([one.entry for one in taken])
            self._write_lines(MANIFEST, map(_taken, taken))
            self._write_lines(LEFT_OUT, map(_left_out, others))
            sheet.save(self.path / SHEET)
            self._write_text(REPORT, json.dumps(report, indent=1) + "\n")
        except OSError as error:
            raise SinkError(f"cannot write {self.path}: {error.strerror or error}") from error

    def _place(self, key: str) -> Path:
        return self.path / CANDIDATES / f"{key}.safetensors"

    def _write_pictures(self, entries: Sequence[Entry]) -> None:
        draft = self.path / f"{PICTURES}.part"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        for one in entries:
            (draft / one.file).write_bytes(one.candidate.jpeg)
        shutil.rmtree(self.path / PICTURES, ignore_errors=True)
        draft.rename(self.path / PICTURES)

    def _write_lines(self, name: str, lines: Iterator[dict[str, Any]]) -> None:
        self._write_text(name, "".join(f"{json.dumps(line)}\n" for line in lines))

    def _write_text(self, name: str, text: str) -> None:
        draft = self.path / f"{name}.part"
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, self.path / name)


@contextmanager
def open_folder(path: Path) -> Iterator[DatasetFolder]:
    """A folder for this command alone; made where it is missing.

    Raises:
        UsageError: there is something else, or another command is at work there.
        SinkError: it cannot be written.
    """
    with owned_folder(path, COMMAND):
        _begin(path)
        yield DatasetFolder(path)


def _begin(path: Path) -> None:
    """Clear what a command that was killed has left."""
    try:
        (path / CANDIDATES).mkdir(exist_ok=True)
        for draft in (path / CANDIDATES).glob(".*.part"):
            draft.unlink()
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror or error}") from error


def _taken(one: Chosen) -> dict[str, Any]:
    file = {
        "picture": f"{PICTURES}/{one.entry.file}",
        "sha256": one.entry.candidate.sha256,
    }
    return file | _whence(one.entry) | _why(one)


def _left_out(one: Chosen) -> dict[str, Any]:
    return _whence(one.entry) | {"verdict": one.decision.verdict} | _why(one)


def _whence(entry: Entry) -> dict[str, Any]:
    candidate = entry.candidate
    return {
        "source": entry.source,
        "stream": entry.stream,
        "session": candidate.session,
        "position": candidate.position,
        "time": rfc3339(candidate.time_us),
    }


def _why(one: Chosen) -> dict[str, Any]:
    cluster = {} if one.decision.cluster is None else {"cluster": one.decision.cluster}
    return cluster | {"reason": one.decision.reason}

"""The pictures that a backbone is trained on, and which of them each step sees.

A folder of `pipeline.pretrain.gather` in -> numbers of pictures, and their pixels. Once made, a
corpus stays as it is: a file that has changed since is an error, not another picture.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from operators.errors import UsageError
from pipeline.errors import SourceError
from pipeline.media.still import read_bounded
from pipeline.pretrain.dealing import Dealing, Stream
from pipeline.pretrain.picture import Picture

log = logging.getLogger(__name__)

MANIFEST, MARK = "manifest.jsonl", "corpus.json"
LONGEST_PX = 1024  # long side of a picture that is trained on


class Corpus:
    """From `open_corpus`.

    Attributes:
        pictures: their order is that of their numbers.
        identity: sha256 of the manifest: pictures, and the order that they have.
    """

    def __init__(
        self,
        folder: Path,
        pictures: Sequence[Picture],
        identity: str,
        apart_s: float,
        longest_px: int = LONGEST_PX,
    ) -> None:
        self.pictures = tuple(pictures)
        self.identity = identity
        self._folder = folder
        self._apart_s = apart_s
        self._longest_px = longest_px
        self._dealing = lru_cache(maxsize=4)(self._dealt)

    def __len__(self) -> int:
        return len(self.pictures)

    def part(self, numbers: Sequence[int]) -> Corpus:
        """Some of its pictures alone, by the order of their numbers there."""
        chosen = [self.pictures[number] for number in numbers]
        return Corpus(self._folder, chosen, self.identity, self._apart_s, self._longest_px)

    def draw(self, step: int, count: int, seed: int) -> list[int]:
        """The pictures of a step: a function of its arguments alone.

        Fewer than asked where so many cannot be together (`pipeline.pretrain.dealing`); that is
        logged once. Every step of a run has as many.

        Args:
            step: from 0 on.
            count: pictures wanted, 1 at least.
            seed: of the order, from 0 on.

        Returns:
            Numbers of different pictures.
        """
        return self._dealing(count).draw(step, seed)

    def together(self, count: int) -> int:
        """How many pictures a step has, where so many are asked for.

        Raises:
            UsageError: not even two can be together.
        """
        size = self._dealing(count).size
        if size < 2:
            raise UsageError(
                f"of {len(self.pictures)} pictures no two can be in one step: frames of a "
                f"recording are {self._apart_s:g} s apart there; take more footage, or a smaller "
                "--apart"
            )
        return size

    def steps_of_epoch(self, count: int) -> int:
        """Steps in which every picture has been seen, but for what did not fill a batch."""
        return self._dealing(count).batches

    def picture(self, number: int) -> NDArray[np.uint8]:
        """Pixels, upright, RGB uint8 `[H, W, 3]`; the long side has 1024 at most, or twice what
        frames are kept with.

        Raises:
            SourceError: its file is gone, or another one; names it.
        """
        one = self.pictures[number]
        path = self._folder / one.path
        try:
            data = path.read_bytes()
        except OSError as error:
            raise SourceError(f"{path}: cannot be read ({error.strerror or error})") from error
        if hashlib.sha256(data).hexdigest() != one.sha256:
            raise SourceError(
                f"{path} has changed since the corpus was made, so no step can be repeated; put it "
                "back, or begin a run in another folder"
            )
        return read_bounded(data, str(path), self._longest_px)

    def _dealt(self, count: int) -> Dealing:
        streams: dict[str, list[int]] = defaultdict(list)
        for number, one in enumerate(self.pictures):
            streams[one.stream].append(number)
        groups = [self._stream(numbers) for numbers in streams.values()]
        dealing = Dealing(groups, count, round(self._apart_s * 1e6))
        if dealing.size < count:
            log.warning(
                "batches have %d pictures and not %d: of %d pictures of %d streams no more are "
                "%g s apart where they are of one stream",
                *(dealing.size, count, len(self.pictures), len(groups), self._apart_s),
            )
        return dealing

    def _stream(self, numbers: Sequence[int]) -> Stream:
        """In the order of their times, where they have any."""
        times = [self.pictures[number].time_us for number in numbers]
        if None in times:
            return Stream(np.array(numbers, np.int64), None)
        times_us = np.array(times, np.int64)
        order = np.argsort(times_us, kind="stable")
        return Stream(np.array(numbers, np.int64)[order], times_us[order])


def open_corpus(folder: Path) -> Corpus:
    """A corpus that is whole.

    Args:
        folder: that it lies in.

    Raises:
        UsageError: there is none.
    """
    try:
        said = json.loads((folder / MARK).read_text(encoding="utf-8"))
        manifest = (folder / MANIFEST).read_bytes()
        identity = hashlib.sha256(manifest).hexdigest()
        if identity != said["identity"]:
            raise ValueError("its manifest is another one")
        pictures = [Picture.from_json(json.loads(line)) for line in manifest.splitlines()]
        asked = said["asked"]
        longest_px = max(LONGEST_PX, 2 * asked["side"])
        return Corpus(folder, pictures, identity, asked["apart_s"], longest_px)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{folder} holds no whole corpus ({error}); it is made by the command that begins the "
            "run"
        ) from None

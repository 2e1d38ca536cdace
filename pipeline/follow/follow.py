"""A recording and what is pointed at in it -> a folder of masks, pictures, boxes and a film.

The folder is there whole or not at all: it is written under another name until it is complete.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from operators.backbones.backbone import Backbone
from operators.errors import UsageError
from pipeline.errors import SinkError
from pipeline.features.clip import is_scene
from pipeline.features.store import FeatureStore
from pipeline.fit.dense_plan import Tell
from pipeline.follow.carried import carried
from pipeline.follow.drawn import Drawn, draw, strip, strip_numbers
from pipeline.follow.labelled import Labelled
from pipeline.follow.seen import SeenClip
from pipeline.follow.shown import pictures, whole
from pipeline.follow.told import FILE, Told
from pipeline.follow.wish import Wish
from pipeline.media.encode import write_clip

FILM, STRIP = "film.mp4", "strip.png"
_PARTS = 100  # that features are counted in: how many frames there will be nobody knows


@dataclass(frozen=True, slots=True)
class Followed:
    """
    Attributes:
        told: what became of the things.
        boxed: frames with boxes; None: none were asked for.
        trouble: why frames of the recording were lost, "" where none were.
        notes: what a user should be told.
    """

    told: Told
    boxed: int | None
    trouble: str
    notes: tuple[str, ...]


def follow(
    wish: Wish, store: FeatureStore, backbone: Backbone, folder: Path, *, threads: int, tell: Tell
) -> Followed:
    """Write the folder.

    Args:
        wish: what is followed where.
        store: computes the features that its cache lacks.
        backbone: the store's.
        folder: that is made.
        threads: of a CPU; no result depends on it.
        tell: told how far it is.

    Raises:
        UsageError: no such recording, the folder is there, nothing near the time, or marks outside
            of the picture.
        SourceError: the recording cannot be decoded.
        SinkError: the folder cannot be written.
    """
    if not is_scene(wish.source) and not Path(wish.source).is_file():
        raise UsageError(f"{wish.source}: no such file; follow takes one recording")
    with _draft(folder) as draft:
        seen = _computed(wish, store, backbone, tell)
        start = wish.start(seen.times_s)
        labelled = Labelled(draft, wish.asked.labels)
        told = _carried(wish, seen, start, labelled, threads=threads, tell=tell)
        boxed = labelled.write_boxes() if wish.boxes else None
        _write_pictures(wish, seen, told, labelled, tell)
        facts = {
            "source": wish.source,
            "model": backbone.loaded.name,
            "short_side": store.folder.size.short_side,
            "fps": wish.fps,
            "picture_hw": list(whole(seen.source_hw).of(seen.source_hw)),
            "trouble": seen.trouble,
        }
        (draft / FILE).write_text(json.dumps(told.plain(facts), ensure_ascii=False, indent=1))
    return Followed(told, boxed, seen.trouble, tuple(_notes(wish, backbone, seen, told, boxed)))


def _computed(wish: Wish, store: FeatureStore, backbone: Backbone, tell: Tell) -> SeenClip:
    for share in store.compute(wish.clip):
        if share is not None:
            tell("features", round(share * _PARTS), _PARTS)
    return SeenClip(store, wish.clip, backbone)


def _carried(
    wish: Wish, seen: SeenClip, start: int, labelled: Labelled, *, threads: int, tell: Tell
) -> Told:
    orders = wish.order(start, len(seen))
    size_hw = whole(seen.source_hw).of(seen.source_hw)
    total = 1 + sum(map(len, orders))
    sighted = {}
    masks = carried(seen, wish.asked, start, orders, size_hw, threads=threads)
    for done, mask in enumerate(masks, start=1):
        labelled.add_mask(mask)
        if wish.boxes:
            labelled.add_boxes(mask)
        sighted[mask.number] = mask.seen
        tell("masks", done, total)
    return Told(labelled.labels, seen.times_s.tolist(), start, sighted, orders)


def _write_pictures(wish: Wish, seen: SeenClip, told: Told, labelled: Labelled, tell: Tell) -> None:
    """Every frame's picture, the strip, and the film where it is wanted."""
    numbers = sorted(told.seen)
    chosen = {numbers[at] for at in strip_numbers(len(numbers), numbers.index(told.start))}
    kept: list[Drawn] = []

    def drawn() -> Iterator[Drawn]:
        wanted = pictures(wish.clip, seen.source_hw, seen.times_us[numbers])
        with closing(wanted) as frames:
            for done, (number, pixels) in enumerate(zip(numbers, frames, strict=False), start=1):
                labelled.add_picture(number, pixels)
                if wish.film or number in chosen:
                    ids = labelled.ids(number)
                    frame = draw(pixels, ids, labelled.labels, told.times_s[number])
                    if number in chosen:
                        kept.append(frame)
                    yield frame
                tell("pictures", done, len(numbers))

    if wish.film:
        film = (frame.pixels for frame in drawn())
        write_clip(labelled.folder / FILM, film, Fraction(str(wish.fps)))
    else:
        for _ in drawn():
            pass
    strip(kept).save(labelled.folder / STRIP)


def _notes(
    wish: Wish, backbone: Backbone, seen: SeenClip, told: Told, boxed: int | None
) -> Iterator[str]:
    if backbone.loaded.untrained:
        yield "the weights are random: masks follow colours and edges at best"
    elif backbone.loaded.rendered_only and not is_scene(wish.source):
        yield "the weights have learnt from rendered scenes alone: look at the masks of footage"
    if seen.trouble:
        yield f"frames of {wish.source} were lost: {seen.trouble}"
    if boxed is not None and boxed < len(told.seen):
        rest = len(told.seen) - boxed
        yield f"{rest} frames in which something is lost have no boxes: it may be there"


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """A folder to write in, which gets its own name when all is written."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already; name another folder with -o, or remove it")
    if folder.name in ("", ".."):
        raise UsageError(f"-o {folder}: want a folder that is made, such as {folder / 'followed'}")
    beside: Path | None = None  # holds the draft, which has the rights that folders here get
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f"{folder.name}.part-", dir=folder.parent))
        draft = beside / folder.name
        draft.mkdir()
        yield draft
        if folder.is_dir():
            folder.rmdir()
        draft.rename(folder)
    except OSError as error:
        raise SinkError(f"cannot write {folder}: {error.strerror or error}") from error
    finally:
        if beside:
            shutil.rmtree(beside, ignore_errors=True)

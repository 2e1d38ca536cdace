"""Features of recordings and pictures, computed once: what is wanted in -> arrays out.

What was computed is kept under the content's and the weights' identity; a run that was killed goes
on after the last part that it wrote. Decodes as replay does. Knows nothing of labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from operators.backbones.backbone import Backbone
from operators.frames import FrameInfo
from pipeline.errors import SourceError
from pipeline.features.clip import Clip, Draft
from pipeline.features.folder import (
    Arrays,
    Facts,
    FeatureFolder,
    Look,
    Pixels,
    Read,
    compute_missing,
)
from pipeline.features.footage import Footage
from pipeline.features.glance import Glance
from pipeline.features.picture import Picture, still_facts
from pipeline.features.reading import Reading, grid_facts
from pipeline.features.recorded import clip_spec
from pipeline.features.stored import Part, StoredFeatures, joined, part_facts
from pipeline.media.fingerprint import file_session
from pipeline.media.frame_size import FrameSize
from pipeline.media.still import read_still
from pipeline.stream.chunk import End, Frames, Gap

_FORMAT = 2  # 1 had no cells
_PART_FRAMES = 256  # what a killed run computes again at most
_PART_WITH_GRIDS = 32


class FeatureStore:
    """A folder of features of one backbone at one size. `close` it."""

    def __init__(self, folder: Path, backbone: Backbone, *, short_side: int) -> None:
        """
        Args:
            folder: where features are kept; made where it is missing.
            backbone: from `pipeline.features.backbone.open_backbone`.
            short_side: of a frame, pixels, before rounding to a multiple of the backbone's patch.
        """
        patch = backbone.loaded.model.architecture.patch
        self.folder = FeatureFolder(folder, FrameSize(short_side, patch))
        self.computed_frames = 0  # by this store, so not found in the cache
        self._backbone = backbone
        self._glance = Glance(backbone)
        self._footage = Footage()

    def frames(
        self,
        path: Path,
        *,
        fps: float,
        start_s: float = 0.0,
        end_s: float | None = None,
        patches: bool = False,
    ) -> StoredFeatures:
        """Features of one recording; the arguments are those of `Clip`.

        Raises:
            SourceError: nothing of it can be decoded; names the file.
        """
        (features,) = self.each([Clip(path, fps, start_s, end_s, patches)])
        return features

    def each(self, clips: Iterable[Clip]) -> Iterator[StoredFeatures]:
        """Features of many recordings in order; the next decoder starts while one is computed.

        Raises:
            SourceError: nothing of one can be decoded; names the file.
        """
        waiting = list(clips)
        for clip, after in zip(waiting, [*waiting[1:], None], strict=True):
            list(self.compute(clip, ahead=after))
            yield self.load(clip)

    def is_complete(self, clip: Clip) -> bool:
        """Whether the cache holds all of it."""
        return _is_complete(self._kept(clip))

    def compute(self, clip: Clip, *, ahead: Clip | None = None) -> Iterator[float | None]:
        """Compute what the cache lacks of one recording.

        Args:
            clip: what is wanted.
            ahead: what will be wanted next; its decoder starts where it is not in the cache.

        Yields:
            Part of the file that is decoded, 0 to 1, after every chunk; None where unknown.

        Raises:
            SourceError: nothing of it can be decoded; names the file.
        """
        kept = self._kept(clip)
        if _is_complete(kept):
            return
        draft = Draft.after(kept)
        spec = clip_spec(clip, self.folder.size, cursor=draft.cursor)
        self._footage.prepare(spec)
        if ahead is not None and not _is_complete(following := self._kept(ahead)):
            cursor = Draft.after(following).cursor
            self._footage.prepare(clip_spec(ahead, self.folder.size, cursor=cursor))
        for entry in self._footage.entries(spec):
            if isinstance(entry, Frames):
                self._add(clip, draft, entry)
                if draft.rows >= _part_frames(clip):
                    draft.part(None).write(self._path(clip, draft.index))
                    draft = draft.next()
                yield entry.share
            elif isinstance(entry, Gap):
                draft.break_off()
            elif isinstance(entry, End):
                if entry.outcome == "rejected" or draft.first_us is None:
                    raise SourceError(f"{clip.path}: {entry.detail or 'no frame in it'}")
                draft.part(entry).write(self._path(clip, draft.index))

    def load(self, clip: Clip) -> StoredFeatures:
        """What the cache holds of a recording that is complete.

        Raises:
            SourceError: no frame lies in the span that was asked for.
        """
        kept = self._kept(clip)
        assert _is_complete(kept), f"{clip.path} is not computed yet"
        duration_s = (kept[-1]["last_us"] - kept[-1]["first_us"]) / 1e6 + 1 / clip.fps
        parts = [Part.read(self._path(clip, index)) for index in range(len(kept))]
        filled = [part for part in parts if part.arrays]
        if not filled:
            raise SourceError(
                f"{clip.path}: no frame from {clip.start_s} s to {clip.end_s} s; what was decoded "
                f"is {duration_s:.1f} s long"
            )
        filled[-1] = Part(filled[-1].arrays, {**filled[-1].facts, "end": kept[-1]["end"]})
        return joined(filled, norm=self._glance.norm, duration_s=duration_s)

    def token_files(self, clip: Clip) -> list[Path]:
        """Where the tokens of a recording lie that is complete, in order."""
        return [self._path(clip, index) for index in range(len(self._kept(clip)))]

    def image(
        self, path: Path, *, patches: bool = False, tokens_of: int | None = None
    ) -> StoredFeatures:
        """Features of one picture: one frame at time 0.

        Raises:
            SourceError: it cannot be read; names the file.
        """
        self.compute_images([path], patches=patches, tokens_of=tokens_of)
        place = self.image_file(path, patches=patches, tokens_of=tokens_of)
        return joined([Part.read(place)], norm=self._glance.norm, duration_s=0.0)

    def image_file(
        self, path: Path, *, patches: bool = False, tokens_of: int | None = None
    ) -> Path:
        """Where the features of one picture lie, or will."""
        what = {"image": file_session(str(path)), "patches": patches, **_of_block(tokens_of)}
        return self._place(what, 0)

    def compute_images(
        self, paths: Sequence[Path], *, patches: bool = False, tokens_of: int | None = None
    ) -> None:
        """Compute what the cache lacks of some pictures.

        Args:
            paths: of them.
            patches: keep the patch grids too.
            tokens_of: keep all tokens behind this block too.

        Raises:
            SourceError: one cannot be read; names the file.
        """

        def look(pixels: Pixels) -> list[Arrays]:
            infos = (FrameInfo.of_picture(),) * len(pixels)
            arrays = self._glance(pixels, infos, patches=patches, tokens_of=tokens_of)
            return [
                {name: array[row : row + 1].copy() for name, array in arrays.items()}
                for row in range(len(pixels))
            ]

        def read(path: Path) -> tuple[Pixels, Facts]:
            still = read_still(path, self.folder.size)
            return still.pixels, still_facts(still)

        wanted = (
            (self.image_file(path, patches=patches, tokens_of=tokens_of), partial(read, path))
            for path in paths
        )
        list(self._compute(wanted, look))

    def compute_maps(self, pictures: Iterable[Picture], reading: Reading) -> Iterator[int]:
        """Compute what the cache lacks of what heads of maps read of some pictures.

        Args:
            pictures: of any sizes.
            reading: what is read.

        Yields:
            How many were computed so far: after each picture, and once more in the end.

        Raises:
            SourceError: one cannot be read; names the file.
        """

        def read(picture: Picture) -> tuple[Pixels, Facts]:
            pixels = picture.pixels(self.folder.size)
            return pixels, grid_facts(pixels, self.folder.size.patch)

        wanted = ((self.map_file(one, reading), partial(read, one)) for one in pictures)
        return self._compute(wanted, partial(reading.of, self._backbone))

    def map_file(self, picture: Picture, reading: Reading) -> Path:
        """Where what is read of one picture lies, or will: `patches` and `cls`."""
        return self.folder.place({"pixels": picture.identity, **reading.identity(self._backbone)})

    def close(self) -> None:
        """End the decoders. What was computed stays."""
        self._footage.close()

    def _compute(self, wanted: Iterable[tuple[Path, Read]], look: Look) -> Iterator[int]:
        before = self.computed_frames
        for computed in compute_missing(wanted, look, together=self._backbone.batch_size):
            self.computed_frames = before + computed
            yield computed

    def _kept(self, clip: Clip) -> list[Facts]:
        """Facts of the parts that the cache holds, in order."""
        kept: list[Facts] = []
        while not _is_complete(kept):
            facts = part_facts(self._path(clip, len(kept)))
            if facts is None:
                break
            kept.append(facts)
        return kept

    def _add(self, clip: Clip, draft: Draft, frames: Frames) -> None:
        rows = clip.rows(draft.see(frames))
        if len(rows):
            infos = tuple(frames.infos[row] for row in rows)
            pixels, patches, block = frames.pixels[rows], clip.patches, clip.tokens_of
            if patches or block is not None:
                _refuse_other_grid(clip, draft, frames)
            draft.keep(self._glance(pixels, infos, patches=patches, tokens_of=block))
            self.computed_frames += len(rows)

    def _path(self, clip: Clip, index: int) -> Path:
        what = {
            "content": clip.content,
            "sampling": clip.sampling.canonical(),
            "span_s": [clip.start_s, clip.end_s],
            "patches": clip.patches,
            **_of_block(clip.tokens_of),
        }
        return self._place(what, index)

    def _place(self, what: Facts, index: int) -> Path:
        return self.folder.place({**what, "format": _FORMAT, **self._glance.identity}, index)


def _refuse_other_grid(clip: Clip, draft: Draft, frames: Frames) -> None:
    draft.grid_of_hw = draft.grid_of_hw or frames.size_hw
    if frames.size_hw != draft.grid_of_hw:
        first, (height, width) = frames.infos[0], frames.infos[0].source_hw
        elapsed_s = (first.event_time_us - (draft.first_us or 0)) / 1e6
        raise SourceError(
            f"{clip.path}: its picture becomes one of {width}x{height}, whose patches are others "
            f"in number, {elapsed_s:.1f} s behind its beginning; cut it in two there"
        )


def _part_frames(clip: Clip) -> int:
    grids = clip.patches or clip.tokens_of is not None
    return _PART_WITH_GRIDS if grids else _PART_FRAMES


def _of_block(tokens_of: int | None) -> Facts:
    """Caches from before there were tokens keep their names."""
    return {} if tokens_of is None else {"tokens_of": tokens_of}


def _is_complete(kept: Sequence[Facts]) -> bool:
    return bool(kept) and kept[-1]["end"] is not None

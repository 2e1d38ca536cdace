"""What becomes of a stream's stored pictures before they are scaled: one field, the part shown.

Most streams need none of it. Where one does, its name is part of its records' identity.
"""

from __future__ import annotations

from dataclasses import replace

import av

from pipeline.media.aperture import Aperture
from pipeline.media.filters import Filters
from pipeline.media.picture import Picture

# AVFieldOrder -> the field that is shown first, which is when the picture's time is
_FIRST_FIELD = {2: "top", 3: "bottom", 4: "bottom", 5: "top"}


class Preparation:
    """Of one stream's pictures."""

    def __init__(
        self, field_order: int, aperture: Aperture | None, *, deinterlace: bool = True
    ) -> None:
        """
        Args:
            field_order: as libav numbers it. Of interlaced pictures one field is taken: the two
                were taken at different moments and comb where something moves, at any size.
            aperture: what is shown of the stored picture; None: all of it.
            deinterlace: if not, they stay as they are.
        """
        self._field = _FIRST_FIELD.get(field_order) if deinterlace else None
        self._asks_frames = deinterlace
        self._aperture = aperture
        self._filters = Filters()

    def __call__(self, picture: Picture) -> Picture:
        """The picture as it goes on to the scaler; its size stays what is displayed."""
        frame = picture.frame
        field = self._field_of(frame)
        name = self._name(field)
        if not name:
            return picture
        prepared = self._filters(frame, self._chain(frame, field))
        rows = prepared.height * (2 if field else 1)
        size_hw = (min(rows, frame.height), prepared.width)
        return replace(picture, draw=lambda: prepared, stored_hw=size_hw, preparation=name)

    def _field_of(self, frame: av.VideoFrame) -> str:
        """The one that is taken; empty: both. What its stream does not say, a frame may; which of
        its fields is the first PyAV does not tell (18.1)."""
        if self._field:
            return self._field
        return "top" if self._asks_frames and frame.interlaced_frame else ""

    def _name(self, field: str) -> str:
        """What is done, for the records' identity; empty: nothing."""
        cut = self._aperture
        words = [f"{field} field"] if field else []
        words += [f"{cut.width}x{cut.height}+{cut.left}+{cut.top}"] if cut else []
        return " ".join(words)

    def _chain(self, frame: av.VideoFrame, field: str) -> list[tuple[str, str]]:
        cut, chain = self._aperture, []
        if cut and cut.left + cut.width <= frame.width and cut.top + cut.height <= frame.height:
            chain.append(("crop", f"{cut.width}:{cut.height}:{cut.left}:{cut.top}:exact=1"))
        if field:
            chain.append(("field", field))
        return chain or [("null", "")]

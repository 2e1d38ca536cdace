"""Pictures of frames, out of the footage that their records are of."""

from __future__ import annotations

from collections.abc import Sequence

from operators.errors import DinostreamError, UsageError


class NoPicture(DinostreamError):
    """There is none; the text says why and what helps."""


class Pictures:
    """Of some footage. From any thread."""

    def __init__(self, media: Sequence[str]) -> None:
        """
        Args:
            media: files, folders, http(s) and s3 addresses, tapes.

        Raises:
            UsageError: there is no such footage.
        """
        if media:
            raise UsageError("footage is not read yet")

    def source(self, stream: str, session: str) -> str | None:
        """`footage` where a session's recording is at hand."""
        return None

    def of(self, stream: str, session: str, position: str, time_us: int, side: int) -> bytes:
        """A JPEG of that very frame.

        Args:
            position: the frame's, as records have it.
            time_us: its event time.
            side: most pixels of the short side.

        Raises:
            NoPicture: it is not there, or cannot be decoded.
        """
        raise NoPicture(f"no footage of {stream}")

    def close(self) -> None:
        """Let go of decoders."""

"""What a server's answer to a request for bytes says about the resource, and whether it is true.

Response in -> length, parts, version; knows nothing of reading on.
"""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass

from pipeline.errors import SourceError

_BYTES = r"[0-9]{1,18}"
_SIZE = re.compile(_BYTES)
_PART = re.compile(rf"bytes ({_BYTES})-({_BYTES})/({_BYTES}|\*)")


@dataclass(frozen=True, slots=True)
class Answer:
    """One response.

    Attributes:
        begins: which byte of the resource its body begins with.
        length: of the whole resource, bytes; None where it is not told, as cameras do not.
        gives_parts: it is one, of something with a length: others can be asked for.
        chunked: the body's end is marked.
        version: ETag and Last-Modified, "" where they are not told.
    """

    response: http.client.HTTPResponse
    begins: int
    length: int | None
    gives_parts: bool
    chunked: bool
    version: tuple[str, str]

    @classmethod
    def of(cls, response: http.client.HTTPResponse) -> Answer:
        """Read its headers.

        Raises:
            SourceError: its body is encoded.
        """
        headers = response.headers
        encoding = headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise SourceError(
                f"comes {encoding}-encoded although it was asked for as it is; "
                "have its server leave videos alone"
            )
        begins, length = _place(response)
        if headers.get_content_maintype() == "multipart":  # pictures without end
            length = None
        partial = response.status == http.client.PARTIAL_CONTENT  # whatever Accept-Ranges says
        return cls(
            response,
            begins,
            length,
            length is not None and partial,
            headers.get("Transfer-Encoding", "").strip().lower() == "chunked",
            (headers.get("ETag", ""), headers.get("Last-Modified", "")),
        )

    def require_begin(self, first: int) -> None:
        """Raise SourceError where it begins elsewhere than was asked for."""
        if self.begins != first:
            raise SourceError(
                f"cannot be read from byte {first}: its server answers {self.response.status} "
                f"with what begins at byte {self.begins}"
            )

    @property
    def if_unchanged(self) -> dict[str, str]:
        """Header that asks for a part of this version only, which a weak tag may not (RFC 9110)."""
        tag, modified = self.version
        condition = tag if tag.startswith('"') else modified
        return {"If-Range": condition} if condition else {}

    def require_same(self, other: Answer) -> None:
        """Raise SourceError where a later answer is about another file."""
        told = zip((*self.version, self.length), (*other.version, other.length), strict=True)
        if any(mine and its and mine != its for mine, its in told):
            raise SourceError("has changed on its server while it was read")


def _place(response: http.client.HTTPResponse) -> tuple[int, int | None]:
    """Where the body begins in the resource, and how long that is."""
    length = response.headers.get("Content-Length", "")
    whole = int(length) if _SIZE.fullmatch(length.strip()) else None
    if response.status != http.client.PARTIAL_CONTENT:
        return 0, whole
    part = _PART.fullmatch(response.headers.get("Content-Range", "").strip())
    if part is None:  # a part of what? Taken for the whole, which is right only where it begins
        return 0, None
    return int(part[1]), None if part[3] == "*" else int(part[3])

"""One file that upstream publishes: what it is, where it lies, under which licence."""

from __future__ import annotations

from dataclasses import dataclass

FREE, NOT_COMMERCIAL = "Apache-2.0", "CC-BY-NC-4.0"


@dataclass(frozen=True, slots=True)
class OfficialFile:
    """One file that upstream publishes.

    Attributes:
        url: where it lies; the last part is its file name. With a form the name alone.
        purpose: `backbone`, the operator that it is a head for, or `words`: a part of dino.txt.
        model: the architecture that it is, or that it was trained on.
        head: the head's name, None for a backbone.
        size_bytes: its size, None where nobody we trust tells it.
        sha256: its hash in lower-case hex, None: pinned at first use.
        licence: SPDX identifier.
        kept_as: its name in the cache, where others have the same in their own folders.
        form: where a person accepts its licence and is told where it lies; it is never fetched.
    """

    url: str
    purpose: str
    model: str
    head: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    licence: str = FREE
    kept_as: str | None = None
    form: str | None = None

    def __post_init__(self) -> None:
        if not self.file_name:
            raise ValueError(f"url must end in a file name, got {self.url!r}")

    @property
    def file_name(self) -> str:
        """The name it has in the cache."""
        return self.kept_as or self.url.rsplit("/", 1)[-1]

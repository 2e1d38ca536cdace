"""Which of several versions counts: of the records of one thing, those that were published last.

Keys, versions and values in, in order of publishing -> the latest value of each key out. Knows
nothing of records.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")
Version = TypeVar("Version", bound=Hashable)


class Latest(Generic[K, Version, V]):
    """A value for each key and version. The latest version of a key is the one last asked for."""

    def __init__(self) -> None:
        self._known: dict[K, dict[Version, V]] = {}

    def __iter__(self) -> Iterator[K]:
        return iter(self._known)

    def of(self, key: K, version: Version, begin: Callable[[], V]) -> V:
        """The value of a version, which becomes the key's latest.

        Args:
            key: what there are versions of.
            version: variant or model of a record, or what tells versions apart.
            begin: makes the value where the version is new.
        """
        versions = self._known.setdefault(key, {})
        value = versions.pop(version) if version in versions else begin()
        versions[version] = value
        return value

    def versions(self, key: K) -> tuple[Version, ...]:
        """All of a key, the latest last; none of a key that is not known."""
        return tuple(self._known.get(key, ()))

    def latest(self, key: K) -> V:
        """The value of the latest version.

        Raises:
            KeyError: the key is not known.
        """
        versions = self._known[key]
        return versions[next(reversed(versions))]

"""The first few of all names, in whatever order they come. Pure."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar


class _Ordered(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...


N = TypeVar("N", bound=_Ordered)


class FirstNames(Generic[N]):
    """Who has room by name, so that it makes no difference who came first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: set[N] = set()
        self._shown: list[N] = []

    def add(self, name: N) -> N | None:
        """Another name, or one again; the one that has lost its room to it, if any."""
        if name in self._seen:
            return None
        self._seen.add(name)
        self._shown = sorted([*self._shown, name])
        return self._shown.pop() if len(self._shown) > self._most else None

    @property
    def shown(self) -> list[N]:
        """Those that have room, in order."""
        return self._shown

    @property
    def others(self) -> int:
        """How many have none."""
        return len(self._seen) - len(self._shown)

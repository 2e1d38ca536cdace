"""An operator's settings as a user wrote them: names and values held to what the operator knows.

Plain values in -> typed values or an error that names the operator, the key and what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from operators.errors import UsageError


class Settings:
    """The settings of one operator."""

    def __init__(self, operator: str, given: Mapping[str, Any], allowed: Sequence[str]) -> None:
        """
        Args:
            operator: its name, for the errors' texts.
            given: setting -> value.
            allowed: every setting it has.

        Raises:
            UsageError: an unknown setting; the text names the nearest one.
        """
        self._operator = operator
        self._given = given
        for key in given:
            if key not in allowed:
                near = get_close_matches(key, allowed, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]}?" if near else "there is none like it."
                listed = ", ".join(allowed) or "none"
                raise UsageError(
                    f"operator {operator} has no setting {key!r}; {hint} Settings: {listed}"
                )

    def whole(self, key: str, default: int, *, low: int, high: int) -> int:
        """A whole number from `low` to `high`.

        Raises:
            UsageError: something else was given.
        """
        value = self._given.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self._wrong(key, value, f"a whole number from {low} to {high}")
        return value

    def share(self, key: str, default: float) -> float:
        """A number from 0 to 1.

        Raises:
            UsageError: something else was given.
        """
        value = self._given.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self._wrong(key, value, "a number from 0 to 1")
        return float(value)

    def switch(self, key: str, *, default: bool) -> bool:
        """True or false.

        Raises:
            UsageError: something else was given.
        """
        value = self._given.get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, value, "true or false")
        return value

    def number(self, key: str, default: float, *, low: float, high: float) -> float:
        """A number from `low` to `high`.

        Raises:
            UsageError: something else was given.
        """
        value = self._given.get(key, default)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            raise self._wrong(key, value, f"a number from {low:g} to {high:g}")
        return float(value)

    def choice(self, key: str, default: str, allowed: Sequence[str]) -> str:
        """One of some words.

        Raises:
            UsageError: something else was given.
        """
        value = self._given.get(key, default)
        if value not in allowed:
            raise self._wrong(key, value, f"one of {', '.join(allowed)}")
        return str(value)

    def names(self, key: str) -> tuple[str, ...]:
        """A list of names; none where it is not given.

        Raises:
            UsageError: something else was given.
        """
        value = self._given.get(key, ())
        listed = isinstance(value, Sequence) and not isinstance(value, str)
        if not listed or not all(isinstance(name, str) and name for name in value):
            raise self._wrong(key, value, "a list of names, such as [person, car]")
        return tuple(value)

    def _wrong(self, key: str, value: object, wanted: str) -> UsageError:
        return UsageError(f"operator {self._operator}: {key} must be {wanted}, got {value!r}")

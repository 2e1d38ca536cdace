"""The root of every error that dinostream raises on purpose.

    DinostreamError            its text says where and what to do, `retryable` whether to try again
    ├── GridError              a picture has another shape than a head was made for
    └── UsageError             bad usage or configuration; exit code 2, before the first frame
        ├── WeightsError       a weights file is absent, broken, refused or not the one asked for
        └── Absent             an operator that another one reads does not run

`pipeline.errors` grows the other branches. Must not import anything.
"""

from __future__ import annotations


class DinostreamError(Exception):
    """Something went wrong that the program foresaw; its text says what to do.

    Args:
        message: what, where, got, allowed, what to do.
        retryable: the same call may succeed later, unchanged.
    """

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable

    def __reduce__(self) -> tuple[object, ...]:
        """Whole in another process, whatever the constructor of its kind takes."""
        return _again, (type(self), self.args, vars(self))


class UsageError(DinostreamError):
    """The user asked for something that cannot be: exit code 2, nothing was run."""


class WeightsError(UsageError):
    """A weights file cannot be had, read or used; the text names the file and the keys."""


class GridError(DinostreamError):
    """A head that knows every place of a picture is given a picture of another shape."""


class Absent(UsageError):
    """An operator reads what another one finds, and that one does not run.

    Attributes:
        operator: the one that is absent.
        need: who reads what of it, for people.
    """

    def __init__(self, need: str, operator: str, *, leave: str) -> None:
        """
        Args:
            need: who reads what, up to the name of the one that is absent.
            operator: that one.
            leave: what a user can do without instead.
        """
        self.need, self.operator = f"{need} {operator}", operator
        super().__init__(
            f"{self.need}, which does not run in this job; add it to operators, with a head, or "
            f"leave {leave} out"
        )


def _again(
    kind: type[DinostreamError], args: tuple[object, ...], own: dict[str, object]
) -> DinostreamError:
    error = kind.__new__(kind, *args)
    vars(error).update(own)
    return error

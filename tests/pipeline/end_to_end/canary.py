"""An operator that fails, and tells all that it knows; and what it should not have told."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator

from operators.operator import Operator

ODD = "/?#@%: &+'\"<>\\é"  # all that programs quote, each in its own way


def canary(name: str) -> str:
    """A secret that is found again however its odd characters are written."""
    return f"qz{name}begins{ODD}qz{name}ends"


def tracks(name: str) -> Iterator[str]:
    """What may be seen nowhere: the ends of a canary, in clear and in base64 wherever in a text of
    three bytes each they begin."""
    for word in (f"qz{name}begins", f"qz{name}ends"):
        yield word
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + word.encode()).decode()
            yield coded[4 if shift else 0 : -4]


class Telltale(Operator):
    name = "telltale"

    def __call__(self, features):
        told = {name: value for name, value in os.environ.items() if "canary" in name.lower()}
        raise ValueError(f"it cannot be done with {told} {features.infos[0]!r}")

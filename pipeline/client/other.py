"""Records that are not results: dinostream's own books, and what is not understood."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from operators.format import JSON
from pipeline.client.result import Result
from pipeline.records.record import Message


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Books(Result):
    """Manifests, by which a sink is audited; progress and claims, with which dinostream goes on.
    Do not build on what they say.

    Attributes:
        data: JSON values.
    """

    data: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Raw(Result):
    """A record as it is: of a type that this version does not know, or broken. Where it is an
    attribute that is broken, only `attributes` and where it lies say what it is.

    Attributes:
        value: the payload.
        fault: why it is given like this.
    """

    value: bytes = field(repr=False)
    fault: str

    def json(self) -> Any:
        """The value, where it is JSON.

        Raises:
            ValueError: it is not.
        """
        kind = self.attributes.get("datacontenttype")
        if kind != JSON:
            raise ValueError(f"{self.id} is {kind}, not {JSON}")
        return json.loads(self.value)


def books(said: Mapping[str, Any], message: Message) -> Books:
    """Of a record of topic `manifest`, `progress` or `claims`."""
    return Books(**said, data=json.loads(message.value))

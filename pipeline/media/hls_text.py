"""The values in a playlist's lines: text in -> addresses, attributes, lengths and moments. Pure."""

from __future__ import annotations

import math
import re
from datetime import datetime
from urllib.parse import urljoin

from operators.moment import microseconds
from pipeline.media.http import encoded

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)')
_DAY_S = 86_400.0


def address(base: str, reference: str) -> str:
    """Where something lies, as it can be asked for: muxers write names as they are.

    Args:
        base: the playlist's own address.
        reference: a URI in it, mostly relative.

    Raises:
        ValueError: no URI.
    """
    return encoded(urljoin(base, reference))


def attributes(line: str) -> dict[str, str]:
    """What a tag says behind its colon, without quotation marks."""
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(line.partition(":")[2])}


def length_s(text: str) -> float:
    """Seconds that something lasts.

    Raises:
        ValueError: no number of seconds of this world: negative, `nan`, `inf`, more than a day.
    """
    seconds = float(text)
    if math.isnan(seconds) or not 0 <= seconds <= _DAY_S:
        raise ValueError(f"something lasts {text.strip()} s")
    return seconds


def moment_us(text: str) -> int | None:
    """Microseconds since the epoch; None where it is no moment, or in no known time zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return None if moment.tzinfo is None else microseconds(moment)

"""A folder or a file that grows, as a stream that is followed."""

from __future__ import annotations

import hashlib
import os

from operators.errors import UsageError
from pipeline.configuration.config import Config, StreamConfig
from pipeline.configuration.source_plan import SourcePlan
from pipeline.media.fingerprint import SESSION_DIGITS
from pipeline.secrets import mask_url


def plan_followed(name: str, stream: StreamConfig, config: Config, *, live: bool) -> SourcePlan:
    """
    Args:
        name: of the stream.
        stream: its entry, which says `follow`.
        config: the run's.
        live: it is `dinostream run`'s, which alone goes on until it is stopped.

    Raises:
        UsageError: it cannot be followed; says why.
    """
    where = f"streams.{name}.follow"
    if not live:
        raise UsageError(f"{where}: only dinostream run follows; leave it out for a replay")
    if "://" in stream.url and not os.path.exists(stream.url):
        raise UsageError(
            f"{where} is for files and folders on this machine; {mask_url(stream.url)} is followed "
            "without it"
        )
    if not os.path.exists(stream.url):
        raise UsageError(f"{where}: no such file or folder: {stream.url}")
    if stream.start_time is not None or config.start_time is not None:
        raise UsageError(
            f"{where}: each file has a time of its own, so there is no start_time; leave one out"
        )
    if config.span_s is not None:
        raise UsageError(f"{where}: span_s is a part of a recording that is whole; leave one out")
    place = os.fsencode(os.path.realpath(stream.url))
    session = hashlib.sha256(place).hexdigest()[:SESSION_DIGITS]
    return SourcePlan(name, stream.url, live=False, session=session)

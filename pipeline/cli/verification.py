"""`dinostream replay --verify`: compute recordings again, and hold what comes against a sink."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipeline.audit.replayed import Verdict
    from pipeline.configuration.config import Config


def verify(config: Config, uri: str, settings: dict[str, Any], *, as_json: bool) -> int:
    """Say of each stream what differs; nothing of what is computed stays.

    Args:
        config: of the replay; its own sink is not used.
        uri: the sink that is held against it.
        settings: of that.
        as_json: one JSON object a line.

    Returns:
        Exit code: 0 where all is equal, or has a reason; 1 where it is not. The job's where that
        stopped or failed: then nothing is compared.
    """
    from pipeline.audit.replayed import breaks_of, compared
    from pipeline.configuration.config import SinkConfig
    from pipeline.configuration.streams import stream_specs
    from pipeline.display import open_display
    from pipeline.job import DONE, SOME_FAILED, run_job
    from pipeline.sinks.uri import open_reader

    taped = {spec.stream: spec.taped for spec in stream_specs(config, live=False)}
    with (
        closing(open_reader(uri, settings=settings)) as there,
        tempfile.TemporaryDirectory(prefix="dinostream-verify-") as folder,
    ):
        breaks = {stream: breaks_of(there, stream) for stream in taped}
        mine = f"sqlite:{folder}/computed.db"
        again = config.model_copy(update={"sink": SinkConfig(uri=mine)})
        with redirect_stdout(sys.stderr), closing(open_display()) as display:
            code = run_job(again, live=False, fresh=True, display=display, breaks=breaks)
        if code not in (DONE, SOME_FAILED):
            click.echo("stopped before its end: nothing is proved", err=True)
            return code
        with closing(open_reader(mine)) as computed:
            ended = {one.stream for one in computed.progress() if one.done}
            good = True
            for stream in taped:
                whole_tape = taped[stream] and stream in ended
                verdict = compared(computed, there, stream, breaks[stream], whole_tape=whole_tape)
                good &= verdict.good
                told = json.dumps(verdict.plain()) if as_json else "\n".join(_lines(verdict))
                click.echo(told)
    return 0 if good else 1


def settings_of(config: Path | None, uri: str) -> dict[str, Any]:
    """The client settings of a configuration's sink, for another of its kind."""
    from pipeline.cli.sink_options import sink_settings

    return sink_settings(config) if uri.startswith("kafka:") else {}


def _lines(verdict: Verdict) -> Iterator[str]:
    from pipeline.audit.replayed import REASONS

    word = "the same" if verdict.good else "NOT THE SAME"
    equal = sum(verdict.equal.values())
    left_out = f", {verdict.left_out} frames left out as there" if verdict.left_out else ""
    yield f"{verdict.stream}: {word}; {equal} records equal{left_out}"
    if not verdict.equal:
        yield "  no record is on both sides; was it another stream, or another model or setting?"
    for one in verdict.differences.values():
        why = REASONS[one.reason] if one.reason else "two payloads under one id"
        more = one.records - len(one.ids)
        ids = ", ".join(one.ids) + (f" and {more} more" if more else "")
        yield f"  {one.kind}: {one.records} in {one.topic} ({why}): {ids}"

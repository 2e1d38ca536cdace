"""`dinostream clip`: the film of a record, out of its stream's tape."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from operators.errors import UsageError
from pipeline.cli.options import FiniteRange
from pipeline.cli.sink_options import sink_config_option, sink_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.media.tape import Segment
    from pipeline.records.record import Message
    from pipeline.sinks.sink import Reader

SECOND_US = 1_000_000


@click.command(
    "clip",
    epilog="Example: dinostream clip sqlite:results.db --around "
    "action/gate/1796004388569953/270000/9b07eb31698b --tape tapes/gate -o fall.mp4",
)
@click.argument("sink")
@click.option("--around", "name", metavar="ID", required=True, help="Id of a record in SINK.")
@click.option(
    "--tape",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of the stream's tape, or the one that its `record:` names.",
)
@click.option("--before", type=FiniteRange(min=0), default=10, show_default=True, help="s.")
@click.option("--after", type=FiniteRange(min=0), default=20, show_default=True, help="s.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The film.")
@sink_config_option
def command(
    sink: str,
    *,
    name: str,
    tape: Path,
    before: float,
    after: float,
    output: Path,
    config: Path | None,
) -> int:
    """Cut the film of a record in SINK out of its stream's tape.

    It holds the packets as they came, nothing is encoded again: so it begins with the key frame
    before the time that is asked for. It ends where the connection does.
    """
    from pipeline.media.tape_clip import cut, stretches
    from pipeline.sinks.uri import open_reader

    with closing(open_reader(sink, settings=sink_settings(config))) as reader:
        record = _record(reader, name)
    at_us = _came_us(record)
    segments = _session(tape, record)
    from_us, to_us = at_us - int(before * SECOND_US), at_us + int(after * SECOND_US)
    found = stretches(segments, from_us, to_us)
    if not found or not found[0].first_us <= at_us <= found[-1].last_us:
        raise UsageError(f"{tape}: the footage of {name} is gone, or was never taped")
    made = cut(found, output)
    earlier, later = (at_us - made.first_us) / SECOND_US, (made.last_us - at_us) / SECOND_US
    click.echo(f"{output}: {made.packets} frames, {earlier:.1f} s before and {later:.1f} s after")
    return 0


def _record(reader: Reader, name: str) -> Message:
    from pipeline.records.filter import Filter

    parts = name.split("/")
    if len(parts) != 5:
        form = "TOPIC/STREAM/SESSION/POSITION/VARIANT"
        raise UsageError(f"--around wants the id of a record, {form}; got {name!r}")
    topic, stream, session, *_ = parts
    if topic in reader.topics():
        for record in reader.records([topic], where=Filter((stream,), session=session)):
            if record.message.id == name:
                return record.message
    raise UsageError(f"the sink has no record {name}; `dinostream tail` shows those that it has")


def _came_us(record: Message) -> int:
    """When its frame came: the clock that a tape goes by."""
    from operators.moment import microseconds
    from pipeline.client.result import moment

    said = record.headers.get("ce_ingesttime")
    with suppress(ValueError):
        came_us = microseconds(moment(said))
        if came_us is not None:
            return came_us
    raise UsageError(
        f"{record.id} does not say when its frame came: its `ingesttime` is {said or 'missing'}, "
        "not a time with a zone; take another record of the frame"
    )


def _session(tape: Path, record: Message) -> Sequence[Segment]:
    from pipeline.media.tape import sessions_of, tape_stream

    stream, session = record.headers["ce_streamid"], record.headers.get("ce_session", "")
    folder = next((one for one in (tape, tape / stream) if tape_stream(str(one)) == stream), None)
    if folder is None:
        raise UsageError(f"{tape} is no tape of stream {stream}, nor does it hold one")
    for segments in sessions_of(folder):
        if segments[0].session == session:
            return segments
    raise UsageError(f"{folder}: the footage of session {session} is gone, or was never taped")

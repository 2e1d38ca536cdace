"""Records of a sink as a file for Rerun's viewer: pictures, maps and texts along their time.

Records in -> a .rrd out, written as it grows. The one place that knows Rerun's SDK, an extra.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from operators.errors import UsageError
from pipeline.client.fault import FAULTS
from pipeline.client.labels import LabelSets
from pipeline.errors import SinkError
from pipeline.records.filter import ALL, Filter
from pipeline.records.payloads import class_ids, time_us
from pipeline.records.record import Message, StoredRecord
from pipeline.sinks.sink import Reader
from pipeline.stream.session import is_connection
from pipeline.view.pace import Pace

PER_S = 2.0  # of a series: its viewer keeps every picture that was looked at

_TEXTS = ("action", "action.episodes", "tamper.episodes", "classify", "events", "deadletter")


@dataclass(frozen=True, slots=True)
class Exported:
    """What became of the records.

    Attributes:
        shown: in the file.
        spared: those of frames beyond the pace.
        unread: that were not what their topic says.
    """

    shown: int = 0
    spared: int = 0
    unread: int = 0


def export(
    reader: Reader,
    out: Path,
    *,
    where: Filter = ALL,
    per_s: float = PER_S,
    tell: Callable[[int], None] = lambda _: None,
) -> Exported:
    """Write the records that there are to a file.

    Args:
        reader: of the sink.
        out: the file; whole, or not there at all.
        where: which records.
        per_s: frames of a series for each second of event time, at most.
        tell: is told how many records were read so far.

    Raises:
        UsageError: the SDK is not installed, or there is nothing to show.
        SinkError: the sink cannot be read, or the file cannot be written.
    """
    sdk = _sdk()
    draft = out.with_name(f"{out.name}.part")
    try:
        draft.touch()
        with _recording(sdk, draft) as recording:
            log = _Log(sdk, recording, LabelSets(reader), Pace(per_s))
            done = log.all(_read(reader, where, tell))
        if not done.shown:
            raise UsageError("there is nothing to show: no picture, map or event is there")
        draft.replace(out)
    except OSError as error:
        raise SinkError(f"cannot write {out}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # it has its name, or never was
            draft.unlink()
    return done


@contextmanager
def _recording(sdk: Any, path: Path) -> Iterator[Any]:
    """One that lies whole at the path when the block is over."""
    recording = sdk.RecordingStream("dinostream")
    recording.set_log_time_enabled(False)  # of the export: nobody asks for that
    recording.set_log_tick_enabled(False)
    try:
        recording.save(path)
        yield recording
        _flush(recording, path)
    finally:
        recording.disconnect()


def _flush(recording: Any, path: Path) -> None:
    try:
        recording.flush()
    except RuntimeError as error:  # its thread could not write, and says no more than that
        raise SinkError(f"cannot write {path}: {error}; is the disk full?") from error


def _sdk() -> Any:
    try:
        import rerun
    except ImportError as error:
        raise UsageError(
            "Rerun's file wants its SDK, 170 MB that are not installed: pip install rerun-sdk, or "
            "install dinostream with the extra: pip install '.[rerun]'"
        ) from error
    return rerun


def _read(reader: Reader, where: Filter, tell: Callable[[int], None]) -> Iterator[StoredRecord]:
    for number, record in enumerate(reader.records(where=where), 1):
        yield record
        tell(number)


class _Log:
    """Puts records into a recording."""

    def __init__(self, sdk: Any, recording: Any, label_sets: LabelSets, pace: Pace) -> None:
        self._sdk = sdk
        self._recording = recording
        self._label_sets = label_sets
        self._pace = pace
        self._named: set[tuple[str, ...]] = set()  # places whose classes have names

    def all(self, records: Iterator[StoredRecord]) -> Exported:
        done = Exported()
        for record in records:
            try:
                shown = self._one(record.message)
            except FAULTS:
                done = replace(done, unread=done.unread + 1)
            else:
                if shown is not None:
                    key = "shown" if shown else "spared"
                    done = replace(done, **{key: getattr(done, key) + 1})
        return done

    def _one(self, message: Message) -> bool | None:
        """Whether it is shown or spared; None of what is not for the eye."""
        is_picture = message.headers["content-type"].startswith("image/")
        if not is_picture and message.topic not in _TEXTS:
            return None
        place, headers = _place(message), message.headers
        at_us = time_us(headers["ce_time"] if "ce_time" in headers else headers["ce_ingesttime"])
        is_of_a_frame = is_picture or message.topic == "classify"
        if is_of_a_frame and not self._pace.lets(tuple(place), at_us):
            return False
        what = self._picture(message) if is_picture else self._sdk.TextLog(_text(message))
        self._recording.reset_time()
        if headers.get("ce_clock") == "media":
            at = np.timedelta64(at_us, "us")
            self._recording.set_time("recording", duration=at)
        else:
            self._recording.set_time("time", timestamp=np.datetime64(at_us, "us"))
        if message.topic == "segmentation":
            self._name_classes(place, headers["ce_labelset"])
        self._recording.log(place, what)
        return True

    def _picture(self, message: Message) -> Any:
        """Maps with their numbers, other pictures as they are."""
        headers = message.headers
        if message.topic == "segmentation":
            return self._sdk.SegmentationImage(class_ids(message))
        if message.topic == "depth":
            with Image.open(io.BytesIO(message.value), formats=["PNG"]) as image:
                steps = np.asarray(image).astype(np.uint16)
            metric = headers["ce_depthkind"] == "metric"
            per_metre = 1 / float(headers["ce_depthscale"]) if metric else None
            return self._sdk.DepthImage(steps, meter=per_metre)
        return self._sdk.EncodedImage(contents=message.value, media_type=headers["content-type"])

    def _name_classes(self, place: list[str], label_set: str) -> None:
        if tuple(place) not in self._named:
            labels = self._label_sets.named(label_set).values()
            named = [(label.id, label.name, label.rgb) for label in labels]
            self._recording.log(place, self._sdk.AnnotationContext(named), static=True)
            self._named.add(tuple(place))


def _place(message: Message) -> list[str]:
    """Stream, recording, topic and variant: what differs in one of them is something else."""
    headers = message.headers
    session = headers.get("ce_session", "")
    recording = "" if is_connection(session) else session
    parts = (headers["ce_streamid"], recording, message.topic, headers["ce_variant"])
    return [part for part in parts if part]


def _text(message: Message) -> str:
    said = json.loads(message.value)
    if message.topic == "events":
        return " ".join([said["kind"], said.get("detail", "")]).strip()
    if message.topic == "deadletter":
        return f"{said['operator']}: {said['detail']}"
    if message.topic == "action.episodes":
        return f"{said['label']['name']}, {said['start']['time']} to {said['end']['time']}"
    if message.topic == "tamper.episodes":
        return f"{said['kind']}, {said['start']['time']} to {said['end']['time']}"
    labels = [f"{one['name']} {one['score']:.2f}" for one in said["labels"]]
    return ", ".join(labels) or "no label reaches its threshold"

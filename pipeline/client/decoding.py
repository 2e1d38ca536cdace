"""Stored records -> results of their types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.client.action import action, episode
from pipeline.client.anomaly import anomaly, anomaly_summary
from pipeline.client.components import principal_components
from pipeline.client.depth import depth, depth_summary
from pipeline.client.detections import detections
from pipeline.client.embedding import embedding
from pipeline.client.fault import FAULTS, told
from pipeline.client.frame import frame
from pipeline.client.incident import dead_letter, event
from pipeline.client.labels import LabelSets, label_set
from pipeline.client.other import Raw, books
from pipeline.client.result import Result, place, said
from pipeline.client.scores import classification
from pipeline.client.segmentation import segmentation, segmentation_summary
from pipeline.client.shot import shot
from pipeline.client.tamper import tamper_episode, view
from pipeline.client.tracks import crossing, tracks, visit
from pipeline.client.unchanged import unchanged
from pipeline.client.zones import zone_alert, zone_episode, zones
from pipeline.errors import UnreadableRecord
from pipeline.records.record import StoredRecord
from pipeline.records.topics import TOPICS

Decode = Callable[[Mapping[str, Any], Any], Result]

BY_TOPIC: Mapping[str, Decode] = {
    "depth": depth,
    "depth.summary": depth_summary,
    "segmentation": segmentation,
    "segmentation.summary": segmentation_summary,
    "classify": classification,
    "action": action,
    "action.episodes": episode,
    "embedding": embedding,
    "pca": principal_components,
    "frames": frame,
    "detections": detections,
    "zones": zones,
    "zones.episodes": zone_episode,
    "zones.alerts": zone_alert,
    "tracks": tracks,
    "tracks.zones": visit,
    "lines.crossed": crossing,
    "tamper": view,
    "tamper.episodes": tamper_episode,
    "anomaly": anomaly,
    "anomaly.summary": anomaly_summary,
    "labels": label_set,
    "events": event,
    "deadletter": dead_letter,
    "unchanged": unchanged,
    "shots": shot,
    "manifest": books,
    "progress": books,
    "claims": books,
}
BY_TYPE = {f"dinostream.{topic}.v1": (topic, decode) for topic, decode in BY_TOPIC.items()}


class Decoder:
    """Of one sink's records."""

    def __init__(self, label_sets: LabelSets, *, strict: bool) -> None:
        """
        Args:
            label_sets: of the sink.
            strict: refuse what is not understood, instead of giving it as it is.
        """
        self.unread = 0
        self._label_sets = label_sets
        self._strict = strict

    def __call__(self, record: StoredRecord) -> Result:
        """
        Raises:
            UnreadableRecord: a record is of a type that is not known, or broken; only if `strict`.
            SinkError: its label set cannot be looked up.
        """
        kind = record.message.headers.get("ce_type", "")
        if kind not in BY_TYPE:
            return self._raw(record, f"type {kind!r} is not known to this version")
        topic, decode = BY_TYPE[kind]
        labels = self._labels(record) if topic == "segmentation" else {}
        try:
            _require_format(record, topic)
            return decode(said(record) | labels, record.message)
        except FAULTS as error:
            return self._raw(record, told(error))

    def _labels(self, record: StoredRecord) -> dict[str, Any]:
        return {"labels": self._label_sets.named(record.message.headers.get("ce_labelset", ""))}

    def _raw(self, record: StoredRecord, fault: str) -> Raw:
        if self._strict:
            where = f"{record.message.topic}, partition {record.partition}, offset {record.offset}"
            raise UnreadableRecord(
                f"{record.message.id} ({where}) cannot be read: {fault}. Update this client, or "
                "subscribe without strict=True to get such records as they are"
            )
        self.unread += 1
        return Raw(**_as_far_as_said(record), value=record.message.value, fault=fault)


def _as_far_as_said(record: StoredRecord) -> dict[str, Any]:
    try:
        return said(record)
    except FAULTS:
        return place(record)


def _require_format(record: StoredRecord, topic: str) -> None:
    """What an attribute says of the value has to be what its type says."""
    declared, headers = TOPICS[topic].format, record.message.headers
    for name, right in (
        ("content-type", declared.content_type),
        ("ce_dataschema", declared.schema),
    ):
        if headers.get(name) != right:
            raise ValueError(f"{name} {headers.get(name)!r}, not {right!r}")

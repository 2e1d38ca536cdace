"""The classes of all results, for whoever tells them apart."""

from pipeline.client.action import Action, Episode, FrameTime
from pipeline.client.anomaly import Anomaly, AnomalySummary
from pipeline.client.components import PrincipalComponents
from pipeline.client.depth import Depth, DepthSummary
from pipeline.client.detections import Detections, Thing
from pipeline.client.embedding import Embedding
from pipeline.client.frame import Frame
from pipeline.client.incident import DeadLetter, Event
from pipeline.client.labels import Label, LabelSet
from pipeline.client.other import Books, Raw
from pipeline.client.result import Result
from pipeline.client.scores import Classification, Score
from pipeline.client.segmentation import ClassShare, Component, Segmentation, SegmentationSummary
from pipeline.client.shot import Shot
from pipeline.client.tamper import TamperEpisode, View
from pipeline.client.tracks import Crossing, Track, TrackLabel, Tracks, Visit
from pipeline.client.unchanged import Unchanged
from pipeline.client.zones import Zone, ZoneAlert, ZoneClass, ZoneEpisode, Zones

__all__ = [
    "Action",
    "Anomaly",
    "AnomalySummary",
    "Books",
    "ClassShare",
    "Classification",
    "Component",
    "Crossing",
    "DeadLetter",
    "Depth",
    "DepthSummary",
    "Detections",
    "Embedding",
    "Episode",
    "Event",
    "Frame",
    "FrameTime",
    "Label",
    "LabelSet",
    "PrincipalComponents",
    "Raw",
    "Result",
    "Score",
    "Segmentation",
    "SegmentationSummary",
    "Shot",
    "TamperEpisode",
    "Thing",
    "Track",
    "TrackLabel",
    "Tracks",
    "Unchanged",
    "View",
    "Visit",
    "Zone",
    "ZoneAlert",
    "ZoneClass",
    "ZoneEpisode",
    "Zones",
]

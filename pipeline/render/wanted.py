"""Which records of a sink are to be drawn: its attributes in -> whether one is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.records.filter import Filter

DRAWN = ("depth", "segmentation", "pca", "anomaly", "action", "zones")
MADE = ("depth", "segmentation", "pca", "action")  # of them, of a recording without a configuration


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records: of a recording's session, maybe of one stream of it, of some operators.

    Attributes:
        sink: where they are, for texts; secrets masked.
        source: the recording, for texts.
        session: the recording's.
        stream: the records'; None where any of the session will do.
        operators: topics.
        model: architecture, or architecture and start of the weights' hash, that the records are
            of; None where the newest will do.
        variants: of the records, as these say them; none where the newest will do.
    """

    sink: str
    source: str
    session: str
    stream: str | None
    operators: tuple[str, ...]
    model: str | None = None
    variants: tuple[str, ...] = ()

    @property
    def where(self) -> Filter:
        """What a sink can find of that by itself."""
        session = None if self.stream is None else self.session
        variant = self.variants[0] if len(self.variants) == 1 else None
        streams = () if self.stream is None else (self.stream,)
        return Filter(streams, session, variant)

    def takes(self, headers: Mapping[str, str]) -> bool:
        """Whether a record with these attributes is one of them."""
        return (
            headers["ce_session"] == self.session
            and self.stream in (None, headers["ce_streamid"])
            and self._is_of_model(headers.get("ce_model"))
            and (not self.variants or headers["ce_variant"] in self.variants)
        )

    def _is_of_model(self, model: str | None) -> bool:
        if model is None:  # none has to do with the record
            return True
        if self.model is None or "-" in self.model:
            return model.startswith(self.model or "")
        return model.rpartition("-")[0] == self.model

"""Published embeddings instead of footage: records of a sink in -> an action head out.

An embedding is the last block's class token divided by its length, and nothing else of a frame;
the head says so, and the operator does the same. Knows nothing of the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from operators.backbones.backbone import Backbone
from operators.errors import UsageError
from pipeline.fit.fit_action import ActionPlan, fit_windows
from pipeline.fit.fitting import FitReport, Tell
from pipeline.fit.spans import Labelled
from pipeline.fit.windowing import Cut, Seen
from pipeline.records.filter import Filter
from pipeline.records.newest import Latest
from pipeline.records.payloads import time_us
from pipeline.records.record import Message
from pipeline.sinks.uri import open_reader

TOPIC = "embedding"
_TOLERANCE = 1.5  # times the sampling period: what a run itself takes for a gap


@dataclass(slots=True)
class _Stream:
    """Embeddings of one stream and variant, in order of publishing."""

    model: str
    clock: str
    sessions: set[str] = field(default_factory=set)
    vectors: list[bytes] = field(default_factory=list)
    times_us: list[int] = field(default_factory=list)


def fit_published(
    sink: str, recordings: Sequence[Labelled], backbone: Backbone, plan: ActionPlan, *, tell: Tell
) -> FitReport:
    """Train an action head on embeddings that a run has published.

    Args:
        sink: `sqlite:PATH` or a Kafka URI.
        recordings: spans by stream; seconds since the stream's first embedding.
        backbone: that made them.
        plan: how; its `fps` must be the run's.
        tell: told how far it is.

    Raises:
        UsageError: no embeddings of a stream, of another backbone, of another rate, or of several
            sessions; labels that do not fit; or blocks that should learn.
        SinkError: the sink cannot be read, or the head cannot be written.
    """
    if plan.fit.finetune:
        raise UsageError(
            "--finetune needs the tokens of frames, published embeddings have none; give footage, "
            "or leave out --finetune"
        )
    wanted = {one.name for one in recordings}
    streams = _read(sink, wanted, backbone, tell)
    seen = [_seen(one, streams[one.name], plan) for one in recordings]
    cut = Cut(plan.fps, plan.frames, plan.stride, mean_patch=False, unit=True)
    return fit_windows(seen, backbone, plan, tell=tell, cut=cut)


def _read(sink: str, wanted: set[str], backbone: Backbone, tell: Tell) -> dict[str, _Stream]:
    streams: Latest[str, str, _Stream] = Latest()
    reader = open_reader(sink)
    try:
        if TOPIC not in reader.topics():
            raise UsageError("the sink holds no embeddings; run with the operator embedding")
        where = Filter(tuple(sorted(wanted)))
        for number, record in enumerate(reader.records([TOPIC], where=where), start=1):
            _keep(streams, record.message)
            tell(None, f"{number} embeddings read")
        if missing := sorted(wanted - set(streams)):
            there = {record.message.key for record in reader.records([TOPIC])}
            raise UsageError(
                f"no embeddings of {', '.join(missing)} in the sink; there are streams: "
                f"{', '.join(sorted(there)) or 'none'}"
            )
    finally:
        reader.close()
    return {name: _checked(name, streams.latest(name), backbone) for name in streams}


def _keep(streams: Latest[str, str, _Stream], message: Message) -> None:
    said = message.headers
    begin = partial(_Stream, said["ce_model"], said["ce_clock"])
    own = streams.of(message.key, said["ce_variant"], begin)
    own.sessions.add(said["ce_session"])
    own.vectors.append(message.value)
    own.times_us.append(time_us(said["ce_time"]))


def _checked(name: str, own: _Stream, backbone: Backbone) -> _Stream:
    model = backbone.loaded.name
    if own.model != model:
        raise UsageError(
            f"the embeddings of {name} are {own.model}'s, the backbone is {model}; "
            "give the same --model and --weights"
        )
    if len(own.sessions) > 1:
        raise UsageError(
            f"{name} has several sessions, so seconds since its first frame are no moment; "
            "replay the recordings themselves into a sink of their own"
        )
    return own


def _seen(labelled: Labelled, stream: _Stream, plan: ActionPlan) -> Seen:
    times_us, unique = np.unique(np.array(stream.times_us, dtype=np.int64), return_index=True)
    times_s = (times_us - times_us[0]) / 1e6
    _refuse_other_rate(labelled.name, times_s, plan.fps)
    vectors = np.frombuffer(b"".join(stream.vectors), dtype="<f4").astype(np.float32)
    return Seen(
        labelled,
        next(iter(stream.sessions)),
        vectors.reshape(len(stream.vectors), 1, -1)[unique],
        times_s,
        times_us,
        stream.clock,
        (),
        float(times_s[-1]) + 1 / plan.fps,
    )


def _refuse_other_rate(name: str, times_s: np.typing.NDArray[np.float64], fps: float) -> None:
    if len(times_s) < 2:
        raise UsageError(f"{name}: {len(times_s)} embeddings are too few")
    period_s = float(np.median(np.diff(times_s)))
    if not 1 / _TOLERANCE < period_s * fps < _TOLERANCE:
        raise UsageError(
            f"{name}: its embeddings are {1 / period_s:.3g} a second, --fps says {fps:g}; give the "
            "rate that they were made with"
        )

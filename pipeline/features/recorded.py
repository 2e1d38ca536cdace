"""A recording that a user named -> how it is decoded by whoever takes some frames of it."""

from __future__ import annotations

import hashlib
import os

from pipeline.configuration.source_plan import SourcePlan
from pipeline.configuration.streams import RECORDED_CHUNK_MS
from pipeline.features.clip import Clip
from pipeline.media.frame_size import FrameSize
from pipeline.stream.chunk import Cursor
from pipeline.stream.sampling import Sampling
from pipeline.stream.shots import ShotRule
from pipeline.stream.spec import StreamSpec


def recorded_spec(
    plan: SourcePlan, size: FrameSize, fps: float, *, shots: ShotRule | None = None
) -> StreamSpec:
    """
    Args:
        plan: of a recording.
        size: of a frame.
        fps: frames taken per second of media time.
        shots: how cuts are told; None: nobody looks for them.
    """
    return StreamSpec(
        stream=plan.stream,
        url=plan.url,
        session=plan.session,
        samplings=(Sampling("fps", fps),),
        short_side=size.short_side,
        patch=size.patch,
        chunk_ms=RECORDED_CHUNK_MS,
        join=plan.join,
        layout=plan.layout,
        taped=plan.taped,
        late_begins=plan.late_begins,
        shots=shots,
    )


def clip_spec(clip: Clip, size: FrameSize, *, cursor: Cursor | None = None) -> StreamSpec:
    """
    Args:
        clip: a file or a scene, and which frames of it; with one size or another they are the same.
        size: of a frame.
        cursor: where decoding goes on; None: at the beginning.
    """
    return StreamSpec(
        stream=hashlib.sha256(os.fsencode(clip.url)).hexdigest()[:32],
        url=clip.url,
        session=clip.content,
        samplings=(clip.sampling,),
        short_side=size.short_side,
        patch=size.patch,
        cursor=cursor,
        chunk_ms=RECORDED_CHUNK_MS,
        # So that losses are counted up to there, and not as far as somebody has decoded ahead.
        span_s=None if clip.end_s is None else (0.0, clip.end_s),
    )

"""Tapes played session by session: what has gone, what grows, and what goes on where."""

from dataclasses import replace

import av
import numpy as np
import pytest

from pipeline.configuration.tapes import tapes_in
from pipeline.decode.capture import Capture
from pipeline.decode.taped import Taped
from pipeline.decode.track import Sample
from pipeline.media.container import open_video
from pipeline.media.reel import VideoReel
from pipeline.media.tape import Taping, segments_of
from pipeline.stream.chunk import End, Fault
from pipeline.stream.spec import StreamSpec

FIRST_US, SECOND_US = 1_700_000_000_000_000, 1_700_000_099_000_000
PACKET_US = 100_000


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Ten seconds in groups of ten pictures."""
    path = tmp_path_factory.mktemp("clip") / "clip.ts"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, width=64, height=64, pix_fmt="yuv420p")
        stream.codec_context.options = {"g": "10", "sc_threshold": "0", "threads": "1"}
        noise = np.random.default_rng(0)
        for _ in range(100):
            pixels = noise.integers(0, 255, (64, 64, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
    return str(path)


@pytest.fixture
def record(tmp_path, film):
    """Tapes a film as a connection of the stream `gate`; gives the tape's folder."""

    def tape(began_us=FIRST_US):
        opened = replace(open_video(film, max_pixels=1 << 24, timeout_s=5), finite=False)
        reel = VideoReel(opened, keyframes=False, max_pixels=1 << 24)
        clock = iter(range(began_us, began_us + 10**9, PACKET_US))
        taping = Taping(str(tmp_path), 1 << 30, segment_s=1.5)
        spec = StreamSpec("gate", "rtsp://gate/", live=True, short_side=56, tape=taping)
        capture = Capture(spec, lambda: next(clock), connect=lambda *_: reel)
        assert len([item for item in capture.items() if isinstance(item, Sample)]) > 20
        return tmp_path / "gate"

    return tape


def planned(folder, **more):
    ((name, plan),) = tapes_in(str(folder))
    told = {"session": plan.session, "late_begins": plan.late_begins} | more
    return StreamSpec(name, str(folder), taped=True, short_side=56, **told)


def played(spec):
    items = [item for item in Taped(spec, lambda: 0).items() if item is not None]
    *_, end = items
    assert isinstance(end, End)
    samples = [item for item in items if isinstance(item, Sample)]
    return samples, [item.detail for item in items if isinstance(item, Fault)], end


def ids(samples):
    return [(one.info.session, one.info.position) for one in samples]


def test_what_retention_takes_after_the_plan_is_not_played_under_its_variant(record):
    folder = record()
    whole = planned(folder)
    every, _, _ = played(whole)
    for segment in segments_of(folder)[:2]:
        segment.remove()
    late = planned(folder)
    assert late.late_begins == (f"{FIRST_US}-000004",)
    some, told, _ = played(late)
    assert ids(some) == ids(every)[-len(some) :]
    assert "2 segments at its beginning are gone" in told[0]
    segments_of(folder)[0].remove()
    for spec in (whole, late):
        samples, told, end = played(spec)
        assert samples == []
        assert told == [
            f"session {FIRST_US}: more of it has gone since this run was planned; run it again"
        ]
        assert end.outcome == "rejected"

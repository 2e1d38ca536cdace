"""What is taped is played again as it was captured: same frames, same times, byte for byte."""

import itertools
from dataclasses import replace

import pytest

from pipeline.decode.collector import checksum
from pipeline.media.tape import Taping, segments_of
from pipeline.stream.chunk import End, Frames

GROUP = ("--gop", "20", "--len", "4")
GIB = 1 << 30


def seen(host, stream):
    """Each frame as it is, but for what tells of the run and not of the frame."""
    return [
        (replace(info, epoch=0), taken, checksum(pixels))
        for run in host.of(Frames, stream)
        for info, taken, pixels in zip(run.infos, run.taken, run.pixels, strict=True)
    ]


@pytest.fixture
def replayed(pulled):
    """Plays a tape to its end."""

    def play(folder, **options):
        host = pulled()
        host.open("again", str(folder), live=False, session="tape", **options)
        host.until(lambda: host.of(End, "again"))
        return host

    return play


def named(frames, stream):
    return [(replace(info, stream=stream), *rest) for info, *rest in frames]


def breaks(host, stream):
    """Sessions and breaks in order, without those that tell of connections."""
    told = [kind for kind in host.told(stream) if kind not in ("disconnected", "reconnected")]
    return [kind for kind, _ in itertools.groupby(told)]


@pytest.mark.parametrize(
    ("habits_of", "told"),
    [
        (("--seq-loss", "31"), ["decode"]),
        (("--rtpstep", "3:3600"), ["clock"]),
        (("--rtpstep", "3:-3600"), ["clock"]),
        (("--rtcp", "--audio"), []),
    ],
    ids=["losses", "ahead", "back", "reports"],
)
def test_a_tape_gives_the_frames_of_the_run(habits, pulled, replayed, tmp_path, habits_of, told):
    host = pulled()
    host.open("cam", habits(*GROUP, *habits_of), tape=Taping(str(tmp_path), GIB), clock="capture")
    host.until(lambda: len(host.infos("cam")) > 50)
    host.host.stop("cam")
    host.until(lambda: host.of(End, "cam"))
    again = replayed(tmp_path / "cam")
    live = named(seen(host, "cam"), "again")
    assert live == seen(again, "again")[: len(live)]
    assert set(told) <= set(breaks(again, "again"))
    assert segments_of(tmp_path / "cam")

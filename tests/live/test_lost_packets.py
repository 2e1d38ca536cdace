"""A camera whose packets are lost: every frame that is given out is the one that was sent."""

from pipeline.decode.collector import checksum
from pipeline.stream.chunk import Fault, Frames

GROUP = ("--gop", "20", "--len", "4")  # the same 40 pictures again and again


def test_a_camera_that_loses_packets(habits, pulled):
    host = pulled()
    host.open("whole", habits(*GROUP))
    host.open("lossy", habits(*GROUP, "--seq-loss", "31"))
    host.until(lambda: len(host.infos("whole")) > 45 and lost(host) > 20)
    sent = dict(pictures(host, "whole"))
    came = list(pictures(host, "lossy"))
    assert came
    assert [(number, sent[number]) for number, _ in came] == came
    assert {fault.kind for fault in host.of(Fault, "lossy")} == {"decode"}
    assert not host.of(Fault, "whole")


def lost(host):
    return sum(fault.lost for fault in host.of(Fault, "lossy"))


def pictures(host, name):
    """Which of the 40 each frame is, and its pixels."""
    for run in host.of(Frames, name):
        for info, pixels in zip(run.infos, run.pixels, strict=True):
            if info.pts is not None:
                yield round(info.pts / 9000) % 40, checksum(pixels)

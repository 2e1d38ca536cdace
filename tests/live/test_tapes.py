"""What is taped is played again as it was captured: same frames, same times, byte for byte."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.decode.collector import checksum
from pipeline.decode.taped import Taped
from pipeline.decode.track import Sample
from pipeline.media.tape import Taping, late_begins, segments_of
from pipeline.stream.chunk import End, Fault, Frames
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

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
        told = {"session": "tape", "taped": True, "late_begins": late_begins(str(folder))}
        host.open("again", str(folder), live=False, **told, **options)
        host.until(lambda: host.of(End, "again"))
        return host

    return play


def named(frames, stream):
    return [(replace(info, stream=stream), *rest) for info, *rest in frames]


def recorded(host, url, folder, **options):
    host.open("cam", url, tape=Taping(str(folder), GIB, segment_s=1.0), **options)


def stopped(host):
    host.host.stop("cam")
    host.until(lambda: host.of(End, "cam"))
    return named(seen(host, "cam"), "again")


def test_a_tape_gives_the_frames_of_the_run(habits, pulled, replayed, tmp_path):
    """With losses, sound, a sender's clock and a step of it; also where its beginning is gone."""
    host = pulled()
    url = habits(*GROUP, "--rtcp", "--audio", "--rtpstep", "3:3600", "--seq-loss", "97")
    recorded(host, url, tmp_path, clock="capture", samplings=(Sampling("fps", 3),))
    host.until(lambda: len(host.infos("cam")) > 30)
    live = stopped(host)
    assert {"clock", "decode"} <= set(host.told("cam"))
    assert {info.clock for info, *_ in live} == {"capture"}
    again = seen(replayed(tmp_path / "cam", samplings=(Sampling("fps", 3),)), "again")
    assert live == again[: len(live)]
    every = seen(replayed(tmp_path / "cam"), "again")  # by another rule, and still the same
    found = dict(zip(ids(every), every, strict=True))
    assert [found[name] for name in ids(live)] == live
    for segment in segments_of(tmp_path / "cam")[:2]:
        segment.remove()
    host = replayed(tmp_path / "cam", samplings=(Sampling("fps", 3),))
    again = seen(host, "again")
    assert 5 < len(again) < len(live)
    behind = live[ids(live).index(ids(again)[0]) :]
    assert behind == again[: len(behind)]
    (end,) = host.of(End, "again")
    assert (end.outcome, end.sampled) == ("degraded", len(again))
    assert host.of(Frames, "again")[0].before == 0  # of those before nothing is told
    details = [fault.detail for fault in host.of(Fault, "again")]
    assert any("2 segments at its beginning are gone" in one for one in details)


def test_a_tape_that_cannot_be_written_holds_nobody_up(camera, pulled, tmp_path):
    (tmp_path / "file").write_text("")
    host = pulled()
    recorded(host, camera().url(), tmp_path / "file")
    host.until(lambda: len(host.infos("cam")) > 5)
    (fault,) = host.of(Fault, "cam")
    told = ("untaped", "it is not taped any more: Not a directory")
    assert (fault.kind, fault.detail) == told


def test_connections_that_break_and_a_decoder_that_is_killed(camera, pulled, replayed, tmp_path):
    gate, host = camera(), pulled()
    recorded(host, gate.url(), tmp_path)
    host.until(lambda: len(host.infos("cam")) > 15)
    gate.kill()
    gate.start()
    host.until(lambda: len(sessions(host, "cam")) > 1 and len(host.infos("cam")) > 40)
    os.kill(host.host.pid("cam"), signal.SIGKILL)
    host.until(lambda: len(sessions(host, "cam")) > 2)
    live = stopped(host)
    again = seen(replayed(tmp_path / "cam"), "again")
    assert set(ids(live)) <= set(ids(again))
    found = dict(zip(ids(again), again, strict=True))
    assert [found[name] for name in ids(live)] == live
    check_resumes(str(tmp_path / "cam"))


def check_resumes(folder):
    """A decoder that goes on behind any frame gives the rest, and counts on."""
    options = {"session": "tape", "taped": True, "samplings": (Sampling("fps", 5),)}
    spec = StreamSpec("again", folder, short_side=56, **options)
    whole = played(spec)
    sessions = {info.session for info, *_ in whole}
    assert len(sessions) > 2
    for index in (0, len(whole) // 2, len(whole) - 1):
        assert played(spec.after(whole[index][-1])) == whole[index + 1 :]
    assert [cursor["sampled"] for *_, cursor in whole] == list(range(1, len(whole) + 1))
    damaged = segments_of(Path(folder))[1]
    damaged.journal.write_text("nonsense\n")
    faults = [item.detail for item in Taped(spec, lambda: 0).items() if isinstance(item, Fault)]
    told = f"session {damaged.session}: {damaged.journal.name} is no journal"
    assert any(detail.startswith(told) for detail in faults)


def played(spec):
    items = [item for item in Taped(spec, lambda: 0).items() if isinstance(item, Sample)]
    return [(item.info, checksum(item.pixels), item.cursor) for item in items]


def sessions(host, stream):
    return {info.session for info in host.infos(stream)}


def ids(frames):
    return [(info.session, info.position) for info, *_ in frames]

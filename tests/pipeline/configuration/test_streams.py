"""A configuration's sources and named streams as the specifications that are opened."""

import json
import re
from dataclasses import replace

import pytest

from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.errors import UsageError
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.media.frame_size import FrameSize
from pipeline.media.region import Region
from pipeline.media.tape import Taping, make_folder
from pipeline.stream.gate import Gate
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

NOON_US = 1795348800000000
SIZES = {"usual": {}, "own": {"short_side": 448}}


@pytest.fixture
def footage(tmp_path):
    """A folder with two clips; what is in them does not matter here."""
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def specs(*overrides, live=False, **options):
    return stream_specs(resolve(None, options, overrides), live=live)


def test_named_streams_come_beside_unnamed_sources(footage):
    found = specs(
        sources=[str(footage / "a.mp4")],
        streams={"gate": {"url": str(footage / "b.mp4")}},
        short_side=112,
        stall_s=3.0,
    )
    assert [spec.stream for spec in found] == ["a.mp4", "gate"]
    assert {(spec.short_side, spec.stall_s) for spec in found} == {(112, 3.0)}


def test_the_patch_is_the_models(footage, monkeypatch):
    sixteen = Architecture("vit_tiny_16", width=64, depth=1, heads=2, patch=16, grid=4)
    monkeypatch.setitem(ARCHITECTURES, sixteen.name, sixteen)
    options = {"sources": [str(footage / "a.mp4")], "short_side": 112}
    (own,), (usual,) = specs(**options, model=sixteen.name), specs(**options)
    assert (own.size, usual.size) == (FrameSize(112, 16), FrameSize(112, 14))
    with pytest.raises(UsageError, match="short_side: should be at least 16, a patch of vit_tiny"):
        specs(**options | {"short_side": 15}, model=sixteen.name)


def test_a_stream_may_have_a_start_time_of_its_own(footage):
    found = specs(
        sources=[str(footage / "a.mp4")],
        streams={"gate": {"url": str(footage / "b.mp4"), "start_time": "2026-11-22T12:00:01Z"}},
        start_time="2026-11-22T12:00:00Z",
    )
    assert [spec.start_time_us for spec in found] == [NOON_US, NOON_US + 1_000_000]


def test_a_recordings_start_time_is_no_cameras(footage):
    """Whose records would be others than those of its tape."""
    camera = {"gate": {"url": "rtsp://10.0.0.7/1"}}
    found = specs(
        live=True,
        sources=[str(footage / "a.mp4")],
        streams=camera,
        start_time="2026-11-22T12:00:00Z",
    )
    assert [spec.start_time_us for spec in found] == [NOON_US, None]


def test_a_folder_is_joined_under_the_name_that_it_is_given(footage):
    (spec,) = specs(sources=[], streams={"gate": {"url": str(footage)}}, join=True)
    assert spec.stream == "gate"
    assert spec.url.endswith("a.mp4")
    assert [path.rpartition("/")[2] for path in spec.join] == ["b.mp4"]


def test_one_name_for_several_files_is_refused(footage):
    with pytest.raises(UsageError, match="or join them"):
        specs(streams={"gate": {"url": str(footage)}})


def test_a_name_that_a_source_has_already_is_refused(footage):
    with pytest.raises(UsageError, match=r"2 sources are called a\.mp4"):
        specs(sources=[str(footage / "a.mp4")], streams={"a.mp4": {"url": str(footage / "b.mp4")}})


@pytest.mark.parametrize(("live", "session"), [(True, ""), (False, None)])
def test_cameras_get_their_session_when_they_connect(footage, live, session):
    found = specs(
        streams={"gate": {"url": "rtsp://h/x" if live else str(footage / "a.mp4")}}, live=live
    )
    assert [spec.live for spec in found] == [live]
    assert (found[0].session == "") == (session == "")


def test_a_camera_sends_as_it_is_told_to():
    urls = {"gate": "rtsp://h/x", "door": "RTSP://h/x", "yard": "rtsps://h/x"}
    asked = {"gate": {}, "door": {"transport": "udp"}, "yard": {"transport": "tcp"}}
    streams = {name: {"url": urls[name], **own} for name, own in asked.items()}
    assert [spec.transport for spec in specs(streams=streams, live=True)] == ["tcp", "udp", "tcp"]


@pytest.mark.parametrize(
    ("url", "transport", "told"),
    [
        ("srt://h:1", "udp", "streams.gate.transport is of rtsp:// cameras alone"),
        ("http://h/x", "tcp", "streams.gate.transport is of rtsp:// cameras alone"),
        ("rtsps://h/x", "udp", "rtsps:// is encrypted over tcp"),
        ("rtsp://h/x", "sctp", "streams.gate.transport: should be 'tcp' or 'udp'; got 'sctp'"),
    ],
)
def test_a_transport_that_a_source_does_not_have_is_refused(url, transport, told):
    with pytest.raises(UsageError, match=re.escape(told)):
        specs(streams={"gate": {"url": url, "transport": transport}}, live=True)


def test_a_camera_goes_by_its_own_clock_where_that_is_asked_for():
    streams = {
        "gate": {"url": "rtsp://h/x"},
        "door": {"url": "rtsp://h/y", "clock": "arrival"},
        "yard": {"url": "tcp://10.0.0.7:1234", "clock": "capture"},
    }
    asked = [[spec.clock for spec in specs(streams=streams, live=True)]]
    asked += [[spec.clock for spec in specs(streams=streams, clock="capture", live=True)]]
    assert asked == [["arrival", "arrival", "capture"], ["capture", "arrival", "capture"]]


@pytest.mark.parametrize("clock", ["arrival", "capture"])
@pytest.mark.parametrize("live", [True, False])
def test_a_recording_has_no_clock_to_choose(footage, clock, live):
    streams = {"door": {"url": str(footage / "a.mp4"), "clock": clock}}
    with pytest.raises(UsageError, match=r"streams.door.clock is of live streams alone"):
        specs(streams=streams, live=live)
    growing = {"door": {"url": str(footage), "follow": True, "clock": clock}}
    with pytest.raises(UsageError, match=r"streams.door.clock is of live streams alone"):
        specs(streams=growing, live=True)


def test_a_replay_has_no_clock_to_choose(footage):
    with pytest.raises(UsageError, match="clock: capture is of live streams alone"):
        specs(sources=[str(footage)], clock="capture")
    assert len(specs(sources=[str(footage)], clock="capture", live=True)) == 2, "beside cameras"


def test_a_clock_that_nobody_has_is_refused():
    told = "streams.gate.clock: should be 'arrival' or 'capture'; got 'ntp'"
    with pytest.raises(UsageError, match=re.escape(told)):
        specs(streams={"gate": {"url": "rtsp://h/x", "clock": "ntp"}}, live=True)


def test_a_folder_that_grows_is_followed_by_one_stream(footage):
    """Its files may come and go; the place is what its progress is kept under."""
    streams = {"gate": {"url": str(footage), "follow": True}, "door": {"url": "rtsp://h/x"}}
    gate, door = specs(streams=streams, latency_ms=400, live=True)
    assert (gate.follow, gate.live, gate.endless, gate.url) == (True, False, True, str(footage))
    assert (door.follow, door.live, door.endless) == (False, True, True)
    assert gate.chunk_ms == door.chunk_ms == 200
    for path in footage.iterdir():
        path.unlink()
    assert specs(streams=streams, live=True)[0].session == gate.session != ""


@pytest.mark.parametrize(
    ("entry", "options", "told"),
    [
        ({}, {"live": False}, "only dinostream run follows"),
        ({"url": "rtsp://u:geh31m@h/x"}, {}, "is for files and folders on this machine"),
        ({"url": "nowhere/at/all"}, {}, "no such file or folder: nowhere/at/all"),
        ({"start_time": "2026-11-22T12:00:01Z"}, {}, "each file has a time of its own"),
        ({}, {"span_s": [0, 1]}, "span_s is a part of a recording"),
    ],
)
def test_what_cannot_be_followed_is_refused(footage, entry, options, told):
    stream = {"url": str(footage), "follow": True} | entry
    with pytest.raises(UsageError, match=r"streams\.gate\.follow") as caught:
        specs(streams={"gate": stream}, **{"live": True} | options)
    assert told in str(caught.value)
    assert "geh31m" not in str(caught.value)


def test_a_stream_may_have_a_sampling_and_operators_of_its_own():
    lobby = {"url": "synthetic:room", "sampling": {"fps": 2}, "operators": ["action", "depth"]}
    usual, own = specs(
        "operators.depth.fps=1", streams={"gate": {"url": "synthetic:room"}, "lobby": lobby}
    )
    assert usual.samplings == (Sampling("fps", 1), Sampling("fps", 5))
    assert usual.rules == {"depth": 0, "segmentation": 1, "action": 1, "embedding": 1}
    assert own.samplings == (Sampling("fps", 1), Sampling("fps", 2)), "depth keeps its own"
    assert own.rules == {"depth": 0, "action": 1}


def test_an_operator_that_does_not_run_is_refused():
    gate = {"url": "synthetic:room", "operators": ["depth", "segmetation"]}
    message = r"streams\.gate\.operators names 'segmetation', .*; did you mean segmentation\?"
    with pytest.raises(UsageError, match=message):
        specs(streams={"gate": gate})


def test_a_stream_may_have_a_size_of_its_own_that_holds_a_patch():
    usual, own = specs(
        streams={name: {"url": "synthetic:room", **more} for name, more in SIZES.items()}
    )
    assert (usual.short_side, own.short_side) == (224, 448)
    with pytest.raises(
        UsageError, match=r"streams\.own\.short_side: should be at least 14, a patch"
    ):
        specs(streams={"own": {"url": "synthetic:room", "short_side": 13}})


def test_what_is_drawn_over_a_stream_travels_with_it():
    drawn = {"dock": {"polygon": [[0, 0], [1, 0], [1, 1]]}, "gate": {"line": [[0, 0], [1, 1]]}}
    (spec,) = specs(
        "operators.zones={}", streams={"door": {"url": "synthetic:room", "zones": drawn}}
    )
    assert spec.places
    assert [one.name for one in (*spec.places.zones, *spec.places.lines)] == ["dock", "gate"]
    assert StreamSpec.from_json(spec.to_json()) == spec


def test_a_stream_may_have_a_gate_of_its_own_or_none(footage):
    url = {"url": str(footage / "a.mp4")}
    gates = {"own": {"threshold": 4}, "open": {"at_least_every_s": 0}}
    streams = {"usual": url} | {name: url | {"gate": own} for name, own in gates.items()}
    found = specs(streams=streams, gate={"at_least_every_s": 60}, sources=[str(footage / "b.mp4")])
    assert {spec.stream: spec.gate for spec in found} == {
        "b.mp4": Gate(8, 60.0),
        "usual": Gate(8, 60.0),
        "own": Gate(4, 10.0),
        "open": None,
    }
    for spec in found:
        assert StreamSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert {spec.gate for spec in specs(streams={"usual": url})} == {None}


@pytest.mark.parametrize(
    ("gate", "told"),
    [
        ({"threshold": 0}, "threshold"),
        ({"threshold": 256}, "threshold"),
        ({"at_least_every_s": -1}, "at_least_every_s"),
        ({"treshold": 8}, "did you mean threshold"),
        (True, "gate"),
    ],
)
def test_a_gate_that_is_none_is_refused(footage, gate, told):
    streams = {"yard": {"url": str(footage / "a.mp4"), "gate": gate}}
    with pytest.raises(UsageError, match=told):
        specs(streams=streams)


def test_a_stream_may_have_a_region_of_its_own_and_its_playlist_is_chosen_for_that():
    part = {"url": "synthetic:room", "region": [0.5, 0, 1, 0.75]}
    (spec,) = specs(streams={"gate": part})
    assert spec.region == Region(0.5, 0, 1, 0.75)
    assert (spec.short_side, spec.picture_side) == (224, 448)
    assert StreamSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize("scheme", ["rtsp", "RTSPS", "srt"])
def test_a_camera_is_not_made_to_wait(scheme):
    page = {"url": "http://10.0.0.1/live.ts"}
    (spec,) = specs(streams={"page": page}, drop="block", live=True)
    assert spec.drop == "block"
    gate = {"url": f"{scheme}://10.0.0.1/cam"}
    with pytest.raises(UsageError, match=r"streams\.gate\.drop: block is for what can wait"):
        specs(streams={"page": page, "gate": gate}, drop="block", live=True)
    _, own = specs(
        streams={"page": page, "gate": gate | {"drop": "latest"}}, drop="block", live=True
    )
    assert (own.drop, own.room) == ("latest", 1)


def test_operators_with_one_sampling_share_a_rule():
    options = {"sources": ["synthetic:room"]}
    config = resolve(None, options, ["operators.depth.fps=1", "operators.action.fps=1.0"])
    (spec,) = stream_specs(config, live=False)
    assert spec.samplings == (Sampling("fps", 1), Sampling("fps", 5))
    assert spec.rules == {"depth": 0, "segmentation": 1, "action": 0, "embedding": 1}


def test_a_camera_is_taped_where_that_is_asked_for(tmp_path):
    gate = {"url": "rtsp://10.0.0.7/cam", "record": {"folder": str(tmp_path), "max_days": 2}}
    spec, other = specs(streams={"gate": gate, "yard": {"url": "rtsp://10.0.0.8/cam"}}, live=True)
    assert spec.tape == Taping(str(tmp_path), 20 << 30, 172_800.0)
    assert other.tape is None
    assert StreamSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize(
    ("name", "url", "told"),
    [("gate", "a.mp4", "of live streams alone"), ("..", "rtsp://a/", "no folder can be called")],
)
def test_what_cannot_be_taped_is_refused(footage, name, url, told):
    url = str(footage / url) if url.endswith("mp4") else url
    with pytest.raises(UsageError, match=told):
        specs(streams={name: {"url": url, "record": {"folder": "x"}}}, live=True)


def test_a_tape_is_played_as_its_stream(tmp_path):
    """When it has grown, it is still the same recording."""
    folder = make_folder(Taping(str(tmp_path), 1), "gate")
    options = {"sources": [str(folder)]}
    (spec,) = specs(**options, clock="capture")  # a tape knows which it went by
    assert (spec.stream, spec.url, spec.live, spec.taped) == ("gate", str(folder), False, True)
    assert specs(**options) == [spec]
    for given in ({"start_time": "2026-11-22T12:00:00Z"}, {"span_s": [0, 5]}):
        (key,) = given
        with pytest.raises(UsageError, match=f"^{key}: gate is a tape"):
            specs(**options, **given)
    make_folder(Taping(str(tmp_path), 1), "yard")
    assert [one.stream for one in specs(sources=[str(tmp_path)])] == ["gate", "yard"]
    for ending in ("nut", "jsonl"):
        (folder / f"1700000000000000-000001.{ending}").write_text("x")
    (grown,) = specs(**options)
    assert grown == spec
    with_breaks = replace(spec, breaks=(("1700000000000000", "3000", 2),))
    assert StreamSpec.from_json(json.loads(json.dumps(with_breaks.to_json()))) == with_breaks


@pytest.mark.parametrize(("runtime", "asked"), [("ray", "cpu"), ("inline", "auto")])
def test_ray_counts_no_card_that_a_decoder_opens_so_auto_is_the_cpu_there(footage, runtime, asked):
    gate = {"url": str(footage / "b.mp4"), "decode": "auto"}
    options = {"sources": [str(footage / "a.mp4")], "streams": {"gate": gate}, "decode": "auto"}
    assert [spec.decode for spec in specs(**options, runtime=runtime)] == [asked, asked]

"""The HTTP service over a real socket: what is asked, what is answered, who may ask."""

from __future__ import annotations

import http.client
import json
import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.configuration.config import StreamConfig
from pipeline.control.health import Health
from pipeline.control.openapi import document
from pipeline.control.service import Service
from pipeline.control.steering import Steering
from pipeline.engine.camera import Camera
from pipeline.engine.latency import Latency, Spent
from pipeline.media.region import Region
from pipeline.records.outage import Outage
from pipeline.sinks.spill.backlog import Kept
from pipeline.stream.drift import Drift
from pipeline.stream.sampling import Sampling
from pipeline.web.listener import answering, bound
from pipeline.web.place import Place

PAGE = Path(__file__).parents[3] / "docs" / "control.md"
GATE, YARD = "rtsp://viewer:kanarie@10.0.0.1/cam", "rtsp://10.0.0.2/cam"
TOKEN = "a token of some length"


def sensor(change: str, **value: str) -> dict[str, Any]:
    return {"key": "sensor", "value": {"camera_id": "lot", "change": change, **value}}


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers = response.status, response.headers
        self.text = response.read().decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Client:
    def __init__(self, run, config, token: str = "", clock=None, fixed=None) -> None:
        self.run = run
        self.steering = Steering(run, config, fixed=fixed)
        self.steering.look()
        health = Health(run, self.steering.board, **({"clock": clock} if clock else {}))
        self.service = Service(self.steering, health)
        self.token = token
        self.port = 0

    def ask(self, verb: str, path: str, body: Any = None, **headers: str) -> Answer:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            given.setdefault("content-type", "application/json")
            body = body if isinstance(body, str) else json.dumps(body)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(verb, path, body, given)
            return Answer(connection.getresponse())
        finally:
            connection.close()


@pytest.fixture
def served(scripted, config_of):
    """`served(token)`: a client of a service with one stream, gate."""
    with ExitStack() as stack:

        def made(token: str = "", **more: Any) -> Client:
            client = Client(scripted("gate"), config_of(gate=GATE), token, **more)
            place = Place("127.0.0.1", 0, token)
            server = stack.enter_context(bound(place))
            client.port = server.getsockname()[1]
            stack.enter_context(answering(client.service.app(), place, server))
            return client

        yield made


def test_a_stream_comes_is_seen_paused_resumed_and_goes(served) -> None:
    client = served()
    made = client.ask("PUT", "/v1/streams/yard", {"url": YARD})
    assert (made.status, made.json["state"]) == (201, "connecting")
    assert client.ask("PUT", "/v1/streams/yard", {"url": YARD}).status == 202
    assert [spec.url for spec in client.run.added] == [YARD]
    listed = client.ask("GET", "/v1/streams").json["streams"]
    assert [one["id"] for one in listed] == ["gate", "yard"]
    paused = client.ask("POST", "/v1/streams/yard:pause")
    assert (paused.status, paused.json["state"]) == (202, "paused")
    client.run.let_go()
    resumed = client.ask("POST", "/v1/streams/yard:resume")
    assert (resumed.status, resumed.json["state"]) == (202, "connecting")
    assert client.ask("DELETE", "/v1/streams/yard").status == 204
    assert client.run.leaving == ["yard"]
    assert client.ask("GET", "/v1/streams/yard").status == 404


def test_some_keys_of_a_stream_are_changed_and_the_others_stay(served) -> None:
    client = served()
    settings = {"sampling": {"fps": 2}, "operators": ["depth"], "short_side": 112}
    made = client.ask("PATCH", "/v1/streams/gate", settings | {"region": [0.5, 0, 1, 1]})
    assert (made.status, client.run.leaving) == (202, ["gate"])
    assert made.json["config"] == {
        **settings,
        "url": "rtsp://viewer:***@10.0.0.1/cam",
        "region": [0.5, 0.0, 1.0, 1.0],
        "priority": 0,
        "follow": False,
        "zones": {},
        "alerts": {},
    }
    client.run.let_go()
    client.steering.look()
    (spec,) = client.run.added
    assert (spec.url, spec.samplings, spec.rules) == (GATE, (Sampling("fps", 2),), {"depth": 0})
    assert (spec.short_side, spec.region) == (112, Region(0.5, 0, 1, 1))

    client.ask("PATCH", "/v1/streams/gate", {"sampling": {"every": 3}, "operators": None})
    config = client.ask("GET", "/v1/streams/gate").json["config"]
    assert (config["sampling"], config["short_side"]) == ({"every": 3}, 112)
    assert "operators" not in config
    turn = client.steering.wanted.streams()["gate"].turn
    assert client.ask("PATCH", "/v1/streams/gate", {"url": config["url"]}).status == 202
    assert client.steering.wanted.streams()["gate"].turn == turn, "the same again"


def test_a_stream_that_ended_is_resumed_anew(served) -> None:
    client = served()
    client.run.end("gate", "rejected", "404 not found")
    client.steering.look()
    shown = client.ask("GET", "/v1/streams/gate").json
    assert (shown["state"], shown["reason"]) == ("ended", "404 not found")
    assert client.ask("POST", "/v1/streams/gate:resume").json["state"] == "connecting"
    assert [spec.stream for spec in client.run.added] == ["gate"]


@pytest.mark.parametrize(
    ("verb", "path", "body", "headers", "status", "why"),
    [
        ("PUT", "/v1/streams/yard", {"ulr": YARD}, {}, 422, "did you mean url?"),
        ("PUT", "/v1/streams/yard", {}, {}, 422, "streams.yard.url is missing"),
        (
            *("PUT", "/v1/streams/yard", {"url": YARD, "record": {"folder": "/tmp"}}, {}, 422),
            "the run's own file says alone",
        ),
        ("PUT", "/v1/streams/yard", {"url": "gopher://x"}, {}, 422, "gopher"),
        ("PUT", "/v1/streams/a%20b", {"url": YARD}, {}, 422, "a stream's name has 1 to 128"),
        ("PUT", "/v1/streams/yard", "{", {}, 400, "this is no JSON"),
        ("PUT", "/v1/streams/yard", [1], {}, 422, "want a JSON object, got list"),
        ("PUT", "/v1/streams/yard", "{}", {"content_type": "text/plain"}, 415, "content-type"),
        ("PUT", "/v1/streams/gate", {"url": YARD}, {"if_none_match": "*"}, 412, "exists already"),
        ("PUT", "/v1/streams/yard", json.dumps({"url": "x" * 2**21}), {}, 413, "1048576 bytes"),
        ("PATCH", "/v1/streams/gaet", {"priority": 1}, {}, 404, "did you mean gate"),
        ("PATCH", "/v1/streams/gate", {"url": None}, {}, 422, "streams.gate.url is missing"),
        ("PATCH", "/v1/streams/gate", {"url": "rtsp://a:***@b/"}, {}, 422, "where a secret was"),
        ("PATCH", "/v1/streams/gate", {"operators": ["dept"]}, {}, 422, "did you mean depth?"),
        ("PATCH", "/v1/streams/gate", {"region": [0, 0, 0, 1]}, {}, 422, "in parts of the picture"),
        ("PATCH", "/v1/streams/gate", {"short_side": 13}, {}, 422, "a patch of dinov2_vits14"),
        ("DELETE", "/v1/streams/gaet", None, {}, 404, "did you mean gate"),
        ("POST", "/v1/streams/gaet:pause", None, {}, 404, "did you mean gate"),
        ("GET", "/v1/streams/gaet", None, {}, 404, "no stream is called gaet"),
        ("PUT", "/v1/config", {"streams": {}}, {}, 428, "If-Match"),
        ("PUT", "/v1/config", {"streams": {}}, {"if_match": '"x"'}, 412, "somebody else"),
        ("GET", "/v1/events", None, {"last_event_id": "last"}, 422, "Last-Event-ID"),
    ],
)
def test_what_cannot_be_says_why_and_changes_nothing(
    served, verb, path, body, headers, status, why
) -> None:
    client = served()
    before = client.steering.wanted.etag
    answer = client.ask(verb, path, body, **headers)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert why in answer.json["detail"]
    assert answer.json["status"] == status
    assert (client.steering.wanted.etag, client.run.added) == (before, [])


@pytest.mark.parametrize(
    ("verb", "path", "body"),
    [
        ("PUT", "/v1/streams/yard", {"url": YARD}),
        ("PUT", "/v1/streams/gate", {"url": YARD}),
        ("PATCH", "/v1/streams/gate", {"priority": 1}),
        ("DELETE", "/v1/streams/gate", None),
        ("POST", "/v1/streams/gate:pause", None),
        ("POST", "/v1/streams/gate:resume", None),
        ("POST", "/api/v1/stream/add", sensor("camera_add", camera_url=YARD)),
        ("PUT", "/v1/config", {"streams": {}}),
    ],
)
def test_the_streams_of_a_replay_are_shown_and_stay(served, verb, path, body) -> None:
    client = served(fixed={"gate": StreamConfig(url="caf\udce9.mp4")})
    client.run.tally.shares["gate"] = 0.5
    client.steering.look()
    shown = client.ask("GET", "/v1/streams/gate").json
    assert (shown["state"], shown["share"]) == ("live", 0.5)
    assert shown["config"]["url"] == "caf\udce9.mp4", "as the file system has it"
    tag = client.ask("GET", "/v1/config").headers["etag"]
    refused = client.ask(verb, path, body, if_match=tag)
    assert (refused.status, "this is a replay" in refused.json["detail"]) == (409, True)
    assert (client.run.added, client.run.leaving) == ([], [])


def test_no_answer_holds_a_secret(served) -> None:
    client = served()
    client.ask("PUT", "/v1/streams/yard", {"url": "rtsp://viewer:vogel@10.0.0.2/cam"})
    client.ask("PUT", "/v1/streams/zoo", {"url": "gopher://viewer:vogel@10.0.0.2/cam"})
    for path in ("/v1/streams", "/v1/streams/gate", "/v1/streams/yard", "/v1/config", "/metrics"):
        text = client.ask("GET", path).text
        assert "kanarie" not in text
        assert "vogel" not in text


def test_an_environment_variable_is_not_looked_up_for_a_stranger(served, monkeypatch) -> None:
    monkeypatch.setenv("GATE_PASSWORD", "kanarie")
    client = served()
    client.ask("PUT", "/v1/streams/yard", {"url": "rtsp://10.0.0.2/${GATE_PASSWORD}"})
    assert client.run.added[0].url.endswith("/${GATE_PASSWORD}")


def test_a_whole_configuration_is_changed_by_its_tag(served) -> None:
    client = served()
    tag = client.ask("GET", "/v1/config").headers["etag"]
    body = {"streams": {"gate": {"url": GATE}, "yard": {"url": YARD}}}
    done = client.ask("PUT", "/v1/config", body, if_match=tag)
    assert (done.status, done.json) == (202, {"changed": ["yard"]})
    assert [spec.stream for spec in client.run.added] == ["yard"]
    assert done.headers["etag"] == client.ask("GET", "/v1/config").headers["etag"] != tag
    assert client.ask("PUT", "/v1/config", body, if_match=tag).status == 412
    other = body | {"short_side": 56}
    refused = client.ask("PUT", "/v1/config", other, if_match=done.headers["etag"])
    assert (refused.status, "short_side cannot be changed" in refused.text) == (422, True)


def test_what_was_read_can_be_sent_back_and_a_mask_is_no_secret(served) -> None:
    client = served()
    read = client.ask("GET", "/v1/config")
    body = {"streams": read.json["streams"] | {"yard": {"url": YARD}}}
    assert client.ask("PUT", "/v1/config", body, if_match=read.headers["etag"]).json == {
        "changed": ["yard"]
    }
    assert client.steering.wanted.streams()["gate"].config.url == GATE
    masked = client.ask("GET", "/v1/streams/gate").json["config"]["url"]
    assert client.ask("PUT", "/v1/streams/gate", {"url": masked}).status == 202
    moved = client.ask("PUT", "/v1/streams/gate", {"url": masked.replace("/cam", "/main")})
    assert (moved.status, "where a secret was" in moved.text) == (422, True)
    assert client.steering.wanted.streams()["gate"].config.url == GATE


def test_changes_are_followed_from_where_one_was(served) -> None:
    client = served()
    client.steering.wanted.pause("gate")
    client.steering.look()
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=30)
    connection.request("GET", "/v1/events", headers={"last-event-id": "1"})
    response = connection.getresponse()
    assert response.headers["content-type"].startswith("text/event-stream")
    lines = [response.readline().decode().strip() for _ in range(3)]
    assert lines[:2] == ["id: 2", "event: stream"]
    told = json.loads(lines[2].removeprefix("data: "))
    assert (told["stream"], told["state"]) == ("gate", "paused")
    connection.close()


def test_health_tells_starting_ready_and_stuck_apart(served) -> None:
    now = [100.0]
    client = served(clock=lambda: now[0])

    def answers() -> list[int]:
        return [client.ask("GET", path).status for path in ("/livez", "/startupz", "/readyz")]

    assert answers() == [200, 503, 503]
    client.run.turned_s = 99.0
    assert answers() == [200, 200, 200]
    client.run.tally.outage = Outage(0, 0, 1, "refused")
    assert answers() == [200, 200, 503]
    client.run.tally.outage = None
    client.run.tally.cameras["gate"] = Camera(state="lost", why="refused")
    client.steering.look()
    assert answers() == [200, 200, 503]
    assert "reconnecting" in client.ask("GET", "/readyz").text
    now[0] = 300.0
    assert answers()[0] == 503


def test_metrics_are_prometheus_own_and_name_streams_by_their_ids(served) -> None:
    client = served()
    client.run.tally.cameras["gate"] = Camera(
        7, {"late": 2}, 0.25, 0.5, "live", epoch=3, newest_us=1_500_000, drift=Drift(-12.5, 60.0)
    )
    client.run.tally.latencies["gate"] = Latency()
    for commit_s in (0.1, 0.3, 40.0):
        client.run.tally.latencies["gate"].add(Spent(0.0, 0.125, 0.0625, commit_s))
    client.run.tally.records["depth"] = 7
    client.run.tally.frames = 9
    client.steering.look()
    answer = client.ask("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found = {
        (one.name, *sorted(one.labels.values())): one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
    }
    assert found["dinostream_frames_total", "gate", "processed"] == 7
    assert found["dinostream_drops_total", "gate", "late"] == 2
    assert found["dinostream_stream_clock_drift_ppm", "gate"] == -12.5
    assert found["dinostream_stream_state", "gate", "live"] == 1
    assert found["dinostream_stream_state", "gate", "paused"] == 0
    assert found["dinostream_records_total", "depth"] == 7
    assert found["dinostream_records_total", "deadletter"] == 0
    assert found["dinostream_backbone_frames_total",] == 9
    assert found["dinostream_capture_to_ack_seconds_bucket", "0.5", "gate"] == 2
    assert found["dinostream_capture_to_ack_seconds_bucket", "+Inf", "gate"] == 3
    assert found["dinostream_capture_to_ack_seconds_sum", "gate"] == pytest.approx(40.9625)
    assert found["dinostream_stage_latency_seconds_sum", "batch", "gate"] == 0.375
    assert found["dinostream_stage_latency_seconds_count", "commit", "gate"] == 3
    assert found["dinostream_stream_last_frame_timestamp_seconds", "gate"] == 1.5
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation, family.name


def test_the_page_lists_every_metric_with_its_labels(served) -> None:
    client = served()
    client.run.tally.cameras["gate"] = Camera(
        7, {"late": 2}, state="live", newest_us=1, drift=Drift(0.0, 60.0)
    )
    client.run.tally.latencies["gate"] = Latency()
    client.run.tally.kept["gate"] = Kept(4, 2000, 1)
    client.run.tally.records["depth"] = 7
    client.run.tally.seconds["backbone"] = 1.0
    client.run.tally.shares["gate"] = 0.5
    client.steering.look()
    answer = client.ask("GET", "/metrics")
    told = {
        one.name.removesuffix("_bucket"): one.labels.keys() - {"le"}
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
        if not one.name.endswith(("_sum", "_count"))
    }
    rows = re.findall(r"^\| `(dinostream_\w+)` \|([^|]*)\|", PAGE.read_text(), re.MULTILINE)
    assert {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows} == told


def test_whoever_has_the_token_may_ask_and_probes_need_none(served) -> None:
    client = served(TOKEN)
    assert client.ask("GET", "/v1/streams").status == 401
    assert client.ask("GET", "/metrics", authorization="Bearer wrong").status == 401
    assert client.ask("GET", "/v1/streams", authorization=f"Bearer {TOKEN}").status == 200
    assert client.ask("GET", "/livez").status == 200


def test_without_a_token_a_page_from_elsewhere_is_refused(served) -> None:
    """A server may have its own name point to 127.0.0.1, and its page then asks us."""
    client = served()
    assert client.ask("GET", "/v1/streams", host="evil.example:8600").status == 403
    assert client.ask("GET", "/v1/streams", host="localhost:8600").status == 200
    assert client.ask("GET", "/v1/streams", host="[::1]:8600").status == 200


def test_the_openapi_document_names_every_route_and_no_other(served) -> None:
    routes = {
        (route.path, verb)
        for route in served().service.app().routes
        for verb in route.methods - {"HEAD"}
    }
    told = {
        (path, verb.upper())
        for path, verbs in document()["paths"].items()
        for verb in verbs.keys() - {"parameters"}
    }
    assert told == routes


def test_a_stream_on_which_no_operator_runs_is_refused_and_nothing_is_touched(served) -> None:
    client = served()
    client.run.headless = {"depth"}
    tag = client.ask("GET", "/v1/config").headers["etag"]
    headless = {"url": YARD, "operators": ["depth"]}
    for verb, path, body in (
        ("PUT", "/v1/streams/yard", headless),
        ("PUT", "/v1/streams/gate", headless),
        ("PATCH", "/v1/streams/gate", {"operators": ["depth"]}),
        ("PUT", "/v1/config", {"streams": {"gate": headless}}),
    ):
        answer = client.ask(verb, path, body, if_match=tag)
        assert (answer.status, "without a head" in answer.json["detail"]) == (422, True), verb
    assert (client.run.added, client.run.leaving) == ([], [])
    assert client.ask("GET", "/v1/config").headers["etag"] == tag


def test_a_shown_stream_is_as_the_document_says(served) -> None:
    client = served()
    schema = client.ask("GET", "/openapi.json").json["components"]["schemas"]["Stream"]
    shown = client.ask("GET", "/v1/streams/gate").json
    assert sorted(shown) == sorted(schema["required"])
    assert shown["state"] in schema["properties"]["state"]["enum"]


def test_scripts_for_deepstream_add_and_remove_streams(served) -> None:
    client = served()
    added = sensor("camera_add", camera_url=YARD, camera_name="a lot", metadata="{}")
    answer = client.ask("POST", "/api/v1/stream/add", added)
    assert (answer.status, answer.json["reason"]) == (200, "STREAM_ADD_SUCCESS")
    assert client.steering.wanted.streams()["lot"].config.url == YARD
    assert client.ask("POST", "/api/v1/stream/add", added).status == 412
    answer = client.ask("POST", "/api/v1/stream/remove", sensor("camera_remove"))
    assert (answer.status, answer.json["reason"]) == (200, "STREAM_REMOVE_SUCCESS")
    assert "lot" not in client.steering.wanted.streams()
    assert client.ask("POST", "/api/v1/stream/remove", sensor("camera_remove")).status == 404


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"url": YARD}, '"key": "sensor"'),
        ({"key": "sensor", "value": []}, '"key": "sensor"'),
        (sensor("camera_remove", camera_url=YARD), 'should hold "add"'),
        (sensor("camera_add"), "camera_url is missing"),
        (sensor("camera_add", camera_url="gopher://x"), "gopher"),
        (sensor("camera_add", camera_url=YARD, camera_id="0:lot"), "0:lot"),
    ],
)
def test_another_payload_is_refused_by_what_is_wrong_with_it(served, body, told) -> None:
    client = served()
    before = set(client.steering.wanted.streams())
    answer = client.ask("POST", "/api/v1/stream/add", body)
    assert answer.status == 422
    assert told in answer.json["detail"]
    assert set(client.steering.wanted.streams()) == before

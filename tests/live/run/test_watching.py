"""Watching a real run: its stderr as JSON and nothing else, the age of its records, its traces."""

import json
import signal
from contextlib import closing
from datetime import datetime

from operators.moment import microseconds
from pipeline.records.age import age
from pipeline.records.message import wall_clock_us
from pipeline.sinks.uri import open_reader
from tests.otlp_receiver import receiving


def test_every_line_is_an_object_and_every_record_of_a_camera_has_an_age(
    camera, live_run, refused_port
) -> None:
    urls = {"gate": camera().url(), "yard": f"rtsp://viewer:hidden@127.0.0.1:{refused_port}/cam"}
    config = {"streams": {name: {"url": url} for name, url in urls.items()}}
    run = live_run(config | {"operators": {"embedding": {}}}, options=("--log-format", "json"))
    run.until(lambda: run.count("embedding", "gate") and "disconnected" in run.told("yard"))
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0, run.stderr
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    assert {"time", "level", "logger", "message"} <= set.intersection(*map(set, lines))
    of_yard = [line for line in lines if line.get("stream") == "yard"]
    assert {line["level"] for line in of_yard} == {"warning"}
    assert all(line["message"].startswith("yard: disconnected: ") for line in of_yard)
    assert any(line["message"].startswith("SIGTERM: ") for line in lines)
    assert "hidden" not in run.stderr
    with closing(open_reader(f"sqlite:{run.database}")) as reader:
        ages = [age(record, wall_clock_us()) for record in reader.records(("embedding",))]
    assert all(0 < one.published_s <= one.arrived_s for one in ages)


def test_records_of_a_camera_name_the_traces_that_a_collector_has(camera, live_run) -> None:
    with receiving() as collector:
        config = {"streams": {"gate": {"url": camera().url()}}, "operators": {"embedding": {}}}
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "NO_PROXY": "127.0.0.1"}
        run = live_run(config | {"trace": 0.5}, **environ)
        run.until(lambda: len(collector.spans()) > 20)
        run.signal(signal.SIGTERM)
        assert run.exit_code() == 0, run.stderr
        frames = {
            f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01": span
            for span in collector.spans()
            if span.name == "frame"
        }
    headers = [attributes for attributes, _ in run.records("embedding", "gate")]
    named = {one["ce_traceparent"]: one for one in headers if "ce_traceparent" in one}
    assert named.keys() == frames.keys()
    assert 0 < len(named) < len(headers)
    for name, span in frames.items():
        captured_us = microseconds(datetime.fromisoformat(named[name]["ce_time"]))
        assert abs(span.start_time_unix_nano / 1000 - captured_us) <= 1
        assert span.end_time_unix_nano > span.start_time_unix_nano


def test_what_ends_a_run_is_an_object_too(live_run) -> None:
    run = live_run({"streams": {}}, options=("--log-format", "json"))
    assert run.exit_code() == 2
    (line,) = map(json.loads, run.stderr.splitlines())
    assert line["level"] == "error"
    assert "names no streams" in line["message"]

"""Figures of a real camera's records: of a live frame every stage is known."""

import contextlib
import signal

import pytest

from pipeline.plot.latency import Latency
from pipeline.plot.ledger import Ledgers
from pipeline.plot.records import records_sheet
from pipeline.records.filter import ALL
from pipeline.sinks.uri import open_reader


@pytest.mark.slow
def test_a_cameras_stages_and_ledger_are_known(camera, live_run):
    url = camera(fps=10).url()
    run = live_run({"operators": {"embedding": {}}, "streams": {"gate": {"url": url}}})
    run.until(lambda: run.count("embedding", "gate") > 4)
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0, run.stderr
    frames = run.count("embedding", "gate")
    latency, ledgers = Latency(), Ledgers()
    with contextlib.closing(open_reader(f"sqlite:{run.database}")) as reader:
        document = records_sheet(reader, "results.db", where=ALL)
        for record in reader.records():
            for question in (latency, ledgers):
                if question.wants(record.message.topic):
                    question.see(record)
    assert f"gate ({frames} frames)" in document
    assert "Capture is unknown" not in document
    stages = {one.name.partition(",")[0] for one in latency.panels()[0].series}
    assert stages == {"capture to decoded", "decoded to published"}
    (row,) = ledgers.panels()[0].rows
    assert row.name == "embedding"
    assert f"published {frames}" in {part.name for part in row.parts}

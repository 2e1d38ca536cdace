"""Records of a real run, in a file, for whoever reads them as a subscriber would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.records.commit import Commit
from pipeline.records.message import labels_message
from pipeline.records.record import Message
from pipeline.sinks.sqlite.sink import SqliteSink

RUN = """
streams:
  room-1:
    url: "synthetic:room?seed=1&seconds=2&fps=30&size=320x240"
    zones: {left: {polygon: [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]}}
    alerts: {near: {zone: left, nearest_below_m: 100}}
model: dinov2_vitti14
weights: random
short_side: 28
operators: {depth: {}, segmentation: {regions: 1, min_share: 0.1}, classify: {top: 2},
  action: {threshold: 0.0}, embedding: {}, pca: {},
  frames: {blur: [person]}, detect: {},
  zones: {classes: [step, building, lamp, stove, food], min_s: 0}, track: {},
  tamper: {learn_s: 0.4, least_s: 0.2, share: 0}, anomaly: {threshold: 0}}
runtime: inline
"""


@pytest.fixture(scope="session")
def run_uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file with ten frames' records of every operator."""
    from pipeline.configuration.resolve import resolve
    from pipeline.configuration.streams import stream_specs
    from pipeline.runtime.inline import InlineRun

    folder = tmp_path_factory.mktemp("run")
    uri = f"sqlite:{folder}/results.db"
    (folder / "run.yaml").write_text(RUN)
    config = resolve(folder / "run.yaml", {"sink": uri})
    InlineRun(config, stream_specs(config, live=False), fresh=False, tell=lambda _: None).run()
    return uri


class File:
    """A database that a test writes to as it goes."""

    def __init__(self, path: Path) -> None:
        self.uri = f"sqlite:{path}"
        self._sink = SqliteSink(path)
        self._progress = self._sink.claim({"cam1": "feedfacecafe"})["cam1"]

    def write(self, *messages: Message) -> None:
        self._progress = replace(self._progress, sequence=self._progress.sequence + 1)
        self._sink.commit([Commit(messages, self._progress)])

    def write_labels(self, name: str, *labels: dict[str, object]) -> None:
        self._sink.publish([labels_message(name, labels)])

    def close(self) -> None:
        self._sink.close()


@pytest.fixture
def new_file() -> Iterator[Callable[[Path], File]]:
    files: list[File] = []

    def new(path: Path) -> File:
        files.append(File(path))
        return files[-1]

    yield new
    for file in files:
        file.close()


@pytest.fixture
def file(new_file: Callable[[Path], File], tmp_path: Path) -> File:
    return new_file(tmp_path / "r.db")

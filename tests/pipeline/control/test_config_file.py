"""The file of a live job, read again while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.configuration.config import StreamConfig
from pipeline.configuration.resolve import resolve
from pipeline.control.config_file import ConfigFile
from pipeline.control.wanted import Wanted

GATE, YARD = "rtsp://10.0.0.1/cam", "rtsp://10.0.0.2/cam"


class File:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.write(gate=GATE, old=YARD)
        config = resolve(path)
        self.wanted = Wanted(config)
        self.file = ConfigFile(path, config, lambda: resolve(path))

    def write(self, *lines: str, **urls: str) -> None:
        streams = [f"  {name}: {{url: '{url}'}}" for name, url in urls.items()]
        text = "\n".join(["weights: random", "streams:", *streams, *lines, ""])
        new = self.path.with_suffix(".new")
        new.write_text(text)
        new.replace(self.path)


@pytest.fixture
def file(tmp_path) -> File:
    return File(tmp_path / "live.yaml")


def test_it_is_due_once_for_every_change_and_whenever_somebody_asks(file) -> None:
    assert not file.file.due()
    file.write(gate=GATE)
    assert file.file.due()
    assert not file.file.due()
    file.path.rename(file.path.with_suffix(".moved"))
    assert not file.file.due(), "it is being replaced"
    file.path.with_suffix(".moved").rename(file.path)
    assert not file.file.due(), "and is the same"
    file.file.ask()
    assert file.file.due()
    assert not file.file.due()


def test_what_changed_in_it_is_carried_over_and_what_came_otherwise_stays(file) -> None:
    file.wanted.put("added", StreamConfig(url=YARD))
    file.write(gate=YARD, new=GATE)
    assert "old, gate, new changed" in file.file.apply(file.wanted)
    urls = {name: one.config.url for name, one in file.wanted.streams().items()}
    assert urls == {"gate": YARD, "added": YARD, "new": GATE}
    assert "no stream changed" in file.file.apply(file.wanted)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["streems: {}"], "unknown key streems"),
        (["short_side: 56"], "short_side cannot be changed while the job runs"),
        (["sink: [}"], "live.yaml"),
    ],
)
def test_a_file_that_cannot_be_applied_changes_nothing_until_it_is_mended(file, lines, why) -> None:
    file.write(*lines, gate=YARD)
    told = file.file.apply(file.wanted)
    assert why in told
    assert "nothing is changed" in told
    assert file.wanted.streams()["gate"].config.url == GATE
    file.write(gate=YARD, old=YARD)
    assert "gate changed" in file.file.apply(file.wanted)

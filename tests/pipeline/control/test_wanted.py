"""What is wanted of a job's streams: all of a change or nothing of it."""

from __future__ import annotations

import pytest

from operators.errors import UsageError
from pipeline.configuration.config import StreamConfig
from pipeline.control.wanted import Changed, NoSuchStream, Wanted

GATE, YARD = "rtsp://10.0.0.1/cam", "rtsp://10.0.0.2/cam"


@pytest.fixture
def wanted(config_of) -> Wanted:
    return Wanted(config_of(gate=GATE))


def test_the_same_again_changes_nothing(wanted) -> None:
    before = wanted.etag
    assert not wanted.put("gate", StreamConfig(url=GATE))
    assert wanted.etag == before
    assert wanted.put("yard", StreamConfig(url=YARD))
    assert wanted.etag != before
    assert list(wanted.config.streams) == ["gate", "yard"]


def test_another_address_begins_anew_and_a_pause_stays(wanted) -> None:
    wanted.pause("gate")
    assert not wanted.put("gate", StreamConfig(url=YARD))
    gate = wanted.streams()["gate"]
    assert (gate.config.url, gate.paused, gate.turn) == (YARD, True, 1)
    wanted.resume("gate")
    assert (wanted.streams()["gate"].paused, wanted.streams()["gate"].turn) == (False, 1)
    wanted.resume("gate", ended=True)
    assert wanted.streams()["gate"].turn == 2


def test_what_exists_is_not_made_where_it_is_to_be_new(wanted) -> None:
    with pytest.raises(Changed, match="gate exists already"):
        wanted.put("gate", StreamConfig(url=YARD), only_new=True)
    assert wanted.streams()["gate"].config.url == GATE


def test_what_no_decoder_opens_is_refused_and_nothing_is_changed(wanted) -> None:
    before = wanted.etag
    for url, why in (("gopher://10.0.0.1", "gopher"), ("absent.mp4", "no such file")):
        with pytest.raises(UsageError, match=why):
            wanted.put("yard", StreamConfig(url=url))
    assert (wanted.etag, list(wanted.streams())) == (before, ["gate"])


def test_a_name_that_nobody_has_is_hinted_at(wanted) -> None:
    for call in (wanted.remove, wanted.pause, wanted.resume):
        with pytest.raises(NoSuchStream, match="no stream is called gaet; did you mean gate"):
            call("gaet")


def test_a_whole_configuration_touches_what_differs(wanted, config_of) -> None:
    wanted.put("old", StreamConfig(url=YARD))
    wanted.pause("gate")
    touched = wanted.replace(config_of(gate=GATE, yard=YARD), tag=wanted.etag)
    assert sorted(touched) == ["old", "yard"]
    assert {name: one.paused for name, one in wanted.streams().items()} == {
        "gate": True,
        "yard": False,
    }


def test_a_configuration_that_cannot_be_is_refused_as_a_whole(wanted, config_of) -> None:
    before = wanted.etag
    with pytest.raises(Changed, match="changed by somebody else"):
        wanted.replace(config_of(yard=YARD), tag="older")
    other = config_of(yard=YARD).model_copy(update={"short_side": 56, "seed": 3})
    with pytest.raises(UsageError, match="seed, short_side cannot be changed while the job runs"):
        wanted.replace(other)
    with pytest.raises(UsageError, match="gopher"):
        wanted.replace(config_of(yard=YARD, zoo="gopher://10.0.0.1"))
    assert (wanted.etag, list(wanted.streams())) == (before, ["gate"])

"""Some of the mock cluster's faults, met by real clients. All: `broker_trial mock-codes` and on."""

import pytest

pytest.importorskip("confluent_kafka", reason="the mock cluster is confluent_kafka's")

from benchmarks.broker_trial.mock import DROPPED
from benchmarks.broker_trial.mocked import appending, failing_s, mock_leaders

NOT_LEADER, NOT_ENOUGH_REPLICAS = 6, 19


@pytest.fixture
def appender():
    with appending() as appender:
        appender.step_s()
        yield appender


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("code", [DROPPED, NOT_LEADER, NOT_ENOUGH_REPLICAS])
def test_what_is_refused_three_times_is_there_once_it_is_taken(appender, code):
    failing_s(appender, code, 3)
    appender.step_s()
    assert [figure.value for figure in appender.verdict()] == [0, 0]
    assert appender.written == 3


def test_who_leads_does_not_matter(appender):
    list(mock_leaders(appender))
    assert [figure.value for figure in appender.verdict()] == [0, 0]


def test_what_is_lost_is_told(appender):
    appender.written += 1
    assert [figure.value for figure in appender.verdict()] == [1, 1]

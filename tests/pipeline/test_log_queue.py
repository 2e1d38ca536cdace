"""Lines of other processes: they arrive once, say where they come from, and never pile up."""

import logging
import threading

import pytest

from pipeline import secrets
from pipeline.log_queue import LogQueue, relay

NAME = "pipeline.of_this_test"


@pytest.fixture
def kept():
    """A logger of its own, and makes it keep its lines as another process would."""
    logger = logging.getLogger(NAME)
    logger.setLevel("INFO")
    before = logger.handlers[:]

    def keep(actor="", **more):
        queue = LogQueue(actor, **more)
        logger.addHandler(queue)
        return logger, queue

    yield keep
    logger.handlers[:] = before
    logger.setLevel(logging.NOTSET)


def test_a_line_is_taken_once_with_who_said_it(kept):
    logger, queue = kept("engine 1")
    logger.warning("%s: lost", "gate", extra={"stream": "gate"})
    logger.debug("too little to say")
    (line,) = queue.take()
    assert (line.message, line.stream, line.actor) == ("gate: lost", "gate", "engine 1")
    assert queue.take() == ()


def test_what_is_passed_on_keeps_its_time_its_level_and_where_it_came_from(kept, caplog):
    logger, queue = kept("engine 1 decoder 2")
    logger.error("gone")
    (line,) = queue.take()
    _, of_engine = kept("engine 1")
    relay([line], stream="gate")
    (passed,) = of_engine.take()
    assert passed.actor == "engine 1 decoder 2"
    assert passed.stream == "gate"
    assert (passed.time_s, passed.level, passed.logger) == (line.time_s, logging.ERROR, NAME)
    assert caplog.records[-1].created == line.time_s


def test_lines_below_the_level_of_here_are_not_passed_on(kept, caplog):
    logger, queue = kept()
    logger.info("some detail")
    logger.warning("something")
    logger.setLevel("WARNING")
    caplog.clear()
    relay(queue.take())
    assert caplog.messages == ["something"]


def test_what_does_not_fit_is_counted_and_told(kept):
    logger, queue = kept("engine 1", room=20)
    for number in range(9):
        logger.warning("line %d...", number)
    first, second, more = queue.take()
    assert [first.message, second.message] == ["line 0...", "line 1..."]
    assert more.message == "7 lines more, for which there was no room"
    assert (more.actor, more.level) == ("engine 1", logging.WARNING)
    logger.warning("again")
    assert [line.message for line in queue.take()] == ["again"]


def test_no_line_is_lost_or_doubled_while_others_log(kept):
    logger, queue = kept()
    count = 2000
    writers = [
        threading.Thread(target=lambda: [logger.warning("x") for _ in range(count)])
        for _ in range(3)
    ]
    for writer in writers:
        writer.start()
    taken = 0
    while any(writer.is_alive() for writer in writers):
        taken += len(queue.take())
    assert taken + len(queue.take()) == 3 * count


def test_an_error_comes_with_its_calls_and_without_secrets(kept):
    secrets.remember("hunter2")
    logger, queue = kept()
    try:
        raise ValueError("no login with hunter2")
    except ValueError:
        logger.exception("failed")
    (line,) = queue.take()
    assert line.message.startswith("failed\nTraceback")
    assert line.message.endswith("ValueError: no login with ***")

"""What a line of the log looks like to a person and to a machine."""

import json
import logging
import re

import pytest

from pipeline import secrets
from pipeline.logs import Json, Text


def record(message, *args, error=None, **extra):
    made = logging.LogRecord("pipeline.x", logging.WARNING, "", 0, message, args, error)
    made.created = 1_795_371_519.25
    for name, value in extra.items():
        setattr(made, name, value)
    return made


def test_text_has_date_level_logger_and_message():
    text = Text().format(record("%s: disconnected", "yard", stream="yard"))
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d WARNING pipeline\.x: yard: disconnected", text
    )


def test_text_of_an_actor_names_it():
    text = Text().format(record("lost", actor="engine 1 decoder 2"))
    assert text.endswith("WARNING pipeline.x (engine 1 decoder 2): lost")


@pytest.mark.parametrize("extra", [{}, {"stream": "yard"}, {"stream": "yard", "actor": "engine 1"}])
def test_json_has_the_same_and_the_stream_and_the_actor_where_there_is_one(extra):
    assert json.loads(Json().format(record("%s", "told", **extra))) == {
        "time": "2026-11-22T18:18:39.250000Z",
        "level": "warning",
        "logger": "pipeline.x",
        "message": "told",
        **extra,
    }


def test_json_is_one_line_of_ascii_whatever_is_said():
    try:
        raise ValueError("of two\nlines")
    except ValueError as error:
        failed = (type(error), error, error.__traceback__)
    text = Json().format(record("日本 \udce9 \x1b[2J", error=failed))
    assert text.isascii()
    assert text.isprintable()
    message = json.loads(text)["message"]
    assert message.startswith("日本 \udce9 \x1b[2J\nTraceback")
    assert message.endswith("ValueError: of two\nlines")


def test_json_hides_a_secret_that_it_would_have_escaped():
    secrets.remember('pass"word\\1')
    text = Json().format(record("the key is %s", 'pass"word\\1'))
    assert json.loads(text)["message"] == "the key is ***"

"""A user's own filter, and what is wrong with one."""

import sys

import numpy as np
import pytest

from operators.errors import DinostreamError, UsageError
from operators.jpeg import jpeg
from pipeline.curate.screening import screen_of, screened

JPEG = jpeg(np.full((16, 16, 3), 90, np.uint8), (16, 16), 90)
MODULE = """
def fine(picture):
    assert picture.shape == (16, 16, 3) and picture.dtype == "uint8"

def never(picture):
    return "never"

def yes(picture):
    return True

def torn(picture):
    raise RuntimeError("torn")

number = 5
"""


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    (tmp_path / "own_says.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    sys.modules.pop("own_says", None)


def said(name):
    return screened(screen_of(name), JPEG, name=name, what="gate/x/5")


def test_it_lets_in_or_says_why_not():
    assert said("own_says:fine") is None
    assert said("own_says:never") == "never"


def test_one_that_fails_names_the_picture():
    with pytest.raises(DinostreamError, match=r"own_says:torn fails at gate/x/5: .*torn"):
        said("own_says:torn")


def test_an_answer_that_is_none_is_refused():
    with pytest.raises(UsageError, match="gave True of gate/x/5; want None, or a text"):
        said("own_says:yes")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("own_says", "takes MODULE:FUNCTION"),
        (":fine", "takes MODULE:FUNCTION"),
        ("absent_screens:fine", "cannot be had: ModuleNotFoundError"),
        ("own_says:absent", "cannot be had: AttributeError"),
        ("own_says:number", "number is no function"),
    ],
)
def test_one_that_is_not_there_is_named(name, told):
    with pytest.raises(UsageError, match=told):
        screen_of(name)

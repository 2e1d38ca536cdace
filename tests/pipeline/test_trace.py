"""An exception as text: enough to find its cause, and the same wherever it happened."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipeline.trace import DETAIL_CHARS, FRAMES, TRACE_CHARS, detail, trace


def inner(what: object) -> None:
    raise ValueError(f"no good: {what}")


def outer(what: object) -> None:
    inner(what)


def caught(work) -> Exception:
    try:
        work()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def test_the_calls_that_led_there_the_innermost_last():
    first, last = trace(caught(lambda: outer(1))).splitlines()[-2:]

    assert first.startswith(f"{__name__}:")
    assert first.endswith(" outer: inner(what)")
    assert last.endswith(' inner: raise ValueError(f"no good: {what}")')


def test_what_caught_it_is_left_out():
    called, *_ = trace(caught(lambda: outer(1))).splitlines()

    assert "<lambda>" in called


def test_neither_addresses_nor_paths_nor_passwords_are_told():
    what = f"{object()} at rtsp://admin:hunter2@gate/1"
    error = caught(lambda: outer(what))

    assert detail(error) == "no good: <object object at 0x...> at rtsp://admin:***@gate/1"
    assert "/" not in trace(error)


def test_what_caused_it_stands_before_it():
    def work() -> None:
        try:
            outer(1)
        except ValueError as error:
            raise RuntimeError("cannot do it") from error

    *_, cause, last = trace(caught(work)).splitlines()

    assert cause == "ValueError: no good: 1"
    assert last.endswith('raise RuntimeError("cannot do it") from error')


def test_its_size_is_bounded():
    def deep(left: int) -> None:
        if left:
            deep(left - 1)
        inner("x" * 9999)

    error = caught(lambda: deep(200))

    assert len(trace(error).splitlines()) == FRAMES
    assert len(trace(error)) <= TRACE_CHARS
    assert len(detail(error)) == DETAIL_CHARS


def test_an_error_without_a_text_or_a_call_is_told_too():
    class Broken(Exception):
        def __str__(self) -> str:
            raise TypeError

    assert detail(Broken()) == "(its text cannot be had: TypeError)"
    assert trace(Broken()) == ""


@pytest.mark.parametrize("folder", ["one", "another/deeper"])
def test_it_is_the_same_in_every_checkout_and_process(tmp_path, folder):
    """The text of both folders is this one, so they are each other's too."""
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "blur.py").write_text("def work():\n    return [][1]\n")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import blur\nfrom pipeline.trace import trace\n"
        "try:\n    blur.work()\nexcept IndexError as error:\n    print(trace(error))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / folder)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "blur:2 work: return [][1]\n"

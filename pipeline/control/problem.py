"""What an HTTP request did wrong, as RFC 9457 writes it: status, and one line that helps."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request

from operators.errors import UsageError
from pipeline.control.answer import Json
from pipeline.control.wanted import Changed, Fixed, NoSuchStream
from pipeline.secrets import mask

MEDIA_TYPE = "application/problem+json"
_STATUS = {NoSuchStream: 404, Fixed: 409, Changed: 412}


class Problem(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def problem_response(problem: Problem) -> Json:
    """The answer of it, secrets masked."""
    body = {
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": mask(problem.detail),
    }
    return Json(body, problem.status, media_type=MEDIA_TYPE)


def on_problem(_: Request, error: Exception) -> Json:
    """Starlette's handler of `Problem`."""
    assert isinstance(error, Problem)
    return problem_response(error)


def on_usage(_: Request, error: Exception) -> Json:
    """Starlette's handler of what the request asked for and cannot be."""
    assert isinstance(error, UsageError)
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 422)
    return problem_response(Problem(status, str(error)))

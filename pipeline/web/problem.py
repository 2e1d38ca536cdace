"""What an HTTP request did wrong, as RFC 9457 writes it: status, and one line that helps."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import Request

from pipeline.secrets import mask
from pipeline.web.answer import Json

MEDIA_TYPE = "application/problem+json"

Handler = Callable[[Request, Exception], Json]


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


def refusing(status: int) -> Handler:
    """Starlette's handler of what the request asked for and cannot be: it has that status."""
    return lambda _, error: problem_response(Problem(status, str(error)))

"""What browsers are told with every answer, whoever answers."""

from pipeline.web.policy import HEADERS

TOKEN = "a-token-of-some-length"


def test_every_answer_has_the_headers(opened) -> None:
    service = opened(TOKEN)
    bearer = {"authorization": f"Bearer {TOKEN}"}
    answers = [
        service.ask("GET", "/"),
        service.ask("GET", "/livez"),
        service.ask("GET", "/fact", **bearer),
        service.ask("GET", "/nowhere", **bearer),
        service.ask("GET", "/fact"),
        service.ask("GET", "/", host="evil.example"),
        service.ask("POST", "/session", {"token": TOKEN}),
        service.ask("POST", "/session", {"token": "wrong"}),
    ]
    assert [one.status for one in answers] == [200, 200, 200, 404, 401, 403, 204, 401]
    for answer in answers:
        told = {name: answer.headers[name] for name in HEADERS}
        assert told == HEADERS
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["server"] is None
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_scripts_styles_and_sockets_come_from_here_alone() -> None:
    policy = dict(
        part.strip().split(" ", 1) for part in HEADERS["content-security-policy"].split(";")
    )
    assert policy.pop("default-src") == "'none'"
    assert policy.pop("img-src") == "'self' blob:"
    assert policy.pop("require-trusted-types-for") == "'script'"
    own = ["script-src", "style-src", "connect-src", "worker-src"]
    none = ["frame-ancestors", "base-uri", "form-action"]
    assert policy == dict.fromkeys(own, "'self'") | dict.fromkeys(none, "'none'")

"""Who is answered: by Host, Origin, cookie and token, over HTTP and WebSockets alike."""

import json

import pytest
from websockets.exceptions import InvalidStatus

TOKEN = "a-token-of-some-length"
BEARER = {"authorization": f"Bearer {TOKEN}"}


def refused(service, **headers) -> int:
    """The status that a WebSocket is refused with before it is one; 101 where it is not."""
    try:
        page = service.talk(**headers)
    except InvalidStatus as error:
        return json.loads(error.response.body)["status"]
    page.send("heard")
    assert page.recv() == "heard"
    return 101


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "10.0.0.7:{port}", ""])
def test_a_name_that_is_not_ours_is_refused_for_requests_and_sockets(opened, host) -> None:
    """DNS rebinding: a page's own name points to us, and its Origin is of that name too."""
    service = opened()
    name = host.format(port=service.port)
    assert service.ask("GET", "/fact", host=name).status == 403
    assert service.ask("GET", "/", host=name).status == 403
    origin = f"http://{name}"
    assert service.ask("POST", "/fact", host=name, origin=origin).status == 403
    if name:
        assert refused(service, host=name) == 403
        assert refused(service, host=name, origin=origin) == 403


def test_a_cookie_does_not_help_a_name_that_is_not_ours_and_a_token_does(opened) -> None:
    service = opened(TOKEN)
    cookie, host = service.cookie(TOKEN), f"evil.example:{service.port}"
    assert service.ask("GET", "/fact", host=host, cookie=cookie).status == 403
    assert refused(service, host=host, cookie=cookie) == 403
    assert service.ask("POST", "/session", {"token": TOKEN}, host=host).status == 403
    assert service.ask("GET", "/fact", host=host, **BEARER).status == 200
    assert refused(service, host=host, **BEARER) == 101


@pytest.mark.parametrize(
    "host",
    ["localhost@evil.example", "localhost/evil", "[::1].evil.example", "localhost.evil.example"],
)
def test_a_name_that_only_holds_one_of_ours_is_none(opened, host) -> None:
    assert opened().ask("GET", "/fact", host=host).status == 403


@pytest.mark.parametrize("token", ["", TOKEN])
def test_pages_of_other_origins_change_nothing_and_hear_nothing(opened, token) -> None:
    """With the right Host and the right cookie: browsers send both for whoever asks."""
    service = opened(token)
    way = {"cookie": service.cookie(token)} if token else {}
    for origin in (
        "http://evil.example",
        f"http://evil.example:{service.port}",
        "http://localhost:3000",
        "http://127.0.0.1",
        f"http://localhost.evil.example:{service.port}",
        f"ftp://localhost:{service.port}",
        "null",
        "",
    ):
        assert service.ask("POST", "/fact", origin=origin, **way).status == 403, origin
        assert refused(service, origin=origin, **way) == 403, origin
        assert service.ask("GET", "/fact", origin=origin, **way).status == 200, (
            "read by none of them"
        )
    for origin in (f"http://127.0.0.1:{service.port}", f"http://localhost:{service.port}"):
        own = {**way, "host": origin.removeprefix("http://")}
        assert service.ask("POST", "/fact", origin=origin, **own).status == 200, origin
        assert refused(service, origin=origin, **own) == 101, origin
    assert service.ask("POST", "/fact", **way).status == 200, "no browser asks, and none is fooled"


def test_a_program_with_the_token_says_any_origin(opened) -> None:
    service = opened(TOKEN)
    assert service.ask("POST", "/fact", origin="http://evil.example", **BEARER).status == 200
    assert refused(service, origin="http://evil.example", **BEARER) == 101


@pytest.mark.parametrize("host", ["cams.example.com", "CAMS.example.com:443", "127.0.0.1:{port}"])
def test_an_allowed_name_is_ours_also_where_a_proxy_stands_between(opened, host) -> None:
    """Some proxies hand on the name that the browser said, some say the one that they call."""
    service = opened(TOKEN, ["cams.example.com"])
    own = {
        "host": host.format(port=service.port),
        "origin": "https://cams.example.com",
        "cookie": service.cookie(TOKEN),
    }
    assert service.ask("POST", "/fact", **own).status == 200
    assert refused(service, **own) == 101
    assert service.ask("POST", "/fact", **own | {"origin": "https://example.com"}).status == 403


def test_a_token_is_taken_from_nowhere_but_its_header(opened) -> None:
    service = opened(TOKEN)
    wrong = {"authorization": "Bearer wrong"}
    for path in (f"/fact?token={TOKEN}", f"/fact?access_token={TOKEN}", f"/fact#token={TOKEN}"):
        assert service.ask("GET", path).status == 401
    assert refused(service, path=f"/echo?token={TOKEN}") == 401
    assert refused(service, authorization=f"Basic {TOKEN}") == 401
    assert refused(service, **wrong) == 401
    assert refused(service) == 401
    cookie = service.cookie(TOKEN)
    assert service.ask("GET", "/fact", cookie=cookie, **wrong).status == 401, "and not the cookie"
    assert refused(service, cookie=cookie) == 101


def test_all_who_may_not_ask_hear_the_same(opened) -> None:
    """Nobody learns what there is."""
    service = opened(TOKEN)
    told = [
        service.ask("GET", "/fact"),
        service.ask("GET", "/nowhere"),
        service.ask("POST", "/fact", {}),
        service.ask("GET", "/fact", authorization="Bearer wrong"),
        service.ask("GET", "/fact", cookie=f"dinostream-{service.port}=wrong"),
        service.ask("POST", "/session", {"token": "wrong"}),
    ]
    assert {(one.status, one.text) for one in told} == {(401, told[0].text)}


def test_the_page_itself_and_probes_are_open(opened) -> None:
    service = opened(TOKEN)
    assert service.ask("GET", "/").status == 200
    assert service.ask("GET", "/static/1/app.js").status == 200
    assert service.ask("GET", "/livez", host="10.1.2.3:8600").status == 200, "as kubelets ask"
    assert service.ask("GET", "/static").status == 401
    assert refused(service, path="/static/1/app.js") == 401, "a WebSocket is none of them"


def test_no_answer_holds_the_token_or_what_a_browser_has_of_it(opened) -> None:
    service = opened(TOKEN)
    secret = service.cookie(TOKEN).partition("=")[2]
    own = {"cookie": service.cookie(TOKEN)}
    for answer in (
        service.ask("GET", f"/{TOKEN}", **own),
        service.ask("GET", f"/fact?token={TOKEN}"),
        service.ask("GET", "/fact", host=TOKEN),
        service.ask("POST", "/session", {"token": f"{TOKEN}x"}),
        service.ask("POST", "/session", [TOKEN]),
        service.ask("PUT", "/fact", {"token": TOKEN}, **own),
        service.ask("POST", "/fact", origin=f"http://{secret}", **own),
    ):
        everything = f"{answer.headers}{answer.text}"
        assert TOKEN not in everything
        assert secret not in everything

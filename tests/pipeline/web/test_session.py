"""A token is exchanged for a cookie."""

import pytest

TOKEN = "a-token-of-some-length"


def test_the_cookie_opens_what_the_token_opens_and_is_not_the_token(opened) -> None:
    service = opened(TOKEN)
    answer = service.ask("POST", "/session", {"token": TOKEN})
    assert (answer.status, answer.text) == (204, "")
    cookie, *said = answer.headers["set-cookie"].split("; ")
    name, _, value = cookie.partition("=")
    assert name == f"dinostream-{service.port}"
    assert {one.lower() for one in said} == {"httponly", "path=/", "samesite=strict"}
    assert TOKEN not in value
    assert service.ask("GET", "/fact", cookie=f"theme=dark; {cookie}").text == "a fact"
    assert service.ask("GET", "/fact", cookie=f"{name}={TOKEN}").status == 401
    assert service.ask("GET", "/fact", cookie=f"{name}={value[:-1]}").status == 401
    assert service.ask("GET", "/fact", cookie=f"{name}=").status == 401


def test_the_cookie_of_a_service_on_another_port_is_none_here(opened) -> None:
    """A browser sends it all the same, for cookies know no ports."""
    here, there = opened(TOKEN), opened(TOKEN)
    value = there.cookie(TOKEN).partition("=")[2]
    assert here.ask("GET", "/fact", cookie=there.cookie(TOKEN)).status == 401
    assert here.ask("GET", "/fact", cookie=f"dinostream-{here.port}={value}").status == 401
    both = f"{there.cookie(TOKEN)}; {here.cookie(TOKEN)}"
    assert here.ask("GET", "/fact", cookie=both).status == 200


def test_it_holds_after_a_restart_and_not_after_the_token_is_another(opened) -> None:
    one = opened(TOKEN)
    name, _, value = one.cookie(TOKEN).partition("=")
    assert one.cookie(TOKEN) == f"{name}={value}"
    other = opened("another token, as long")
    assert other.ask("GET", "/fact", cookie=f"dinostream-{other.port}={value}").status == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"token": "wrong"}, 401),
        ({"token": TOKEN[:-1]}, 401),
        ({"token": "\ud800"}, 401),
        ({"token": None}, 401),
        ({"token": [TOKEN]}, 401),
        ({}, 401),
        ([TOKEN], 422),
    ],
)
def test_anything_else_begins_no_session(opened, body, status) -> None:
    answer = opened(TOKEN).ask("POST", "/session", body)
    assert (answer.status, answer.headers["set-cookie"]) == (status, None)
    assert TOKEN not in answer.text


def test_only_json_that_is_posted_begins_one(opened) -> None:
    service = opened(TOKEN)
    form = service.ask("POST", "/session", {"token": TOKEN}, content_type="text/plain")
    assert (form.status, form.headers["set-cookie"]) == (415, None)
    assert service.ask("GET", "/session").status == 405


def test_where_no_token_is_needed_there_is_no_cookie(opened) -> None:
    answer = opened().ask("POST", "/session", {"token": "anything"})
    assert (answer.status, answer.headers["set-cookie"]) == (204, None)

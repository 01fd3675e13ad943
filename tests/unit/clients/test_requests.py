"""The auth class for the requests library."""

from __future__ import annotations

import pytest
import requests
from support.vectors import SECRET

import edgeauth
from edgeauth.clients.requests import EdgeAuth, _stays


@pytest.fixture
def session():
    with requests.Session() as session:
        session.trust_env = False
        session.auth = EdgeAuth(SECRET, pop="LHR")
        yield session


def test_a_request_is_signed(home, session):
    session.get(home.url)
    assert edgeauth.verify(home.values[0], [SECRET]).pop == "LHR"


def test_each_request_is_signed_for_the_moment_it_is_prepared(session, monkeypatch):
    request = requests.Request("GET", "http://127.0.0.1/")
    for now in (1_700_000_000, 1_700_000_001):
        monkeypatch.setattr("time.time", lambda now=now: now)
        value = session.prepare_request(request).headers["Edge-Auth"]
        assert edgeauth.verify(value, [SECRET], now=now, max_age=0)


def test_the_credential_goes_along_within_the_origin(home, session):
    session.get(f"{home.url}/to?/there")
    session.get(f"{home.url}/to?{home.url}/there")
    assert [path for path, _ in home.seen[1::2]] == ["/there", "/there"]
    assert None not in home.values


def test_the_credential_does_not_go_along_to_another_origin(home, abroad, session):
    assert session.get(f"{home.url}/to?{abroad.url}/there").status_code == 200
    assert abroad.seen == [("/there", None)]


def test_the_credential_does_not_come_back_by_a_detour(home, abroad, session):
    session.get(f"{home.url}/to?{home.url}/to?{abroad.url}/to?{home.url}/there")
    assert abroad.values == [None]
    assert [value is None for value in home.values] == [False, False, True]


def test_the_next_request_of_a_redirect_that_was_not_followed_has_no_credential(
    home, abroad, session
):
    response = session.get(f"{home.url}/to?{abroad.url}/", allow_redirects=False)
    assert response.next.url == f"{abroad.url}/"
    assert "Edge-Auth" not in response.next.headers


@pytest.mark.parametrize(
    ("location", "stays"),
    [
        ("/there", True),
        ("there?a=b#c", True),
        ("?page=2", True),
        ("http://origin.example/there", True),
        ("http://ORIGIN.example:80/there", True),
        ("http://user@origin.example/there", True),
        ("https://origin.example/there", False),
        ("http://origin.example:8080/there", False),
        ("http://origin.example.evil.example/", False),
        ("http://origin.example@evil.example/", False),
        ("//evil.example/", False),
        ("\\\\evil.example/", False),
        ("/\\evil.example/", False),
        ("http://evil.example\\@origin.example/", False),
        ("/\t/evil.example/", False),
        (" //evil.example/", False),
        ("http://origin.example:no/", False),
        ("http://[origin.example/", False),
        ("http://origin.exampl\u0435/", False),
        ("", False),
    ],
)
def test_a_redirect_stays_only_if_every_reading_of_it_does(location, stays):
    assert _stays("http://origin.example/here", location) is stays

"""The httpx auth class."""

from __future__ import annotations

import asyncio

import httpx
from support.vectors import SECRET

import edgeauth
from edgeauth.clients.httpx import EdgeAuth


def test_a_client_signs_its_requests(home):
    with httpx.Client(auth=EdgeAuth(SECRET, pop="LHR")) as client:
        client.get(home.url)
    assert edgeauth.verify(home.values[0], [SECRET]).pop == "LHR"


def test_an_async_client_signs_its_requests(home):
    async def fetch():
        async with httpx.AsyncClient(auth=EdgeAuth(SECRET)) as client:
            await client.get(home.url)

    asyncio.run(fetch())
    assert edgeauth.verify(home.values[0], [SECRET]).pop == "XXX"


def test_each_request_is_signed_for_the_moment_it_is_sent(monkeypatch):
    auth = EdgeAuth(SECRET)
    request = httpx.Request("GET", "http://127.0.0.1/")
    for now in (1_700_000_000, 1_700_000_001):
        monkeypatch.setattr("time.time", lambda now=now: now)
        value = next(auth.auth_flow(request)).headers["Edge-Auth"]
        assert edgeauth.verify(value, [SECRET], now=now, max_age=0)


def test_a_redirect_to_another_host_is_not_followed_unless_the_client_is_told_to(home, abroad):
    with httpx.Client(auth=EdgeAuth(SECRET)) as client:
        assert client.get(f"{home.url}/to?{abroad.url}/").status_code == 302
    assert abroad.seen == []


def test_a_client_that_follows_redirects_takes_the_credential_along_as_the_docstring_warns(
    home, abroad
):
    with httpx.Client(auth=EdgeAuth(SECRET), follow_redirects=True) as client:
        client.get(f"{home.url}/to?{abroad.url}/")
    # Once httpx offers a way to prevent this, use it and take the warning back.
    assert abroad.values == home.values

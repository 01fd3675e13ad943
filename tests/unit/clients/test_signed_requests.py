"""Clients that sign each request, against a gate that takes each signature once."""

from __future__ import annotations

import asyncio
import io
import json

import aiohttp
import httpx
import httpx2
import pytest
import requests
from support.processes import HOST
from support.redirecting_origin import DEFAULT
from support.rfc9421 import published_key
from support.servers import SERVERS
from support.signed_requests import KEY

from edgeauth import ConfigurationError
from edgeauth.clients.aiohttp import EdgeAuth as OfAiohttp
from edgeauth.clients.httpx import EdgeAuth as OfHttpx
from edgeauth.clients.requests import EdgeAdapter
from edgeauth.clients.requests import EdgeAuth as OfRequests
from edgeauth.clients.signer import Signer
from edgeauth.private_keys import PrivateKey
from edgeauth.schemes.base import CannotSign, Outgoing
from edgeauth.schemes.message_signatures import MessageSignatureScheme
from edgeauth.settings import Settings

HOW = {"scheme": "message-signatures", "tag": "edge", "url_scheme": "http"}
WITH_BODY = {**HOW, "components": [*DEFAULT, "content-digest"]}
# What a client sends in another spelling than it was given is signed as it is sent.
ODD = "/a%2Fb/c%20d/~e'?q=1&r=%7e&s=x+y"


@pytest.fixture(scope="module", params=["", "content-digest"])
def origin(request, tmp_path_factory):
    """The URL of an origin, and how to sign for it."""
    folder = tmp_path_factory.mktemp("origin")
    env = {"MORE_COMPONENTS": request.param}
    with SERVERS["uvicorn-httptools"].serving(
        "support.redirecting_origin:app", folder, env=env
    ) as server:
        yield f"http://{HOST}:{server.address[1]}", WITH_BODY if request.param else HOW


def _told(status, text):
    return status, json.loads(text) if status == 200 and text else {}


class OfHttpxLibrary:
    """httpx and httpx2: the auth class, or the hook where redirects are followed."""

    def __init__(self, library):
        self.library = library

    def ask(self, how, method, url, *, follow=False, **options):
        signs = OfHttpx(KEY, **how)
        with_it = {"event_hooks": {"request": [signs.hook]}} if follow else {"auth": signs}
        with self.library.Client(**with_it, follow_redirects=follow, trust_env=False) as client:
            answer = client.request(method, url, **options)
            return _told(answer.status_code, answer.text)


class OfHttpxAsync(OfHttpxLibrary):
    def ask(self, how, method, url, *, follow=False, **options):
        async def asked():
            signs = OfHttpx(KEY, **how)
            with_it = {"event_hooks": {"request": [signs.hook]}} if follow else {"auth": signs}
            async with self.library.AsyncClient(
                **with_it, follow_redirects=follow, trust_env=False
            ) as client:
                answer = await client.request(method, url, **options)
                return _told(answer.status_code, answer.text)

        return asyncio.run(asked())


class OfRequestsLibrary:
    def ask(self, how, method, url, *, follow=False, content=None):
        with requests.Session() as session:
            session.trust_env = False
            if follow:
                session.mount("/".join(url.split("/")[:3]) + "/", EdgeAdapter(KEY, **how))
            else:
                session.auth = OfRequests(KEY, **how)
            answer = session.request(method, url, data=content, allow_redirects=follow)
            return _told(answer.status_code, answer.text)


class OfAiohttpLibrary:
    def ask(self, how, method, url, *, follow=False, content=None):
        async def asked():
            async with (
                aiohttp.ClientSession(middlewares=[OfAiohttp(KEY, **how)]) as session,
                session.request(method, url, data=content, allow_redirects=follow) as answer,
            ):
                return _told(answer.status, await answer.text())

        return asyncio.run(asked())


LIBRARIES = {
    "httpx": OfHttpxLibrary(httpx),
    "httpx2": OfHttpxLibrary(httpx2),
    "httpx, async": OfHttpxAsync(httpx),
    "httpx2, async": OfHttpxAsync(httpx2),
    "requests": OfRequestsLibrary(),
    "aiohttp": OfAiohttpLibrary(),
}


@pytest.fixture(params=LIBRARIES.values(), ids=LIBRARIES)
def library(request):
    return request.param


def test_each_request_is_signed_as_it_is_sent(origin, library):
    url, how = origin
    for _ in range(2):
        status, told = library.ask(how, "GET", url + ODD)
        assert status == 200
        assert told["method"] == "GET"
        # The credential stays at the gate.
        assert not {"signature", "signature-input"} & set(told["fields"])


def test_a_body_of_bytes_is_vouched_for_where_the_scheme_asks_for_it(origin, library):
    url, how = origin
    status, told = library.ask(how, "POST", f"{url}/pay?x=1", content=b"amount=1")
    assert (status, told["body"]) == (200, "amount=1")
    assert told["digest"] is (True if how is WITH_BODY else None)


def test_a_stream_is_refused_with_what_to_do_where_a_digest_is_signed(origin, library):
    url, how = origin
    if how is HOW:
        stream = _stream(library)
        assert library.ask(how, "POST", f"{url}/pay", content=stream)[0] == 200
        return
    with pytest.raises(ConfigurationError, match="give the body as bytes, or set Content-Digest"):
        library.ask(how, "POST", f"{url}/pay", content=_stream(library))


def _stream(library):
    async def parts():
        yield b"amount=1"

    if isinstance(library, (OfHttpxAsync, OfAiohttpLibrary)):
        return parts()
    return io.BytesIO(b"amount=1") if isinstance(library, OfRequestsLibrary) else iter([b"amount"])


def test_a_redirect_within_the_origin_is_signed_anew(origin, library):
    url, how = origin
    status, told = library.ask(how, "GET", f"{url}/to?/there", follow=True)
    assert (status, told["path"]) == (200, "/there")


def test_a_body_that_goes_along_is_signed_anew_and_one_that_does_not_is_not(origin, library):
    url, how = origin
    status, told = library.ask(how, "POST", f"{url}/again?/there", follow=True, content=b"x=1")
    assert (status, told["method"], told["body"]) == (200, "POST", "x=1")
    status, told = library.ask(how, "POST", f"{url}/to?/there", follow=True, content=b"x=1")
    assert (status, told["method"], told["body"]) == (200, "GET", "")


def test_nothing_is_signed_for_another_origin(origin, library, abroad):
    url, how = origin
    library.ask(how, "GET", f"{url}/to?{abroad.url}/there", follow=True)
    assert abroad.paths == ["/there"]
    assert not {"signature", "signature-input", "content-digest"} & abroad.names


def test_a_private_key_signs_what_its_public_half_verifies():
    private = PrivateKey("edge-9", published_key("ed25519", "key"), "ed25519")
    asked = Outgoing("GET", "shop.example", "/a")
    for signer in (
        Signer(private, scheme="message-signatures"),
        Signer.from_settings(
            Settings.from_mapping({"scheme": "message-signatures"}), secret=private
        ),
    ):
        assert 'keyid="edge-9"' in signer.fields(asked)["Signature-Input"]


def test_the_fields_that_are_required_are_signed():
    signer = Signer(KEY, **{**HOW, "components": ["@method", "x-visitor"]})
    with pytest.raises(CannotSign, match="a signed field is not in the request"):
        signer.fields(Outgoing("GET", "shop.example", "/"))
    told = signer.fields(Outgoing("GET", "shop.example", "/", [("X-Visitor", "192.0.2.1")]))
    assert '("@method" "x-visitor")' in told["Signature-Input"]
    assert signer.headers == MessageSignatureScheme.headers


def test_without_a_request_such_a_signer_says_so():
    with pytest.raises(ConfigurationError, match="signs one request"):
        Signer(KEY, **HOW).value()


def test_a_bare_secret_has_the_id_that_the_setting_gives_it():
    signer = Signer("a-secret-of-thirty-two-characters", scheme="message-signatures")
    assert 'keyid="default"' in signer.fields(Outgoing("GET", "a", "/"))["Signature-Input"]


def test_aiohttp_signs_for_the_origin_that_is_named(origin, abroad):
    url, how = origin
    signs = OfAiohttp(KEY, **how)
    signs.origin = url

    async def asked():
        async with aiohttp.ClientSession(middlewares=[signs]) as session:
            async with session.get(f"{abroad.url}/first") as answer:
                assert answer.status == 200
            async with session.get(f"{url}/then") as answer:
                assert answer.status == 200

    asyncio.run(asked())
    assert "signature" not in abroad.names

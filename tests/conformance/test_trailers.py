"""A chunked body whose trailers are among the headers, as uvicorn with httptools has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.rows import credential, request
from conformance.targets import Program

if TYPE_CHECKING:
    from conformance.targets import Target

_APP = "conformance.origins.asgi_app:app"

# The proxy is believed; the list has one network, and the client is not of it.
JUDGE: dict[str, Any] = {"addresses": ["192.0.2.0/24"], "trusted_proxies": ["127.0.0.1"]}


def upload(forwarded: bytes, *trailers: bytes) -> bytes:
    return request(
        credential(),
        b"X-Forwarded-For: " + forwarded,
        b"Transfer-Encoding: chunked",
        method=b"POST",
        body=b"\r\n".join((b"2", b"hi", b"0", *trailers, b"", b"")),
        judge=JUDGE,
    )


class Trailers:
    """What is claimed in a trailer, against one running program."""

    program: Program

    @pytest.fixture(scope="class")
    @classmethod
    def target(cls, tmp_path_factory: pytest.TempPathFactory):
        with cls.program.serving(tmp_path_factory.mktemp("t")) as target:
            yield target

    @pytest.mark.parametrize("claim", [b"192.0.2.9", b"\xa0192.0.2.9", b"::ffff:192.0.2.9"])
    def test_an_address_on_the_list_that_is_claimed_in_a_trailer_opens_nothing(
        self, target: Target, claim: bytes
    ):
        (outcome,) = target.exchange(
            upload(b"203.0.113.7", b"X-Forwarded-For: " + claim), ("POST",)
        )

        assert outcome.text == "403 address"

    def test_a_chunked_upload_through_the_proxy_is_accepted(self, target: Target):
        (outcome,) = target.exchange(upload(b"192.0.2.9"), ("POST",))

        assert outcome.text == "200 ok"

    def test_other_trailers_change_nothing(self, target: Target):
        (outcome,) = target.exchange(upload(b"192.0.2.9", b"X-Sum: 5"), ("POST",))

        assert outcome.text == "200 ok"


class TestUvicornHttptools(Trailers):
    program = Program("uvicorn-httptools", _APP, ("--no-proxy-headers",))


class TestUvicornH11(Trailers):
    program = Program("uvicorn-h11", _APP, ("--no-proxy-headers",))


class TestHypercorn(Trailers):
    program = Program("hypercorn", _APP)


class TestUvicornThatTakesThePeerFromTheField(Trailers):
    program = Program("uvicorn-httptools", _APP)


class TestA2wsgi(Trailers):
    program = Program("a2wsgi", "conformance.origins.wsgi_app:app")

"""The question that a proxy asks again is known by a name that no client can choose."""

from __future__ import annotations

from typing import Any

import pytest

from edgeauth.service.original_request import KINDS, UNBELIEVED, AskedRequest

ID = b"3f2a9c1e7b5d48f6a1c0e9d8b7a69584"
UUID = b"/0d1e2f3a-4b5c-6d7e-8f90-a1b2c3d4e5f6"
FIELDS = {
    "nginx": {b"x-original-method": b"PUT", b"x-original-uri": b"/a?b", b"host": b"a.example"},
    "ingress-nginx": {b"x-original-method": b"PUT", b"x-original-url": b"http://a.example/a?b"},
    "forward-auth": {
        b"x-forwarded-method": b"PUT",
        b"x-forwarded-uri": b"/a?b",
        b"x-forwarded-host": b"a.example",
    },
    "envoy": {b"host": b"a.example"},
    "haproxy": {
        b"x-original-method": b"PUT",
        b"x-original-uri": b"/a?b",
        b"x-original-host": b"a.example",
    },
}


def question(
    kind: str, *more: tuple[bytes, bytes], path: bytes = b"/", believed: bool = True, **changed: Any
) -> bytes:
    if kind == "envoy":
        path = b"/edgeauth/a"
    fields = {**FIELDS[kind], **{n.replace("_", "-").encode(): v for n, v in changed.items()}}
    scope = {
        "type": "http",
        "method": "PUT",
        "raw_path": path,
        "query_string": b"b" if kind == "envoy" else b"",
        "headers": [*fields.items(), *more],
        "client": None,
        "server": None,
    }
    how = KINDS[kind] if believed else UNBELIEVED
    return AskedRequest(scope, how.read, tells_upgrade=how.tells_upgrade, name=how.name).question


@pytest.mark.parametrize("kind", ["nginx", "haproxy", "envoy"])
def test_a_proxy_that_always_writes_the_field_names_the_request_in_it(kind):
    assert question(kind, (b"x-request-id", ID)) == b"\0".join((ID, b"PUT", b"/a?b", b"a.example"))
    assert question(kind) == b""
    assert question(kind, (b"x-request-id", ID), (b"x-request-id", ID)) == b""


def test_caddy_names_it_in_the_path_of_the_question():
    assert question("forward-auth", path=UUID) == b"\0".join((UUID, b"PUT", b"/a?b", b"a.example"))
    assert question("forward-auth") == b""
    assert question("forward-auth", path=UUID + b"0") == b""


@pytest.mark.parametrize("kind", ["forward-auth", "ingress-nginx"])
def test_a_field_that_a_client_can_write_names_nothing(kind):
    assert question(kind, (b"x-request-id", ID)) == b""


@pytest.mark.parametrize("name", [b"", b"-", b"1", b"x" * 15, b"x" * 201, b"x" * 20 + b" y"])
def test_what_may_be_the_same_for_two_requests_is_no_name(name):
    assert question("nginx", (b"x-request-id", name)) == b""


def test_who_is_not_believed_names_nothing():
    assert question("nginx", (b"x-request-id", ID), believed=False) == b""


def test_a_request_that_is_not_told_has_no_name():
    assert question("nginx", (b"x-original-uri", b"/"), (b"x-request-id", ID)) == b""


@pytest.mark.parametrize(
    "changed",
    [{"x_original_method": b"POST"}, {"x_original_uri": b"/a?c"}, {"host": b"b.example"}],
)
def test_another_request_is_another_question(changed):
    name = (b"x-request-id", ID)

    assert question("nginx", name, **changed) not in {b"", question("nginx", name)}

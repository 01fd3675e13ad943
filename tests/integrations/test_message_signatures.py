"""A signature over a request is good for that request alone, over sockets, in every server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.rfc9421 import published_key
from support.server_facts import FACTS
from support.servers import SERVERS
from support.service import short_folder
from support.signed_requests import KEY
from support.wire import answers, converse

from edgeauth.schemes.message_signatures import MessageSigner, PrivateKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from support.wire import Address, Answer

    from edgeauth import Key

HOST = "Shop.Example"
TARGET = "/a/b%20c%2Fd?q=1&q=%7e"

# These do not tell the target as it was sent, so what was signed cannot be known: all is refused.
TARGETLESS = {name for name, facts in FACTS.items() if facts.target == "no"}

# A client's own signature, as it comes through the edge.
CLIENTS = {
    "Signature-Input": 'theirs=("@method");created=1;keyid="c";tag="bot"',
    "Signature": "theirs=:AAAA:",
}


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, Address]]:
    """A server by its name, and where it listens."""
    name = request.param
    with (
        short_folder() as folder,
        SERVERS[name].serving(f"support.signed_apps:{SERVERS[name].kind}", folder) as running,
    ):
        yield name, running.address


def asked(
    address: Address,
    fields: Iterable[tuple[str, str]] | dict[str, str],
    *,
    method: str = "GET",
    target: str = TARGET,
    host: str = HOST,
) -> Answer:
    """The answer to a request, byte by byte as it is written here."""
    pairs = fields.items() if isinstance(fields, dict) else fields
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in pairs]
    [answer] = answers(converse(address, "\r\n".join([*lines, "", ""]).encode()), [method])
    return answer


def ask(address: Address, fields: Any, **request: str) -> int:
    """The status of the answer, as :func:`asked`."""
    return asked(address, fields, **request).status


def captured(key: Key | PrivateKey = KEY) -> dict[str, str]:
    """The fields that an edge signs for a request of now."""
    return MessageSigner(key, tag="edge").sign("GET", TARGET, HOST)


def test_a_captured_request_is_good_for_itself_alone(server):
    name, address = server
    fields = captured()
    if name in TARGETLESS:
        assert ask(address, fields) == 403
        return

    assert ask(address, fields) == 200
    assert ask(address, fields, host=HOST.lower()) == 200
    assert ask(address, fields, host=f"{HOST}:443") == 200
    for altered in (
        {"method": "POST"},
        {"target": TARGET.replace("%20", "+")},
        {"target": TARGET.replace("%2F", "/")},
        {"target": TARGET.replace("%7e", "%7E")},
        {"target": TARGET + "&r=3"},
        {"target": TARGET.partition("?")[0]},
        {"target": "/"},
        {"host": "other.example"},
        {"host": f"{HOST}:8443"},
    ):
        assert ask(address, fields, **altered) == 403
    assert ask(address, {}) == 403
    assert ask(address, {**fields, "Signature": fields["Signature"].swapcase()}) == 403


def test_a_public_key_verifies_what_the_private_key_signed(server):
    name, address = server
    fields = captured(PrivateKey("edge-2", published_key("ed25519", "key"), "ed25519"))

    assert ask(address, fields) == (403 if name in TARGETLESS else 200)
    assert ask(address, fields, method="DELETE") == 403


def test_a_clients_own_signature_does_no_harm_and_no_good(server):
    name, address = server
    fields = captured()
    both = [pair for name in fields for pair in ((name, CLIENTS[name]), (name, fields[name]))]

    assert ask(address, both) == (403 if name in TARGETLESS else 200)
    assert ask(address, both, method="PUT") == 403
    assert ask(address, CLIENTS) == 403


def test_the_application_does_not_see_the_signature(server):
    name, address = server
    if name in TARGETLESS:
        return
    fields = captured()
    answer = asked(address, fields)

    assert answer.status == 200
    assert b"shop.example" in answer.body.lower()
    assert fields["Signature"].encode() not in answer.body

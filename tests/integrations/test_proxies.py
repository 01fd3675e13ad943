"""Each proxy with the configuration of its folder, or as it is printed under another name
of the header, the service, and an application."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.gate import Gate, gate
from support.processes import stop
from support.proxies import HEADER, KINDS, NGINX_REAL_IP, PRINTED, TRAEFIK, Kind
from support.service import question

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", params=(*KINDS, *PRINTED), ids=lambda kind: kind.name)
def through(request: pytest.FixtureRequest) -> Iterator[Gate]:
    with gate(request.param) as running_gate:
        yield running_gate
        # Nothing that the tests did was an error to the proxy.
        assert running_gate.proxy.complaints() == []


def test_a_signed_request_reaches_the_application(through: Gate):
    answer = through.ask(through.signed(), target="/page?q=1")

    assert answer.status == 200
    told = json.loads(answer.body)
    assert (told["method"], told["target"]) == ("GET", "/page?q=1")


def test_the_application_sees_who_signed_and_not_the_credential(through: Gate):
    told = json.loads(through.ask(through.signed()).body)

    assert through.header.lower() not in told["headers"]
    if through.proxy.kind is not NGINX_REAL_IP:  # which hands nothing on
        assert told["headers"]["x-edgeauth-reason"] == "ok"
        assert told["headers"]["x-edgeauth-pop"] == "LHR"
        assert told["headers"]["x-edgeauth-key"] == "default"
        assert 0 <= int(told["headers"]["x-edgeauth-age"]) < 30


def test_what_a_client_says_of_the_decision_does_not_reach_the_application(through: Gate):
    lies = [(f"X-EdgeAuth-{name}", "lie") for name in ("Reason", "Pop", "Age", "Key")]

    told = json.loads(through.ask(*lies, target="/healthz").body)

    assert told["target"] == "/healthz"
    assert "lie" not in told["headers"].values()


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_an_unsigned_request_is_denied(through: Gate, method: str):
    assert through.ask(method=method).status == 403


def test_an_expired_value_is_denied(through: Gate):
    assert through.ask(through.signed(age=90)).status == 403


def test_a_value_from_the_future_is_denied(through: Gate):
    assert through.ask(through.signed(age=-60)).status == 403


def test_a_tampered_value_is_denied(through: Gate):
    name, value = through.signed()

    assert through.ask((name, value.replace("LHR", "LHX"))).status == 403
    assert through.ask((name, value[:-1] + "g")).status == 403


def test_a_value_of_another_secret_is_denied(through: Gate):
    assert through.ask(through.signed(secret="some-other-secret")).status == 403


def test_a_credential_in_another_header_is_denied(through: Gate):
    _, value = through.signed()
    others = {HEADER, "X-Origin-Key"} - {through.header}

    assert [through.ask((other, value)).status for other in others] == [403] * len(others)


def test_two_credentials_are_denied(through: Gate):
    assert through.ask(through.signed(), through.signed()).status == 403
    assert through.ask(through.signed(), (through.header, "x")).status == 403
    assert through.ask((through.header, "x"), through.signed()).status == 403


def test_an_exempt_path_needs_no_credential(through: Gate):
    assert through.ask(target="/healthz").status == 200
    assert through.ask(target="/healthz?q=1").status == 200


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/healthz"),
        ("GET", "/%68ealthz"),
        ("GET", "/healthz/"),
        ("GET", "/healthz%3F"),
        ("GET", "/page?/healthz"),
        ("GET", "/edgeauth/healthz"),
    ],
)
def test_what_only_looks_like_the_exempt_path_is_denied(through: Gate, method: str, target: str):
    answer = through.ask(method=method, target=target)

    if through.proxy.kind.prepare is TRAEFIK.prepare and target == "/%68ealthz":
        # It decodes what needs no encoding before it asks, and the application gets that too.
        assert json.loads(answer.body)["target"] == "/healthz"
    else:
        assert answer.status == 403


@pytest.mark.parametrize(
    "name",
    [
        "X-Original-URI",
        "X-Original-URL",
        "X-Forwarded-Uri",
        "X-Forwarded-Path",
        "X-Envoy-Original-Path",
        "X-Rewrite-URL",
    ],
)
def test_a_client_cannot_claim_an_exempt_path(through: Gate, name: str):
    claims = (
        (name, "/healthz"),
        ("X-Original-Method", "GET"),
        ("X-Forwarded-Method", "GET"),
    )

    assert through.ask(*claims, target="/secret").status == 403
    assert through.ask(*claims, method="POST", target="/secret").status == 403


def test_a_client_cannot_claim_the_method_of_an_exemption(through: Gate):
    claims = (("X-Original-Method", "GET"), ("X-Forwarded-Method", "GET"))

    assert through.ask(*claims, method="POST", target="/healthz").status == 403


def test_the_denial_tells_the_client_nothing(through: Gate):
    missing, forged = through.ask(), through.ask(through.signed(secret="some-other-secret"))

    assert not [name for name in missing.headers if name.startswith("x-edgeauth")]
    assert missing.body == forged.body
    clocks = {"date", "x-envoy-upstream-service-time"}
    without_clocks = [
        {name: value for name, value in answer.headers.items() if name not in clocks}
        for answer in (missing, forged)
    ]
    assert without_clocks[0] == without_clocks[1]


def test_a_body_reaches_the_application_whole(through: Gate):
    body = "x" * 10_000
    head = question(
        through.signed(), *through.source, ("Content-Length", str(len(body))), method="POST"
    )

    (answer,) = through.proxy.send(head + body.encode(), "POST")

    assert json.loads(answer.body)["body"] == body


def test_each_request_of_a_connection_is_decided_on_its_own(through: Gate):
    sent = b"".join(
        [
            question(through.signed(), *through.source, close=False),
            question(*through.source, close=False),
            question(through.signed(), *through.source),
        ]
    )

    statuses = [answer.status for answer in through.proxy.send(sent, "GET", "GET", "GET")]

    assert statuses == [200, 403, 200]


def test_a_websocket_handshake_needs_a_credential_and_harms_nothing(through: Gate):
    upgrade = (
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    )
    head = question(*upgrade, *through.source, close=False)
    handshake = head.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\n\r\n")

    # The connection may be closed or kept after it; what counts is the first answer.
    (denied,) = through.proxy.send(handshake.replace(b"Upgrade\r\n\r\n", b"Upgrade, close\r\n\r\n"))

    assert denied.status == 403
    assert through.ask(through.signed()).status == 200


def test_the_service_tells_the_paths_and_reasons_of_refusals(through: Gate):
    through.ask(through.signed(age=90), target="/old-page")

    assert "reason='expired' method='GET' path='/old-page'" in through.service.log.read_text()


@pytest.mark.parametrize("kind", [*KINDS, *PRINTED], ids=lambda kind: kind.name)
def test_a_stopped_service_lets_nobody_in(kind: Kind):
    with gate(kind) as running_gate:
        assert running_gate.ask(running_gate.signed()).status == 200

        stop(running_gate.service.process)

        for fields in [(running_gate.signed(),), ()]:
            assert running_gate.ask(*fields).status in {403, 500, 502, 503}
        assert running_gate.ask(target="/healthz").status in {403, 500, 502, 503}


def test_an_address_of_nobody_of_the_edge_is_denied():
    with gate(NGINX_REAL_IP) as running_gate:
        send = running_gate.proxy.send

        (stranger,) = send(question(running_gate.signed(), ("X-Forwarded-For", "203.0.113.9")))
        (liar,) = send(
            question(running_gate.signed(), ("X-Forwarded-For", "192.0.2.7, 203.0.113.9"))
        )

        assert (stranger.status, liar.status) == (403, 403)
        assert running_gate.ask(running_gate.signed()).status == 200

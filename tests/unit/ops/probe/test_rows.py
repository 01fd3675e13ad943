"""What a probe sends: each row against the gate itself."""

from __future__ import annotations

import http.client
import io

import pytest
from support.requests import PlainRequest
from support.vectors import SECRET

from edgeauth import AddressList, EdgeAuthScheme, Guard, SharedSecretScheme
from edgeauth.ops.probe.rows import genuine
from edgeauth.ops.probe.rows import rows as rows_of
from edgeauth.ops.schemes.probe_rows import Plan

NOW = 1_700_000_000
PLAN = Plan("origin.example", "/page?q=1")


def rows(plan, **options):
    return rows_of(plan, [EdgeAuthScheme([SECRET], **options)])


def parsed(sent):
    """The request in *sent*, as the core sees it."""
    line, _, fields = sent.partition(b"\r\n")
    method, target, _version = line.decode().split(" ")
    headers = http.client.parse_headers(io.BytesIO(fields))
    upgrade = headers["Upgrade"] == "websocket"
    return PlainRequest(
        method="WEBSOCKET" if upgrade else method,
        path=target.partition("?")[0],
        fields=[(name, value.encode("latin-1")) for name, value in headers.items()],
    )


def reasons(plan, guard, **options):
    return {
        row.id: guard.check(parsed(row.request(NOW)), now=NOW).reason
        for row in rows(plan, **options)
        if row.request is not None
    }


def test_a_gate_refuses_each_row_of_an_attacker_for_the_reason_it_was_made_for():
    guard = Guard.from_settings({"secret": SECRET, "pops": ["LHR"]})
    found = reasons(PLAN, guard, pops=["LHR"])
    assert {id_ for id_, reason in found.items() if reason == "ok"} == {"signed", "signed-base64"}
    for id_, reason in found.items():
        if id_.startswith(("unsigned", "spoofed")):
            assert reason == "missing"
    wanted = {
        "stale": "expired",
        "future": "future",
        "redated": "bad-signature",
        "renamed": "bad-signature",
        "altered": "bad-signature",
        "truncated": "malformed",
        "longer": "malformed",
        "good-then-forged": "malformed",
        "forged-then-good": "malformed",
        "good-twice": "malformed",
        "joined": "malformed",
        "another-pop": "pop",
        "no-pop": "malformed",
        "forged": "bad-signature",
        "forged-twice": "malformed",
        "empty-secret": "bad-signature",
        "null-secret": "bad-signature",
        "example-secret": "bad-signature",
        "junk": "malformed",
        "empty": "malformed",
        "empty-signature": "malformed",
        "prefix-signature": "malformed",
        "long": "malformed",
    }
    assert wanted.items() <= found.items()


def test_the_window_of_the_origin_decides_what_is_stale():
    guard = Guard.from_settings({"secret": SECRET, "max_age": 600, "max_future": 90})
    assert reasons(PLAN, guard)["stale"] == "ok"
    found = reasons(PLAN, guard, max_age=600, max_future=90)
    assert (found["stale"], found["future"]) == ("expired", "future")


@pytest.mark.parametrize(("pops", "accepted"), [(None, "ok"), (("FRA", "AMS"), "ok")])
def test_it_signs_as_a_pop_that_the_origin_accepts(pops, accepted):
    guard = Guard.from_settings({"secret": SECRET, **({"pops": pops} if pops else {})})
    assert reasons(PLAN, guard, pops=pops)["signed"] == accepted


def test_an_origin_that_uses_the_published_secret_is_found():
    guard = Guard(EdgeAuthScheme(["some-pre-shared-secret"]))
    assert reasons(PLAN, guard)["example-secret"] == "ok"


def test_a_gate_that_believes_forwarding_fields_is_found():
    """With trust in any proxy, an address list alone opens to whoever writes the field."""
    believing = Guard(
        SharedSecretScheme([SECRET]), addresses=AddressList.fastly(), trusted_proxies=["192.0.2.1"]
    )
    found = reasons(PLAN, believing)
    assert (found["unsigned"], found["spoofed-edge-address"]) == ("address", "missing")


def test_without_the_secret_rows_that_need_one_are_not_tried_and_say_why():
    without = rows(PLAN._replace(no_key="no secret was given", websocket="/ws"))
    skipped = {row.id: row.means for row in without if row.request is None}
    assert set(skipped) == {
        *("stale", "future", "redated", "renamed", "altered", "truncated", "longer"),
        *("good-then-forged", "forged-then-good", "good-twice", "joined", "another-pop", "no-pop"),
        *("signed", "signed-base64", "signed-websocket"),
    }
    assert set(skipped.values()) == {"no secret was given"}


def test_rows_that_would_mean_nothing_are_not_tried():
    lenient = {row.id: row for row in rows(PLAN, require_pop=False)}
    assert lenient["no-pop"].request is None
    assert "require_pop is off" in lenient["no-pop"].means
    assert lenient["another-pop"].request is None
    assert "pops is not set" in lenient["another-pop"].means


def test_look_alikes_of_an_exempt_path_are_refused_by_the_gate_and_the_path_is_not():
    exempt = ("GET /healthz", "POST /42", "HEAD /a b/ä%")
    guard = Guard.from_settings({"secret": SECRET, "exempt": exempt[:2]})
    found = reasons(PLAN._replace(exempt=exempt), guard)
    assert (found["exempt GET /healthz"], found["exempt POST /42"]) == ("exempt", "exempt")
    alike = {id_: reason for id_, reason in found.items() if id_.startswith("look-alike")}
    assert set(alike.values()) == {"missing"}
    assert "look-alike POST /healthz" in alike
    assert "look-alike PUT /42" in alike
    assert "look-alike GET /HEALTHZ" in alike
    sent = {row.id: row.request for row in rows(PLAN._replace(exempt=exempt))}
    assert sent["exempt HEAD /a b/ä%"](NOW).startswith(b"HEAD /a%20b/%C3%A4%25 HTTP/1.1\r\n")


def test_a_wide_exemption_is_found():
    guard = Guard.from_settings({"secret": SECRET, "exempt": ["GET /healthz", "GET /healthz/"]})
    assert reasons(PLAN._replace(exempt=("GET /healthz",)), guard)["look-alike GET /healthz/"] == (
        "exempt"
    )


def test_a_probe_sends_a_handful_however_much_is_exempt():
    many = PLAN._replace(exempt=tuple(f"GET /{n}a" for n in range(50)), websocket="/ws")
    sent = [row for row in rows(many) if row.request is not None]
    assert len(sent) < 80
    assert sum("enough others" in row.means for row in rows(many)) == 47


def test_each_row_has_an_id_of_its_own_and_asks_for_the_page_of_the_url():
    plan = PLAN._replace(exempt=("GET /healthz",), websocket="/ws")
    all_rows = rows(plan, pops=["LHR"])
    assert len({row.id for row in all_rows}) == len(all_rows)
    for row in all_rows:
        sent = row.request(NOW)
        assert b"\r\nHost: origin.example\r\n" in sent
        assert SECRET.encode() not in sent
        elsewhere = ("exempt", "look-alike", "websocket", "spoofed-mount")
        if b"websocket" not in sent and not row.id.startswith(elsewhere):
            assert sent.split(b" ")[1] == b"/page?q=1"


def test_of_a_kind_that_says_no_more_the_credential_alone_is_what_the_edge_sends():
    class Signing:
        kind = "signing"

        def credential(self, *, now, request, **_how):
            return {"X-Time": str(now), "X-Of": f"{request.method} {request.target}"}

    found = genuine(Signing(), PLAN._replace(websocket="/ws"))
    sent = {row.id: row.request(NOW) for row in found}
    assert [row.expected for row in found] == ["answered", "upgraded"]
    assert b"X-Time: 1700000000\r\nX-Of: GET /page?q=1\r\n" in sent["signed"]
    assert b"Upgrade: websocket" in sent["signed-websocket"]
    assert b"X-Of: GET /ws\r\n" in sent["signed-websocket"]

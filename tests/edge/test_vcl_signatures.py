"""The VCL that signs each request (RFC 9421): what it makes, and falco in front of an origin.

Without falco's simulator, what is proved is what the text of the file makes of a request, by the
documented meaning of each function; see support.vcl_run.
"""

from __future__ import annotations

import time

import pytest
from support import edge_tools
from support.odd_requests import odd_requests
from support.requests import PlainRequest
from support.signature_rows import origins_base
from support.signed_requests import KEY, NOW, SECRET
from support.signing_edges import HMAC_KEY, again, ask, lines, signed_origin
from support.snippets import snippet
from support.vcl import VCL, lint, pop, service
from support.vcl_run import Vcl

from edgeauth import Guard
from edgeauth.replay import open_store
from edgeauth.schemes.message_signatures import MessageSignatureScheme

FILE = (VCL / "message_signatures.vcl").read_text()
MAIN = (VCL / "main.vcl").read_text().replace('"edgeauth"', '"message_signatures"')
RESTARTING = MAIN.replace(
    "#FASTLY deliver", "#FASTLY deliver\n  if (req.restarts == 0 && req.http.Again) { restart; }"
)
FIELDS = ("Signature-Input", "Signature")


def signed(
    method: str = "GET",
    target: str = "/a%2Fb?c=1",
    host: str = "shop.example",
    *,
    table: dict[str, str] | None = None,
    upgrade: bool = False,
    hop: str = "origin",
    now: int = NOW,
) -> tuple[PlainRequest, Vcl]:
    """A request as it leaves a POP for the *hop*, and the POP."""
    where = "req" if upgrade else "bereq"
    pop = Vcl(
        FILE,
        {
            f"{where}.method": method,
            f"{where}.url": target,
            f"{where}.http.host": host,
            f"req.backend.is_{hop}": True,
        },
        {"key": f"{KEY.id}:{SECRET}"} if table is None else table,
        now,
    )
    pop.call("edgeauth_sign_upgrade" if upgrade else "edgeauth_sign")
    made = [(name, pop.variables.get(f"{where}.http.{name.lower()}")) for name in FIELDS]
    fields = [("Host", host.encode()), *((name, value.encode()) for name, value in made if value)]
    sent = PlainRequest(
        method=method, target=target.encode(), host=host.encode(), fields=fields, handshake=upgrade
    )
    return sent, pop


def scheme() -> MessageSignatureScheme:
    return MessageSignatureScheme([KEY], tag="edge")


@pytest.mark.parametrize("upgrade", [False, True], ids=["fetch", "upgrade"])
def test_what_is_signed_of_a_thousand_odd_requests_is_what_the_origin_verifies(
    upgrade, monkeypatch
):
    """The signature proves the bytes; they are compared as well, to say which ones differ."""
    bases = []
    function = Vcl._function

    def seen(self, name, arguments):
        if name == "digest.hmac_sha256_base64":
            bases.append(arguments[1])
        return function(self, name, arguments)

    monkeypatch.setattr(Vcl, "_function", seen)
    origin = scheme()
    nonces = set()
    for odd in odd_requests(1000, 5, rare=True):
        request, _ = signed(odd.method, odd.target, odd.host, upgrade=upgrade)
        signed_input = request.header("Signature-Input")[0].decode().removeprefix("edge=")
        assert bases.pop() == origins_base(odd.method, odd.host, odd.target, signed_input)
        verified = origin.verify_signature(request, now=NOW)
        assert {"method", "host", "path", "query", "time", "once"} == verified.covers
        nonces.add(verified.once.key)
    assert len(nonces) == 1000


def test_a_second_attempt_is_admitted_and_the_first_one_no_second_time():
    guard = Guard(scheme(), replay=open_store("memory"))
    first, second = (signed(now=int(time.time()))[0] for _attempt in range(2))
    reasons = [guard.check(request).reason for request in (first, second, first)]
    assert reasons == ["ok", "ok", "replayed"]


def test_the_host_that_a_backend_overrides_is_signed():
    table = {"key": f"{KEY.id}: {SECRET}", "host": "Origin.example:443"}
    request, _ = signed(table=table)
    request.host = b"origin.example"
    assert scheme().verify(request, now=NOW).key_id == KEY.id


@pytest.mark.parametrize("upgrade", [False, True], ids=["fetch", "upgrade"])
@pytest.mark.parametrize("key", [None, "", SECRET, f":{SECRET}", "edge-1:", "edge-1: "])
def test_a_key_that_cannot_be_used_is_logged_and_nothing_of_it_is_sent(key, upgrade):
    request, pop = signed(table={} if key is None else {"key": key}, upgrade=upgrade)
    assert [name for name, _ in request.fields] == ["Host"]
    assert "no item key with id:secret in dictionary edge_auth" in pop.logged[0]
    assert SECRET not in pop.logged[0]


def test_a_pop_that_fetches_from_a_shield_does_not_sign():
    request, _ = signed(hop="shield")
    assert [name for name, _ in request.fields] == ["Host"]
    request, _ = signed(hop="shield", upgrade=True)
    assert [name for name, _ in request.fields] == ["Host"]


def test_what_a_visitor_sent_is_removed_on_arrival():
    names = ["signature-input", "signature", "edge-auth-pass"]
    pop = Vcl(FILE, {f"req.http.{name}": "junk" for name in [*names, "accept"]}, {})
    pop.call("edgeauth_arrive")
    assert pop.variables == {"req.http.accept": "junk"}


@pytest.mark.parametrize("dictionary", ["edge_auth", "keys"])
def test_the_linter_has_nothing_to_say(dictionary, tmp_path):
    settings = {"EDGEAUTH_SCHEME": "message-signatures", "EDGEAUTH_TAG": "cdn"}
    printed = snippet("vcl", "--dictionary", dictionary, **settings)
    assert '"cdn"' in printed
    (tmp_path / "message_signatures.vcl").write_text(printed)
    text = service(MAIN, secret="x" * 16, dictionary=dictionary)
    assert lint(edge_tools.falco_linter(), text, tmp_path, tmp_path) == []


def test_each_call_is_the_last_thing_before_the_request_leaves():
    for sub in ("miss", "pass"):
        body = MAIN.partition(f"sub vcl_{sub} {{")[2].partition("}")[0]
        before, _, after = body.partition("call edgeauth_sign;")
        assert f"#FASTLY {sub}" in before
        assert after.split() == ["return(fetch);" if sub == "miss" else "return(pass);"]


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    edge_tools.falco()
    with signed_origin(tmp_path_factory.mktemp("origin")) as started:
        yield started


@pytest.fixture(scope="module")
def edge(origin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("falco")
    text = service(RESTARTING, port=origin.at.port, secret=HMAC_KEY, item="key")
    with pop(folder, text) as started:
        yield started


# The simulator reads bereq.url decoded, which a real POP does not: plain paths alone.
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_falco_signs_what_the_origin_accepts_once(edge, origin, method):
    own = [("Signature-Input", "junk"), ("Signature", "junk"), ("Edge-Auth-Pass", "a pass")]
    body = b"" if method == "POST" else None
    report = ask(edge.port, method, "/a/b?c=1&c=%20", own, body=body).report
    assert len(lines(report, "signature")) == 1
    assert not lines(report, "edge-auth-pass")
    assert again(origin.at, report).status == 403
    assert origin.last()["reason"] == "replayed"
    assert again(origin.at, report, target="/a/b").status == 403
    assert origin.last()["reason"] == "bad-signature"


def test_falco_signs_a_restart_anew(edge):
    assert ask(edge.port, "GET", "/again", [("Again", "yes")]).status == 200

"""The ASGI adapter, without a server: what it hands on, and what it answers."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping

import pytest
from support.vectors import SECRET

from edgeauth import (
    AddressList,
    ConfigurationError,
    EdgeAuthError,
    EdgeAuthScheme,
    EdgeIdentity,
    Guard,
    Key,
    Verdict,
    sign,
)
from edgeauth.asgi import EdgeAuthMiddleware, ScopeRequest, SplitRequest
from edgeauth.body import MOST
from edgeauth.schemes.message_signatures import MessageSignatureScheme, sign_request

DENIAL_HEADERS = [
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-length", b"10"),
    (b"cache-control", b"no-store"),
]


class Recorder:
    """An application that keeps what it was given, and writes into its scope."""

    def __init__(self, **written):
        self.scope, self.receive = None, None
        self._written = written

    async def __call__(self, scope, receive, send):
        self.scope, self.receive = scope, receive
        scope |= self._written
        await send({"type": "app.was.here"})


def serve(scope, **options):
    """What a gate of *options* around a recorder sent, the recorder, and the messages it took."""
    app = Recorder()
    sent, received = [], []

    async def receive():
        received.append({"type": f"{scope['type']}.connect"})
        return received[-1]

    async def send(message):
        sent.append(message)

    gate = EdgeAuthMiddleware(app, Guard(EdgeAuthScheme([SECRET]), **options))
    asyncio.run(gate(scope, receive, send))
    return sent, app, received


def http_scope(*headers, **changes):
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [(b"host", b"origin.example"), *headers],
        "client": ("192.0.2.1", 40000),
    }
    return {**scope, **changes}


def websocket_scope(*headers, **changes):
    scope = http_scope(*headers, type="websocket", **changes)
    del scope["method"]
    return scope


@pytest.fixture
def credential():
    return (b"edge-auth", sign(SECRET, pop="LHR").encode())


def test_an_accepted_request_reaches_the_app_with_its_verdict_and_without_the_credential(
    credential,
):
    sent, app, _ = serve(http_scope(credential, (b"accept", b"*/*")))

    assert sent == [{"type": "app.was.here"}]
    assert app.scope["edgeauth"].reason == "ok"
    assert app.scope["headers"] == [(b"host", b"origin.example"), (b"accept", b"*/*")]


def test_the_scope_of_the_server_is_left_as_it_was(credential):
    scope = http_scope(credential)
    headers = scope["headers"]

    serve(scope)

    assert "edgeauth" not in scope
    assert scope["headers"] is headers
    assert credential in headers


@pytest.mark.parametrize("before", [{}, {"endpoint": "the outer router"}])
@pytest.mark.parametrize("written", [{"endpoint": "a view"}, {"endpoint": "a view", "route": "/"}])
def test_what_the_application_writes_into_its_scope_is_handed_back_and_nothing_of_the_gate(
    credential, before, written
):
    scope = http_scope(credential, **before)
    expected = {**scope, **written}

    asyncio.run(gate_around(Recorder(**written))(scope, None, swallow))

    assert scope == expected


def test_what_a_gate_outside_left_stays_there_whatever_the_application_does(credential):
    class Forgets(Recorder):
        async def __call__(self, scope, receive, send):
            del scope["edgeauth"], scope["edgeauth.guard"]
            await super().__call__(scope, receive, send)

    outside = {"edgeauth": "left", "edgeauth.guard": "by the gate outside"}
    for left in ({}, outside, dict.fromkeys(outside)):
        scope = http_scope(credential, **left)
        asyncio.run(gate_around(Forgets(route="/", more=1, again=2))(scope, None, swallow))
        assert scope == {**http_scope(credential, **left), "route": "/", "more": 1, "again": 2}


@pytest.mark.parametrize("before", [{}, {"endpoint": "the outer router"}])
def test_where_the_application_writes_nothing_what_is_written_outside_meanwhile_stays(
    credential, before
):
    scope = http_scope(credential, path="/old", **before)

    async def app(_inner, _receive, _send):
        scope["path"] = "/new"

    asyncio.run(gate_around(app)(scope, None, swallow))

    assert scope == http_scope(credential, path="/new", **before)


def gate_around(app, **options):
    return EdgeAuthMiddleware(app, Guard(EdgeAuthScheme([SECRET]), **options))


@pytest.mark.parametrize("once", [["client", "server"], ["client"], ["server"]], ids="+".join)
def test_addresses_that_can_be_read_once_are_there_for_the_gate_and_the_application(
    credential, once
):
    app = Recorder()
    gate = gate_around(app, addresses=AddressList(["192.0.2.0/24"]))
    ends = {"client": ("192.0.2.1", 40000), "server": ("127.0.0.1", 80)}
    given = ends | {end: iter(ends[end]) for end in once}

    asyncio.run(gate(http_scope(credential, **given), None, swallow))

    assert app.scope["edgeauth"].reason == "ok"
    assert {end: tuple(app.scope[end]) for end in ends} == ends


class Mapping(MutableMapping):
    """A scope that has no more than the specification demands."""

    def __init__(self, scope):
        self._scope = scope

    def __getitem__(self, key):
        return self._scope[key]

    def __setitem__(self, key, value):
        self._scope[key] = value

    def __delitem__(self, key):
        del self._scope[key]

    def __iter__(self):
        return iter(self._scope)

    def __len__(self):
        return len(self._scope)


def test_a_scope_of_any_mapping_reaches_the_application_as_a_dict_and_is_left_as_it_was(credential):
    app, scope = Recorder(), http_scope(credential)

    asyncio.run(gate_around(app)(Mapping(scope), None, swallow))

    assert scope == http_scope(credential)
    assert type(app.scope) is dict
    assert app.scope["edgeauth"].reason == "ok"
    assert app.scope["path"] == scope["path"]


def test_the_application_receives_from_the_server(credential):
    def receive():
        raise AssertionError

    for scope in (http_scope(credential), websocket_scope(credential), {"type": "lifespan"}):
        app = Recorder()
        asyncio.run(gate_around(app)(scope, receive, swallow))
        assert app.receive is receive


def test_a_value_that_the_gate_knows_is_held_against_the_exempt_routes_of_a_mount(credential):
    app = Recorder()
    gate = gate_around(app, exempt=["GET /app/healthz"], mount_points=["/", "/app"])

    reasons = []
    for root in ("", "", "/app"):
        scope = http_scope(credential, path="/healthz", root_path=root)
        asyncio.run(gate(scope, None, swallow))
        reasons.append(app.scope["edgeauth"].reason)

    assert reasons == ["ok", "ok", "exempt"]


def test_the_app_sees_the_credential_when_it_is_not_to_be_stripped(credential):
    _, app, _ = serve(http_scope(credential), strip_header=False)

    assert credential in app.scope["headers"]


def test_a_value_that_the_gate_knows_is_judged_with_all_of_its_request(credential):
    """What was accepted once is answered without a view of the request the second time."""
    app = Recorder()
    gate = EdgeAuthMiddleware(app, Guard(EdgeAuthScheme([SECRET]), exempt=["GET /healthz"]))
    sent = []

    async def send(message):
        sent.append(message.get("status"))

    def serve_again(*headers, **changes):
        app.scope = None
        asyncio.run(gate(http_scope(*headers, **changes), None, send))
        return app.scope

    first, second = serve_again(credential), serve_again(credential, (b"accept", b"*/*"))
    assert second["edgeauth"] is first["edgeauth"]
    assert second["headers"] == [(b"host", b"origin.example"), (b"accept", b"*/*")]
    assert serve_again(credential, path="/healthz")["edgeauth"].reason == "exempt"
    assert serve_again(credential, path="/healthz", method="POST")["edgeauth"].reason == "ok"
    assert sent == [None] * 4

    assert serve_again(credential, credential) is None
    assert serve_again() is None
    assert sent[-4:] == [403, None, 403, None]


def test_a_handshake_with_a_value_that_the_gate_knows_is_held_against_the_exempt_routes(credential):
    app = Recorder()
    gate = EdgeAuthMiddleware(app, Guard(EdgeAuthScheme([SECRET]), exempt=["WEBSOCKET /feed"]))

    reasons = []
    for path in ("/", "/", "/feed"):
        asyncio.run(gate(websocket_scope(credential, path=path), None, swallow))
        reasons.append(app.scope["edgeauth"].reason)

    assert reasons == ["ok", "ok", "exempt"]


def test_only_the_header_of_the_scheme_is_stripped():
    app = Recorder()
    gate = EdgeAuthMiddleware(app, Guard(EdgeAuthScheme([SECRET], header="X-Edge")))
    value = sign(SECRET, pop="LHR").encode()

    asyncio.run(gate(http_scope((b"x-edge", value), (b"edge-auth", b"kept")), None, swallow))

    assert app.scope["headers"] == [(b"host", b"origin.example"), (b"edge-auth", b"kept")]


async def swallow(_message):
    pass


def test_a_refused_request_gets_the_denial_and_the_app_is_not_run():
    sent, app, _ = serve(http_scope())

    assert app.scope is None
    assert sent == [
        {"type": "http.response.start", "status": 403, "headers": DENIAL_HEADERS},
        {"type": "http.response.body", "body": b"Forbidden\n", "more_body": False},
    ]


def test_a_refused_head_request_gets_no_body():
    sent, _, _ = serve(http_scope(method="HEAD"))

    assert sent == [
        {"type": "http.response.start", "status": 403, "headers": DENIAL_HEADERS},
        {"type": "http.response.body", "body": b"", "more_body": False},
    ]


def test_report_only_lets_a_refused_request_through_marked_and_stripped():
    sent, app, _ = serve(http_scope((b"edge-auth", b"forged")), mode="report-only")

    assert sent == [{"type": "app.was.here"}]
    assert app.scope["edgeauth"] == Verdict(allowed=True, reason="malformed", enforced=False)
    assert app.scope["headers"] == [(b"host", b"origin.example")]


def test_a_refused_handshake_is_answered_where_the_server_offers_it():
    sent, app, received = serve(websocket_scope(extensions={"websocket.http.response": {}}))

    assert app.scope is None
    assert received == [{"type": "websocket.connect"}]
    assert sent == [
        {"type": "websocket.http.response.start", "status": 403, "headers": DENIAL_HEADERS},
        {"type": "websocket.http.response.body", "body": b"Forbidden\n", "more_body": False},
    ]


@pytest.mark.parametrize("extensions", [{}, {"extensions": {}}, {"extensions": None}])
def test_a_refused_handshake_is_closed_where_the_server_does_not_offer_an_answer(extensions):
    sent, app, received = serve(websocket_scope(**extensions))

    assert app.scope is None
    assert received == [{"type": "websocket.connect"}]
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": ""}]


def test_an_accepted_handshake_reaches_the_app_unread(credential):
    sent, app, received = serve(websocket_scope(credential))

    assert sent == [{"type": "app.was.here"}]
    assert app.scope["edgeauth"].reason == "ok"
    assert received == []


def test_an_exemption_of_get_does_not_exempt_a_handshake():
    sent, app, _ = serve(websocket_scope(path="/healthz"), exempt=["GET /healthz"])

    assert app.scope is None
    assert sent[0]["type"] == "websocket.close"


def test_lifespan_passes_untouched():
    scope = {"type": "lifespan"}

    sent, app, _ = serve(scope)

    assert sent == [{"type": "app.was.here"}]
    assert app.scope is scope


@pytest.mark.parametrize("kind", ["http2", "HTTP", "webtransport", ""])
def test_a_scope_of_unknown_type_is_refused(kind):
    with pytest.raises(EdgeAuthError, match=f"unknown type '{kind}'"):
        serve(http_scope(type=kind))


def test_without_a_guard_one_is_built_from_the_environment_at_construction(monkeypatch, credential):
    monkeypatch.setenv("EDGEAUTH_SECRET", SECRET)
    app = Recorder()
    gate = EdgeAuthMiddleware(app)
    monkeypatch.setenv("EDGEAUTH_SECRET", "some-other-secret-of-32-bytes-xx")

    asyncio.run(gate(http_scope(credential), None, swallow))

    assert app.scope["edgeauth"].reason == "ok"


def test_without_a_guard_and_a_secret_there_is_no_middleware():
    with pytest.raises(ConfigurationError, match="EDGEAUTH_SECRET"):
        EdgeAuthMiddleware(Recorder())


def test_a_file_of_decisions_that_cannot_be_used_is_an_error_at_construction():
    guard = Guard(EdgeAuthScheme([SECRET]), decisions="/nowhere/decisions")
    with pytest.raises(ConfigurationError, match="/nowhere/decisions"):
        EdgeAuthMiddleware(Recorder(), guard)


@pytest.mark.parametrize(
    ("root", "path", "whole", "mount"),
    [
        pytest.param("/app", "/app/x", "/app/x", "/app", id="uvicorn"),
        pytest.param("/app", "/x", "/app/x", "/app", id="hypercorn"),
        pytest.param("/app", "/app", "/app", "/app", id="the mount point itself"),
        pytest.param("/app", "/application", "/app/application", "/app", id="a longer name"),
        pytest.param("/app/", "/x", "/app/x", "/app", id="a root path that ends in a slash"),
        pytest.param("/X", "/x", "/X/x", "/X", id="a letter is no slash"),
        pytest.param("/", "//x", "//x", "", id="the root"),
        pytest.param("", "/x", "/x", "", id="no mount point"),
        pytest.param(None, "/x", "/x", "", id="a server that tells none"),
    ],
)
def test_the_path_is_that_of_the_url_with_its_mount_point_once(root, path, whole, mount):
    request = ScopeRequest(http_scope(root_path=root, path=path))
    assert (request.path, request.mount) == (whole, mount)


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        pytest.param({}, None, id="the server does not tell"),
        pytest.param({"raw_path": None, "query_string": b"a"}, None, id="the server has none"),
        pytest.param({"raw_path": b"/%2e"}, b"/%2e", id="no query string at all"),
        pytest.param({"raw_path": b"/", "query_string": b""}, b"/", id="an empty query string"),
        pytest.param({"raw_path": b"/", "query_string": b"a=1"}, b"/?a=1", id="path and query"),
    ],
)
def test_the_target_is_path_and_query_as_received(changes, target):
    assert ScopeRequest(http_scope(**changes)).target == target


@pytest.mark.parametrize(
    ("client", "peer"),
    [
        pytest.param(("192.0.2.1", 40000), "192.0.2.1", id="an address"),
        pytest.param(None, None, id="no client"),
        pytest.param(("", 0), None, id="a Unix socket as some servers tell it"),
    ],
)
def test_the_peer_is_an_address_or_none(client, peer):
    assert ScopeRequest(http_scope(client=client)).peer == peer


@pytest.mark.parametrize(
    ("server", "unix"),
    [
        pytest.param(("/run/app.sock", None), True, id="ASGI, uvicorn"),
        pytest.param(None, True, id="hypercorn, daphne"),
        pytest.param(("/run/app.sock", "0"), True, id="granian"),
        pytest.param(("/", "r"), True, id="gunicorn"),
        pytest.param(("@app", None), True, id="an abstract socket"),
        pytest.param(("@app", 1), True, id="an abstract socket, told by its name alone"),
        pytest.param(("\0app", 1), True, id="an abstract socket, with the byte that makes it one"),
        pytest.param(("app.sock", None), True, id="a relative path, without a port"),
        pytest.param(("app.sock", "0"), True, id="a relative path, granian"),
        pytest.param(("127.0.0.1", 80), False, id="TCP"),
        pytest.param(["127.0.0.1", 80], False, id="TCP, daphne"),
        pytest.param(("127.0.0.1", "80"), False, id="TCP, granian"),
        pytest.param(("::1", 80), False, id="TCP over IPv6"),
        pytest.param(("testserver", 80), False, id="a test client"),
    ],
)
@pytest.mark.parametrize("client", [None, ("192.0.2.1", 1)])
def test_the_listener_and_not_the_peer_tells_a_unix_socket(server, client, unix):
    assert ScopeRequest(http_scope(client=client, server=server)).unix is unix


def test_a_server_that_tells_no_client_leaves_no_peer():
    scope = http_scope()
    del scope["client"]

    assert ScopeRequest(scope).peer is None


def test_all_values_of_a_field_are_seen_in_order_whatever_the_case_of_the_name():
    request = ScopeRequest(http_scope((b"x-a", b"1"), (b"x-b", b"2"), (b"x-a", b"3")))

    assert request.header("X-A") == [b"1", b"3"]
    assert request.header("x-c") == []


def test_fields_that_were_set_apart_are_seen_as_all_others_are():
    fields = [(b"x-a", b"1"), (b"x-b", b"2"), (b"x-a", b"3")]
    names = {"X-A": b"x-a", "x-c": b"x-c"}
    request = SplitRequest(http_scope(*fields), names, [fields[0], fields[2]])

    assert [request.header(name) for name in ("X-A", "x-b", "x-c")] == [[b"1", b"3"], [b"2"], []]


def test_what_was_set_apart_or_found_before_is_not_looked_for_again():
    scope = http_scope((b"x-b", b"2"))
    request = SplitRequest(scope, {"X-A": b"x-a"}, [(b"x-a", b"1")], [b"shop.example"])
    before = request.header("X-B")
    scope["headers"].clear()

    assert request.header("X-A") == [b"1"]
    assert request.host == b"shop.example"
    assert request.header("X-B") is before
    assert before == [b"2"]


@pytest.mark.parametrize("kept", [list, tuple, iter], ids=["listed", "fixed", "once"])
def test_a_request_that_is_signed_itself_needs_its_one_host_and_the_app_has_its_fields(kept):
    key = Key("edge-1", SECRET)
    made = sign_request(key, "GET", "/", "www.example.com")
    signature = [(name.lower().encode(), value.encode()) for name, value in made.items()]
    host, other = (b"host", b"www.example.com"), (b"accept", b"*/*")

    def seen_by_the_app(*fields):
        app, fields = Recorder(), [*fields, *signature, other]
        gate = EdgeAuthMiddleware(app, Guard(MessageSignatureScheme([key])))
        asyncio.run(gate(http_scope(headers=kept(fields), raw_path=b"/"), None, swallow))
        return None if app.scope is None else app.scope["headers"]

    assert seen_by_the_app(host) == [host, other]
    assert seen_by_the_app() is None
    assert seen_by_the_app(host, host) is None
    assert seen_by_the_app((b"host", b"other.example")) is None


@pytest.mark.parametrize(
    ("scheme", "hosts"),
    [(EdgeAuthScheme([SECRET]), None), (MessageSignatureScheme([SECRET]), [b"origin.example"])],
    ids=["of a time", "of a request"],
)
def test_the_view_of_a_request_is_given_the_host_that_was_found_on_the_way(scheme, hosts):
    given = []

    def view(scope, names, credentials, hosts=None):
        given.append(hosts)
        return SplitRequest(scope, names, credentials, hosts)

    gate = EdgeAuthMiddleware(Recorder(), Guard(scheme))
    gate.view = view
    asyncio.run(gate(websocket_scope(), connected, swallow))

    assert given == [hosts]


async def connected():
    return {"type": "websocket.connect"}


def test_a_scheme_of_somebodys_sees_the_host_and_other_fields_beside_its_own():
    class Tenants:
        kind, headers = "tenants", ("X-Tenant",)

        def verify(self, request, *, now):
            return EdgeIdentity(None, None, request.header("Accept")[0].decode(), "tenants")

    class Hosts(Tenants):
        def verify(self, request, *, now):
            return EdgeIdentity(None, None, request.host.decode(), "tenants")

    seen = []
    for scheme in (Tenants(), Hosts()):
        app, fields = Recorder(), [(b"x-tenant", b"1"), (b"accept", b"*/*")]
        gate = EdgeAuthMiddleware(app, Guard(scheme))
        asyncio.run(gate(http_scope(*fields), None, swallow))
        seen.append(app.scope["edgeauth"].identity.key_id)

    assert seen == ["*/*", "origin.example"]


def test_the_host_is_the_first_host_field_or_none():
    assert ScopeRequest(http_scope()).host == b"origin.example"
    assert ScopeRequest(http_scope(headers=[])).host is None


def test_a_handshake_has_a_method_of_its_own():
    assert ScopeRequest(websocket_scope()).method == "WEBSOCKET"
    assert ScopeRequest(http_scope(method="PUT")).method == "PUT"


def test_a_server_that_tells_no_scheme_or_an_empty_one_leaves_none():
    schemes = [ScopeRequest(http_scope(**told)).scheme for told in ({}, {"scheme": ""})]

    assert schemes == [None, None]
    assert ScopeRequest(websocket_scope(scheme="wss")).scheme == "https"


def test_a_scope_is_the_same_with_an_empty_query_and_without_one():
    assert ScopeRequest(http_scope()).drops_empty_query is True


@pytest.mark.parametrize(
    ("method", "pieces"), [("POST", [b"Forbidden", b"\n"]), ("HEAD", [b"", b""])]
)
def test_a_refused_request_that_owes_a_large_body_is_answered_in_two_pieces_and_closed(
    method, pieces
):
    owed = (b"content-length", str(MOST + 1).encode())
    sent, _, received = serve(http_scope(owed, method=method))

    start, *bodies = sent
    assert (start["type"], start["status"]) == ("http.response.start", 403)
    assert (b"connection", b"close") in start["headers"]
    assert {message["type"] for message in bodies} == {"http.response.body"}
    assert [message["body"] for message in bodies] == pieces
    assert [message["more_body"] for message in bodies] == [True, False]
    assert len(received) == 1

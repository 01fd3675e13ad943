"""A body that is not the one that was signed does not reach an application to its end."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
import sys
from base64 import b64encode
from contextlib import suppress
from pathlib import Path

import pytest
from support.signed_requests import HOST, KEY

from edgeauth import EdgeIdentity, Guard, Verdict
from edgeauth.asgi import EdgeAuthMiddleware as ASGIGate
from edgeauth.digest import DigestedBody, digested_body, nothing_comes
from edgeauth.errors import UnreadableBody
from edgeauth.observers import Observer, Observers
from edgeauth.schemes.message_signatures import MessageSignatureScheme, MessageSigner
from edgeauth.verdict import BodyDigest
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIGate
from edgeauth.wsgi_body import digested_input

BODY = b"pay=100\n" * 3
FORGED = b"pay=999\n" * 3
DENIED = b"Forbidden\n"


class Signing:
    """A scheme of somebody's, which vouches for a body."""

    kind = "signing"
    headers = ("Signing",)

    def __init__(self, body=BODY):
        self._digest = BodyDigest("sha256", hashlib.sha256(body).digest())

    def verify(self, _request, *, now):
        return EdgeIdentity(int(now), None, "k", scheme=self.kind, body=self._digest)


class Told(Observer):
    """Keeps the reason and the path of each refusal."""

    def __init__(self):
        self.reasons, self.errors = [], []

    def decided(self, request, verdict, evidence, _now):
        if isinstance(evidence, Exception):
            self.errors.append(evidence)
            # As what tells of it may ask: of a field that is stripped, and of another.
            assert [*request.header("Signing"), *request.header("X-Other")] == []
            self.reasons.append((verdict.reason, request.path, evidence.identity.key_id))


@pytest.fixture
def told():
    return Told()


def made(told, body=BODY, **options):
    return Guard(Signing(body), observers=Observers([told]), **options)


REFUSED = [("body", "/pay", "k")]


# ASGI


def messages(*pieces):
    return [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, 1)
    ]


def run(
    app, *received, guards, kind="http", version="1.1", fields=((b"content-length", b"24"),), **more
):
    """What *app* behind *guards*, outermost first, sends when it is sent *received*."""
    sent, waiting = [], list(received)

    async def receive():
        return waiting.pop(0) if waiting else {"type": f"{kind}.disconnect"}

    async def send(message):
        sent.append(message)

    for guard in reversed(guards):
        app = ASGIGate(app, guard)
    scope = {"type": kind, "path": "/pay", "headers": list(fields), **more}
    if version:
        scope["http_version"] = version
    if kind == "http":
        scope["method"] = "POST"
    asyncio.run(app(scope, receive, send))
    return sent


class Reading:
    """Reads to the end and answers; keeps what it was handed."""

    def __init__(self):
        self.handed = []

    async def __call__(self, _scope, receive, send):
        while True:
            message = await receive()
            if message["type"] != "http.request":
                self.handed.append(message["type"])
                break
            self.handed.append(message["body"])
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"page"})


def status(sent):
    return sent[0]["status"]


@pytest.mark.parametrize(
    ("pieces", "handed"),
    [
        ([BODY], [BODY]),
        ([BODY[:8], BODY[8:]], [BODY]),
        ([BODY[:8], BODY[8:16], BODY[16:]], [BODY[:8], BODY[8:]]),
        ([BODY[:8], BODY[8:], b""], [BODY[:8], BODY[8:]]),
        ([b"", BODY, b"", b""], [BODY]),
    ],
)
def test_asgi_hands_a_piece_on_when_the_next_is_there(told, pieces, handed):
    app = Reading()

    assert status(run(app, *messages(*pieces), guards=[made(told)])) == 200
    assert app.handed == handed
    assert told.reasons == []


@pytest.mark.parametrize("pieces", [[FORGED], [FORGED[:8], FORGED[8:]], [BODY, b"x"], [BODY[1:]]])
def test_asgi_tells_of_a_disconnect_in_place_of_the_end_of_another_body(told, pieces):
    app = Reading()
    sent = run(app, *messages(*pieces), guards=[made(told)])

    assert [status(sent), sent[1]["body"]] == [403, DENIED]
    assert len(sent) == 2
    assert app.handed == [*pieces[:-1], "http.disconnect"][-len(app.handed) :]
    assert pieces[-1] not in app.handed
    assert told.reasons == REFUSED


def test_a_message_that_leaves_its_body_out_is_an_empty_piece(told):
    app = Reading()
    nothing = {"type": "http.request", "more_body": True}

    assert status(run(app, nothing, *messages(BODY), guards=[made(told)])) == 200
    assert app.handed == [BODY]


def test_the_denial_of_a_body_that_has_ended_waits_for_no_more_of_it(told):
    scope = {"type": "http", "method": "POST", "path": "/pay", "http_version": "1.1"}
    scope["headers"] = [(b"content-length", b"24")]
    received, sent = messages(FORGED), []

    async def receive():
        return received.pop()

    async def send(message):
        assert received == []
        sent.append(message)

    async def reads_once(_scope, receive, _send):
        await receive()

    asyncio.run(ASGIGate(reads_once, made(told))(scope, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert (b"connection", b"close") not in sent[0]["headers"]


def test_asgi_passes_a_disconnect_on_and_blames_nobody(told):
    app = Reading()
    run(app, messages(BODY[:8], BODY[8:])[0], guards=[made(told)])

    assert app.handed == ["http.disconnect"]
    assert told.reasons == []


def test_report_only_mode_is_told_and_hands_the_body_on(told):
    app = Reading()

    assert status(run(app, *messages(FORGED, b""), guards=[made(told, mode="report-only")])) == 200
    assert app.handed == [FORGED]
    assert told.reasons == REFUSED


def test_asgi_messages_after_the_body_are_the_servers(told):
    async def app(_scope, receive, _send):
        assert (await receive())["body"] == BODY
        assert await receive() is after
        assert (await receive())["type"] == "http.disconnect"

    after = {"type": "http.request", "body": b"of whom?", "more_body": False}
    run(app, *messages(BODY), after, guards=[made(told)])
    assert told.reasons == []


def test_a_disconnect_stays_one(told):
    async def app(_scope, receive, _send):
        assert [(await receive())["type"] for _ in range(2)] == ["http.disconnect"] * 2

    assert status(run(app, *messages(FORGED), guards=[made(told)])) == 403


class OfTheApplicationError(Exception):
    pass


def test_an_error_of_an_application_that_was_refused_its_body_is_its_own_affair(told):
    async def app(_scope, receive, _send):
        await receive()
        raise OfTheApplicationError

    assert status(run(app, *messages(FORGED), guards=[made(told)])) == 403
    with pytest.raises(OfTheApplicationError):
        run(app, *messages(BODY), guards=[made(told)])


@pytest.mark.parametrize("catches", [True, False])
def test_an_asgi_answer_that_has_begun_is_not_finished(told, catches):
    async def app(_scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await receive()
        try:
            await send({"type": "http.response.body", "body": b"page"})
        except OSError:
            if not catches:
                raise

    with pytest.raises(UnreadableBody):
        run(app, *messages(FORGED), guards=[made(told)])
    assert told.reasons == REFUSED


def test_an_asgi_answer_that_has_begun_its_body_is_not_finished(told):
    async def app(_scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"pa", "more_body": True})
        await receive()

    with pytest.raises(UnreadableBody):
        run(app, *messages(FORGED), guards=[made(told)])


def test_an_asgi_answer_that_was_finished_before_stays(told):
    async def app(_scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"page"})
        await receive()

    assert [
        message.get("body") for message in run(app, *messages(FORGED), guards=[made(told)])
    ] == [
        None,
        b"page",
    ]
    assert told.reasons == REFUSED


def test_a_client_that_does_not_wait_for_its_denial_is_no_error(told):
    app = Reading()

    async def gone(_message):
        raise OSError

    async def receive():
        return messages(FORGED)[0]

    scope = {"type": "http", "method": "POST", "path": "/pay", "headers": [(b"expect", b"x")]}
    scope["http_version"] = "2"
    asyncio.run(ASGIGate(app, made(told))(scope, receive, gone))
    assert app.handed == ["http.disconnect"]
    assert told.reasons == REFUSED


@pytest.mark.parametrize("fields", [(), [(b"content-length", b"0")]])
@pytest.mark.parametrize("version", ["1.1", "1.0", None])
def test_asgi_compares_a_body_that_cannot_come_at_once(told, fields, version):
    app, asked = Reading(), {"fields": fields, "version": version}

    assert status(run(app, *messages(b""), guards=[made(told)], **asked)) == 403
    assert app.handed == []
    assert told.reasons == REFUSED
    assert status(run(app, *messages(b""), guards=[made(told, b"")], **asked)) == 200
    assert app.handed == [b""]


def test_a_body_that_comes_unannounced_is_compared(told):
    app = Reading()

    assert status(run(app, *messages(FORGED), guards=[made(told, b"")], fields=())) == 403
    assert app.handed == ["http.disconnect"]


@pytest.mark.parametrize(
    "request_", [{"version": "2"}, {"fields": [(b"transfer-encoding", b"chunked")]}]
)
def test_asgi_waits_for_a_body_that_may_come(told, request_):
    app = Reading()

    assert (
        status(run(app, *messages(BODY), guards=[made(told)], **{"fields": (), **request_})) == 200
    )


def test_a_websocket_has_no_body(told):
    async def app(_scope, _receive, send):
        await send({"type": "websocket.accept"})

    connect = {"type": "websocket.connect"}
    good = run(app, connect, guards=[made(told, b"")], kind="websocket")
    bad = run(app, connect, guards=[made(told)], kind="websocket")
    assert [good[0]["type"], bad[0]["type"]] == ["websocket.accept", "websocket.close"]


# WSGI


class Start:
    """start_response of a server; one that is careless replaces a head that was sent."""

    def __init__(self, *, careless=False):
        self.status, self.headers, self.sent = None, {}, b""
        self._careless = careless

    def __call__(self, status, headers, exc_info=None):
        if exc_info is not None and self.sent and not self._careless:
            raise exc_info[1]
        assert self.status is None or exc_info is not None
        self.status, self.headers = status[:3], dict(headers)
        return self.write

    def write(self, data):
        self.sent += data


def environ(body, **fields):
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/pay",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body + b"NEXT"),
        **fields,
    }


def ask(app, asked, *guards, start=None):
    """The status, and what is sent."""
    for guard in reversed(guards):
        app = WSGIGate(app, guard)
    start = start or Start()
    pieces = app(asked, start)
    for piece in pieces:
        start.sent += piece
    getattr(pieces, "close", bool)()
    return start.status, start.sent


def reading(asked, start_response):
    body = asked["wsgi.input"].read()
    start_response("200 OK", [])
    return [body]


@pytest.mark.parametrize(
    "read",
    [
        lambda file: file.read(),
        lambda file: file.read(24),
        lambda file: b"".join(file.read(5) for _ in range(5)),
        b"".join,
        lambda file: b"".join(file.readlines()),
        lambda file: file.readline() + file.readline(100) + file.read1(8),
        lambda file: b"".join(iter(lambda: file.readline(3), b"")),
    ],
)
def test_wsgi_hands_the_end_on_if_it_was_signed_however_it_is_read(told, read):
    def app(asked, start_response):
        body = read(asked["wsgi.input"])
        start_response("200 OK", [])
        return [body]

    good = environ(BODY)
    assert ask(app, good, made(told)) == ("200", BODY)
    assert told.reasons == []
    assert ask(app, environ(FORGED), made(told)) == ("403", DENIED)
    assert told.reasons == REFUSED


def test_wsgi_reads_not_beyond_the_length(told):
    asked = environ(BODY)
    source = asked["wsgi.input"]

    assert ask(reading, asked, made(told)) == ("200", BODY)
    assert source.read() == b"NEXT"


def test_a_large_body_is_handed_on_by_pieces_that_are_held_back():
    body = bytes(range(256)) * 1024
    guard = made(Told())
    digested = DigestedBody(
        guard, None, EdgeIdentity(1, None, "k"), BodyDigest("sha256", hashlib.sha256(body).digest())
    )
    source = io.BytesIO(body)
    file = digested_input(source, digested, len(body))

    assert file.read(10) == body[:10]
    assert source.tell() == 2 * 64 * 1024
    assert file.read() == body[10:]
    assert file.read() == b""
    assert file.readable()


def test_an_application_that_makes_an_answer_of_the_read_error_does_not_give_it(told):
    def app(asked, start_response):
        for _ in range(2):
            with pytest.raises(OSError, match="signed"):
                asked["wsgi.input"].read()
        start_response("500 Oops", [])(b"written")
        answers.append(answer)
        return answer

    for answer in (io.BytesIO(b"an error"), [b"an error"]):
        answers = []
        assert ask(app, environ(FORGED), made(told)) == ("403", DENIED)
        assert answers == [answer]
        assert getattr(answer, "closed", True)
    assert told.reasons == REFUSED * 2


def test_a_denial_in_the_place_of_an_answer_is_that_of_the_method(told):
    assert ask(reading, environ(FORGED, REQUEST_METHOD="HEAD"), made(told)) == ("403", b"")


def test_the_denial_in_the_place_of_an_answer_has_its_own_head(told):
    def app(asked, start_response):
        start_response("200 OK", [("X-Of-The-Application", "1")])
        return [asked["wsgi.input"].read()]

    start = Start()
    assert ask(app, environ(FORGED), made(told), start=start) == ("403", DENIED)
    assert start.headers["Cache-Control"] == "no-store"
    assert "X-Of-The-Application" not in start.headers


def test_an_application_starts_its_answer_anew_as_it_may(told):
    def fails():
        raise OfTheApplicationError

    def app(_asked, start_response):
        start_response("200 OK", [])
        try:
            fails()
        except OfTheApplicationError:
            start_response("500 Oops", [("X-Error", "1")], sys.exc_info())
        return [b"an error"]

    start = Start()
    assert ask(app, environ(BODY), made(told), start=start) == ("500", b"an error")
    assert start.headers == {"X-Error": "1"}


def test_a_list_of_pieces_is_handed_to_the_server_as_it_is(told):
    pieces = [b"page"]

    def app(_asked, start_response):
        start_response("200 OK", [])
        return pieces

    assert WSGIGate(app, made(told))(environ(BODY), Start()) is pieces


@pytest.mark.parametrize("body", [BODY, FORGED])
def test_the_answer_of_an_application_is_closed_at_its_end(told, body):
    class Answer:
        closed = False

        def __init__(self, source):
            self._source = source

        def __iter__(self):
            yield self._source.read()

        def close(self):
            self.closed = True

    made_answers = []

    def app(asked, start_response):
        start_response("200 OK", [])
        made_answers.append(Answer(asked["wsgi.input"]))
        return made_answers[0]

    assert ask(app, environ(body), made(told))[0] == ("200" if body is BODY else "403")
    assert made_answers[0].closed


def test_an_answer_that_was_started_and_not_sent_is_replaced(told):
    def app(asked, start_response):
        start_response("200 OK", [])
        yield b""
        yield asked["wsgi.input"].read()

    assert ask(app, environ(FORGED), made(told)) == ("403", DENIED)
    assert ask(app, environ(BODY), made(told)) == ("200", BODY)


def test_a_generator_that_hides_the_read_error_is_stopped(told):
    def app(asked, start_response):
        start_response("200 OK", [])
        yield b"begun "
        with pytest.raises(OSError, match="signed"):
            asked["wsgi.input"].read()
        yield b"more"

    for start in (Start(), Start(careless=True)):
        with pytest.raises(UnreadableBody):
            ask(app, environ(FORGED), made(told), start=start)
        assert (start.status, start.sent) == ("200", b"begun ")


def test_what_was_written_is_not_followed_by_more(told):
    def app(asked, start_response):
        write = start_response("200 OK", [])
        write(b"begun ")
        with pytest.raises(OSError, match="signed"):
            asked["wsgi.input"].read()
        with suppress(UnreadableBody):
            write(b"more")
        return []

    for start in (Start(), Start(careless=True)):
        with pytest.raises(UnreadableBody):
            ask(app, environ(FORGED), made(told), start=start)
        assert (start.status, start.sent) == ("200", b"begun ")


def test_an_error_of_a_wsgi_application_is_its_own(told):
    def app(_asked, _start_response):
        raise OfTheApplicationError

    def generator(_asked, _start_response):
        raise OfTheApplicationError
        yield b""

    for raising in (app, generator):
        with pytest.raises(OfTheApplicationError):
            ask(raising, environ(BODY), made(told))


def test_wsgi_compares_a_body_that_cannot_come_at_once(told):
    for fields in ({"CONTENT_LENGTH": "0"}, {"CONTENT_LENGTH": ""}):
        for without in ((), ("SERVER_PROTOCOL",), ("CONTENT_LENGTH",)):
            asked, good = (
                {
                    name: value
                    for name, value in environ(b"", **fields).items()
                    if name not in without
                }
                for _ in "12"
            )
            assert ask(never, asked, made(told)) == ("403", DENIED)
            assert ask(reading, good, made(told, b"")) == ("200", b"")
    assert told.reasons == REFUSED * 6


def test_a_body_of_one_byte_is_read_and_compared(told):
    assert ask(reading, environ(b"1"), made(told, b"1")) == ("200", b"1")
    assert ask(reading, environ(b"2"), made(told, b"1")) == ("403", DENIED)


CHUNKED = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
WITHOUT_LENGTH = [
    CHUNKED,
    # The chunks decide (RFC 9112, 6.3).
    {**CHUNKED, "CONTENT_LENGTH": "3"},
    {"CONTENT_LENGTH": "", "SERVER_PROTOCOL": "HTTP/2"},
]


def never(_asked, _start_response):
    raise AssertionError


@pytest.mark.parametrize("fields", WITHOUT_LENGTH)
def test_a_body_without_a_length_is_read_where_the_server_ends_it(told, fields):
    def whole(body):
        return environ(
            body, **fields, **{"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
        )

    assert ask(reading, whole(BODY), made(told)) == ("200", BODY)
    assert ask(reading, whole(FORGED), made(told)) == ("403", DENIED)
    assert ask(never, environ(BODY, **fields), made(told)) == ("403", DENIED)
    assert "Content-Length" in told.errors[-1].args[0]
    assert "proxy" in told.errors[-1].hint
    reported = ask(reading, environ(BODY, **fields), made(told, mode="report-only"))
    assert reported == ("200", BODY + b"NEXT")


@pytest.mark.parametrize("fields", WITHOUT_LENGTH)
def test_an_application_that_takes_no_chunks_gets_none(told, fields):
    asked = environ(BODY, **fields, **{"wsgi.input_terminated": True})
    gate = WSGIGate(never, made(told))
    gate.reads_chunks = False
    start = Start()

    assert list(gate(asked, start)) == [DENIED]
    assert told.reasons == REFUSED


# Both


ENFORCE, REPORT = "enforce", "report-only"


@pytest.mark.parametrize(
    ("modes", "compared"),
    [
        ((ENFORCE, ENFORCE), (True, False)),
        ((ENFORCE, REPORT), (True, False)),
        ((REPORT, REPORT), (True, False)),
        # What the outer one only reports, it hands on.
        ((REPORT, ENFORCE), (True, True)),
    ],
)
def test_of_two_gates_of_one_proof_one_compares(modes, compared):
    scheme, both = Signing(), (Told(), Told())
    guards = [
        Guard(scheme, mode=mode, observers=Observers([told]))
        for mode, told in zip(modes, both, strict=True)
    ]

    run(Reading(), *messages(FORGED), guards=guards)
    ask(reading, environ(FORGED), *guards)

    assert [told.reasons == REFUSED * 2 for told in both] == list(compared)
    assert sum(len(told.reasons) for told in both) == 2 * sum(compared)


def test_a_body_that_an_outer_gate_compares_is_held_back_once(told):
    guards, app = [made(told)] * 2, Reading()
    run(app, *messages(BODY[:8], BODY[8:16], BODY[16:]), guards=guards)
    assert app.handed == [BODY[:8], BODY[8:]]

    def reads_a_little(asked, start_response):
        asked["wsgi.input"].read(10)
        start_response("200 OK", [])
        return []

    large = environ(b"x" * 1024 * 1024)
    source = large["wsgi.input"]
    ask(reads_a_little, large, *guards)
    assert source.tell() == 2 * 64 * 1024


def test_a_gate_inside_one_of_another_proof_compares_as_well(told):
    guards = [made(told), made(told)]

    assert ask(reading, environ(BODY), *guards) == ("200", BODY)
    assert ask(reading, environ(FORGED), *guards) == ("403", DENIED)


@pytest.mark.parametrize("identity", [None, EdgeIdentity(1, None, "k")])
def test_without_a_digest_nothing_is_compared(told, identity):
    verdict = Verdict(allowed=True, reason="ok", identity=identity)

    assert digested_body(made(told), verdict, None, None, None) is None


def test_whether_a_body_comes_is_told_by_the_head():
    assert nothing_comes(None, "1.0", chunked=False)
    assert nothing_comes("0", "2", chunked=False)
    assert nothing_comes(b"0", "1.1", chunked=False)
    assert not nothing_comes(None, "2", chunked=False)
    assert not nothing_comes("1", "1.1", chunked=False)
    assert not nothing_comes("0", "1.1", chunked=True)


def test_the_snippet_of_the_page_lets_the_signed_body_in_alone():
    page = (Path(__file__).parents[2] / "docs" / "message-signatures.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (block,) = [found for found in blocks if '"content-digest"]' in found]
    names = {"MessageSignatureScheme": MessageSignatureScheme, "key": KEY, "Guard": Guard}
    exec(block, names)
    digest = "sha-256=:" + b64encode(hashlib.sha256(BODY).digest()).decode() + ":"
    scheme = names["with_body"]
    signer = MessageSigner(KEY, components=scheme.components, tag="edge")
    fields = [("host", HOST), ("content-digest", digest), ("content-length", "24")]
    signed = signer.sign("POST", "/pay", HOST, fields=fields)
    sent = [(name.lower().encode(), value.encode()) for name, value in [*fields, *signed.items()]]

    app = Reading()
    for body, expected in ((BODY, 200), (FORGED, 403)):
        answer = run(app, *messages(body), guards=[names["guard"]], fields=sent, raw_path=b"/pay")
        assert status(answer) == expected
    assert app.handed == [BODY, "http.disconnect"]

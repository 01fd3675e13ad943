"""What is sent to every target, and what must come of it where the server does not interfere.

An outcome is ``200 <reason>`` (the application answered), ``403 <reason>`` (denied) or
``refused`` (the server would not take it). ``quirks.py`` has the exceptions.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from support.vectors import rows

VALID = rows()[0].raw
FORGED = next(row.raw for row in rows() if row.id == "last-digit")


@dataclass(frozen=True)
class Row:
    """Some bytes on one connection.

    Attributes:
        id: a name for the table of quirks.
        why: what the row is for.
        sent: everything that is sent.
        expected: what must come of each request in it.
        methods: the method of each request, which says whether an answer has a body.
        identity: who the application must have been told, if it is given.
    """

    id: str
    why: str
    sent: bytes
    expected: tuple[str, ...]
    methods: tuple[str, ...] = ("GET",)
    identity: tuple[int, str | None] | None = None


def request(
    *fields: bytes,
    method: bytes = b"GET",
    target: bytes = b"/",
    version: bytes = b"HTTP/1.1",
    body: bytes = b"",
    judge: dict[str, Any] | None = None,
    close: bool = True,
) -> bytes:
    """A request of header lines that are sent as they are, to be judged by options."""
    lines = [
        method + b" " + target + b" " + version,
        b"Host: origin.example",
        b"Test-Judge: " + json.dumps(judge or {}).encode(),
        *([b"Connection: close"] if close else []),
        *fields,
        b"",
        body,
    ]
    return b"\r\n".join(lines)


def credential(value: bytes = VALID, name: bytes = b"Edge-Auth") -> bytes:
    """The header line."""
    return name + b": " + value


def of_vectors() -> list[Row]:
    """A row for each shared vector."""
    found = []
    for row in rows():
        judge = {**row.options, "secrets": row.secrets, "now": row.now}
        accepted = isinstance(row.result, dict)
        sent = request(credential(row.raw), judge=judge)
        if row.raw.endswith(b"\n"):
            # It ends the line, so another line follows instead of the end of the request.
            sent = sent.removesuffix(b"\r\n\r\n") + b"X-After: 1\r\n\r\n"
        found.append(
            Row(
                f"vector-{row.id}",
                row.note,
                sent,
                ("200 ok" if accepted else f"403 {row.result}",),
                identity=(row.result["timestamp"], row.result["pop"]) if accepted else None,
            )
        )
    return found


def of_headers() -> list[Row]:
    """The credential in every number, spelling and length."""
    twin = credential(name=b"Edge_Auth")
    value_in_two = VALID.replace(b",0x", b",\r\n 0x")

    def row(name: str, outcome: str, why: str, *fields: bytes) -> Row:
        return Row(name, why, request(*fields), (outcome,))

    return [
        row("absent", "403 missing", "no header"),
        row("empty", "403 malformed", "nothing after the colon", b"Edge-Auth:"),
        row("valid", "200 ok", "the plain case", credential()),
        row("lower-case", "200 ok", "field names have no case", credential(name=b"edge-auth")),
        row("upper-case", "200 ok", "field names have no case", credential(name=b"EDGE-AUTH")),
        row("odd-case", "200 ok", "field names have no case", credential(name=b"eDGE-aUTH")),
        row(
            "twice",
            "403 malformed",
            "which one the edge wrote cannot be known",
            credential(),
            credential(),
        ),
        row(
            "valid-first",
            "403 malformed",
            "a forged one after it",
            credential(),
            credential(FORGED),
        ),
        row(
            "valid-last",
            "403 malformed",
            "a forged one before it",
            credential(FORGED),
            credential(),
        ),
        row("empty-first", "403 malformed", "an empty one before it", b"Edge-Auth:", credential()),
        row("empty-last", "403 malformed", "an empty one after it", credential(), b"Edge-Auth:"),
        row(
            "twice-in-two-cases",
            "403 malformed",
            "the second in lower case",
            credential(),
            credential(name=b"edge-auth"),
        ),
        row("underscore-alone", "403 missing", "the twin that CGI variables fold", twin),
        row("underscore-too", "200 ok", "the twin beside the real one", credential(), twin),
        row(
            "underscore-forged",
            "200 ok",
            "a forged twin after the real one",
            credential(),
            credential(FORGED, b"Edge_Auth"),
        ),
        row(
            "underscore-first",
            "403 bad-signature",
            "the twin before a forged one",
            twin,
            credential(FORGED),
        ),
        row(
            "folded", "refused", "obsolete line folding inside the value", credential(value_in_two)
        ),
        row("space-before-colon", "refused", "not a field name", credential(name=b"Edge-Auth ")),
        row("no-colon", "refused", "not a field", b"Edge-Auth"),
        row("nul-in-name", "refused", "not a field name", credential(name=b"Edge-Auth\0")),
        row("high-bytes", "403 malformed", "not ASCII, not UTF-8", credential(b"\xff\xfe\x80")),
        row("high-byte-after", "403 malformed", "one byte too many", credential(VALID + b"\xa0")),
        row(
            "utf-8",
            "403 malformed",
            "letters outside ASCII",
            credential("1700000000,LÖR,0x".encode()),
        ),
        row("nul", "refused", "NUL in the value", credential(VALID + b"\0")),
        row("carriage-return", "refused", "CR in the value", credential(VALID + b"\rx")),
        row("control-byte", "refused", "ESC in the value", credential(VALID + b"\x1b[31m")),
        row("8-kilobytes", "403 malformed", "a long value", credential(b"1" * 8000)),
        row("64-kilobytes", "refused", "a very long value", credential(b"1" * 65000)),
        row(
            "80-fields", "200 ok", "many fields", *[b"X-%d: 1" % n for n in range(80)], credential()
        ),
        row(
            "websocket-upgrade-of-nothing",
            "403 missing",
            "an upgrade that is none",
            b"Upgrade: nothing",
        ),
    ]


def of_request_lines() -> list[Row]:
    """Methods, targets and versions that nobody means well with."""
    found = []
    for name, target, why in [
        ("long-path", b"/" + b"a" * 3000, "long, and within every limit"),
        ("very-long-path", b"/" + b"a" * 70_000, "past the limit of every server"),
        ("percent", b"/%41%C3%A9", "UTF-8 in percent form"),
        ("percent-not-utf-8", b"/%ff%fe", "bytes that are no text"),
        ("percent-cut", b"/%", "half an escape"),
        ("percent-odd", b"/%zz", "no hex digits"),
        ("percent-nul", b"/%00", "NUL in percent form"),
        ("percent-newline", b"/%0d%0aX:%20y", "a line break in percent form: no new log line"),
        ("dots", b"/../../etc/passwd", "dot segments"),
        ("query-only", b"/?", "an empty query"),
        ("absolute", b"http://origin.example/a", "the absolute form"),
        ("absolute-elsewhere", b"http://elsewhere.example/a", "the absolute form, another host"),
        ("no-slash", b"a", "a target of no form"),
        ("fragment", b"/a#b", "a fragment, which no client sends"),
    ]:
        found += [
            Row(f"{name}-denied", why, request(target=target), ("403 missing",)),
            Row(f"{name}-admitted", why, request(credential(), target=target), ("200 ok",)),
        ]
    for name, method, why in [
        ("purge", b"PURGE", "a method of caches"),
        ("post", b"POST", "a method with a body, without one"),
        ("unknown-method", b"FOO-BAR", "a method of nobody"),
        ("lower-case-method", b"get", "methods have a case"),
        ("long-method", b"M" * 100, "a long method"),
        ("trace", b"TRACE", "a method that echoes"),
        ("websocket-method", b"WEBSOCKET", "the word that stands for a handshake"),
    ]:
        found += [
            Row(f"{name}-denied", why, request(method=method), ("403 missing",)),
            Row(f"{name}-admitted", why, request(credential(), method=method), ("200 ok",)),
        ]
    for name, line, why in [
        ("raw-utf-8", b"GET /\xc3\xa9 HTTP/1.1", "bytes above ASCII as they are"),
        ("raw-high-bytes", b"GET /\xff\xfe HTTP/1.1", "bytes that are no text"),
        ("space-in-target", b"GET /a b HTTP/1.1", "one word too many"),
        ("nul-in-target", b"GET /a\0b HTTP/1.1", "NUL as it is"),
        ("nul-in-method", b"G\0T / HTTP/1.1", "not a method"),
        ("high-byte-in-method", b"G\xffT / HTTP/1.1", "not a method"),
        ("no-method", b"/ HTTP/1.1", "one word too few"),
        ("http-9.9", b"GET / HTTP/9.9", "no such version"),
        ("no-http", b"GET / SMTP/1.1", "another protocol"),
        ("garbage", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "not HTTP"),
    ]:
        rest = request(credential()).partition(b"\r\n")[2]
        found.append(Row(name, why, line + b"\r\n" + rest, ("refused",)))
    return [
        *found,
        Row(
            "options-star",
            "about the server",
            request(method=b"OPTIONS", target=b"*"),
            ("403 missing",),
        ),
        Row(
            "connect",
            "a tunnel",
            request(method=b"CONNECT", target=b"origin.example:443"),
            ("403 missing",),
        ),
        Row("http-1.0", "an old client", request(version=b"HTTP/1.0"), ("403 missing",)),
        Row(
            "http-1.0-admitted",
            "an old client",
            request(credential(), version=b"HTTP/1.0"),
            ("200 ok",),
        ),
        Row("http-1.0-no-host", "older", b"GET / HTTP/1.0\r\n\r\n", ("403 missing",)),
        Row(
            "no-host",
            "against the standard",
            b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
            ("403 missing",),
        ),
        Row("http-0.9", "oldest", b"GET /\r\n\r\n", ("refused",)),
        Row(
            "head-denied",
            "no body, and the length of the body",
            request(method=b"HEAD"),
            ("403 missing",),
            ("HEAD",),
        ),
        Row(
            "head-admitted",
            "the application's own",
            request(credential(), method=b"HEAD"),
            ("200 ok",),
            ("HEAD",),
        ),
    ]


def of_bodies() -> list[Row]:
    """Bodies of refused requests, and what comes after them on the connection."""
    chunks = b"5\r\nhello\r\n0\r\n\r\n"
    chunked = b"Transfer-Encoding: chunked"
    admitted = request(credential())

    def post(name: str, outcome: str, why: str, body: bytes, *fields: bytes) -> Row:
        fields = fields or (b"Content-Length: %d" % len(body),)
        return Row(name, why, request(*fields, method=b"POST", body=body), (outcome,))

    def pair(name: str, outcomes: tuple[str, str], why: str, first: bytes, second: bytes) -> Row:
        return Row(name, why, first + second, outcomes, ("GET", "GET"))

    def refused_post(*fields: bytes, body: bytes) -> bytes:
        return request(*fields, method=b"POST", body=body, close=False)

    refused_then = ("403 missing", "200 ok")
    length = b"Content-Length: 5"
    return [
        post("body-denied", "403 missing", "a body that nobody reads", b"hello"),
        post("body-admitted", "200 ok", "a body that is read", b"hello", credential(), length),
        post("large-body-denied", "403 missing", "longer than one read", b"x" * 65536),
        post("chunked-denied", "403 missing", "chunks that nobody reads", chunks, chunked),
        post("chunked-admitted", "200 ok", "chunks that are read", chunks, credential(), chunked),
        post(
            "expect-denied",
            "403 missing",
            "a client that waits to be told to go on",
            b"hello",
            b"Expect: 100-continue",
            length,
        ),
        post(
            "length-and-chunked",
            "refused",
            "two lengths: request smuggling",
            b"0\r\n\r\n",
            length,
            chunked,
        ),
        post(
            "two-lengths",
            "refused",
            "two lengths: request smuggling",
            b"hello!",
            length,
            b"Content-Length: 6",
        ),
        post("body-of-a-request", "403 missing", "a good request inside a bad one", admitted),
        pair(
            "pipelined-denied-admitted",
            refused_then,
            "a refusal does not reach the next request",
            request(close=False),
            admitted,
        ),
        pair(
            "pipelined-admitted-denied",
            ("200 ok", "403 missing"),
            "an accepted request opens nothing for the next one",
            request(credential(), close=False),
            request(),
        ),
        pair(
            "body-denied-then-admitted",
            refused_then,
            "the unread body is not taken for a request",
            refused_post(length, body=b"hello"),
            admitted,
        ),
        pair(
            "chunked-denied-then-admitted",
            refused_then,
            "the unread chunks are not taken for a request",
            refused_post(chunked, body=chunks),
            admitted,
        ),
    ]


def of_exemptions() -> list[Row]:
    """What looks like the exempt path, and is it only when it is exactly that."""
    judge = {
        "exempt": ["GET /healthz", "GET /mounted/healthz"],
        "mount_points": ["/", "/mounted"],
    }
    found = [
        Row(f"exempt{name}", why, request(target=target, judge=judge), (outcome,))
        for name, target, outcome, why in [
            ("", b"/healthz", "200 exempt", "the path itself"),
            ("-query", b"/healthz?x", "200 exempt", "a query does not matter"),
            ("-query-path", b"/healthz?/../secret", "200 exempt", "a query does not matter"),
            ("-other-path-in-query", b"/secret?/healthz", "403 missing", "a query does not matter"),
            ("-two-slashes", b"//healthz", "403 missing", "another path"),
            ("-slash-after", b"/healthz/", "403 missing", "another path"),
            ("-upper-case", b"/HEALTHZ", "403 missing", "another path"),
            ("-dots", b"/x/../healthz", "403 missing", "another path to the application"),
            ("-dot", b"/./healthz", "403 missing", "another path to the application"),
            ("-parameter", b"/healthz;a", "403 missing", "another path"),
            ("-longer", b"/healthz/secret", "403 missing", "no prefixes"),
            ("-percent", b"/%68ealthz", "200 exempt", "the server decodes, so it is the path"),
            ("-percent-twice", b"/%2568ealthz", "403 missing", "decoded once, as the server does"),
            ("-percent-slash", b"/healthz%2F", "403 missing", "another path"),
            ("-percent-nul", b"/healthz%00", "403 missing", "another path"),
            ("-percent-query", b"/healthz%3Fx", "403 missing", "a question mark in the path"),
            ("-percent-newline", b"/healthz%0A", "403 missing", "another path"),
            ("-percent-space", b"/healthz%20", "403 missing", "another path"),
            ("-percent-hash", b"/healthz%23", "403 missing", "another path"),
            ("-percent-high", b"/healthz%ff", "403 missing", "another path"),
            ("-backslash", b"\\healthz", "403 missing", "not a path"),
            (
                "-absolute",
                b"http://origin.example/healthz",
                "200 exempt",
                "the same path, absolute form",
            ),
            ("-mounted", b"/mounted/healthz", "200 exempt", "with its mount point"),
            ("-mounted-other", b"/mounted/secret", "403 missing", "the mount point opens nothing"),
            ("-mounted-root", b"/mounted", "403 missing", "the mount point opens nothing"),
        ]
    ]
    return [
        *found,
        Row(
            "exempt-head",
            "another method",
            request(method=b"HEAD", target=b"/healthz", judge=judge),
            ("403 missing",),
            ("HEAD",),
        ),
        Row(
            "exempt-post",
            "another method",
            request(method=b"POST", target=b"/healthz", judge=judge),
            ("403 missing",),
        ),
        Row(
            "exempt-method-case",
            "another method",
            request(method=b"get", target=b"/healthz", judge=judge),
            ("403 missing",),
        ),
        Row(
            "exempt-override",
            "a method that a header claims",
            request(
                b"X-HTTP-Method-Override: GET", method=b"POST", target=b"/healthz", judge=judge
            ),
            ("403 missing",),
        ),
        Row(
            "exempt-rewritten",
            "paths that headers claim",
            request(
                b"X-Original-URL: /healthz",
                b"X-Rewrite-URL: /healthz",
                b"X-Forwarded-Prefix: /healthz",
                judge=judge,
            ),
            ("403 missing",),
        ),
        Row(
            "exempt-script-name",
            "a mount point that a header claims: the application sees its root",
            request(b"SCRIPT_NAME: /healthz", target=b"/healthz", judge=judge),
            ("200 exempt",),
        ),
        Row(
            "exempt-script-name-part",
            "the same, cut inside the name",
            request(b"SCRIPT_NAME: /health", target=b"/healthz", judge=judge),
            ("200 exempt",),
        ),
        Row(
            "exempt-path-info",
            "a path that a header claims",
            request(b"PATH_INFO: /healthz", target=b"/secret", judge=judge),
            ("403 missing",),
        ),
        Row(
            "exempt-mount-not-configured",
            "a mount point that nobody configured may be the client's",
            request(target=b"/mounted/healthz", judge={"exempt": ["GET /mounted/healthz"]}),
            ("403 missing",),
        ),
        Row(
            "exempt-websocket-method",
            "the word that stands for a handshake opens none",
            request(
                method=b"WEBSOCKET", target=b"/healthz", judge={"exempt": ["WEBSOCKET /healthz"]}
            ),
            ("403 missing",),
        ),
        Row(
            "exempt-upgrade-of-nothing",
            "an upgrade that opens no WebSocket",
            request(b"Upgrade: nothing", target=b"/healthz", judge=judge),
            ("200 exempt",),
        ),
        Row(
            "exempt-mount-only",
            "listed under its mount point alone",
            request(target=b"/mounted/healthz", judge={"exempt": ["GET /healthz"]}),
            ("403 missing",),
        ),
        Row(
            "exempt-with-forged",
            "an exempt path needs no credential, so a bad one does not matter",
            request(credential(FORGED), target=b"/healthz", judge=judge),
            ("200 exempt",),
        ),
    ]


def of_addresses() -> list[Row]:
    """Where a request came from, with proxies in between and liars before them."""
    here = ["127.0.0.0/8"]
    edge = ["192.0.2.0/24", "2001:db8::/32"]
    chain = [*here, "198.51.100.0/24"]

    def row(
        name: str, why: str, outcome: str, forwarded: tuple[bytes, ...] = (), **judge: Any
    ) -> Row:
        fields = [b"X-Forwarded-For: " + value for value in forwarded]
        return Row(f"address-{name}", why, request(credential(), *fields, judge=judge), (outcome,))

    def walked(
        name: str, why: str, outcome: str, *forwarded: bytes, trusted: list[str] = here
    ) -> Row:
        return row(name, why, outcome, forwarded, addresses=edge, trusted_proxies=trusted)

    return [
        row("listed", "the peer itself", "200 ok", addresses=here),
        row("not-listed", "a good credential from elsewhere", "403 address", addresses=edge),
        row(
            "claimed",
            "nobody's word is taken without trusted proxies",
            "403 address",
            (b"192.0.2.9",),
            addresses=edge,
        ),
        walked("one-hop", "the proxy vouches for its peer", "200 ok", b"192.0.2.9"),
        walked("no-hop", "the proxy says nothing", "403 address"),
        walked("empty-hop", "the proxy says nothing", "403 address", b""),
        walked(
            "spoofed-left",
            "what the client wrote stands further left",
            "403 address",
            b"192.0.2.9, 203.0.113.7",
        ),
        walked("liar-left", "and does no harm there", "200 ok", b"203.0.113.7, 192.0.2.9"),
        walked("garbage-left", "whatever it is", "200 ok", b"<script>, 192.0.2.9"),
        walked(
            "garbage-right",
            "the entry that counts is no address",
            "403 address",
            b"192.0.2.9, unknown",
        ),
        walked(
            "high-bytes-right",
            "the entry that counts is no text",
            "403 address",
            b"192.0.2.9, \xff\xfe",
        ),
        walked(
            "two-hops",
            "a trusted proxy before a trusted proxy",
            "200 ok",
            b"192.0.2.9, 198.51.100.1",
            trusted=chain,
        ),
        walked(
            "two-hops-spoofed",
            "the walk stops at the first stranger",
            "403 address",
            b"192.0.2.9, 203.0.113.7, 198.51.100.1",
            trusted=chain,
        ),
        walked(
            "two-fields", "fields are walked as one list", "200 ok", b"203.0.113.7", b"192.0.2.9"
        ),
        walked(
            "two-fields-spoofed",
            "fields are walked as one list",
            "403 address",
            b"192.0.2.9",
            b"203.0.113.7",
        ),
        walked("ipv6", "the other family", "200 ok", b"2001:db8::1"),
        walked("ipv6-port", "in brackets, with its port", "200 ok", b"[2001:db8::1]:443"),
        walked("ipv4-port", "with its port", "200 ok", b"192.0.2.9:443"),
        walked("ipv4-mapped", "IPv4 in IPv6 clothes", "200 ok", b"::ffff:192.0.2.9"),
        walked(
            "octal", "forms that some parsers read as another address", "403 address", b"192.0.02.9"
        ),
        row(
            "exempt-first",
            "an exempt path asks for no address",
            "403 address",
            (),
            addresses=edge,
            exempt=["GET /healthz"],
        ),
        Row(
            "address-exempt",
            "health checks come from anywhere",
            request(target=b"/healthz", judge={"addresses": edge, "exempt": ["GET /healthz"]}),
            ("200 exempt",),
        ),
        Row(
            "address-before-scheme",
            "the outer wall comes first",
            request(judge={"addresses": edge}),
            ("403 address",),
        ),
    ]


def of_report_only() -> list[Row]:
    """Everything is decided, and nothing is refused."""
    judge = {"mode": "report-only"}
    return [
        Row(
            "report-only-missing", "let through, and marked", request(judge=judge), ("200 missing",)
        ),
        Row(
            "report-only-forged",
            "let through, and marked",
            request(credential(FORGED), judge=judge),
            ("200 bad-signature",),
        ),
        Row(
            "report-only-twice",
            "the application still sees no credential",
            request(credential(), credential(), judge=judge),
            ("200 malformed",),
        ),
        Row("report-only-valid", "as if enforced", request(credential(), judge=judge), ("200 ok",)),
    ]


def all_rows() -> list[Row]:
    return [
        *of_vectors(),
        *of_headers(),
        *of_request_lines(),
        *of_bodies(),
        *of_exemptions(),
        *of_addresses(),
        *of_report_only(),
    ]

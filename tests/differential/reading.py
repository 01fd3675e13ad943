"""What a request says: read strictly from its bytes, and from what a server hands over."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from support.oracle import ADMITTING, Handed, Rules, rule_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from differential.parsers import Arrival

# RFC 9112, 3 and 5, and RFC 3986, 3.3 and 3.4; no more of them than every server must take.
_PCHAR = rb"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_REQUEST_LINE = re.compile(
    rb"([A-Z]{1,20}) (http://origin\.example)?((?:/" + _PCHAR + rb"*)+)"
    rb"(?:\?(?:[/?]|" + _PCHAR + rb")*)? HTTP/1\.[01]"
)
_FIELD = re.compile(rb"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*((?:[!-~\x80-\xff][ -~\t\x80-\xff]*)?)")
# These would be read as something else than fields by one server or another.
_LOADED = {b"script_name", b"script-name", b"path_info", b"x-original-uri", b"x-original-method"}

# The method and target as a proxy tells them to the decision service.
_ORIGINAL = b"x-original-method", b"x-original-uri"


def strictly(raw: bytes) -> Handed | None:
    """The request in *raw*; None if it is not of the strict form, so that servers may differ."""
    head, end, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    line, fields = _REQUEST_LINE.fullmatch(first), [_FIELD.fullmatch(text) for text in lines]
    if not end or line is None or None in fields or len(raw) > 8000:
        return None
    found = [(m[1].lower(), m[2]) for m in fields if m is not None]
    names = [name for name, _ in found]
    if any(value != value.rstrip(b" \t") for _, value in found):
        return None
    if names.count(b"host") != 1 or not _LOADED.isdisjoint(names) or not _framed(found, body):
        return None
    return Handed(
        method=line[1].decode(),
        path=unquote_to_bytes(line[3]).decode("utf-8", "replace"),
        **_values(found),
    )


def as_handed_by(server: str, raw: bytes, strict: Handed) -> Handed:
    """*strict*, with what is the server's own way: each is known and none of them is the gate's."""
    target = raw.split(b" ", 2)[1]
    if server in {"uvicorn-h11", "hypercorn"} and not target.startswith(b"/"):
        # The absolute form is not taken apart: the whole of it is the path.
        path = unquote_to_bytes(target.partition(b"?")[0]).decode("utf-8", "replace")
        return replace(strict, path=path)
    if server in {"gunicorn", "waitress"}:
        joint = b"," if server == "gunicorn" else b", "
        joined = {
            name: (joint.join(values),) if values else ()
            for name in ("credentials", "passes", "forwarded")
            for values in [getattr(strict, name)]
        }
        strict = replace(strict, **joined)
        if server == "waitress" and target.startswith(b"/"):
            # Slashes at the front are made one, for the application too; "//host/path"
            # is no address of another host, as it would be in a link.
            strict = replace(strict, path="/" + strict.path.lstrip("/"))
    if server == "service":
        # It is asked about the target as it went over the wire.
        strict = replace(strict, path=target.partition(b"?")[0].decode("latin-1"))
    return strict


def handed_over(arrival: Arrival) -> Handed:
    """What *arrival* says, by ASGI or by PEP 3333."""
    if arrival.scope is not None:
        return _of_scope(arrival.scope)
    environ: dict[str, Any] = arrival.environ or {}
    path, mount = environ["PATH_INFO"], environ["SCRIPT_NAME"]
    if path == "/mounted" or path.startswith("/mounted/"):
        path, mount = path.removeprefix("/mounted"), mount + "/mounted"
    # Frameworks read the slash between the two wherever it is missing.
    routed = mount.rstrip("/") + "/" * (not path.startswith("/")) + path
    fields = [
        (name.removeprefix("HTTP_").replace("_", "-").lower().encode(), value.encode("latin-1"))
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    return Handed(
        method=environ["REQUEST_METHOD"],
        path=routed.encode("latin-1").decode("utf-8", "replace"),
        peer=environ["REMOTE_ADDR"],
        **_values(fields),
    )


def asked_of_service(arrival: Arrival) -> Handed:
    """What *arrival* asks the decision service about: as nginx tells it."""
    handed = _of_scope(arrival.scope or {})
    told = [
        [value for name, value in (arrival.scope or {})["headers"] if name == field]
        for field in _ORIGINAL
    ]
    if [len(values) for values in told] != [1, 1]:
        return replace(handed, method="-", path="")
    (method,), (target,) = told
    path = target.partition(b"?")[0].decode("latin-1")
    return replace(handed, method=method.decode("latin-1"), path=path)


def for_service(raw: bytes) -> bytes | None:
    """*raw* as nginx would ask about it; None if its first line is not three words."""
    match = re.match(rb"([!-~\x80-\xff]+) ([!-~\x80-\xff]+) [!-~\x80-\xff]+\r\n(.*?\r\n)", raw)
    if match is None:
        return None
    told = b"X-Original-Method: %b\r\nX-Original-URI: %b\r\n" % match.groups()[:2]
    return b"GET / HTTP/1.1\r\n" + match[3] + told + raw[match.end() :]


def judges(arrival: Arrival) -> list[bytes]:
    """The values of the field that names the rules."""
    return _field(arrival, b"test-judge", "HTTP_TEST_JUDGE")


def says_close(arrival: Arrival) -> bool:
    """Whether the connection ends with the answer, without any doubt."""
    return _field(arrival, b"connection", "HTTP_CONNECTION") == [b"close"]


def _field(arrival: Arrival, name: bytes, variable: str) -> list[bytes]:
    if arrival.scope is not None:
        return [value for field, value in arrival.scope["headers"] if field == name]
    value = (arrival.environ or {}).get(variable)
    return [] if value is None else [value.encode("latin-1")]


def as_sent(raw: bytes) -> bytes:
    """*raw*, or the request that it asks the decision service about."""
    asked = re.search(rb"X-Original-Method: (.*)\r\nX-Original-URI: (.*)\r\n", raw)
    if asked is None:
        return raw
    return b"%b %b HTTP/1.1\r\n" % asked.groups() + raw.partition(b"\r\n")[2]


def could_be(reason: str, raw: bytes, rules: Rules) -> bool:
    """Whether any reading of *raw*, however lenient, has what *reason* needs to admit it."""
    if reason not in ADMITTING:
        return True
    head = raw.partition(b"\r\n\r\n")[0]
    if reason == "exempt":
        # waitress parses a target as a link, where tabs do not count (urllib.parse).
        first = unquote_to_bytes(re.split(rb"\r?\n", head.lstrip())[0].replace(b"\t", b""))
        pairs = [entry.split(" ") for entry in rules.exempt]
        # waitress hands over a target without its slash, and frameworks put it there.
        return any(m.encode() in first.upper() and p[1:].encode() in first for m, p in pairs)
    wanted = {"ok": b"edge-auth", "pass": b"edge-auth-pass"}[reason]
    for unfolded in (re.sub(rb"\r?\n[ \t]+", b" ", head), re.sub(rb"\r?\n(?=[ \t])", b"", head)):
        pairs = [line.partition(b":") for line in re.split(rb"\r\n|\n|\r", unfolded)]
        values = [v.strip(b" \t") for name, _, v in pairs if name.strip().lower() == wanted]
        if reason == "pass":
            return bool(values)
        joined = {b",".join(values), b", ".join(values)}
        if any(rule_value(value, rules).reason == "ok" for value in joined):
            return True
    return False


def _of_scope(scope: dict[str, Any]) -> Handed:
    client = scope["client"]
    return Handed(
        method=scope["method"],
        path=scope["path"],
        peer=None if client is None else client[0],
        **_values(scope["headers"]),
    )


def _values(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, Any]:
    found = list(fields)
    return {
        "credentials": tuple(value for name, value in found if name == b"edge-auth"),
        "passes": tuple(value for name, value in found if name == b"edge-auth-pass"),
        "forwarded": tuple(value for name, value in found if name == b"x-forwarded-for"),
        "names": frozenset(name.decode("latin-1") for name, _ in found),
    }


def _framed(fields: list[tuple[bytes, bytes]], body: bytes) -> bool:
    """Whether the length of the body is told once and right."""
    told = [
        (name, value)
        for name, value in fields
        if name.replace(b"_", b"-") in {b"content-length", b"transfer-encoding"}
    ]
    if told == [(b"transfer-encoding", b"chunked")]:
        return body == b"5\r\nhello\r\n0\r\n\r\n"
    return told == ([(b"content-length", b"%d" % len(body))] if told else []) and bool(
        told
    ) >= bool(body)

"""What usually happens to a request between edge and origin, undone: one thing at a time.

Each function tells what the edge may have signed in place of what came. Nothing here decides
whether it did: the signature does.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice, permutations
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edgeauth.ops.schemes.seen import Seen

# As in edgeauth.schemes.message_signatures.base.
_PORTS = {"https": b"443", "http": b"80"}
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
_HOSTS = ("X-Forwarded-Host", "X-Original-Host", "X-Host")
_TARGETS = ("X-Original-URI", "X-Forwarded-Uri", "X-Original-URL", "X-Rewrite-URL")
_PREFIXES = ("X-Forwarded-Prefix", "X-Forwarded-Path", "X-Script-Name")
_FORWARDED_HOST = re.compile(rb'(?:^|[;,])\s*host="?([^";,\s]+)"?', re.IGNORECASE)
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
# What may stand in a path as it is, but for slash and percent sign.
_SAFE = "!$&'()*+,;=:@-._~"
_MOST_PARAMETERS = 6
_MOST_SEGMENTS = 3


class Rewrite(NamedTuple):
    """One thing that may have happened.

    Attributes:
        code: stable, for programs.
        text: what happened, and what to do.
        signed: the request as it was before.
    """

    code: str
    text: str
    signed: Seen


def rewrites(seen: Seen, fields: Iterable[str]) -> list[list[Rewrite]]:
    """What may have happened to *seen*, by what it happened to.

    Args:
        seen: as received.
        fields: the names of the fields that are signed.
    """
    found = [
        [one for one in of_a_part if one.signed != seen]
        for of_a_part in (
            _named_urls(seen),
            _hosts(seen),
            _schemes(seen),
            _methods(seen),
            [*_targets(seen), *_paths(seen)],
            _queries(seen),
            _fields(seen, fields),
        )
    ]
    return [of_a_part for of_a_part in found if of_a_part]


def lost_ports(seen: Seen) -> Iterator[Rewrite]:
    """Every port that Host may have had: there are few enough to try them all."""
    host = seen.host or b""
    if host and b":" not in host:
        for port in range(1, 65_536):
            yield _host(seen, "host-port", b"%b:%d" % (host, port))


def _named_urls(seen: Seen) -> Iterator[Rewrite]:
    for url in seen.lines.hints.urls:
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        target = f"{parts.path or '/'}{query}".encode()
        host = parts.netloc.rpartition("@")[2].encode() or seen.host
        whole = replace(seen, target=target, host=host, scheme=parts.scheme or seen.scheme)
        text = "The edge signed the URL of --expect-url, and another arrived"
        for signed in (replace(seen, target=target), replace(whole, scheme=seen.scheme), whole):
            yield Rewrite("url", f"{text}: see the lines above that differ.", signed)


def _hosts(seen: Seen) -> Iterator[Rewrite]:
    for code, name in _other_hosts(seen):
        yield _host(seen, code, name)


def _host(seen: Seen, code: str, name: bytes) -> Rewrite:
    here = (seen.host or b"").lower()
    text = (
        f"The edge signed the host {_shown(name)}, and {_shown(here)} arrived: something rewrites "
        "Host between edge and origin. Let the proxy pass it on as it came (nginx: "
        "proxy_set_header Host $http_host), or let the edge sign the name that the origin sees."
    )
    return Rewrite(code, text, replace(seen, host=name))


def _other_hosts(seen: Seen) -> Iterator[tuple[str, bytes]]:
    for expected in seen.lines.hints.hosts:
        yield "host-rewritten", expected.encode()
    for field in _HOSTS:
        for value in seen.header(field):
            for one in value.split(b","):
                yield "host-rewritten", one.strip()
    for value in seen.header("Forwarded"):
        for match in _FORWARDED_HOST.finditer(value):
            yield "host-rewritten", match[1]
    host = seen.host or b""
    name, colon, port = host.rpartition(b":")
    if colon and port.isdigit():
        yield "host-port", name
        host = name
    for port in (*seen.header("X-Forwarded-Port"), b"443", b"80", b"8443", b"8080", b"8000"):
        yield "host-port", host + b":" + port
    yield "host-dot", host.removesuffix(b".") if host.endswith(b".") else host + b"."
    yield "host-rewritten", host.removeprefix(b"www.") if host[:4] == b"www." else b"www." + host


def _schemes(seen: Seen) -> Iterator[Rewrite]:
    other = "http" if seen.scheme == "https" else "https"
    text = (
        f"The edge signed as one that asks for {other}, and the settings here say {seen.scheme}: "
        f"set url_scheme = {other!a}, or let the edge ask for {seen.scheme}."
    )
    yield Rewrite("url-scheme", text, replace(seen, scheme=other))
    if seen.host is not None and b":" not in seen.host:
        # It signed its own default port, which is none with the other scheme.
        port = replace(seen, host=seen.host + b":" + _PORTS[seen.scheme])
        yield Rewrite(
            "default-port",
            f"The edge signed the host with its default port {_PORTS[seen.scheme].decode()}: "
            "@authority has none. Let the edge leave it out.",
            replace(port, scheme=other),
        )


def _methods(seen: Seen) -> Iterator[Rewrite]:
    named = [
        value.decode("latin-1").upper() for field in _OVERRIDES for value in seen.header(field)
    ]
    for method in dict.fromkeys((*named, *_METHODS)):
        if method != seen.method:
            yield Rewrite(
                "method",
                f"The edge signed the method {method}, and {seen.method} arrived. Does "
                "something override methods, or ask with GET for a HEAD? Sign after that.",
                replace(seen, method=method),
            )


def _targets(seen: Seen) -> Iterator[Rewrite]:
    for field in _TARGETS:
        for value in seen.header(field):
            target = re.sub(rb"\A[a-z]+://[^/]*", b"", value)
            if target.startswith(b"/"):
                yield Rewrite(
                    "target-rewritten",
                    f"The edge signed the target that {field} holds: a proxy between edge and "
                    "origin rewrites it. Let it pass the target on unchanged.",
                    replace(seen, target=target),
                )


def _paths(seen: Seen) -> Iterator[Rewrite]:
    for code, what, path in _other_paths(seen):
        if path.startswith(b"/"):
            yield Rewrite(
                code,
                f"The edge signed the path {_shown(path)}, and {_shown(seen.path)} arrived: {what}",
                seen.with_path(path),
            )


def _other_paths(seen: Seen) -> Iterator[tuple[str, str, bytes]]:
    path = seen.path
    decoded = unquote_to_bytes(path)
    by_proxy = (
        "something decodes or encodes the path anew. Let the proxy pass it on as it came (nginx: "
        "proxy_pass without a path), and let the edge sign what it sends."
    )
    for other in (
        decoded,
        quote_from_bytes(decoded, safe="/" + _SAFE).encode(),
        quote_from_bytes(decoded, safe="/").encode(),
        quote_from_bytes(path, safe="/%" + _SAFE).encode(),
        quote_from_bytes(path, safe="/").encode(),
        _ESCAPE.sub(lambda match: match[0].upper(), path),
        _ESCAPE.sub(lambda match: match[0].lower(), path),
        path.replace(b"+", b"%20"),
        path.replace(b"%20", b"+"),
        *_each_slash_encoded(path),
        *_each_encoded(path, b"/%"),
    ):
        yield "path-encoding", by_proxy, other
    tidied = "something tidies up paths between edge and origin."
    yield "path-tidied", tidied, re.sub(rb"/{2,}", b"/", path)
    yield "path-tidied", tidied, path.lower()
    slash = "something adds or removes the slash at its end. Let the edge sign after that."
    yield "path-slash", slash, path + b"/"
    if path != b"/":
        yield "path-slash", slash, path.removesuffix(b"/") or b"/"
    taken = (
        "a prefix is stripped between edge and origin. Sign at the last hop that changes paths, or "
        "pass the path on whole."
    )
    for field in _PREFIXES:
        for value in seen.header(field):
            yield "prefix-stripped", taken, value.strip().rstrip(b"/") + path
    for prefix in seen.lines.hints.prefixes:
        yield "prefix-stripped", taken, prefix.rstrip("/").encode() + path
    added = "a prefix is put before it between edge and origin. Let the edge sign the whole path."
    segments = path.split(b"/")
    for count in range(1, min(len(segments) - 1, _MOST_SEGMENTS) + 1):
        yield "prefix-added", added, b"/" + b"/".join(segments[count + 1 :])


def _each_slash_encoded(path: bytes) -> Iterator[bytes]:
    places = [match.start() for match in re.finditer(rb"/", path)][1:]
    for at in islice(places, 16):
        for text in (b"%2F", b"%2f"):
            yield path[:at] + text + path[at + 1 :]


def _each_encoded(text: bytes, but: bytes) -> Iterator[bytes]:
    """*text* with each of its odd characters encoded, and with all of them."""
    odd = sorted({byte for byte in text if not bytes([byte]).isalnum() and byte not in but})
    for letters in (b"%%%02X", b"%%%02x"):
        everything = text
        for byte in islice(odd, 16):
            everything = everything.replace(bytes([byte]), letters % byte)
            yield text.replace(bytes([byte]), letters % byte)
        yield everything


def _queries(seen: Seen) -> Iterator[Rewrite]:
    query = seen.query.removeprefix(b"?")
    if query:
        yield Rewrite(
            "query-dropped",
            "The edge signed no query, and one arrived: it signs the path alone, or before the "
            "query is added. Let it sign what it sends.",
            seen.with_query(b""),
        )
    for code, what, other in _other_queries(query):
        yield Rewrite(
            code,
            f"The edge signed the query {_shown(other)}, and {_shown(query)} arrived: {what}",
            seen.with_query(other),
        )


def _other_queries(query: bytes) -> Iterator[tuple[str, str, bytes]]:
    pairs = query.split(b"&")
    order = "something sorts or reorders it. Sign after that, at the last hop."
    for chosen in (sorted(pairs), sorted(pairs, key=lambda pair: pair.partition(b"=")[0])):
        yield "query-reordered", order, b"&".join(chosen)
    if 1 < len(pairs) <= _MOST_PARAMETERS:
        for shuffled in permutations(pairs):
            yield "query-reordered", order, b"&".join(shuffled)
    anew = "something decodes or encodes it anew. Pass it on as it came."
    decoded = unquote_to_bytes(query)
    for other in (
        query.replace(b"+", b"%20"),
        query.replace(b"%20", b"+"),
        _ESCAPE.sub(lambda match: match[0].upper(), query),
        _ESCAPE.sub(lambda match: match[0].lower(), query),
        decoded,
        quote_from_bytes(decoded, safe="/?" + _SAFE).encode(),
        quote_from_bytes(query, safe="/?%" + _SAFE).encode(),
        *_each_encoded(query, b"&=%"),
        # A form that was read and written again.
        b"&".join(pair if b"=" in pair else pair + b"=" for pair in pairs),
        b"&".join(pair.removesuffix(b"=") for pair in pairs),
        b"&".join(pair for pair in pairs if pair),
    ):
        yield "query-encoding", anew, other
    added = "a parameter is added on the way. Sign after that."
    if len(pairs) > 1:
        for at in range(min(len(pairs), 64)):
            yield "query-parameter-added", added, b"&".join(pairs[:at] + pairs[at + 1 :])


def _fields(seen: Seen, fields: Iterable[str]) -> Iterator[Rewrite]:
    for name in fields:
        for value in seen.header(name)[:1]:
            whole = b", ".join(seen.header(name))
            for what, other in (
                ("a proxy adds to it", whole.rpartition(b",")[0].rstrip(b" \t")),
                ("a parameter is added to it", value.partition(b";")[0].rstrip(b" \t")),
                ("its letters are changed", whole.lower()),
                ("white space in it is changed", re.sub(rb"[ \t]*,[ \t]*", b",", whole)),
                ("white space in it is changed", re.sub(rb"[ \t]*,[ \t]*", b", ", whole)),
                ("it is empty at the edge", b""),
            ):
                yield Rewrite(
                    "field-changed",
                    f"The edge signed another value of the field {name}: {what} between edge and "
                    "origin. Sign after that, or leave the field out of what is signed.",
                    seen.with_field(name, other),
                )


def _shown(text: bytes) -> str:
    return text.decode("latin-1") if text else "(none)"

"""Where a server itself answers, or rewrites what it hands to the application.

None of this is the gate's doing. Every entry is exact: a quirk that is not in the table
fails its row, and so does one that no longer happens.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

from packaging.requirements import Requirement

from conformance.rows import all_rows

if TYPE_CHECKING:
    from conformance.rows import Row

H11 = ("uvicorn-h11", "hypercorn")
HTTPTOOLS = ("uvicorn-httptools",)
UVICORN = ("uvicorn-httptools", "uvicorn-h11")
NGINX = ("nginx",)
ADAPTED = (*H11, *HTTPTOOLS, "gunicorn", "waitress")


class Quirk(NamedTuple):
    """What *servers* make of the rows whose ids match *rows*, and why.

    ``when`` is for what changed between two versions that the package allows.
    """

    why: str
    servers: tuple[str, ...]
    rows: tuple[str, ...]
    outcome: str
    when: str | None = None


QUIRKS = [
    # Header fields.
    Quirk(
        "white space before a value is not part of it (RFC 9110, 5.5)",
        ADAPTED,
        ("vector-leading-space",),
        "200 ok",
    ),
    Quirk(
        "white space after a value is not part of it; httptools leaves it there",
        (*H11, "gunicorn", "waitress"),
        ("vector-trailing-space",),
        "200 ok",
    ),
    Quirk(
        "NUL in a value is refused (RFC 9110, 5.5)",
        ADAPTED,
        ("vector-nul",),
        "refused",
    ),
    Quirk(
        "a line that ends in a bare LF is refused",
        (*HTTPTOOLS, "gunicorn", "waitress"),
        ("vector-newline",),
        "refused",
    ),
    Quirk(
        "a line may end in a bare LF (RFC 9112, 2.2), which is then no part of the value",
        H11,
        ("vector-newline",),
        "200 ok",
    ),
    Quirk(
        "a folded line is joined with one space, and the space is the one that may stand there",
        (*H11, "waitress"),
        ("folded",),
        "200 ok",
    ),
    Quirk(
        "control bytes but NUL and line breaks are handed on",
        H11,
        ("control-byte",),
        "403 malformed",
    ),
    Quirk(
        "fields may be longer than that",
        (*H11, *HTTPTOOLS, "waitress"),
        ("64-kilobytes",),
        "403 malformed",
    ),
    # Methods and targets.
    Quirk(
        "the request line may not be longer than that",
        ("hypercorn", "gunicorn"),
        ("very-long-path-*",),
        "refused",
    ),
    Quirk(
        "the request line may not be longer than that",
        HTTPTOOLS,
        ("very-long-path-*",),
        "refused",
        when="httptools>=0.8",
    ),
    Quirk(
        "a target begins with a slash",
        (*HTTPTOOLS, "gunicorn"),
        ("no-slash-*", "exempt-backslash"),
        "refused",
    ),
    Quirk(
        "the parser has a list of methods, all capitals",
        HTTPTOOLS,
        (
            "unknown-method-*",
            "lower-case-method-*",
            "long-method-*",
            "websocket-method-*",
            "exempt-websocket-method",
            "exempt-method-case",
        ),
        "refused",
    ),
    Quirk(
        "the parser knows CONNECT, and the server has no use for it",
        HTTPTOOLS,
        ("connect",),
        "refused",
    ),
    Quirk(
        "methods have at most twenty letters, all capitals",
        ("gunicorn",),
        ("lower-case-method-*", "long-method-*", "exempt-method-case"),
        "refused",
    ),
    Quirk(
        "methods are capitals",
        ("waitress",),
        ("lower-case-method-*", "exempt-method-case"),
        "refused",
    ),
    Quirk(
        "the method becomes capitals before the application sees it",
        ("hypercorn",),
        ("exempt-method-case",),
        "200 exempt",
    ),
    Quirk("NUL may be in a target", ("waitress",), ("nul-in-target",), "200 ok"),
    Quirk(
        "an HTTP/0.9 request is one with no headers",
        (*HTTPTOOLS, "waitress"),
        ("http-0.9",),
        "403 missing",
    ),
    Quirk("any version is taken", (*H11, "waitress"), ("http-9.9",), "200 ok"),
    Quirk("HTTP/1.1 needs a Host field (RFC 9112, 3.2)", H11, ("no-host",), "refused"),
    # Bodies.
    Quirk(
        "of two lengths, chunks win (RFC 9112, 6.3)",
        (*H11, "waitress"),
        ("length-and-chunked",),
        "403 missing",
    ),
    # Paths.
    Quirk(
        "the absolute form is not taken apart: the whole of it is the path",
        H11,
        ("exempt-absolute",),
        "403 missing",
    ),
    Quirk(
        "slashes at the front are made one, for the application too",
        ("waitress",),
        ("exempt-two-slashes",),
        "200 exempt",
    ),
    Quirk(
        "a SCRIPT_NAME field from this host is believed (forwarder_headers): another path",
        ("gunicorn",),
        ("exempt-script-name*",),
        "403 missing",
    ),
    # Addresses.
    Quirk(
        "X-Forwarded-For from this host is believed, and is the peer (forwarded_allow_ips)",
        UVICORN,
        ("address-claimed",),
        "200 ok",
    ),
    Quirk(
        "an address with its port was handed on as the peer (release notes of 0.45)",
        UVICORN,
        ("address-ipv4-port", "address-ipv6-port"),
        "403 address",
        when="uvicorn<0.45",
    ),
    Quirk(
        "X-Forwarded-For is removed unless the server is told of the proxy (trusted_proxy)",
        ("waitress",),
        (
            "address-one-hop",
            "address-liar-left",
            "address-garbage-left",
            "address-two-hops",
            "address-two-fields",
            "address-ipv[46]*",
        ),
        "403 address",
    ),
    # nginx in front of the decision service; what it refuses never reaches a decision.
    Quirk(
        "white space around a value is not part of it (RFC 9110, 5.5)",
        NGINX,
        ("vector-leading-space", "vector-trailing-space"),
        "200 ok",
    ),
    Quirk(
        "a line may end in a bare LF (RFC 9112, 2.2), which is then no part of the value",
        NGINX,
        ("vector-newline",),
        "200 ok",
    ),
    Quirk("NUL in a value is refused (RFC 9110, 5.5)", NGINX, ("vector-nul",), "refused"),
    Quirk(
        "an empty value is not sent on (proxy_set_header)",
        NGINX,
        ("vector-empty", "empty"),
        "403 missing",
    ),
    Quirk("a line without a colon is left out", NGINX, ("no-colon",), "403 missing"),
    Quirk(
        "other control bytes are handed on, and are no HTTP to the service",
        NGINX,
        ("control-byte",),
        "403 undecided",
    ),
    Quirk(
        "the request line may not be longer than that",
        NGINX,
        ("very-long-path-*",),
        "refused",
    ),
    Quirk(
        "a path that cannot be decoded, or leads above the root, is refused",
        NGINX,
        ("percent-cut-*", "percent-odd-*", "percent-nul-*", "dots-*", "exempt-percent-nul"),
        "refused",
    ),
    Quirk(
        "a target begins with a slash",
        NGINX,
        ("no-slash-*", "exempt-backslash", "options-star"),
        "refused",
    ),
    Quirk(
        "methods are capitals",
        NGINX,
        ("lower-case-method-*", "exempt-method-case"),
        "refused",
    ),
    Quirk("TRACE and CONNECT are refused", NGINX, ("trace-*", "connect"), "refused"),
    Quirk("HTTP/1.1 needs a Host field (RFC 9112, 3.2)", NGINX, ("no-host",), "refused"),
    Quirk(
        "the path is compared as the client sent it, before it is decoded",
        NGINX,
        ("exempt-percent",),
        "403 missing",
    ),
    Quirk(
        "nothing is mounted there: the path is that of the URL",
        NGINX,
        ("exempt-mount-not-configured",),
        "200 exempt",
    ),
]


def expected_of(row: Row, server: str) -> tuple[str, ...]:
    """What must come of *row* at *server*."""
    return _TABLE.get((row.id, server), row.expected)


def _table() -> dict[tuple[str, str], tuple[str, ...]]:
    """The quirks by row and server; AssertionError for one that says nothing."""
    table: dict[tuple[str, str], tuple[str, ...]] = {}
    for quirk in filter(_applies, QUIRKS):
        for pattern in quirk.rows:
            meant = [row for row in all_rows() if fnmatchcase(row.id, pattern)]
            assert meant, f"no row is named {pattern}"
            for row in meant:
                for server in quirk.servers:
                    assert (row.id, server) not in table, f"two quirks for {row.id}, {server}"
                    assert row.expected != (quirk.outcome,), f"no quirk: {row.id}, {server}"
                    table[row.id, server] = (quirk.outcome,)
    return table


def _applies(quirk: Quirk) -> bool:
    if quirk.when is None:
        return True
    requirement = Requirement(quirk.when)
    return version(requirement.name) in requirement.specifier


_TABLE = _table()

"""A signed request as it was received, and as it may have been when a cloud's key signed it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlsplit

from edgeauth.errors import seconds
from edgeauth.ops.schemes.diagnosis import Field, Finding
from edgeauth.ops.schemes.explain_timestamp import date
from edgeauth.ops.text import escaped
from edgeauth.request import folded_spellings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edgeauth.errors import VerificationError
    from edgeauth.ops.schemes.request_lines import Hints, RequestLines

_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")


@dataclass(frozen=True)
class Otherwise:
    """A request, any part of which may be replaced.

    Attributes:
        method, target: of the request.
        lines: its fields, name in lower case and value.
    """

    method: str
    target: bytes | None
    lines: tuple[tuple[bytes, bytes], ...]
    handshake: bool = False

    @classmethod
    def of(cls, given: RequestLines, names: Iterable[str], prefix: bytes) -> Self:
        """The request in *given*, with its fields of *names* and those that begin with *prefix*."""
        wanted = {name.lower() for name in names}
        named = [(name.encode(), value) for name in sorted(wanted) for value in given.header(name)]
        begun = given.fields_beginning(prefix)
        more = [line for line in begun if line[0].decode("latin-1") not in wanted]
        return cls(given.method, given.target, (*named, *more))

    @property
    def host(self) -> bytes | None:
        """The Host, if it was given."""
        return next(iter(self.header("host")), None)

    def header(self, name: str) -> list[bytes]:
        """The lines of a field."""
        wanted = name.lower().encode()
        return [value for field, value in self.lines if field == wanted]

    def fields(self) -> tuple[tuple[bytes, bytes], ...]:
        """All lines."""
        return self.lines

    def fields_beginning(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """The lines whose names begin with *prefix*."""
        begins = folded_spellings(prefix)
        return [line for line in self.lines if line[0].startswith(begins)]

    def without(self, name: bytes) -> Self:
        """The same without a field."""
        return replace(self, lines=tuple(line for line in self.lines if line[0] != name))

    def with_field(self, name: bytes, value: bytes) -> Self:
        """The same with another value of a field."""
        return replace(self, lines=(*self.without(name).lines, (name, value)))


def rewrites(seen: Otherwise, hints: Hints) -> Iterator[tuple[Finding, Otherwise]]:
    """What may have happened to a request since it was signed, each with how it was before."""
    for method in _METHODS:
        if method != seen.method:
            yield (
                _finding(
                    "method",
                    f"the method: the edge signed {method}, and {seen.method} came. An edge that "
                    "always signs GET must sign the method that it sends",
                ),
                replace(seen, method=method),
            )
    if seen.target is not None:
        yield from _targets(seen, seen.target, hints)
    for host in hints.hosts:
        yield (
            _finding("host-rewritten", f"Host: the edge signed {escaped(host.encode())}"),
            seen.with_field(b"host", host.encode()),
        )
    for name in dict.fromkeys(name for name, _ in seen.lines):
        shown = escaped(name)
        yield (
            _finding(
                "field-added",
                f"the field {shown}, which the edge did not sign: does something behind the edge "
                "add it? Else sign it at the edge",
            ),
            seen.without(name),
        )


def _targets(seen: Otherwise, target: bytes, hints: Hints) -> Iterator[tuple[Finding, Otherwise]]:
    path, mark, query = target.partition(b"?")
    decoded = unquote_to_bytes(path)
    encoded = quote_from_bytes(decoded, safe="/").encode()
    changed = [
        ("query", "the query: the edge signed none. Sign the URL as it is sent", path),
        (
            "query-plus",
            "a plus in the query: the edge signed a space. Send %20 in its place, or sign the plus",
            path + mark + query.replace(b"+", b"%20"),
        ),
        (
            "path-decoded",
            "the path: the edge signed it decoded. Sign it as it is sent",
            decoded + mark + query,
        ),
        (
            "path-encoded",
            "the path: the edge signed it percent-encoded, and something decoded it on the way",
            encoded + mark + query,
        ),
    ]
    for prefix in hints.prefixes:
        text = f"the path: something took {prefix} away from it on the way"
        changed.append(("prefix-stripped", text, prefix.rstrip("/").encode() + target))
    for url in hints.urls:
        parts = urlsplit(url)
        its = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}".encode()
        changed.append(("url", f"the URL: the edge signed {escaped(its)}", its))
    for code, text, before in changed:
        if before != target:
            yield _finding(code, text), replace(seen, target=before)


def _finding(code: str, text: str) -> Finding:
    return Finding(code, f"Right but for {text}.")


def explain_age(signed_at: int, max_skew: float, now: float) -> tuple[Field, list[Finding]]:
    """The time of signing, held against *max_skew* seconds at *now* (Unix seconds)."""
    age = now - signed_at
    note = f"{date(signed_at)}, {seconds(abs(age))} s {'ago' if age >= 0 else 'ahead'}"
    if abs(age) <= max_skew:
        return Field("date", str(signed_at), ok=True, note=note), []
    clock = "ahead of" if age > 0 else "behind"
    code, when = ("too-old", "ago") if age > 0 else ("future", "in the future")
    text = (
        f"Signed {seconds(abs(age))} s {when}, and max_skew is {seconds(max_skew)} s. If it was "
        f"fresh, the clock here is {clock} the edge's: compare it with a time server. If it is "
        "from a log, give the time of its request with --at."
    )
    return Field("date", str(signed_at), ok=False, note=note), [Finding(code, text)]


def told(error: VerificationError) -> Finding:
    """What the error about the lines of a request tells an operator."""
    hint = f" {error.hint[0].upper()}{error.hint[1:]}" if error.hint else ""
    if "does not tell the target" in error.message:
        return Finding(
            "no-target",
            "The path is signed, and there is none: give the request line as well (GET /path?query "
            "HTTP/1.1), or --url.",
        )
    return Finding(error.reason, f"{error.message[0].upper()}{error.message[1:]}.{hint}")

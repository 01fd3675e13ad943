"""What a signature covers, as it names it (RFC 9421, 2)."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - so that annotations can be read
from typing import NamedTuple, Protocol
from urllib.parse import quote, unquote_to_bytes

from edgeauth.errors import MalformedHeader
from edgeauth.schemes.message_signatures.fields import HasFields, field, unescaped
from edgeauth.schemes.message_signatures.grammar import (  # noqa: TC001 - so that annotations can be read
    InnerList,
    Item,
    Parameters,
)

#: One signature covers no more than this: each field is looked for among all of a request.
MAX_COMPONENTS = 64

# The name of a component and its parameters, whose order means nothing.
Identity = tuple[bytes, frozenset[tuple[bytes, bytes]]]


class HasTarget(HasFields, Protocol):
    """What has header fields and a target."""

    @property
    def target(self) -> bytes | None: ...


class Component(NamedTuple):
    """One line of what is signed.

    Attributes:
        id: as it is written, such as ``"x-note";sf``.
        identity: what makes it this component and no other.
        value: which of :data:`FACTS` it is, or the function that finds it.
        covers: what it vouches for: ``method``, ``path``, ``query``, ``host``, ``body``.
        needs: what of the request it is made from: ``host``, ``target``.
    """

    id: bytes
    identity: Identity
    value: int | Callable[[HasTarget], bytes]
    covers: frozenset[str]
    needs: frozenset[str]


#: Components without parameters: what they vouch for, and what of the request they need.
FACTS = {
    b"@method": ("method", ""),
    b"@authority": ("host", "host"),
    b"@path": ("path", "target"),
    b"@query": ("query", "target"),
    b"@request-target": ("path query", "target"),
    b"@scheme": ("", ""),
    b"@target-uri": ("path query host", "host target"),
}
_PLACES = {name: place for place, name in enumerate(FACTS)}
_FIELDS_COVER = {b"content-digest": "body", b"host": "host"}


def component(found: Item) -> Component:
    """The component of an item in a signature's list, or in the settings.

    Raises:
        MalformedHeader: it is outside of what is supported here.
    """
    if found.value.kind != "string":
        raise MalformedHeader("a signed component must be a quoted name")
    name, given = found.value.text[1:-1], found.parameters
    value: int | Callable[[HasTarget], bytes]
    if name == b"@query-param":
        value, covers, needs = _query_parameter(given), "", "target"
    elif name.startswith(b"@"):
        if name not in FACTS or given:
            raise MalformedHeader("a signed component is unknown, or has parameters that it cannot")
        value, (covers, needs) = _PLACES[name], FACTS[name]
    else:
        value, covers, needs = field(name, given), _FIELDS_COVER.get(name, ""), ""
    identity = name, frozenset((key, bare.text) for key, bare in given.items())
    return Component(
        found.text(), identity, value, frozenset(covers.split()), frozenset(needs.split())
    )


def components(found: InnerList) -> list[Component]:
    """The components of a signature; as :func:`component`."""
    if len(found.items) > MAX_COMPONENTS:
        raise MalformedHeader(f"more than {MAX_COMPONENTS} components are signed")
    return [component(entry) for entry in found.items]


def _query_parameter(given: Parameters) -> Callable[[HasTarget], bytes]:
    name = given.get(b"name")
    if name is None or name.kind != "string" or len(given) > 1:
        raise MalformedHeader('a signed "@query-param" must have one parameter: name, a string')
    wanted = unquote_to_bytes(unescaped(name.text))

    def value(request: HasTarget) -> bytes:
        pairs = (request.target or b"").partition(b"?")[2].split(b"&")
        named = ((_of_form(key), text) for key, _, text in (pair.partition(b"=") for pair in pairs))
        values = [_of_form(text) for key, text in named if key == wanted]
        if len(values) != 1:
            raise MalformedHeader(
                f"a signed query parameter is there {len(values)} times; it must be once"
            )
        try:
            text = values[0].decode()
        except UnicodeDecodeError:
            # All such bytes would be signed alike.
            raise MalformedHeader("a signed query parameter is not UTF-8") from None
        # The characters that forms leave as they are (WHATWG URL).
        return quote(text, safe="*").replace("~", "%7E").encode()

    return value


def _of_form(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))

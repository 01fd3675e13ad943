"""Several schemes, any of which may accept a request: two CDNs, or a change from one to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeauth.errors import (
    BadSignature,
    ClaimRefused,
    ConfigurationError,
    Expired,
    MalformedHeader,
    MissingHeader,
    NotCovered,
    NotYetValid,
    PopNotAllowed,
    VerificationError,
)
from edgeauth.schemes.base import may_admit_once, needs_body, recalls_of, refuse_no_scheme
from edgeauth.schemes.needs import behind, needs_addresses, needs_proxy
from edgeauth.schemes.registry import ANY_OF
from edgeauth.verdict import EdgeIdentity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgeauth.request import Request
    from edgeauth.schemes.base import Recall, Scheme
    from edgeauth.schemes.needs import Proxies

# How near to being accepted a refused credential was: it is there, has the form, is signed, is
# in time. What is none of these and names who signed was refused by a rule about that.
_STEPS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], int], ...] = (
    (MissingHeader, 0),
    (MalformedHeader, 1),
    (BadSignature, 2),
    (Expired, 3),
    (NotYetValid, 3),
    ((PopNotAllowed, NotCovered, ClaimRefused), 4),
)
_UNKNOWN, _BY_RULE, _FAILED = 2, 4, 5


class AnyOf:
    """Accepts what one of several schemes accepts.

    They are asked in order, those first of which a request has a field.

    Where none accepts, the error is that of the nearest miss, and of equal ones the first.

    Args:
        schemes: at least one. Those of an ``AnyOf`` among them take its place.

    Attributes:
        schemes: in the order in which they are asked.
        once: whether one of them names the request that a credential is good for.
        recalls: for each field of a scheme that remembers values, by its name in lower case,
            what looks a value of it up: what is good in one field is not in another.

    Raises:
        ConfigurationError: there is none, or one of them is no scheme.
    """

    kind = ANY_OF

    def __init__(self, *schemes: Scheme) -> None:
        self.schemes: tuple[Scheme, ...] = tuple(_flat(schemes))
        if not self.schemes:
            raise ConfigurationError("AnyOf() accepts nothing: give it a scheme at least")
        # Field names know no case, and two schemes may read one field.
        names = {name.lower(): name for scheme in self.schemes for name in scheme.headers}
        self.headers = tuple(names.values())
        self._fields = tuple((scheme, tuple(scheme.headers)) for scheme in self.schemes)
        self.once = any(map(may_admit_once, self.schemes))
        self.needs_body = any(map(needs_body, self.schemes))
        self.needs_addresses = any(map(needs_addresses, self.schemes))
        self.needs_proxy = any(map(needs_proxy, self.schemes))
        self.recalls = _merged(self.schemes)

    def behind(self, proxies: Proxies) -> AnyOf:
        """The same schemes; those that believe a proxy believe what *proxies* vouch for."""
        return AnyOf(*(behind(scheme, proxies) for scheme in self.schemes))

    def verify(self, request: Request, *, now: float) -> EdgeIdentity:
        """The identity that the first scheme which accepts *request* at *now* finds.

        Its ``scheme`` is the kind of that scheme.

        Raises:
            VerificationError: that of the nearest miss.
            Exception: none accepts, and a scheme failed. A failure of one refuses nobody whom
                another accepts.
        """
        misses: list[Exception] = []
        # First those of which a field is there: an error of each of the others costs half of an
        # answer. A credential may be in the URL, so these are asked as well.
        others: list[Scheme] = []
        for scheme, fields in self._fields:
            for name in fields:
                if request.header(name):
                    break
            else:
                others.append(scheme)
                continue
            try:
                return _named(scheme, scheme.verify(request, now=now))
            except Exception as error:  # noqa: BLE001 - raised below
                misses.append(error)
        for scheme in others:
            try:
                return _named(scheme, scheme.verify(request, now=now))
            except Exception as error:  # noqa: BLE001 - raised below
                misses.append(error)
        try:
            raise max(misses, key=_nearness)  # the first of those that are equally near
        finally:
            del misses  # an error holds this frame, which must not hold the error

    def recall(self, value: bytes, now: float) -> EdgeIdentity | None:
        """Who signed *value*, if a scheme accepted it before and would at *now*.

        Where the schemes read several fields, the value does not say which it was in, so nothing
        is known here; :attr:`recalls` is asked by field.
        """
        if len(self.headers) > 1:
            return None
        for recall in self.recalls.values():
            return recall(value, now)
        return None

    def __repr__(self) -> str:
        return f"AnyOf({', '.join(map(repr, self.schemes))})"


def _merged(schemes: tuple[Scheme, ...]) -> Mapping[bytes, Recall]:
    """By the name of a field: what asks each scheme in turn that remembers values of it."""
    found: dict[bytes, tuple[Recall, ...]] = {}
    for scheme in schemes:
        for field, recall in recalls_of(scheme).items():
            found[field] = (*found.get(field, ()), recall)
    return {
        field: recalls[0] if len(recalls) == 1 else _in_turn(recalls)
        for field, recalls in found.items()
    }


def _in_turn(recalls: tuple[Recall, ...]) -> Recall:
    def recall(value: bytes, now: float) -> EdgeIdentity | None:
        for one in recalls:
            identity = one(value, now)
            if identity is not None:
                return identity
        return None

    return recall


def _flat(schemes: tuple[Scheme, ...]) -> Iterator[Scheme]:
    for scheme in schemes:
        if isinstance(scheme, AnyOf):
            yield from scheme.schemes
        else:
            refuse_no_scheme(scheme)
            yield scheme


def _named(scheme: Scheme, identity: EdgeIdentity) -> EdgeIdentity:
    if not isinstance(identity, EdgeIdentity):
        raise TypeError("the scheme returned no EdgeIdentity")
    kind = getattr(scheme, "kind", None)
    if kind is None or identity.scheme == kind:
        return identity
    return identity._replace(scheme=kind)


def _nearness(error: Exception) -> int:
    if not isinstance(error, VerificationError):
        return _FAILED
    for classes, steps in _STEPS:
        if isinstance(error, classes):
            return steps
    return _UNKNOWN if error.identity is None else _BY_RULE

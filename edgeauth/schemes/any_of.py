"""Several schemes, any of which may accept a request: two CDNs, or a change from one to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeauth.errors import (
    BadSignature,
    ConfigurationError,
    Expired,
    MalformedHeader,
    MissingHeader,
    NotYetValid,
    VerificationError,
)
from edgeauth.verdict import EdgeIdentity
from edgeauth.schemes.base import recall_of, refuse_no_scheme
from edgeauth.schemes.registry import ANY_OF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeauth.request import Request
    from edgeauth.schemes.base import Scheme

# How near to being accepted a refused credential was: it is there, has the form, is signed, is
# in time. What is none of these and names who signed was refused by a rule about that.
_STEPS = (
    (MissingHeader, 0),
    (MalformedHeader, 1),
    (BadSignature, 2),
    (Expired, 3),
    (NotYetValid, 3),
)
_UNKNOWN, _BY_RULE, _FAILED = 2, 4, 5


class AnyOf:
    """Accepts what one of several schemes accepts; they are asked in order.

    Where none accepts, the error is that of the nearest miss, and of equal ones the first.

    Args:
        schemes: at least one. Those of an ``AnyOf`` among them take its place.

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
        self._recalls = {
            field: tuple(
                recall
                for scheme in self.schemes
                if field in map(str.lower, scheme.headers)
                and (recall := recall_of(scheme)) is not None
            )
            for field in names
        }

    def verify(self, request: Request, *, now: float) -> EdgeIdentity:
        """The identity that the first scheme which accepts *request* at *now* finds.

        Its ``scheme`` is the kind of that scheme.

        Raises:
            VerificationError: that of the nearest miss.
            Exception: none accepts, and a scheme failed. A failure of one refuses nobody whom
                another accepts.
        """
        misses: list[Exception] = []
        for scheme in self.schemes:
            try:
                return _named(scheme, scheme.verify(request, now=now))
            except Exception as error:  # noqa: BLE001 - raised below
                misses.append(error)
        try:
            raise max(misses, key=_nearness)  # the first of those that are equally near
        finally:
            del misses  # an error holds this frame, which must not hold the error

    def recall(self, value: bytes, now: float, field: str | None = None) -> EdgeIdentity | None:
        """Who signed *value*, if a scheme remembers that and would accept it at *now*.

        Args:
            value: of the only field of :attr:`headers` that is there.
            now: Unix seconds.
            field: the name of that field, in lower case. Without it nothing is known, unless
                all schemes read the same field: what is good in one field is not in another.
        """
        if field is None and len(self._recalls) == 1:
            (field,) = self._recalls
        for recall in self._recalls.get(field or "", ()):
            identity = recall(value, now)
            if identity is not None:
                return identity
        return None

    def __repr__(self) -> str:
        return f"AnyOf({', '.join(map(repr, self.schemes))})"


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
    for kind, steps in _STEPS:
        if isinstance(error, kind):
            return steps
    return _UNKNOWN if error.identity is None else _BY_RULE

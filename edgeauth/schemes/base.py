"""The seam between the guard and a way of proving where a request came from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol, Self

from edgeauth.errors import (
    BadSignature,
    ConfigurationError,
    Expired,
    MalformedHeader,
    MissingHeader,
    NotYetValid,
    VerificationError,
)
from edgeauth.keys import KeyRing  # noqa: TC001
from edgeauth.named_key import NamedKey  # noqa: TC001
from edgeauth.request import Request  # noqa: TC001
from edgeauth.schemes.options import Option  # noqa: TC001
from edgeauth.verdict import EdgeIdentity

# RFC 9110, 5.1: a field name is a token. Underscore is left out: WSGI folds it into
# the dash, so two different fields would meet in one variable.
_FIELD_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]{1,128}")

# What simulators of the edge call themselves, so that a request that was signed by hand is told
# from one of a real POP in the origin's log.
SIMULATED_POP = "XXX"


# Looks up one value at a time in Unix seconds.
Recall = Callable[[bytes, float], EdgeIdentity | None]


class Scheme(Protocol):
    """Verifies requests.

    It sees the whole request (any header, the method, the target), so a scheme with
    several headers or a signed URL fits as well as one with a single value.

    Where it looks at fields beside those in ``headers`` it names them in ``looks_at``, so that a
    proxy that asks a service hands them on; these stay with the application. Where it looks at all
    that begin alike it names the beginnings in ``looks_at_beginning``.

    A scheme that can do more says so by having the method: :class:`Remembers`,
    :class:`VerifiesValue`, :class:`Signs`; or the attribute: :class:`AdmitsOnce`, and what
    :mod:`edgeauth.schemes.needs` names. One that settings can name is :class:`Configurable`.
    """

    @property
    def headers(self) -> tuple[str, ...]:
        """The fields that carry the credential; adapters remove them before the app runs."""

    def verify(self, request: Request, *, now: float) -> EdgeIdentity:
        """Say who sent *request*, judged at *now* (Unix seconds).

        Raises:
            VerificationError: anything else. Returning is acceptance.
        """


class Remembers(Protocol):
    """A scheme that knows values again which it has accepted, without a look at the request."""

    def recall(self, value: bytes, now: float) -> EdgeIdentity | None:
        """What ``verify`` would return at *now* for a request with *value*; None if not known.

        Args:
            value: of the only one of ``headers`` that is there.
            now: Unix seconds.
        """


class VerifiesValue(Protocol):
    """A scheme whose credential is one value, good or bad whatever the request is."""

    def verify_value(self, value: bytes, *, now: float) -> EdgeIdentity:
        """As ``verify``, of the value alone."""


class AdmitsOnce(Protocol):
    """A scheme whose credentials can be told apart, so that each is good for one request.

    Attributes:
        once: True. The ``once`` of its identities is what a replay store remembers; one without
            it can be used again.
    """

    once: bool


class Outgoing(NamedTuple):
    """The request that a credential is made for, before it is sent.

    Attributes:
        method: such as ``GET``.
        authority: the value of the Host field, as the origin will receive it.
        target: path and query, as they are sent.
        fields: the other fields, name and value, in order.
        body: the body, or None where it is not known. An empty one is ``b""``.
        client: the address of whom it is sent for, where somebody asked; else None.
    """

    method: str
    authority: str
    target: str
    fields: Sequence[tuple[str, str | bytes]] = ()
    body: bytes | None = None
    client: str | None = None


class CannotSign(ConfigurationError):
    """A request has not what must be signed. Another one may have it."""


class Signs(Protocol):
    """A scheme that can make the credential that it accepts, as the edge does."""

    def credential(
        self,
        *,
        now: float,
        request: Outgoing | None = None,
        **how: Any,  # noqa: ANN401
    ) -> Mapping[str, str]:
        """The fields of a request that is sent at *now* (Unix seconds), by name.

        They may be more than those of ``headers``: what is vouched for, and was not there yet.

        Args:
            now: Unix seconds.
            request: what is sent; None where it is not known. Most credentials are good for any
                request and do not look at it.
            how: ``pop``, the POP to sign as, and what else the scheme knows. What it does not
                know means nothing to it.

        Raises:
            ConfigurationError: an argument cannot be used, no key is valid then, or the request
                is vouched for and not known.
            CannotSign: the request has not all that is vouched for.
        """


class Configurable(Scheme, Protocol):
    """A scheme that settings can name.

    Attributes:
        kind: the name, in settings, files of decisions and metrics.
        OPTIONS: what there is to set beside the keys.

    One that can use public keys says so with ``public_keys = True``; to others, settings give
    none. One that needs no keys at all says so with ``needs_keys = False``, or with a function of
    the values of its options, by name, that returns whether it does; ``from_options`` then is
    given None, and settings that name a secret are refused.
    """

    kind: ClassVar[str]
    OPTIONS: ClassVar[tuple[Option, ...]]

    @classmethod
    def from_options(cls, keys: KeyRing | None, options: Mapping[str, Any]) -> Self:
        """The scheme with these keys and a value for each of ``OPTIONS``.

        Raises:
            ConfigurationError: a value cannot be used.
        """


def recall_of(scheme: object) -> Recall | None:
    """What looks up a value that *scheme* accepted before, or None where nothing may.

    A scheme that remembers has ``recall(value, now)``, which answers from one value of its only
    field what ``verify`` would. It counts only where the class itself defines both: whoever
    derives from it and verifies more must not be passed by.
    """
    kind = vars(type(scheme))
    for name in ("recall", "verify"):
        # Not by the instance's own __dict__: asking for that makes its attributes slower for ever.
        defined = getattr(getattr(scheme, name, None), "__func__", None)
        if defined is None or defined is not kind.get(name):
            return None
    recall: Recall = scheme.recall  # type: ignore[attr-defined]
    return recall


def recalls_of(scheme: Any) -> Mapping[bytes, Recall]:  # noqa: ANN401 - it is asked what it can
    """As :func:`recall_of`, for each field of *scheme*, by its name in lower case.

    Of several schemes each remembers the values of its own field.
    """
    recall = recall_of(scheme)
    if recall is None:
        return {}
    own: Mapping[bytes, Recall] | None = getattr(scheme, "recalls", None)
    return {scheme.headers[0].lower().encode(): recall} if own is None else own


def may_admit_once(scheme: object) -> bool:
    """Whether identities that *scheme* returns may say that they are good once."""
    return getattr(scheme, "once", False) is True


def needs_body(scheme: object) -> bool:
    """Whether *scheme* admits no request whose body is not compared with what was signed."""
    return getattr(scheme, "needs_body", False) is True


def refuse_no_scheme(scheme: object) -> None:
    """Refuse what the guard could not ask, or an adapter could not clean up after.

    Raises:
        ConfigurationError: *scheme* lacks something of :class:`Scheme`.
    """
    kind = type(scheme).__name__
    if not callable(getattr(scheme, "verify", None)):
        raise ConfigurationError(f"{kind} is not a scheme: it has no verify()")
    headers = getattr(scheme, "headers", None)
    if not isinstance(headers, (tuple, list)) or not all(
        isinstance(name, str) and name for name in headers
    ):
        raise ConfigurationError(
            f"{kind} is not a scheme: its headers must be a tuple of the fields to remove before "
            f"the application runs, such as ('Edge-Auth',), not {headers!r}"
        )


def field_name(name: str) -> str:
    """*name* if it can be the name of a header field.

    Raises:
        ConfigurationError: it cannot.
    """
    if not isinstance(name, str) or not _FIELD_NAME.fullmatch(name):
        raise ConfigurationError(
            f"header {name!r} is not a header field name: write letters, digits and dashes"
        )
    return name


def not_once(values: Sequence[bytes], header: str) -> MissingHeader | MalformedHeader:
    """The error for a field that must be there exactly once and is not.

    Which of several values the edge wrote cannot be known, so none is taken.
    """
    if not values:
        return MissingHeader(f"no {header} header")
    return MalformedHeader(f"{len(values)} {header} headers; there must be one")


def not_valid_now(key: NamedKey) -> BadSignature:
    """The error for what *key* signed, where its dates say that it must not."""
    return BadSignature(
        f"signed with key {key.id}, which is not valid now",
        hint="look at not_before and not_after of that key",
    )


def outside_window(
    key: NamedKey, identity: EdgeIdentity, now: float, *, max_age: float, max_future: float
) -> VerificationError:
    """The error for what *key* truly signed, where *now* is not between the ends of its window.

    Args:
        key: what made the signature.
        identity: who signed; its timestamp says when.
        now: Unix seconds.
        max_age: seconds after the time of signing, inclusive.
        max_future: seconds before it, inclusive.
    """
    if not key.valid_at(now):
        return not_valid_now(key)
    age = now - (identity.timestamp or 0)
    if age < -max_future:
        return NotYetValid(identity=identity, age=age, limit=max_future)
    return Expired(identity=identity, age=age, limit=max_age)


def needed_request(request: Outgoing | None, kind: str, needs: str = "method and URL") -> Outgoing:
    """*request*, for a scheme whose credential is of one request.

    Args:
        request: what a credential is asked for.
        kind: of the scheme.
        needs: what of the request is signed.

    Raises:
        ConfigurationError: there is none.
    """
    if request is None:
        raise ConfigurationError(
            f"the scheme {kind} signs one request, and none is named: its {needs} must be known"
        )
    return request

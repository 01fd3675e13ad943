"""Verifies a header value: who signed it, whether it is in its window, and from which POP."""

from __future__ import annotations

import time
from binascii import b2a_base64, hexlify
from collections.abc import Iterable, Mapping  # noqa: TC003 - so that annotations can be read
from hmac import compare_digest
from typing import Any, ClassVar, Literal, Self

from edgeauth.errors import (
    BadSignature,
    MalformedHeader,
    PopNotAllowed,
)
from edgeauth.keys import Key, KeyRing, secrets_alone
from edgeauth.request import Request  # noqa: TC001 - so that annotations can be read
from edgeauth.schemes.base import SIMULATED_POP, field_name, not_once, outside_window
from edgeauth.schemes.edge_auth.grammar import ALPHABET, WHOLE, malformed, pop_codes
from edgeauth.schemes.edge_auth.signing import sign
from edgeauth.schemes.options import Option, read_flag, read_list, read_number, read_text, window
from edgeauth.verdict import NO_CLAIMS, EdgeIdentity

# One POP signs all requests of a second alike, so a few hundred values are in use at any
# time even on a large network; a value that was forgotten is verified once more. No more
# than that, since what is remembered has to fit into the processor's cache. Only accepted
# values are remembered: without a key nobody can fill this.
_REMEMBER = 256

_new_tuple = tuple.__new__
# The signature is over the time and the POP: it is good for any request.
_COVERS = frozenset({"time"})


class EdgeAuthScheme:
    """Verifies the signed ``Edge-Auth`` header.

    Args:
        keys: a :class:`KeyRing`, or secrets (or keys) from oldest to newest.
        header: the name of the header field.
        max_age: how many seconds after signing a value is accepted, inclusive.
        max_future: how many seconds before its own timestamp it is accepted, inclusive:
            the clock skew between edge and origin that is tolerated.
        require_pop: False admits the two-field form, which names no POP.
        pops: the POP codes that are accepted, compared exactly; None accepts any. A
            two-field value names none, so with a list it is refused.

    Raises:
        ConfigurationError: an argument cannot be used.
    """

    kind: ClassVar[str] = "edge-auth"
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("header", read_text, "Edge-Auth", "the header field"),
        Option(
            "max_age",
            read_number("seconds"),
            60,
            "seconds after the timestamp, inclusive",
            check=window,
        ),
        Option(
            "max_future",
            read_number("seconds"),
            5,
            "seconds before the timestamp, inclusive",
            check=window,
        ),
        Option("require_pop", read_flag, True, "false admits the form without a POP"),  # noqa: FBT003
        Option("pops", read_list, None, "list of POP codes; any where it is left out"),
    )

    def __init__(
        self,
        keys: KeyRing | Iterable[Key | str | bytes],
        *,
        header: str = "Edge-Auth",
        max_age: float = 60,
        max_future: float = 5,
        require_pop: bool = True,
        pops: Iterable[str] | None = None,
    ) -> None:
        self.keys = secrets_alone(keys, self.kind)
        self.header = field_name(header)
        self.headers = (self.header,)
        self.max_age = window("max_age", max_age)
        self.max_future = window("max_future", max_future)
        self.require_pop = require_pop
        named = () if pops is None else pop_codes(pops)
        self.pops = None if pops is None else frozenset(named)
        self._signs_as = named[0] if named else SIMULATED_POP
        self._accepted: dict[bytes, tuple[float, float, EdgeIdentity]] = {}

    @classmethod
    def from_options(cls, keys: KeyRing, options: Mapping[str, Any]) -> Self:
        """The scheme with these keys and these values of ``OPTIONS``.

        Raises:
            ConfigurationError: a value cannot be used.
        """
        return cls(keys, **options)

    def credential(
        self,
        *,
        now: float,
        encoding: Literal["hex", "base64"] = "hex",
        **how: str | None,
    ) -> Mapping[str, str]:
        """The header of a request that is sent at *now* (Unix seconds), as :func:`sign` has it.

        Args:
            now: Unix seconds.
            encoding: ``hex`` or ``base64``.
            how: ``pop``, the POP to sign as; None makes the two-field form. Where it is left
                out, the first of ``pops``, or ``XXX`` as simulators have it.

        Raises:
            ConfigurationError: an argument cannot be used, or no key is valid at *now*.
        """
        key, pop = self.keys.signing_key(now), how.get("pop", self._signs_as)
        return {self.header: sign(key, pop=pop, timestamp=int(now), encoding=encoding)}

    def verify(self, request: Request, *, now: float) -> EdgeIdentity:
        """Verify the header of *request* at *now* (Unix seconds).

        Raises:
            MissingHeader: the header is absent.
            MalformedHeader: it is there more than once, or for :meth:`verify_value`.
            VerificationError: as :meth:`verify_value`.
        """
        values = request.header(self.header)
        if len(values) != 1:
            raise not_once(values, self.header)
        return self.verify_value(values[0], now=now)

    def verify_value(self, value: bytes, *, now: float) -> EdgeIdentity:
        """Verify one header value at *now* (Unix seconds).

        The checks come in the order of the errors, so that a forged value never learns its age.

        Raises:
            MalformedHeader: not of the wire form.
            BadSignature: no key that is valid at *now* made the signature.
            Expired: older than ``max_age``.
            NotYetValid: from further ahead than ``max_future``.
            PopNotAllowed: the POP is not one of ``pops``.

        Not checked: whether the value was seen before, and which request it came with.
        """
        # A look before the call: a new value, which costs most already, is spared it.
        if value in self._accepted:
            identity = self.recall(value, now)
            if identity is not None:
                return identity
        return self._verify_in_full(value, now)

    def recall(self, value: bytes, now: float) -> EdgeIdentity | None:
        """Who signed *value*, if it was accepted before and is acceptable at *now*, too.

        None says nothing about the value: it may have been forgotten.
        """
        remembered = self._accepted.get(value)
        if remembered is not None:
            opens, closes, identity = remembered
            if opens <= now <= closes:
                return identity
        return None

    def _verify_in_full(self, value: bytes, now: float) -> EdgeIdentity:
        match = WHOLE.fullmatch(value)
        if match is None:
            raise malformed(value)
        signed, timestamp, pop, in_hex, in_base64 = match.groups()
        if pop is None and self.require_pop:
            raise MalformedHeader(
                "two fields, and require_pop is on",
                hint="does the edge send a POP? If it cannot, set require_pop to false",
            )
        key = self._signer(signed, in_hex, in_base64)
        if key is None:
            if not ALPHABET.fullmatch(in_hex or in_base64):
                raise malformed(value)
            raise BadSignature("no key of the ring made this signature")
        signed_at = int(timestamp)
        name = None if pop is None else pop.decode()
        # A third of the cost of calling the class, on every request with a new value.
        identity = _new_tuple(
            EdgeIdentity, (signed_at, name, key.id, "edge-auth", _COVERS, None, None, NO_CLAIMS)
        )
        opens, closes = signed_at - self.max_future, signed_at + self.max_age
        if key.dated:
            opens, closes = max(opens, key.not_before), min(closes, key.not_after)
        # A clock that is not a number is in no window either.
        if not opens <= now <= closes:
            raise outside_window(
                key, identity, now, max_age=self.max_age, max_future=self.max_future
            )
        if self.pops is not None and name not in self.pops:
            raise PopNotAllowed(f"POP {name} is not one of pops", identity=identity)
        accepted = self._accepted
        if len(accepted) >= _REMEMBER:
            accepted.clear()
        accepted[value] = opens, closes, identity
        return identity

    def _signer(self, signed: bytes, in_hex: bytes | None, in_base64: bytes | None) -> Key | None:
        """The key that made the signature; compared as received, never decoded."""
        for key in self.keys.newest_first:
            mac = key.mac(signed)
            if in_hex is not None:
                if compare_digest(hexlify(mac), in_hex):
                    return key
            elif compare_digest(b2a_base64(mac, newline=False), in_base64 or b""):
                return key
        return None


def verify(
    value: str | bytes,
    secrets: Iterable[str | Key],
    *,
    max_age: float = 60,
    max_future: float = 5,
    require_pop: bool = True,
    pops: Iterable[str] | None = None,
    now: float | None = None,
) -> EdgeIdentity:
    """Verify one header value and say who signed it.

    Prepares the keys anew at each call; to verify many values, keep an
    :class:`EdgeAuthScheme` and call its ``verify_value``.

    Args:
        value: the header value as received; a ``str`` stands for its UTF-8 bytes.
        secrets: secrets or keys, oldest to newest; any of them may have signed.
        max_age, max_future, require_pop, pops: as in :class:`EdgeAuthScheme`.
        now: Unix seconds to judge at; None is the present.

    Raises:
        VerificationError: the value is not accepted; the subclass says why.
        ConfigurationError: another argument cannot be used.
    """
    scheme = EdgeAuthScheme(
        secrets, max_age=max_age, max_future=max_future, require_pop=require_pop, pops=pops
    )
    # "replace" cannot make a good value of a bad one: the form has no "?".
    raw = value.encode("utf-8", "replace") if isinstance(value, str) else value
    return scheme.verify_value(raw, now=time.time() if now is None else now)

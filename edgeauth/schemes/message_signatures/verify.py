"""Verifies HTTP Message Signatures (RFC 9421) of requests."""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import (  # noqa: TC003 - so that annotations can be read
    Iterable,
    Mapping,
    Sequence,
)
from hmac import compare_digest
from typing import Any, ClassVar, Literal, NamedTuple, Self

from edgeauth.errors import (
    BadSignature,
    NotCovered,
    PastExpires,
    VerificationError,
)
from edgeauth.keys import Key, KeyRing
from edgeauth.private_keys import PrivateKey  # noqa: TC001
from edgeauth.public_keys import PublicKey  # noqa: TC001
from edgeauth.request import Request  # noqa: TC001 - so that annotations can be read
from edgeauth.schemes.base import Outgoing, needed_request, outside_window
from edgeauth.schemes.message_signatures import grammar
from edgeauth.schemes.message_signatures.arguments import (
    COMPONENTS,
    HMAC,
    OPTIONS,
    checked_scheme,
    checked_tag,
    quoted,
    required,
)
from edgeauth.schemes.message_signatures.body import FIELD, body_digest
from edgeauth.schemes.message_signatures.form import INPUT, SIGNATURE, Form, changing, selected
from edgeauth.schemes.message_signatures.sign import MessageSigner
from edgeauth.schemes.options import Option, window
from edgeauth.schemes.sent import with_empty_query
from edgeauth.verdict import NO_CLAIMS, BodyDigest, EdgeIdentity, Once

_new_tuple = tuple.__new__

_BASE64 = re.compile(grammar.BASE64)
_SIGN_MORE = "let the edge sign it, or require less here"

# Forms, and forms that begin alike. An edge has one or two; only what was accepted is kept, so
# without a key nobody can fill this.
_FORMS = 64
_ALIKE = 4


class Verified(NamedTuple):
    """What a signature that was accepted says.

    Attributes:
        identity: who signed, and when.
        covers: of ``method``, ``path``, ``query``, ``host``, ``body``, ``time`` and ``once``:
            what it vouches for. ``body`` only if somebody compares the digest.
        once: what must not be admitted again, the nonce under the id of its key, so that two
            keys cannot spoil each other's; None without a nonce.
        body: the digest that the body must have; None if none is signed.
    """

    identity: EdgeIdentity
    covers: frozenset[str]
    once: Once | None
    body: BodyDigest | None


class MessageSignatureScheme:
    """Verifies a signature over the request itself (RFC 9421), not over a credential alone.

    Args:
        keys: a :class:`KeyRing`, or an iterable of :class:`Key` (HMAC-SHA256),
            :class:`PublicKey` and secrets. A signature names its key by its id.
        components: what must be signed, as in RFC 9421: ``@method``, a field name, or with
            parameters ``"signature-agent";key="agent2"``. More may be signed. None at all
            requires nothing, and is for published examples.
        tag: the ``tag`` of the signature that counts; with None there must be exactly one
            signature, whatever its tag.
        max_age: how many seconds after ``created`` it is accepted, inclusive.
        max_future: how many seconds before ``created``, and after ``expires``, inclusive: the
            difference between the clocks of edge and origin that is tolerated.
        require_nonce: False admits a signature without a nonce. It can be sent again.
        scheme: ``https`` or ``http``, as the edge sees it: the default port of ``@authority``,
            and what ``@scheme`` and ``@target-uri`` are made of.

    Raises:
        ConfigurationError: an argument cannot be used.
    """

    kind: ClassVar[str] = "message-signatures"
    headers = (INPUT, SIGNATURE)
    once = True
    public_keys = True
    OPTIONS: ClassVar[tuple[Option, ...]] = OPTIONS

    def __init__(
        self,
        keys: KeyRing | Iterable[Key | PublicKey | str | bytes],
        *,
        components: Iterable[str] = COMPONENTS,
        tag: str | None = None,
        max_age: float = 60,
        max_future: float = 5,
        require_nonce: bool = True,
        scheme: Literal["https", "http"] = "https",
    ) -> None:
        self.keys = keys if isinstance(keys, KeyRing) else KeyRing(keys)
        self._keys = {key.id.encode(): key for key in self.keys}
        parts = required(components)
        self.components = tuple(part.id.decode() for part in parts)
        self.needs_body = any(part.identity[0] == FIELD for part in parts)
        self._required = {part.identity: part.id for part in parts}
        names = (part.identity[0].decode() for part in parts)
        self.looks_at = tuple(dict.fromkeys(name for name in names if not name.startswith("@")))
        self.tag = tag if tag is None else checked_tag(tag)
        self._tag = None if tag is None else quoted(tag)
        self.max_age = window("max_age", max_age)
        self.max_future = window("max_future", max_future)
        self.require_nonce = require_nonce
        self.scheme = checked_scheme(scheme)
        self._forms: dict[bytes, tuple[Form, ...]] = {}

    @classmethod
    def from_options(cls, keys: KeyRing, options: Mapping[str, Any]) -> Self:
        """The scheme with these keys and these values of ``OPTIONS``.

        Raises:
            ConfigurationError: a value cannot be used.
        """
        given = dict(options)
        return cls(keys, scheme=given.pop("url_scheme"), **given)

    def signer(self, key: Key | PrivateKey) -> MessageSigner:
        """What signs with *key* all that is required here."""
        return MessageSigner(
            key, components=self.components or COMPONENTS, tag=self.tag, scheme=self.scheme
        )

    def credential(
        self,
        *,
        now: float,
        request: Outgoing | None = None,
        key: Key | PrivateKey | None = None,
        **_how: object,
    ) -> Mapping[str, str]:
        """The fields of *request* that is sent at *now* (Unix seconds), signed with a new nonce.

        Where Content-Digest must be signed and is not there yet, it is made of the body, and is
        among the fields.

        Args:
            now: Unix seconds.
            request: what is signed.
            key: what signs; None is the newest secret of the ring.

        Raises:
            ConfigurationError: there is no request, or not all of it that must be signed; or no
                key here signs.
        """
        request = needed_request(request, self.kind)
        signer = self.signer(self.keys.signing_key(now) if key is None else key)
        return signer.credential(request, int(now))

    def verify_signature(self, request: Request, *, now: float) -> Verified:
        """As :meth:`verify`, and say besides what the signature covers.

        Raises:
            VerificationError: as :meth:`verify`.
        """
        identity = self.verify(request, now=now)
        once = identity.once
        covers = identity.covers if once is None else identity.covers | {"once"}
        return Verified(identity, covers, once, identity.body)

    def verify(self, request: Request, *, now: float) -> EdgeIdentity:
        """Verify the signature of *request* at *now* (Unix seconds).

        The checks come in the order of the errors, so that what is forged never learns more.

        Raises:
            MissingHeader: one of the two fields is absent, or no signature has our tag.
            MalformedHeader: not of the form, or outside of the profile (docs/).
            BadSignature: no key that is valid at *now* made it.
            NotCovered: it leaves out what must be signed.
            Expired: older than ``max_age``, or past its own ``expires``.
            NotYetValid: from further ahead than ``max_future``.

        Not checked: whether it was seen before (``once``), and whether the body has the digest
        that is signed (``body``).
        """
        inputs, signatures = request.header(INPUT), request.header(SIGNATURE)
        if len(inputs) == 1 == len(signatures):
            text, received = inputs[0], signatures[0]
            head, _, rest = text.partition(b")")
            for form in self._forms.get(head, ()):
                match = form.pattern.fullmatch(rest)
                if match is None:
                    continue
                values, signed = form.values(match.groups()), text[len(form.label) :]
                try:
                    return self._judge(request, form, values, signed, received, now)
                except VerificationError:
                    # Of a known form, nobody has looked at all of the other field yet.
                    if _in_base64(form, received) is not None:
                        raise
        return self._verify_in_full(request, inputs, signatures, now)

    def _verify_in_full(
        self, request: Request, inputs: Sequence[bytes], signatures: Sequence[bytes], now: float
    ) -> EdgeIdentity:
        found = selected(inputs, signatures, self._tag)
        form = Form(found, self._required, require_nonce=self.require_nonce)
        signed, values = found.signed.text(), changing(found.signed)
        received = form.opening + found.signature + b":"
        identity = self._judge(request, form, values, signed, received, now)
        self._remember(form)
        return identity

    def _judge(  # noqa: PLR0917 - a word for each costs as much as a check
        self,
        request: Request,
        form: Form,
        values: tuple[Any, ...],
        signed: bytes,
        received: bytes,
        now: float,
    ) -> EdgeIdentity:
        created, expires, nonce, key_id = values
        key = self._keys.get(key_id)
        if key is None:
            raise BadSignature("the signature names a key that is not here")
        base = form.base.of(request, signed, self.scheme)
        # Compared as received, never decoded: a second spelling of it is not accepted.
        if not (
            compare_digest(form.opening + b2a_base64(key.mac(base), newline=False) + b":", received)
            if isinstance(key, Key)
            else _verifies(key, _in_base64(form, received), base)
        ):
            other = with_empty_query(request)
            if other is not None and form.base.of(other, signed, self.scheme) != base:
                return self._judge(other, form, values, signed, received, now)
            raise _not_made_by(key)
        if form.algorithm is not None:
            _demand_algorithm(key, form.algorithm)
        if form.missing is not None:
            raise NotCovered(form.missing, hint=_SIGN_MORE)
        signed_at = int(created)
        since = opens = signed_at - self.max_future
        closes = signed_at + self.max_age
        if expires is not None:
            closes = min(closes, int(expires) + self.max_future)
        if key.dated:
            opens, closes = max(opens, key.not_before), min(closes, key.not_after)
        # A clock that is not a number is in no window either.
        if not opens <= now <= closes:
            raise self._outside_window(key, signed_at, expires, now)
        body = self._body(request, form) if form.digests else None
        # A third of the cost of calling the classes, on every request.
        once = None if nonce is None else _new_tuple(Once, (key_id + b":" + nonce, closes, since))
        covers = form.covers
        if body is None and form.digests:
            covers -= {"body"}
        return _new_tuple(
            EdgeIdentity, (signed_at, None, key.id, self.kind, covers, once, body, NO_CLAIMS)
        )

    def _body(self, request: Request, form: Form) -> BodyDigest | None:
        body = body_digest(request, form.digests)
        if body is None and any(name == FIELD for name, _ in self._required):
            raise NotCovered(
                "the signed Content-Digest has neither sha-256 nor sha-512", hint=_SIGN_MORE
            )
        return body

    def _outside_window(
        self, key: Key | PublicKey, signed_at: int, expires: bytes | None, now: float
    ) -> VerificationError:
        identity, age = EdgeIdentity(signed_at, None, key.id, self.kind), now - signed_at
        in_time = key.valid_at(now) and -self.max_future <= age <= self.max_age
        if expires is not None and in_time:
            late = now - int(expires)
            return PastExpires(identity=identity, late=late, limit=self.max_future)
        return outside_window(key, identity, now, max_age=self.max_age, max_future=self.max_future)

    def _remember(self, form: Form) -> None:
        forms = self._forms
        alike = forms.get(form.head, ())
        if any(form.source == known.source for known in alike):
            return
        form.learn()
        if form.head not in forms and len(forms) >= _FORMS:
            forms.clear()
        forms[form.head] = (form, *alike[: _ALIKE - 1])


def _in_base64(form: Form, received: bytes) -> bytes | None:
    """The signature in a value of the field ``Signature``; None if that is not of the form."""
    start = len(form.opening)
    signature = received[start:-1]
    whole = received.startswith(form.opening) and received.endswith(b":", start)
    return signature if whole and _BASE64.fullmatch(signature) else None


def _verifies(key: PublicKey, signature: bytes | None, base: bytes) -> bool:
    if signature is None:
        return False
    try:
        key.verify(a2b_base64(signature), base)
    except BadSignature:
        return False
    return True


def _demand_algorithm(key: Key | PublicKey, named: bytes) -> None:
    has = HMAC if isinstance(key, Key) else key.algorithm
    if named != has.encode():
        raise BadSignature(
            f"the message names another algorithm than key {key.id} has",
            hint="the algorithm belongs to the key: look at alg at the edge",
        )


def _not_made_by(key: Key | PublicKey) -> VerificationError:
    return BadSignature(
        f"key {key.id} did not make this signature of this request",
        hint="does something between edge and origin change the method, Host, path or query? "
        "Is the secret at the edge the same?",
    )

"""Verifies signed tokens, and makes them as the issuer does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping  # noqa: TC003 - so that annotations can be read
from typing import Any, ClassVar, Self

from edgeauth.errors import (
    BadSignature,
    ConfigurationError,
    MalformedHeader,
)
from edgeauth.keys import Key, KeyRing
from edgeauth.private_keys import PrivateKey  # noqa: TC001 - as above
from edgeauth.public_keys import PublicKey  # noqa: TC001
from edgeauth.request import Request  # noqa: TC001
from edgeauth.schemes.base import field_name, not_once
from edgeauth.schemes.options import Option  # noqa: TC001
from edgeauth.schemes.signed_token.algorithms import Algorithm, Candidate
from edgeauth.schemes.signed_token.arguments import (
    CLOUDFLARE_ACCESS,
    GOOGLE_IAP,
    MAX_SKEW,
    NETLIFY,
    OPTIONS,
    from_preset,
    texts,
)
from edgeauth.schemes.signed_token.jwks import public_keys, read_jwks
from edgeauth.schemes.signed_token.rules import Rules
from edgeauth.schemes.signed_token.sign import token
from edgeauth.schemes.signed_token.token import Parts, claims_of, header_of, parts_of
from edgeauth.verdict import NO_CLAIMS, EdgeIdentity

# Headers of one issuer are alike; only those of accepted tokens are kept.
_HEADS = 64

# For how long a token is made that nobody limits.
_FIVE_MINUTES = 300


class SignedTokenScheme:
    """Verifies a signed token (JWT) in a header field.

    Such a token says who signed it, for whom and until when. It says nothing of the request:
    whoever has seen one can send any request with it until it expires.

    Args:
        keys: a :class:`KeyRing`, or keys: secrets for HS256, else public keys. With ``jwks``,
            None.
        header: the field, such as ``X-Nf-Sign``; the value is the bare token.
        algorithm: ``HS256``, ``RS256``, ``ES256`` or ``EdDSA`` (``Ed25519``). What a token says of
            its algorithm must be this.
        issuer: what ``iss`` must be, exactly.
        jwks: the key set of the issuer (RFC 7517) as a JSON object, or the path of a file of one.
            The file is read now; where settings name it, it is watched. A token then must name
            its key by ``kid``.
        audience: a text, or several, of which ``aud`` must have one. With None a token that is
            for an audience is refused (RFC 7519, 4.1.3).
        claims: what other claims must be, by name: a value, or a list of allowed ones.
        max_skew: seconds by which the clocks may differ.
        max_lifetime: seconds from ``iat`` to ``exp`` that a token may have, inclusive; where it
            has no ``iat``, seconds from now. None is no limit.
        identity_claims: claims that the application is told, where they are there and are a short
            text, a number or a truth value; None is ``sub`` and the names in ``claims``.

    Raises:
        ConfigurationError: an argument cannot be used, or PyJWT is not installed.
    """

    kind: ClassVar[str] = "signed-token"
    public_keys = True
    OPTIONS: ClassVar[tuple[Option, ...]] = OPTIONS

    def __init__(
        self,
        keys: KeyRing | Iterable[Key | PublicKey | str | bytes] | None = None,
        *,
        header: str,
        algorithm: str,
        issuer: str,
        jwks: Mapping[str, Any] | str | None = None,
        audience: str | Iterable[str] | None = None,
        claims: Mapping[str, Any] = NO_CLAIMS,
        max_skew: float = MAX_SKEW,
        max_lifetime: float | None = None,
        identity_claims: Iterable[str] | None = None,
    ) -> None:
        self.header = field_name(header)
        self.headers = (self.header,)
        self._algorithm = Algorithm(algorithm)
        self.algorithm = algorithm
        self.algorithm_names = self._algorithm.names
        self.rules = Rules(
            self.kind,
            issuer=issuer,
            audience=audience,
            claims=claims,
            max_skew=max_skew,
            max_lifetime=max_lifetime,
            identity_claims=identity_claims,
        )
        self.claims: Mapping[str, Any] = dict(claims)
        self._by_kid, self._any = self._candidates(keys, jwks)
        self.keys = KeyRing([one.key for one in reversed(self._any)])
        self.must_name_key = jwks is not None
        self._heads: dict[bytes, tuple[Candidate, ...]] = {}

    def _candidates(
        self,
        keys: KeyRing | Iterable[Key | PublicKey | str | bytes] | None,
        jwks: Mapping[str, Any] | str | None,
    ) -> tuple[dict[str, Candidate], tuple[Candidate, ...]]:
        """The keys by the ``kid`` that a token may name, and all, the newest first."""
        if jwks is None:
            if keys is None:
                raise ConfigurationError(
                    "no key: give the keys of the issuer, or its key set in jwks"
                )
            ring = keys if isinstance(keys, KeyRing) else KeyRing(keys)
            made = {key.id: self._algorithm.candidate(key) for key in self._algorithm.fitting(ring)}
        else:
            if keys is not None:
                raise ConfigurationError("both keys and jwks are given: keep one")
            if self._algorithm.kind is None:
                raise ConfigurationError(
                    f"jwks is a set of public keys, and {self.algorithm} is checked with a secret: "
                    "everybody could sign with one of them. Set algorithm to that of the issuer"
                )
            document = read_jwks("jwks", jwks) if isinstance(jwks, str) else jwks
            found = public_keys(document, self._algorithm)
            made = {kid: self._algorithm.candidate(key) for kid, key in found.items()}
        return made, tuple(made.values())[::-1]

    @classmethod
    def netlify(
        cls,
        keys: KeyRing | Iterable[Key | str | bytes],
        *,
        netlify_id: str | Iterable[str] | None = None,
        site_url: str | Iterable[str] | None = None,
        deploy_context: str | Iterable[str] | None = "production",
        **more: Any,  # noqa: ANN401 - as the class takes them
    ) -> Self:
        """The scheme of Netlify's signed proxy redirects, ``x-nf-sign``.

        Args:
            keys: the secret that the variable has which ``signed`` names.
            netlify_id: the ids of the sites that may ask, or None for any with the secret.
            site_url: their URLs, or None.
            deploy_context: such as ``production``. None is any: a deploy preview of anybody's pull
                request too.
            more: other arguments of the class, which win.
        """
        pinned = {
            "netlify_id": netlify_id,
            "site_url": site_url,
            "deploy_context": deploy_context,
        }
        claims: dict[str, Any] = {
            name: sorted(texts(name, value)) for name, value in pinned.items() if value is not None
        }
        claims |= more.pop("claims", {})
        whole = from_preset(NETLIFY, more)
        return cls(keys, **{**whole, "claims": claims})

    @classmethod
    def cloudflare_access(
        cls,
        team: str | None = None,
        *,
        audience: str | Iterable[str] | None = None,
        jwks: Mapping[str, Any] | str | None = None,
        **more: Any,  # noqa: ANN401 - as above
    ) -> Self:
        """The scheme of Cloudflare Access, ``Cf-Access-Jwt-Assertion``.

        Args:
            team: the name of the team, as in ``https://<team>.cloudflareaccess.com``; or give that
                URL as ``issuer``.
            audience: the audience tag (AUD) of the application, or those of several.
            jwks: what the team publishes at ``/cdn-cgi/access/certs``.
            more: other arguments of the class, which win.
        """
        issuer = None if team is None else f"https://{team}.cloudflareaccess.com"
        given = {"issuer": issuer, "audience": audience, "jwks": jwks, **more}
        return cls(**from_preset(CLOUDFLARE_ACCESS, given))

    @classmethod
    def google_iap(
        cls,
        *,
        audience: str | Iterable[str] | None = None,
        jwks: Mapping[str, Any] | str | None = None,
        **more: Any,  # noqa: ANN401 - as above
    ) -> Self:
        """The scheme of Google's Identity-Aware Proxy, ``X-Goog-Iap-Jwt-Assertion``.

        Args:
            audience: ``/projects/<number>/global/backendServices/<id>`` or
                ``/projects/<number>/apps/<id>``.
            jwks: what is published at ``https://www.gstatic.com/iap/verify/public_key-jwk``.
            more: other arguments of the class, which win.
        """
        return cls(**from_preset(GOOGLE_IAP, {"audience": audience, "jwks": jwks, **more}))

    @staticmethod
    def needs_keys(options: Mapping[str, Any]) -> bool:
        """Whether settings must name keys: not where they name a key set."""
        return options["jwks"] is None

    @classmethod
    def from_options(cls, keys: KeyRing | None, options: Mapping[str, Any]) -> Self:
        """The scheme with these keys and these values of ``OPTIONS``.

        Raises:
            ConfigurationError: a value cannot be used.
        """
        given = dict(options)
        return cls(keys, **from_preset(given.pop("preset"), given))

    def credential(
        self,
        *,
        now: float,
        key: Key | PrivateKey | None = None,
        claims: Mapping[str, Any] = NO_CLAIMS,
        lifetime: int | None = None,
        **_how: object,
    ) -> Mapping[str, str]:
        """The field of a request that is sent at *now* (Unix seconds), with a token of now.

        Args:
            now: Unix seconds.
            key: what signs; None is the newest secret of the ring.
            claims: what the token says beside, or instead of, what is required here; None for a
                claim leaves it out.
            lifetime: seconds until it expires; None is five minutes, or what is allowed.

        Raises:
            ConfigurationError: no key here signs, or *key* is for another algorithm.
        """
        signer = self.keys.signing_key(now) if key is None else key
        self._demand_signer(signer)
        header = {"alg": self.algorithm_names[0], "typ": "JWT"}
        if not isinstance(signer, Key):
            header["kid"] = self._kid_of(signer.id)
        said = {**self.claims_at(now, lifetime), **claims}
        said = {name: value for name, value in said.items() if value is not None}
        return {self.header: token(signer, header, said)}

    def _demand_signer(self, key: Key | PrivateKey) -> None:
        has = None if isinstance(key, Key) else key.algorithm
        if has != self._algorithm.kind:
            raise ConfigurationError(
                f"key {key.id!r} is {f'for {has}' if has else 'a secret'}, and the tokens here are "
                f"signed with {self.algorithm} ({self._algorithm.kind or 'a secret'}): give the "
                "key of the issuer, and its algorithm"
            )

    def claims_at(self, now: float, lifetime: int | None = None) -> dict[str, Any]:
        """What a token that is accepted says, issued at *now* (Unix seconds).

        Of several values that are allowed it has the first.
        """
        length = min(_FIVE_MINUTES, int(self.rules.max_lifetime or _FIVE_MINUTES))
        said: dict[str, Any] = {
            **{name: next(iter(_listed(value))) for name, value in self.claims.items()},
            "iss": self.rules.issuer,
            "iat": int(now),
            "exp": int(now) + (length if lifetime is None else lifetime),
        }
        if self.rules.audience is not None:
            said["aud"] = min(self.rules.audience)
        return said

    def _kid_of(self, key_id: str) -> str:
        return next((kid for kid, one in self._by_kid.items() if one.key.id == key_id), key_id)

    @property
    def kids(self) -> tuple[str, ...]:
        """By what a token can name the keys, oldest to newest."""
        return tuple(self._by_kid)

    def signer_of(self, parts: Parts) -> Key | PublicKey | None:
        """The key here that signed *parts*, whatever they say of it; None where none did."""
        made = (key for key, made in self._any if made(parts.signed, parts.signature))
        return next(made, None)

    def verify(self, request: Request, *, now: float) -> EdgeIdentity:
        """Verify the token of *request* at *now* (Unix seconds).

        Raises:
            VerificationError: as :meth:`verify_value`; and
            MissingHeader: the field is absent.
            MalformedHeader: it is there more than once.
        """
        values = request.header(self.header)
        if len(values) != 1:
            raise not_once(values, self.header)
        return self.verify_value(values[0], now=now)

    def verify_value(self, value: bytes, *, now: float) -> EdgeIdentity:
        """Verify one token at *now* (Unix seconds).

        The checks come in the order of the errors, so that what is forged never learns more.

        Raises:
            MalformedHeader: it has not the form of a token.
            BadSignature: no key that is valid at *now* made it with the algorithm of the settings.
            MalformedHeader: its claims are no JSON object, or a time in it is no number.
            ClaimRefused: issuer, audience or another claim is not what is required; it never
                expires, or lives too long.
            Expired: it is past its ``exp``.
            NotYetValid: its ``iat`` or ``nbf`` is ahead.
        """
        parts = parts_of(value)
        known = self._heads.get(parts.head)
        candidates = self._named(parts.head) if known is None else known
        for key, made in candidates:
            if made(parts.signed, parts.signature) and key.valid_at(now):
                break
        else:
            raise BadSignature(
                "no key that is valid now made the signature of the token",
                hint="is the key here that of the issuer, and the newest one?",
            )
        claims = claims_of(parts.payload)
        if known is None:
            self._remember(parts.head, candidates)
        return self.rules.judge(claims, key.id, now=now)

    def _named(self, head: bytes) -> tuple[Candidate, ...]:
        """The keys that may have signed a token with the header *head*."""
        header = header_of(head)
        if header.get("alg") not in self.algorithm_names:
            raise BadSignature(
                f"the token is not signed with {self.algorithm}",
                hint="algorithm here must be the one that the issuer signs with",
            )
        # What must be understood and is not (RFC 7515, 4.1.11); b64 changes what is signed.
        if "crit" in header or "b64" in header:
            raise MalformedHeader("the token needs extensions (crit, b64), and there are none here")
        if "kid" not in header:
            if self.must_name_key:
                raise BadSignature("the token names no key, and there is a set of them")
            return self._any
        kid = header["kid"]
        found = self._by_kid.get(kid) if isinstance(kid, str) else None
        if found is None:
            raise BadSignature(
                "the token names a key that is not here",
                hint="has the issuer a new one? edgeauth jwks update fetches its key set",
            )
        return (found,)

    def _remember(self, head: bytes, candidates: tuple[Candidate, ...]) -> None:
        if len(self._heads) >= _HEADS:
            self._heads.clear()
        self._heads[head] = candidates


def _listed(value: Any) -> Iterable[Any]:  # noqa: ANN401 - as claims are given
    return (value,) if isinstance(value, (str, int)) else value

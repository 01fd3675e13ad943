"""What there is to set of a signed token, and what each vendor's token is like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from edgeauth.errors import ConfigurationError
from edgeauth.schemes.options import (
    FileOf,
    Option,
    read_list,
    read_number,
    read_one_of,
    read_text,
    window,
    wrong_value,
)
from edgeauth.schemes.signed_token.algorithms import ALGORITHMS
from edgeauth.schemes.signed_token.jwks import described, document_of, read_jwks

Allowed = str | int | bool
Claims = Mapping[str, frozenset[tuple[type, Allowed]]]

MAX_SKEW = 5
NETLIFY, CLOUDFLARE_ACCESS, GOOGLE_IAP = "netlify", "cloudflare-access", "google-iap"

#: What is known of each vendor's token, by the names of the arguments.
PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        NETLIFY: {
            "header": "X-Nf-Sign",
            "algorithm": "HS256",
            "issuer": "netlify",
            # It signs for five minutes.
            "max_lifetime": 600,
            # Whoever opens a pull request has a deploy preview, which signs with the same secret.
            "claims": {"deploy_context": "production"},
            "identity_claims": ("site_url", "netlify_id", "deploy_context"),
        },
        CLOUDFLARE_ACCESS: {
            "header": "Cf-Access-Jwt-Assertion",
            "algorithm": "RS256",
            # "org" is the session with the team, and good for no application.
            "claims": {"type": "app"},
            "identity_claims": ("sub", "email", "country", "common_name"),
        },
        GOOGLE_IAP: {
            "header": "X-Goog-Iap-Jwt-Assertion",
            "algorithm": "ES256",
            "issuer": "https://cloud.google.com/iap",
            # Google's page: ten minutes, 30 s of skew, and twice that on top of the lifetime.
            "max_skew": 30,
            "max_lifetime": 660,
            "identity_claims": ("sub", "email", "hd"),
        },
    }
)

#: Where the issuer of a preset publishes its key set, by the preset.
PUBLISHED: Mapping[str, str] = MappingProxyType(
    {
        CLOUDFLARE_ACCESS: "{issuer}/cdn-cgi/access/certs",
        GOOGLE_IAP: "https://www.gstatic.com/iap/verify/public_key-jwk",
    }
)
_NEED_AUDIENCE = (CLOUDFLARE_ACCESS, GOOGLE_IAP)


def from_preset(preset: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the scheme: as *given*, where that is not None, or as the preset says.

    Required claims are put together; what is given wins, claim by claim.

    Raises:
        ConfigurationError: what the preset cannot know is missing.
    """
    known = PRESETS[preset] if preset is not None else {}
    whole = {**known, **{name: value for name, value in given.items() if value is not None}}
    whole["claims"] = {**known.get("claims", {}), **(given.get("claims") or {})}
    if preset == CLOUDFLARE_ACCESS and "issuer" not in whole:
        raise ConfigurationError(
            "issuer is missing: for Cloudflare Access write https://<team>.cloudflareaccess.com"
        )
    if preset in _NEED_AUDIENCE and not whole.get("audience"):
        raise ConfigurationError(
            "audience is missing: without it a token for any other application of the same "
            "account would be accepted"
        )
    for name in ("header", "algorithm", "issuer"):
        if name not in whole:
            raise ConfigurationError(
                f"{name} is missing: the scheme signed-token needs header, algorithm and issuer, "
                f"or a preset ({', '.join(PRESETS)})"
            )
    return whole


def texts(name: str, value: object) -> frozenset[str]:
    """One text, or a list of them; *name* is that of the argument.

    Raises:
        ConfigurationError: it is neither, or there is none in it.
    """
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, Iterable) or isinstance(found, (bytes, Mapping)):
        wrong_value(name, value, "a text, or a list of texts")
    each = list(found)
    if not each or not all(isinstance(one, str) and one for one in each):
        wrong_value(name, value, "a text, or a list of texts, that is not empty")
    return frozenset(each)


def texts_in_order(value: object) -> tuple[str, ...]:
    """The names of ``identity_claims``.

    Raises:
        ConfigurationError: they are no list of texts.
    """
    return () if value == () else tuple(read_list("identity_claims", value))


def required_claims(claims: object) -> Claims:
    """What each claim may be, by its name: a value, or one of a list.

    A number is no truth value here, as in JSON.

    Raises:
        ConfigurationError: it is no mapping, or a value is of another kind.
    """
    if not isinstance(claims, Mapping):
        wrong_value("claims", claims, "a mapping of names to a value, or to a list of them")
    found = {}
    for name, value in claims.items():
        allowed = [value] if isinstance(value, (str, int)) else value
        if (
            not isinstance(name, str)
            or not isinstance(allowed, (list, tuple, set, frozenset))
            or not allowed
            or not all(isinstance(one, (str, int)) for one in allowed)
        ):
            wrong_value(f"claims.{name}", value, "a text, a number, true, false, or a list of them")
        found[name] = frozenset((type(one), one) for one in allowed)
    return found


def _read_claims(label: str, value: object) -> dict[str, Any]:
    """A mapping; or, as a variable has it, ``name=value`` with commas, a name once or more."""
    if isinstance(value, Mapping):
        required_claims(value)
        return dict(value)
    found: dict[str, Any] = {}
    for item in read_list(label, value):
        name, equals, text = item.partition("=")
        if not name or not equals or not text:
            wrong_value(label, value, "a table, or name=value with commas")
        found.setdefault(name, []).append(text)
    return found


def _read_jwks(label: str, value: object) -> str | dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    text = read_text(label, value)
    return document_of(text, label) if text.lstrip().startswith("{") else text


def _show_jwks(value: Any) -> str:  # noqa: ANN401 - a path, or a document
    return value if isinstance(value, str) else "a key set"


def _check_claims(_name: str, value: Any) -> None:  # noqa: ANN401
    if value is not None:
        required_claims(value)


def _check_seconds(name: str, value: Any) -> None:  # noqa: ANN401
    if value is not None:
        window(name, value)


#: What there is to set. None is what the preset says.
OPTIONS = (
    Option("preset", read_one_of(*PRESETS), None, "`netlify`, `cloudflare-access`, `google-iap`"),
    Option("header", read_text, None, "the header field; by default that of the preset"),
    Option(
        "algorithm",
        read_one_of(*ALGORITHMS),
        None,
        "`HS256`, `RS256`, `ES256` or `EdDSA`: what the issuer signs with",
    ),
    Option("issuer", read_text, None, "what `iss` must be, exactly"),
    Option("audience", read_list, None, "list of which `aud` must have one"),
    Option(
        "claims",
        _read_claims,
        None,
        "a table of what other claims must be: a value, or a list of allowed ones",
        check=_check_claims,
    ),
    Option(
        "jwks",
        _read_jwks,
        None,
        "the public keys of the issuer: a file of a JSON key set, which is watched",
        show=_show_jwks,
        file=FileOf(read_jwks, described),
    ),
    Option(
        "max_skew",
        read_number("seconds"),
        None,
        f"seconds by which clocks may differ; {MAX_SKEW}, or as the preset says",
        check=_check_seconds,
    ),
    Option(
        "max_lifetime",
        read_number("seconds"),
        None,
        "seconds from `iat` to `exp` that a token may have",
        check=_check_seconds,
    ),
    Option("identity_claims", read_list, None, "claims that the application is told"),
)

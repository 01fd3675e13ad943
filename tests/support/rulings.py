"""The package set up by the oracle's rules, and its answers in the oracle's words."""

from __future__ import annotations

import math

import edgeauth
from support.oracle import Identity, Rules, Ruling, Secret


def scheme_of(rules: Rules) -> edgeauth.EdgeAuthScheme | edgeauth.SharedSecretScheme:
    """The scheme that decides by *rules*."""
    keys = [_key(secret) for secret in rules.secrets]
    if rules.scheme == "shared-secret":
        return edgeauth.SharedSecretScheme(keys)
    return edgeauth.EdgeAuthScheme(
        keys,
        max_age=rules.max_age,
        max_future=rules.max_future,
        require_pop=rules.require_pop,
        pops=rules.pops,
    )


def ruling_of(
    scheme: edgeauth.EdgeAuthScheme | edgeauth.SharedSecretScheme, value: bytes, now: float
) -> Ruling:
    """What *scheme* decides about one header value."""
    try:
        identity = scheme.verify_value(value, now=now)
    except edgeauth.VerificationError as error:
        return Ruling(error.reason)
    return Ruling("ok", Identity.of(identity))


def _key(secret: Secret) -> edgeauth.Key:
    return edgeauth.Key(
        secret.id,
        secret.value,
        not_before=None if secret.not_before == -math.inf else secret.not_before,
        not_after=None if secret.not_after == math.inf else secret.not_after,
    )

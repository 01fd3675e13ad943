"""The few sets of rules that requests are judged by, as the oracle and as the guard read them."""

from __future__ import annotations

import json
import math
from typing import Any

from support.oracle import Rules, Secret
from support.vectors import NOW, PASS_SECRET
from support.vectors import OLDER_VECTOR_SECRET as OLDER_SECRET
from support.vectors import VECTOR_SECRET as SECRET

_EDGE = ("192.0.2.0/24", "2001:db8::/32")
_HERE = ("127.0.0.0/8",)
_ONE = (Secret("key-1", SECRET.encode()),)
_TWO = (
    Secret("older", OLDER_SECRET.encode(), NOW - 100, NOW - 10),
    Secret("newer", SECRET.encode(), NOW - 30),
)
EXEMPT = ("GET /healthz", "GET /mounted/healthz", "HEAD /healthz", "GET /caf\u00e9/x")

# What a request without the header that names its rules is judged by.
BY_DEFAULT = Rules(secrets=_ONE, now=NOW)

PROFILES = [
    Rules(secrets=_ONE, now=NOW, exempt=EXEMPT),
    Rules(secrets=_ONE, now=NOW, exempt=EXEMPT, pass_secret=PASS_SECRET.encode()),
    Rules(secrets=_TWO, now=NOW, require_pop=False, pops=None, exempt=EXEMPT),
    Rules(secrets=_TWO, now=NOW - 20, pops=("XXX", "AMS"), max_age=20, max_future=0),
    Rules(secrets=_ONE, now=NOW, addresses=_EDGE, trusted_proxies=_HERE, exempt=EXEMPT),
    Rules(
        secrets=_ONE,
        now=NOW,
        addresses=_EDGE,
        trusted_proxies=(*_HERE, "198.51.100.0/24"),
        pass_secret=PASS_SECRET.encode(),
    ),
    Rules(secrets=_TWO, now=NOW, scheme="shared-secret", exempt=EXEMPT),
    Rules(secrets=_ONE, now=NOW, mode="report-only", exempt=EXEMPT),
]


def judge_line(rules: Rules) -> bytes:
    """The header line by which a JudgedGuard decides as *rules* say."""
    options: dict[str, Any] = {"now": rules.now, "secrets": [_key(s) for s in rules.secrets]}
    if rules.scheme == "edge-auth":
        options["max_age"], options["max_future"] = rules.max_age, rules.max_future
        options["require_pop"] = rules.require_pop
        if rules.pops is not None:
            options["pops"] = rules.pops
    else:
        options["scheme"] = rules.scheme
    if rules.addresses is not None:
        options["addresses"], options["trusted_proxies"] = rules.addresses, rules.trusted_proxies
    options |= {"exempt": rules.exempt, "mode": rules.mode, "passes": bool(rules.pass_secret)}
    options["mount_points"] = ["/", "/mounted"]
    return b"Test-Judge: " + json.dumps(options).encode()


def _key(secret: Secret) -> dict[str, Any]:
    key: dict[str, Any] = {"id": secret.id, "secret": secret.value.decode()}
    if secret.not_before > -math.inf:
        key["not_before"] = secret.not_before
    if secret.not_after < math.inf:
        key["not_after"] = secret.not_after
    return key


_BY_LINE = {judge_line(rules).partition(b": ")[2]: rules for rules in PROFILES}


def rules_of(judge_values: list[bytes]) -> Rules:
    """The rules that a request with these values of Test-Judge names.

    Raises:
        LookupError: it names none that are here: something got into the line.
    """
    if not judge_values:
        return BY_DEFAULT
    (value,) = judge_values
    return _BY_LINE[value]

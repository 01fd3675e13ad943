"""What must come of a request, written a second time, as plainly as the wire format is.

Shares no code with the package and imports nothing of it: regular expressions, ``hmac`` and
``ipaddress``. Slow and simple, so that it can be read against the description of the format;
wherever the two disagree, one of them is wrong.
"""

from __future__ import annotations

import hmac
import json
import math
import re
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, NamedTuple

_FORM = re.compile(
    rb"(?P<signed>(?P<timestamp>[1-9][0-9]{0,11})(,(?P<pop>[A-Za-z0-9-]{1,16}))?),[ ]?"
    rb"(?P<signature>0x[0-9a-f]{64}|[0-9a-f]{64}|[A-Za-z0-9+/]{43}=)"
)
_PASS = re.compile(rb"(?P<payload>[A-Za-z0-9_-]{1,2000})\.(?P<signature>[A-Za-z0-9_-]{43})")


ADMITTING = frozenset({"ok", "exempt", "pass"})


class Secret(NamedTuple):
    """A key: its id, its bytes, and the first and last moment at which it is valid."""

    id: str
    value: bytes
    not_before: float = -math.inf
    not_after: float = math.inf


class Identity(NamedTuple):
    timestamp: int | None
    pop: str | None
    key_id: str

    @classmethod
    def of(cls, identity: Any) -> Identity | None:
        """The same of an EdgeIdentity, or None."""
        if identity is None:
            return None
        return cls(identity.timestamp, identity.pop, identity.key_id)


class Ruling(NamedTuple):
    """What must be decided: a reason code, and who sent what is accepted."""

    reason: str
    identity: Identity | None = None
    holder: str | None = None


@dataclass(frozen=True)
class Rules:
    """By what is judged. The names are those of the settings."""

    secrets: tuple[Secret, ...]
    now: float
    scheme: str = "edge-auth"
    max_age: float = 60
    max_future: float = 5
    require_pop: bool = True
    pops: tuple[str, ...] | None = None
    exempt: tuple[str, ...] = ()
    addresses: tuple[str, ...] | None = None
    trusted_proxies: tuple[str, ...] = ()
    mode: str = "enforce"
    pass_secret: bytes | None = None

    def lets_in(self, ruling: Ruling) -> bool:
        return self.mode == "report-only" or ruling.reason in ADMITTING


@dataclass(frozen=True)
class Handed:
    """A request as a server hands it on: what a decision may depend on.

    Attributes:
        method: as in the request line.
        path: as an application routes it.
        credentials: the values of Edge-Auth, in order.
        passes: the values of Edge-Auth-Pass.
        forwarded: the values of X-Forwarded-For.
        peer: the address at the other end of the connection.
        names: the names of all fields in lower case, with dashes.
    """

    method: str
    path: str
    credentials: tuple[bytes, ...] = ()
    passes: tuple[bytes, ...] = ()
    forwarded: tuple[bytes, ...] = ()
    peer: str | None = "127.0.0.1"
    names: frozenset[str] = field(default=frozenset(), compare=False)


def rule(request: Handed, rules: Rules) -> Ruling:
    """Exemption, pass, address, credential, in this order."""
    if f"{request.method} {request.path}" in rules.exempt:
        return Ruling("exempt")
    if rules.pass_secret is not None and len(request.passes) == 1:
        holder = pass_holder(request.passes[0], request, rules)
        if holder is not None:
            return Ruling("pass", holder=holder)
    if rules.addresses is not None:
        address = client_address(request, rules.trusted_proxies)
        if address is None or not _among(address, rules.addresses):
            return Ruling("address")
    if len(request.credentials) != 1:
        return Ruling("malformed" if request.credentials else "missing")
    return rule_value(request.credentials[0], rules)


def rule_value(value: bytes, rules: Rules) -> Ruling:
    """What must be decided about one header value."""
    if rules.scheme == "shared-secret":
        by = [key for key in _valid(rules) if value == key.value]
        return Ruling("ok", Identity(None, None, by[0].id)) if by else Ruling("bad-signature")
    form = _FORM.fullmatch(value)
    if form is None or (form["pop"] is None and rules.require_pop):
        return Ruling("malformed")
    by = [key for key in _valid(rules) if form["signature"] in _spellings(key, form["signed"])]
    if not by:
        return Ruling("bad-signature")
    age = rules.now - int(form["timestamp"])
    if not -rules.max_future <= age <= rules.max_age:
        return Ruling("expired" if age > 0 else "future")
    pop = None if form["pop"] is None else form["pop"].decode()
    if rules.pops is not None and pop not in rules.pops:
        return Ruling("pop")
    return Ruling("ok", Identity(int(form["timestamp"]), pop, by[0].id))


def make_value(
    secret: bytes, signed: bytes, *, prefix: bytes = b"0x", encoding: str = "hex"
) -> bytes:
    """The value that a sender makes of *signed*: VCL's, or another's by *prefix* and *encoding*."""
    mac = hmac.digest(secret, signed, "sha256")
    signature = mac.hex().encode() if encoding == "hex" else b64encode(mac)
    return signed + b"," + prefix + signature


def make_pass(secret: bytes, content: dict[str, object]) -> bytes:
    """A pass that says *content*."""
    payload = urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=")
    return payload + b"." + _pass_signature(secret, payload)


def pass_holder(value: bytes, request: Handed, rules: Rules) -> str | None:
    """Whom a pass that is good for *request* was issued for; None if it is not good."""
    form = _PASS.fullmatch(value)
    if form is None or form["signature"] != _pass_signature(
        rules.pass_secret or b"", form["payload"]
    ):
        return None
    # It is authentic, so it is one that a test made: its content has the right shape.
    content = json.loads(urlsafe_b64decode(form["payload"] + b"=" * (-len(form["payload"]) % 4)))
    if not content["iat"] - 60 <= rules.now <= content["exp"]:
        return None
    if content["methods"] and request.method not in content["methods"]:
        return None
    if content["paths"] and request.path not in content["paths"]:
        return None
    return content["for"]


def client_address(request: Handed, trusted: tuple[str, ...]) -> IPv4Address | IPv6Address | None:
    """The nearest address that is no trusted proxy, from the right; None if there is none."""
    if request.peer is None:
        return None
    address = ip_address(request.peer)
    hops = [entry for value in request.forwarded for entry in value.split(b",")]
    # One of several fields may be a trailer of a chunked body: then none is believed.
    chunked = "transfer-encoding" in request.names
    if chunked and len(request.forwarded) > 1 and _among(address, trusted):
        return None
    while _among(address, trusted) and hops:
        found = parse_hop(hops.pop())
        if found is None:
            return None
        address = found
    return address


def parse_hop(entry: bytes) -> IPv4Address | IPv6Address | None:
    """An entry of X-Forwarded-For: an address, with a port or in brackets."""
    text = entry.strip(b" \t").decode("latin-1")
    bracketed = re.fullmatch(r"\[([^]]*)\](:.*)?", text, re.DOTALL)
    if bracketed:
        text = bracketed[1]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    if "%" in text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _valid(rules: Rules) -> list[Secret]:
    return [key for key in rules.secrets if key.not_before <= rules.now <= key.not_after]


def _spellings(key: Secret, signed: bytes) -> tuple[bytes, ...]:
    mac = hmac.digest(key.value, signed, "sha256")
    return mac.hex().encode(), b"0x" + mac.hex().encode(), b64encode(mac)


def _among(address: IPv4Address | IPv6Address, networks: tuple[str, ...]) -> bool:
    return any(address in ip_network(network) for network in networks)


def _pass_signature(secret: bytes, payload: bytes) -> bytes:
    key = hmac.digest(secret, b"edgeauth.pass", "sha256")
    return urlsafe_b64encode(hmac.digest(key, payload, "sha256")).rstrip(b"=")

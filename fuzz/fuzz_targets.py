"""What is fuzzed: a function a target, which raises when a promise is broken.

Each takes arbitrary bytes. The errors that a target may end in are part of the promise;
anything else is a finding.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import edgeauth
from edgeauth.forwarded import TrustedProxies

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "an-example-secret-of-32-bytes-ok"
NOW = 1_700_000_000

_SCHEME = edgeauth.EdgeAuthScheme([SECRET], require_pop=False)
_GUARD = edgeauth.Guard(
    edgeauth.EdgeAuthScheme([SECRET]),
    addresses=edgeauth.AddressList.fastly(),
    trusted_proxies=["10.0.0.0/8"],
)
_PROXIES = TrustedProxies(["10.0.0.0/8"])
_FORM = re.compile(
    rb"(?P<timestamp>[1-9][0-9]{0,11})(?:,[A-Za-z0-9-]{1,16})?,[ ]?"
    rb"(?:(?:0x)?(?P<hex>[0-9a-f]{64})|(?P<base64>[A-Za-z0-9+/]{43}=))"
)


def header(data: bytes) -> None:
    """The scheme accepts what an oracle written from the grammar accepts, and nothing else.

    A fuzzer finds no signatures, so the byte 0x01 stands for the right one in hex and 0x02
    for the right one in base64.
    """
    signed = data.replace(b"\x01", b"").replace(b"\x02", b"").rpartition(b",")[0]
    mac = hmac.digest(SECRET.encode(), signed, "sha256")
    value = data.replace(b"\x01", mac.hex().encode()).replace(b"\x02", base64.b64encode(mac))
    try:
        identity = _SCHEME.verify_value(value, now=NOW)
    except edgeauth.MalformedHeader:
        outcome = "malformed"
    except edgeauth.BadSignature:
        outcome = "bad-signature"
    except edgeauth.VerificationError as error:
        outcome = error.reason
    else:
        outcome = "ok"
        assert -5 <= NOW - (identity.timestamp or 0) <= 60  # noqa: PLR2004
    assert outcome == _oracle(value), (value, outcome, _oracle(value))


def _oracle(value: bytes) -> str:
    form = _FORM.fullmatch(value)
    if form is None:
        return "malformed"
    mac = hmac.digest(SECRET.encode(), value.rpartition(b",")[0], "sha256")
    if (form["hex"] or form["base64"]) not in (mac.hex().encode(), base64.b64encode(mac)):
        return "bad-signature"
    age = NOW - int(form["timestamp"])
    return "expired" if age > 60 else "future" if age < -5 else "ok"  # noqa: PLR2004


def forwarded(data: bytes) -> None:
    """Any X-Forwarded-For gives an address or a refusal, and so does the guard."""
    request = _Request(data.split(b"\n"))
    with contextlib.suppress(edgeauth.AddressNotAllowed):
        address = _PROXIES.client_address(request)
        assert address.isprintable()
    assert _GUARD.check(request, now=NOW).reason in ("address", "missing")


@dataclass
class _Request:
    values: list[bytes]
    method: str = "GET"
    path: str = "/"
    target: bytes | None = None
    host: bytes | None = None
    peer: str | None = "10.0.0.1"

    def header(self, name: str) -> list[bytes]:
        return self.values if name == "X-Forwarded-For" else []


def settings(data: bytes) -> None:
    """Any TOML file makes a guard or a ConfigurationError."""
    with contextlib.suppress(edgeauth.ConfigurationError), _file(data) as path:
        edgeauth.Guard.from_settings(edgeauth.Settings.from_toml(path))


def secrets(data: bytes) -> None:
    """Any secrets file makes a ring or a ConfigurationError that does not show a secret."""
    with _file(data) as path:
        try:
            shown = repr(edgeauth.KeyRing.from_file(path))
        except edgeauth.ConfigurationError as error:
            shown = str(error)
        assert SECRET not in shown


def addresses(data: bytes) -> None:
    """Any address list is one or a ConfigurationError, and never admits everybody."""
    with contextlib.suppress(edgeauth.ConfigurationError), _file(data) as path:
        found = edgeauth.AddressList.from_file(path)
        assert len(found) > 0
        assert not ("0.0.0.0" in found and "255.255.255.255" in found and len(found) == 1)  # noqa: S104


@contextlib.contextmanager
def _file(data: bytes):  # noqa: ANN202
    descriptor, path = tempfile.mkstemp()
    try:
        os.write(descriptor, data)
        os.close(descriptor)
        yield path
    finally:
        Path(path).unlink()


TARGETS: dict[str, Callable[[bytes], None]] = {
    function.__name__: function for function in (header, forwarded, settings, secrets, addresses)
}

"""Passes: a person reaches the origin directly for a while, without the edge's secret.

::

    Edge-Auth-Pass: <payload>.<signature>

The payload is JSON in URL-safe base64: an id, the holder, the seconds of issue and expiry,
and, where the pass is narrowed, the methods and exact paths. The signature is itsdangerous'
HMAC-SHA256 under a secret and a salt that nothing else uses.

A pass is a bearer token: whoever sees it can use it until it expires. It is not bound to an
address, and a request with it may be repeated.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets as random
import time
from collections.abc import Iterable  # noqa: TC003 - so that annotations can be read
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from edgeauth.errors import ConfigurationError, PassNotAccepted, seconds
from edgeauth.exemptions import MountPoints, is_exact_path, is_method
from edgeauth.keys import Key
from edgeauth.named_key import KEY_ID
from edgeauth.request import Request, route_method
from edgeauth.text_files import is_entry, read_small_file
from edgeauth.verdict import Pass

if TYPE_CHECKING:
    import os

HEADER = "Edge-Auth-Pass"

MAX_TTL = 24 * 3600
# How far the clock of whoever issues passes may be ahead.
_MAX_FUTURE = 60

_MAX_BYTES = 2048
_AT_THE_ROOT = MountPoints()
_FORM = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})")
_FIELDS = {"id": str, "for": str, "iat": int, "exp": int, "methods": list, "paths": list}


class Passes:
    """Issues and verifies passes.

    Args:
        secret: 16 to 1024 bytes, used for nothing else. Changing it revokes every pass.
        revoked: ids of passes that are no longer accepted.

    Attributes:
        secret: its bytes.
        revoked: the ids.

    Raises:
        ConfigurationError: the secret cannot be used, or an id is none.
    """

    def __init__(self, secret: str | bytes, *, revoked: Iterable[str] = ()) -> None:
        if isinstance(revoked, (str, bytes)):
            raise ConfigurationError(f"revoked_passes must be a list of ids, not {revoked!r}")
        self.revoked = frozenset(_name("revoked_passes", entry) for entry in revoked)
        # Signer takes any secret, so Key says which are none.
        self.secret = Key("pass_secret", secret).secret
        self._signer = Signer(
            self.secret,
            salt=b"edgeauth.pass",
            key_derivation="hmac",
            digest_method=hashlib.sha256,
        )

    def __repr__(self) -> str:
        return f"<Passes, {len(self.revoked)} revoked>"

    def issue(
        self,
        holder: str,
        *,
        ttl: float,
        methods: Iterable[str] = (),
        paths: Iterable[str] = (),
        now: float | None = None,
    ) -> tuple[str, Pass]:
        """Make a pass: the value of its header, and what it says.

        Args:
            holder: 1 to 64 letters, digits, dots, dashes or underscores, for the log.
            ttl: seconds for which it is accepted, 1 to 86400.
            methods: the methods it is good for; none names any.
            paths: the exact paths as in the URL, with the mount point; none names any.
            now: Unix seconds of issue; None is the present.

        Raises:
            ConfigurationError: an argument cannot be used, or the pass is too long.
        """
        if not 1 <= ttl <= MAX_TTL:
            raise ConfigurationError(
                f"a pass must be good for 1 second to {MAX_TTL} seconds (a day), not {ttl!r}"
            )
        issued_at = int(time.time() if now is None else now)
        issued = Pass(
            random.token_hex(8),
            _name("the holder of a pass", holder),
            issued_at,
            issued_at + int(ttl),
            tuple(_method(method) for method in methods),
            tuple(_path(path) for path in paths),
        )
        content = dict(zip(_FIELDS, issued, strict=True))
        payload = base64_encode(json.dumps(content, separators=(",", ":")))
        value = payload + b"." + self._signer.get_signature(payload)
        if len(value) > _MAX_BYTES:
            raise ConfigurationError(
                f"the pass has {len(value)} bytes; it may have {_MAX_BYTES}: name fewer paths"
            )
        return value.decode(), issued

    def verify(self, request: Request, *, now: float, mounts: MountPoints = _AT_THE_ROOT) -> Pass:
        """Verify the pass of *request* at *now* (Unix seconds).

        Args:
            request: which must be one that the pass is good for.
            now: Unix seconds.
            mounts: the mount points at which the paths of a pass count.

        Raises:
            PassNotAccepted: there is none, or it is not good for this request.
        """
        values = request.header(HEADER)
        if len(values) != 1:
            raise PassNotAccepted(f"{len(values)} {HEADER} headers; there must be one")
        found = self.verify_value(values[0], now=now)
        if not found.methods and not found.paths:
            return found
        method = route_method(request)
        if method is None:
            raise PassNotAccepted(
                f"pass {found.id} is narrowed, and it cannot be told what this request is",
                found,
                hint="it has part of a WebSocket handshake, or WEBSOCKET for its method",
            )
        if found.methods and method not in found.methods:
            raise PassNotAccepted(f"pass {found.id} is for {' '.join(found.methods)} only", found)
        if found.paths and request.path not in found.paths:
            raise PassNotAccepted(f"pass {found.id} is for other paths", found)
        if found.paths and not mounts.hold(request):
            raise PassNotAccepted(
                f"pass {found.id} is for paths, which do not count at this mount point",
                found,
                hint="if the application is mounted here, add it to mount_points",
            )
        return found

    def verify_value(self, value: bytes, *, now: float) -> Pass:
        """Verify the value of the header at *now* (Unix seconds).

        Not checked: for which method and path it is good.

        Raises:
            PassNotAccepted: forged, expired, revoked, or of another secret.
        """
        match = _FORM.fullmatch(value) if len(value) <= _MAX_BYTES else None
        if match is None:
            raise PassNotAccepted("it is not of the form of a pass")
        # Compared as received: itsdangerous' own unsign decodes what it got, and its decoder
        # takes several spellings of one signature.
        if not compare_digest(self._signer.get_signature(match[1]), match[2]):
            raise PassNotAccepted(
                "its signature is wrong",
                hint="was it issued with the pass_secret that is set here?",
            )
        found = _read(match[1])
        if not found.issued_at - _MAX_FUTURE <= now <= found.expires_at:
            raise _outside(found, now)
        if found.id in self.revoked:
            raise PassNotAccepted(f"pass {found.id} is revoked", found)
        return found


class NoPasses(Passes):
    """Accepts no pass: stands in while the files that passes are judged by cannot be used."""

    def __init__(self) -> None:
        super().__init__(random.token_hex())

    def __repr__(self) -> str:
        return "<NoPasses>"

    def verify_value(self, value: bytes, *, now: float) -> Pass:  # noqa: ARG002 - as in Passes
        """Accept nothing.

        Raises:
            PassNotAccepted: always.
        """
        raise PassNotAccepted(
            "no pass is accepted now", hint="an earlier line says which file cannot be used"
        )


def read_revoked(path: str | os.PathLike[str]) -> list[str]:
    """The ids in a file of one id a line; blank lines and lines that begin with ``#`` are none.

    Raises:
        ConfigurationError: unreadable, over 1 MiB, not UTF-8, or a line is no id. The message
            has the line number and never the line, which may be a secret out of place.
    """
    where = f"revoked_passes_file {str(path)!r}"
    ids = []
    for number, line in enumerate(read_small_file(path, where).split("\n"), 1):
        if is_entry(line):
            if not KEY_ID.fullmatch(line.strip()):
                raise ConfigurationError(f"{where}, line {number}: expected the id of a pass")
            ids.append(line.strip())
    return ids


def _read(payload: bytes) -> Pass:
    """What an authentic payload says; another program may have signed it with the secret."""
    try:
        content = json.loads(base64_decode(payload))
        if not _has_the_fields(content):
            raise ValueError  # noqa: TRY301 - one answer to all that is no pass
    except (ValueError, RecursionError, BadData):
        raise PassNotAccepted("it is signed, and is no pass of this version") from None
    content["methods"], content["paths"] = tuple(content["methods"]), tuple(content["paths"])
    return Pass(*(content[name] for name in _FIELDS))


def _has_the_fields(content: Any) -> bool:  # noqa: ANN401 - JSON is anything
    if not isinstance(content, dict) or content.keys() != _FIELDS.keys():
        return False
    if not all(type(content[name]) is kind for name, kind in _FIELDS.items()):
        return False
    if not all(isinstance(text, str) for text in content["methods"] + content["paths"]):
        return False
    names = KEY_ID.fullmatch(content["id"]) and KEY_ID.fullmatch(content["for"])
    # The bound holds whatever the issuer wrote.
    return bool(names) and 0 <= content["exp"] - content["iat"] <= MAX_TTL


def _outside(found: Pass, now: float) -> PassNotAccepted:
    if now > found.expires_at:
        past = seconds(now - found.expires_at)
        return PassNotAccepted(f"pass {found.id} expired {past} s ago", found)
    return PassNotAccepted(
        f"pass {found.id} is from the future",
        found,
        hint="compare the clocks here and where it was issued",
    )


def _name(what: str, text: str) -> str:
    if not isinstance(text, str) or not KEY_ID.fullmatch(text):
        raise ConfigurationError(
            f"{what}: {text!r} must be 1 to 64 letters, digits, dots, dashes or underscores"
        )
    return text


def _method(text: str) -> str:
    if not isinstance(text, str) or not is_method(text):
        raise ConfigurationError(f"method {text!r} of a pass must be in capitals, such as GET")
    return text


def _path(text: str) -> str:
    if not isinstance(text, str) or not is_exact_path(text):
        raise ConfigurationError(
            f"path {text!r} of a pass must be one exact path: no pattern, query or space"
        )
    return text

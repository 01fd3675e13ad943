"""Requests that a probe signs, as the edge does and not quite."""

from __future__ import annotations

import hashlib
import time
from base64 import b64encode
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from edgeauth.errors import ConfigurationError
from edgeauth.keys import Key
from edgeauth.schemes.message_signatures import MessageSigner
from edgeauth.schemes.message_signatures.arguments import COMPONENTS, required

if TYPE_CHECKING:
    from edgeauth.ops.schemes.probe_rows import Plan
    from edgeauth.schemes.message_signatures import MessageSignatureScheme, PrivateKey

# The value of a field that must be signed, and that the edge fills.
_VALUE = "edgeauth-probe"


@dataclass(frozen=True)
class Signed:
    """What is signed, and by whom: a request of the plan, unless parts of it are replaced.

    Called with a time (Unix seconds), it makes the fields.

    Attributes:
        scheme, plan: what the gate asks for, and where.
        method, target, authority, body: what is signed.
        key: what signs; None is what the edge has.
        moved: seconds by which it is signed later than it is sent.
        options: of :class:`MessageSigner`, in place of the edge's.
        parameters: of its ``sign``.
    """

    scheme: MessageSignatureScheme
    plan: Plan
    method: str = "GET"
    target: str = ""
    authority: str = ""
    body: bytes = b""
    key: Any = None
    moved: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, scheme: MessageSignatureScheme, plan: Plan) -> Self:
        """What the edge signs for the page of *plan*."""
        return cls(scheme, plan, target=plan.path, authority=plan.authority)

    def but(self, **changes: Any) -> Self:  # noqa: ANN401 - any of the fields
        """The same with other parts."""
        return replace(self, **changes)

    def __call__(self, now: int) -> list[tuple[str, bytes]]:
        """The fields of a request that is sent at *now* (Unix seconds)."""
        others = self._others()
        key = self.key or signing_key(self.scheme, self.plan, now)
        options = {
            "components": self.scheme.components or COMPONENTS,
            "tag": self.scheme.tag,
            "scheme": self.scheme.scheme,
        }
        signer = MessageSigner(key, **{**options, **self.options})
        how = {"created": now + self.moved, **self.parameters}
        made = signer.sign(self.method, self.target, self.authority, fields=others, **how)
        return [(name, value.encode()) for name, value in (*others, *made.items())]

    def _others(self) -> list[tuple[str, str]]:
        """The fields that must be there to be signed."""
        found = []
        parts = required(self.scheme.components)
        for name in dict.fromkeys(part.identity[0].decode() for part in parts):
            if name == "content-digest":
                digest = b64encode(hashlib.sha256(self.body).digest()).decode()
                found.append(("Content-Digest", f"sha-256=:{digest}:"))
            elif name[0] != "@" and name != "host":
                found.append((name.title(), _VALUE))
        return found


def signing_key(scheme: MessageSignatureScheme, plan: Plan, now: float) -> Key | PrivateKey:
    """What signs as the edge does.

    Raises:
        ConfigurationError: nothing here does.
    """
    if plan.private_key is not None:
        key: PrivateKey = plan.private_key
        return key
    secret = [key for key in scheme.keys if isinstance(key, Key) and key.valid_at(now)]
    if not secret:
        raise ConfigurationError("no key here signs: the keys are public ones, or not valid now")
    return secret[-1]


def why_not(scheme: MessageSignatureScheme, plan: Plan) -> str | None:
    """Why nothing can be signed; None where it can."""
    if plan.no_key is not None:
        return plan.no_key
    try:
        Signed.of(scheme, plan)(int(time.time()))
    except ConfigurationError as error:
        return str(error)
    return None

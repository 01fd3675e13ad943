"""The public names, each from the file it is in. Users take them from ``edgeauth`` itself."""

from edgeauth.addresses import AddressList
from edgeauth.errors import (
    AddressNotAllowed,
    BadSignature,
    BodyMismatch,
    ClaimRefused,
    ConfigurationError,
    EdgeAuthError,
    Expired,
    MalformedHeader,
    MissingHeader,
    NotCovered,
    NotYetValid,
    PassNotAccepted,
    PopNotAllowed,
    Replayed,
    StoreUnavailable,
    VerificationError,
)
from edgeauth.guard import Guard
from edgeauth.keys import Key, KeyRing
from edgeauth.passes import Passes
from edgeauth.request import Request
from edgeauth.schemes import EdgeAuthScheme, Scheme, SharedSecretScheme, sign, verify
from edgeauth.settings import Settings
from edgeauth.verdict import Denial, EdgeIdentity, Pass, Verdict, denial

__all__ = [
    "AddressList",
    "AddressNotAllowed",
    "BadSignature",
    "BodyMismatch",
    "ClaimRefused",
    "ConfigurationError",
    "Denial",
    "EdgeAuthError",
    "EdgeAuthScheme",
    "EdgeIdentity",
    "Expired",
    "Guard",
    "Key",
    "KeyRing",
    "MalformedHeader",
    "MissingHeader",
    "NotCovered",
    "NotYetValid",
    "Pass",
    "PassNotAccepted",
    "Passes",
    "PopNotAllowed",
    "Replayed",
    "Request",
    "Scheme",
    "Settings",
    "SharedSecretScheme",
    "StoreUnavailable",
    "Verdict",
    "VerificationError",
    "denial",
    "sign",
    "verify",
]

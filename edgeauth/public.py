"""The public names, each from the file it is in. Users take them from ``edgeauth`` itself."""

from edgeauth.addresses import AddressList
from edgeauth.errors import (
    AddressNotAllowed,
    BadSignature,
    ConfigurationError,
    EdgeAuthError,
    Expired,
    MalformedHeader,
    MissingHeader,
    NotYetValid,
    PassNotAccepted,
    PopNotAllowed,
    VerificationError,
)
from edgeauth.guard import Denial, Guard, Verdict, denial
from edgeauth.identity import EdgeIdentity
from edgeauth.keys import Key, KeyRing
from edgeauth.passes import Pass, Passes
from edgeauth.request import Request
from edgeauth.schemes import EdgeAuthScheme, Scheme, SharedSecretScheme, sign, verify
from edgeauth.settings import Settings

__all__ = [
    "AddressList",
    "AddressNotAllowed",
    "BadSignature",
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
    "NotYetValid",
    "Pass",
    "PassNotAccepted",
    "Passes",
    "PopNotAllowed",
    "Request",
    "Scheme",
    "Settings",
    "SharedSecretScheme",
    "Verdict",
    "VerificationError",
    "denial",
    "sign",
    "verify",
]

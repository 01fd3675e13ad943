"""Lets an origin answer its own CDN edge and nobody else.

The public names live here. Importing this package imports the standard library
and itsdangerous, nothing more: each adapter is imported from its own module.
"""

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

__version__ = "0.1.0"

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

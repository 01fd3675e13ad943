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
from edgeauth.schemes.any_of import AnyOf
from edgeauth.schemes.base import Scheme
from edgeauth.schemes.edge_auth import EdgeAuthScheme, sign, verify
from edgeauth.schemes.options import Option
from edgeauth.schemes.registry import kinds, scheme_class
from edgeauth.schemes.shared_secret import SharedSecretScheme
from edgeauth.settings import SchemeSettings, Settings
from edgeauth.verdict import Denial, EdgeIdentity, Pass, Verdict, denial

__all__ = [
    "AddressList",
    "AddressNotAllowed",
    "AnyOf",
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
    "Option",
    "Pass",
    "PassNotAccepted",
    "Passes",
    "PopNotAllowed",
    "Replayed",
    "Request",
    "Scheme",
    "SchemeSettings",
    "Settings",
    "SharedSecretScheme",
    "StoreUnavailable",
    "Verdict",
    "VerificationError",
    "denial",
    "kinds",
    "scheme_class",
    "sign",
    "verify",
]

"""HTTP Message Signatures (RFC 9421): a credential that names its request."""

from edgeauth.schemes.message_signatures._errors import NotCovered
from edgeauth.schemes.message_signatures.body import BodyDigest
from edgeauth.schemes.message_signatures.sign import MessageSigner, PrivateKey, sign_request
from edgeauth.schemes.message_signatures.verify import MessageSignatureScheme, Once, Verified

__all__ = [
    "BodyDigest",
    "MessageSignatureScheme",
    "MessageSigner",
    "NotCovered",
    "Once",
    "PrivateKey",
    "Verified",
    "sign_request",
]

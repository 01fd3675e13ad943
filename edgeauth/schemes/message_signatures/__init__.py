"""HTTP Message Signatures (RFC 9421): a credential that names its request.

It may import the proof: errors, keys, the view of a request. Everybody may import it.
"""

from edgeauth.private_keys import PrivateKey
from edgeauth.schemes.message_signatures.sign import MessageSigner, sign_request
from edgeauth.schemes.message_signatures.verify import MessageSignatureScheme, Verified

__all__ = [
    "MessageSignatureScheme",
    "MessageSigner",
    "PrivateKey",
    "Verified",
    "sign_request",
]

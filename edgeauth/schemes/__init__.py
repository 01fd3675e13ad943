"""How a request proves that it came through the edge: one file a scheme."""

from edgeauth.schemes.base import Scheme
from edgeauth.schemes.edge_auth import EdgeAuthScheme, sign, verify
from edgeauth.schemes.shared_secret import SharedSecretScheme

__all__ = ["EdgeAuthScheme", "Scheme", "SharedSecretScheme", "sign", "verify"]

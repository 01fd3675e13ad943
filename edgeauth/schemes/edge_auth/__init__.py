"""The signed header ``Edge-Auth``: who sent a request, and not which request it is.

It may import the proof: errors, keys, the view of a request. Everybody may import it.
"""

from edgeauth.schemes.edge_auth.signing import sign
from edgeauth.schemes.edge_auth.verification import EdgeAuthScheme, verify

__all__ = ["EdgeAuthScheme", "sign", "verify"]

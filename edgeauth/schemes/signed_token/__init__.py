"""Signed tokens (JWT): what an edge or a login in front of the origin says of itself or of a user.

It may import the proof: errors, keys, the view of a request. Everybody may import it.
"""

from edgeauth.schemes.signed_token.verify import SignedTokenScheme

__all__ = ["SignedTokenScheme"]

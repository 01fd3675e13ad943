"""Akamai's Signature Header Authentication (G2O): who sent a request, which target, and when.

It may import the proof: errors, keys, the view of a request. Everybody may import it.
"""

from edgeauth.schemes.akamai_g2o.verify import AkamaiG2OScheme

__all__ = ["AkamaiG2OScheme"]

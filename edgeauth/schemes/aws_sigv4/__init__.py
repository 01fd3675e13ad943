"""AWS Signature Version 4, as edges sign for S3-compatible stores, verified at an own origin.

It may import the proof: errors, keys, the view of a request. Everybody may import it.
"""

from edgeauth.schemes.aws_sigv4.verify import AwsSigV4Scheme

__all__ = ["AwsSigV4Scheme"]

"""Alibaba Cloud OSS signatures, version 1 and 4: what an edge signs for a private bucket.

It may import the proof: errors, keys, the view of a request. Everybody may import it.
"""

from edgeauth.schemes.alibaba_oss.scheme import AlibabaOssScheme

__all__ = ["AlibabaOssScheme"]

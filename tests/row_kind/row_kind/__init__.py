"""A scheme of another package: a published request, judged as its row says and at its time.

The rows have keys that everybody has, and are of years ago: no settings take them, and no service
has their clock. So a request names its row.
"""

from __future__ import annotations

from support.rfc9421 import rows

from edgeauth import VerificationError
from edgeauth.schemes.base import not_once
from edgeauth.schemes.message_signatures import MessageSignatureScheme

ROW = "X-Row"
ROWS = {row.name: row for row in rows()}


class RowScheme:
    kind = "rfc-rows"
    headers = MessageSignatureScheme.headers
    OPTIONS = ()

    def __init__(self, keys):
        self.keys = keys

    @classmethod
    def from_options(cls, keys, _options):
        return cls(keys)

    def verify(self, request, *, now):
        names = request.header(ROW)
        if len(names) != 1:
            raise not_once(names, ROW)
        row = ROWS[names[0].decode()]
        verified = row.scheme().verify_signature(request, now=row.now)
        if verified.once is not None and verified.once.key in row.seen_keys:
            raise VerificationError("seen before")
        return verified.identity._replace(scheme=self.kind, timestamp=int(now))

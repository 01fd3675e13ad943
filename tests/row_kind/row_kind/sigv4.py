"""As the kind beside it, for the rows of AWS SigV4."""

from __future__ import annotations

from support.sigv4 import rows

from edgeauth.schemes.aws_sigv4 import AwsSigV4Scheme
from edgeauth.schemes.base import not_once

ROW = "X-Row"
ROWS = {row.name: row for row in rows()}


class SigV4RowScheme:
    kind = "sigv4-rows"
    headers = AwsSigV4Scheme.headers
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
        identity = row.scheme().verify(request, now=row.now)
        return identity._replace(scheme=self.kind, timestamp=int(now))

"""The same of rows that hold tokens."""

from __future__ import annotations

from support.signed_token import rows

from edgeauth.schemes.base import not_once

ROW = "X-Row"
ROWS = {row.name: row for row in rows()}


class TokenRowScheme:
    kind = "token-rows"
    headers = ("X-Nf-Sign", "Cf-Access-Jwt-Assertion")
    looks_at = (ROW,)
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

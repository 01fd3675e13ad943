"""Schemes that judge a row of a vector file, each by the row's own settings and at its time.

The rows have keys that everybody has, and are of years ago: no settings take them, and no server
has their clock. So a request names its row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from edgeauth.schemes.base import not_once

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeauth import EdgeIdentity

ROW = "X-Row"


class Judges(Protocol):
    """A row of a vector file."""

    name: str

    def verify(self, request: Any) -> EdgeIdentity:
        """The identity of *request*, judged as the row says; or VerificationError."""


def judging(kind_of_rows: str, fields: Iterable[str], rows: Iterable[Judges]) -> Any:
    """The class of a scheme that judges any of *rows*.

    Args:
        kind_of_rows: how it is called in settings.
        fields: the fields of the credential.
        rows: by name, which a request has in ``X-Row``.
    """
    known = {row.name: row for row in rows}

    class RowScheme:
        kind = kind_of_rows
        headers = tuple(fields)
        looks_at = (ROW,)
        OPTIONS = ()

        def __init__(self, keys=None):
            self.keys = keys

        @classmethod
        def from_options(cls, keys, _options):
            return cls(keys)

        def verify(self, request, *, now):
            names = request.header(ROW)
            if len(names) != 1:
                raise not_once(names, ROW)
            identity = known[names[0].decode()].verify(request)
            return identity._replace(scheme=self.kind, timestamp=int(now), once=None)

    return RowScheme

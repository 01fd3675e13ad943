"""A question mark with nothing behind it, which some servers do not tell.

A scheme that signs the target as it was sent tries both; to the application they are one.
"""

from __future__ import annotations

from typing import Any

from edgeauth.request import Request  # noqa: TC001 - so that annotations can be read


def drops_empty_query(request: Request) -> bool:
    """Whether the target of *request* may have had a question mark at its end."""
    return getattr(request, "drops_empty_query", False) is True


class WithEmptyQuery:
    """*request*, as if its target had been sent with a question mark at its end."""

    drops_empty_query = False

    def __init__(self, request: Request) -> None:
        self._request = request
        self.target = (request.target or b"") + b"?"

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all else is as it was
        return getattr(self._request, name)

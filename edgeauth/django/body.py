"""The body of a request in Django, compared with the digest that was signed while it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeauth.asgi_body import nothing_comes_by_scope
from edgeauth.wsgi_body import digested_input, nothing_comes_by_environ

if TYPE_CHECKING:
    from django.http import HttpRequest

    from edgeauth.digest import DigestedBody


def compare(request: HttpRequest, body: DigestedBody) -> None:
    """Have *body* compare what is read of *request* from now on, or what was read before.

    Raises:
        UnreadableBody: it is the wrong one already.
    """
    # Django has no other way to replace what a request is read from.
    source: Any = request
    scope = getattr(request, "scope", None)
    if hasattr(source, "_body"):
        body.feed(source._body)  # noqa: SLF001
        body.end()
    elif source._read_started:  # noqa: SLF001
        body.refuse(
            "the body was read before the gate could compare it",
            hint="put EdgeAuthMiddleware first in MIDDLEWARE",
        )
    else:
        if (
            nothing_comes_by_environ(request.META)
            if scope is None
            else nothing_comes_by_scope(scope)
        ):
            body.end()
        source._stream = digested_input(source._stream, body)  # noqa: SLF001

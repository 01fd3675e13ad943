"""A decorator for views that demand more of a credential than that it is the edge's.

::

    @demand_coverage("method", "path", "body", "once")
    def pay(request): ...                                    # or async def

    @method_decorator(demand_coverage("method", "path", "body", "once"), name="dispatch")
    class Pay(View): ...
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpResponse

from edgeauth.coverage import Demand
from edgeauth.django.requests import DjangoScopeRequest, MetaRequest
from edgeauth.verdict import denial

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from django.http import HttpRequest

    View = Callable[..., Any]

__all__ = ["demand_coverage"]


def demand_coverage(*parts: str) -> Callable[[View], View]:
    """A decorator of views that lets in only what is signed in all of *parts*.

    All else gets the denial, as a stranger does, and the log has the reason ``coverage``: a
    credential that covers less, an exempt path, a pass. Report-only mode tells and lets in.

    Args:
        parts: of ``method``, ``path``, ``query``, ``host``, ``body``, ``time`` and ``once``.

    Raises:
        ConfigurationError: now, if a part is not known; on a request, if the middleware did not
            check it.
    """
    demand = Demand(*parts)

    def decorator(view: View) -> View:
        if iscoroutinefunction(view):

            @wraps(view)
            async def awaited(request: HttpRequest, *args: object, **named: object) -> object:
                return _denial(demand, request) or await view(request, *args, **named)

            return awaited

        @wraps(view)
        def covered(request: HttpRequest, *args: object, **named: object) -> object:
            return _denial(demand, request) or view(request, *args, **named)

        return covered

    return decorator


def _denial(demand: Demand, request: HttpRequest) -> HttpResponse | None:
    """The denial of *request*; None if it meets the *demand*."""
    scope = getattr(request, "scope", None)
    if scope is None:
        met = demand.met(
            getattr(request, "edgeauth", None),
            request.META.get("edgeauth.guard"),
            MetaRequest(request),
        )
    else:
        met = demand.met(
            getattr(request, "edgeauth", None),
            scope.get("edgeauth.guard"),
            DjangoScopeRequest(scope),
        )
    if met:
        return None
    answer = denial(request.method or "")
    headers = {name.title(): value for name, value in answer.headers}
    return _Denied(answer.body, status=answer.status, headers=headers)


class _Denied(HttpResponse):
    """Can be awaited: the ``dispatch`` of a class with async handlers is no coroutine function."""

    def __await__(self) -> Generator[None, None, HttpResponse]:
        yield from ()
        return self

"""Middleware of the Django tests."""

from __future__ import annotations

from asgiref.sync import iscoroutinefunction, markcoroutinefunction

from edgeauth.django.middleware import EdgeAuthMiddleware


class reads_headers:  # noqa: N801 - stands in MIDDLEWARE as functions do
    """Makes the cached view of META, as a metrics or logging middleware would."""

    sync_capable = async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request):
        assert request.headers["Edge-Auth"]
        return self.get_response(request)


def a_function(get_response):
    """Middleware may be a function too."""
    return get_response


class GateOfAProject(EdgeAuthMiddleware):
    """What a user derives from the gate is a gate."""

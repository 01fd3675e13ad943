"""The views of the Django tests."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.urls import path


def told(request):
    """What the gate left on the request."""
    scope_fields = [
        name.decode() for name, _value in getattr(request, "scope", {"headers": []})["headers"]
    ]
    return JsonResponse(
        {
            "reason": request.edgeauth.reason,
            "pop": request.edgeauth.identity and request.edgeauth.identity.pop,
            "seen": [
                place
                for place, fields in {
                    "META": [name for name in request.META if name.startswith("HTTP_EDGE")],
                    "headers": [name for name in request.headers if name == "Edge-Auth"],
                    "scope": [name for name in scope_fields if name == "edge-auth"],
                }.items()
                if fields
            ],
        }
    )


async def told_async(request):
    return told(request)


def healthz(_request):
    return HttpResponse("ok")


urlpatterns = [path("", told), path("async", told_async), path("healthz", healthz)]

"""What the doctor says of a Django project, in the process of the project itself."""

from __future__ import annotations

from types import ModuleType

import pytest
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.urls import include, path, re_path
from support.vectors import SECRET

from edgeauth import EdgeAuthScheme, Guard
from edgeauth.asgi import EdgeAuthMiddleware as ASGIGate
from edgeauth.ops.doctor.app_checks import check_app
from edgeauth.ops.doctor.app_loading import is_asgi
from edgeauth.ops.doctor.app_routes import own_host, routes
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIGate

GATE = "edgeauth.django.middleware.EdgeAuthMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"
BUILDERS = [get_wsgi_application, get_asgi_application]


def ids(found):
    return [finding.id for finding in found]


@pytest.mark.parametrize("build", BUILDERS)
def test_a_good_project_has_no_finding(build):
    assert check_app(build(), ["GET /healthz"]) == []


@pytest.mark.parametrize("build", BUILDERS)
def test_a_project_without_the_gate_is_found(build, project):
    project(MIDDLEWARE=[COMMON])
    assert ids(check_app(build(), [])) == ["no-gate"]


@pytest.mark.parametrize("build", BUILDERS)
def test_two_gates_of_the_project_go_by_one_guard_and_are_no_finding(build, project):
    project(MIDDLEWARE=[GATE, COMMON, GATE])
    assert check_app(build(), []) == []


def test_a_gate_around_the_application_counts_too():
    guard = Guard(EdgeAuthScheme([SECRET]))
    assert ids(check_app(WSGIGate(get_wsgi_application(), guard), [])) == ["several-gates"]
    assert ids(check_app(ASGIGate(get_asgi_application(), guard), [])) == ["several-gates"]


def test_an_exempt_path_without_a_view_is_found(project):
    project(EDGEAUTH={"secret": SECRET, "exempt": ["GET /up"]})
    assert ids(check_app(get_wsgi_application(), [])) == ["exempt-path-unknown"]


def test_which_interface_a_project_has_is_seen():
    assert [is_asgi(build()) for build in BUILDERS] == [False, True]


def nowhere(_request, **_parts):
    raise AssertionError("no view runs behind the gate")


def test_the_routes_of_a_project_are_listed_with_those_that_are_included(project):
    urls = ModuleType("urls_of_a_test")
    included = [path("items/<int:pk>/", nowhere), re_path(r"^old/(\d+)$", nowhere)]
    urls.urlpatterns = [path("shop/", include(included)), re_path(r"^plain/$", nowhere)]
    project(ROOT_URLCONF=urls)
    listed = {route.path for route in routes(get_wsgi_application())}
    assert {"/shop/items/1/", "/shop/old/", "/plain/"} <= listed


def test_an_open_websocket_of_channels_beside_the_gate_is_found():
    async def open_to_all(_scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})

    router = URLRouter([path("ws/", open_to_all)])
    app = ProtocolTypeRouter({"http": get_asgi_application(), "websocket": router})
    (finding,) = check_app(app, [])
    assert finding.id == "open-route"
    assert "'WEBSOCKET /ws/' (101)" in finding.seen


def test_a_project_that_takes_any_host_is_asked_for_localhost(project):
    project(ALLOWED_HOSTS=["*"])
    assert own_host(get_wsgi_application()) == "localhost"
    project(ALLOWED_HOSTS=["*", ".site.example"])
    assert own_host(get_wsgi_application()) == "site.example"

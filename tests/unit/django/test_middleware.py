"""The Django middleware."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpResponse
from django.test import AsyncClient, AsyncRequestFactory, Client, RequestFactory
from support.vectors import OLDER_SECRET, SECRET

from edgeauth import ConfigurationError, sign
from edgeauth.django.middleware import EdgeAuthMiddleware

GATE = "edgeauth.django.middleware.EdgeAuthMiddleware"


def wsgi(path="/", **options):
    return Client().get(path, **options)


def asgi(path="/", **options):
    return asyncio.run(AsyncClient().get(path, **options))


@pytest.fixture(params=[wsgi, asgi], ids=["wsgi", "asgi"])
def get(request):
    return request.param


def signed(secret=SECRET):
    return {"Edge-Auth": sign(secret, pop="LHR")}


@pytest.mark.parametrize("path", ["/", "/async"])
def test_a_signed_request_reaches_the_view_with_its_verdict_and_without_its_credential(get, path):
    response = get(path, headers=signed())
    assert response.json() == {"reason": "ok", "pop": "LHR", "seen": []}


def test_an_unsigned_request_is_denied(get):
    response = get()
    assert (response.status_code, response.content) == (403, b"Forbidden\n")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Length"] == "10"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_denied_head_request_gets_no_body(get):
    response = Client().head("/") if get is wsgi else asyncio.run(AsyncClient().head("/"))
    assert (response.status_code, response.content) == (403, b"")


def test_an_unknown_path_is_denied_and_not_404(get):
    assert get("/nothing-here").status_code == 403
    assert get("/nothing-here", headers=signed()).status_code == 404


def test_an_exempt_path_needs_no_credential(get):
    assert get("/healthz").content == b"ok"
    assert get("/healthz?x=1").content == b"ok"


@pytest.mark.parametrize("path", ["//healthz", "/healthz/", "/HEALTHZ", "/x/../healthz"])
def test_a_path_that_differs_from_the_exempt_one_is_not_exempt(get, path):
    assert get(path).status_code == 403


def verdict_of(request):
    passed = []
    EdgeAuthMiddleware(lambda request: passed.append(request) or HttpResponse())(request)
    return passed[0].edgeauth.reason if passed else "denied"


@pytest.mark.parametrize(
    ("script_name", "path_info", "verdict"),
    [
        ("", "/healthz", "exempt"),
        ("/app", "/healthz", "denied"),
        ("/heal", "thz", "denied"),
        ("", "h/ealthz", "denied"),
        ("", "healthz", "exempt"),
        ("/healthz", "", "denied"),
    ],
)
def test_the_mount_point_belongs_to_the_path_and_they_meet_at_a_slash(
    script_name, path_info, verdict
):
    environ = {"SCRIPT_NAME": script_name, "PATH_INFO": path_info}
    assert verdict_of(RequestFactory().get("/", **environ)) == verdict


@pytest.mark.parametrize(
    ("script_name", "path_info", "verdict"),
    [("/app", "/healthz", "exempt"), ("", "/app/healthz", "exempt"), ("", "/healthz", "denied")],
)
def test_an_exemption_under_a_mount_point_names_the_full_path(
    project, script_name, path_info, verdict
):
    mounted = {"mount_points": ["/", "/app"]}
    project(EDGEAUTH={"secret": SECRET, "exempt": ["GET /app/healthz"], **mounted})
    environ = {"SCRIPT_NAME": script_name, "PATH_INFO": path_info}
    assert verdict_of(RequestFactory().get("/", **environ)) == verdict
    assert verdict_of(AsyncRequestFactory().get(script_name + path_info)) == verdict


def test_a_server_may_leave_an_empty_mount_point_out():
    request = RequestFactory().get("/healthz")
    del request.META["SCRIPT_NAME"]
    assert verdict_of(request) == "exempt"


def test_django_need_not_adapt_it_to_either_way_of_serving():
    assert (EdgeAuthMiddleware.sync_capable, EdgeAuthMiddleware.async_capable) == (True, True)


def test_a_method_in_lower_case_is_not_exempt_though_django_reads_it_as_the_same():
    assert verdict_of(RequestFactory().generic("get", "/healthz")) == "denied"


def test_two_credentials_are_refused_even_if_both_are_good(get):
    value = sign(SECRET, pop="LHR")
    twice = {"Edge-Auth": f"{value},{value}"}
    assert get(headers=twice).status_code == 403
    request = AsyncRequestFactory().get("/", headers=signed())
    request.scope["headers"] += [(b"edge-auth", value.encode())]
    assert verdict_of(request) == "denied"


def test_headers_that_earlier_middleware_has_read_forget_the_credential(get, project):
    project(MIDDLEWARE=["support.django_middleware.reads_headers", GATE])
    assert get(headers=signed()).json()["seen"] == []


def test_the_scope_of_the_server_itself_is_left_as_it_was():
    request = AsyncRequestFactory().get("/", headers=signed())
    scope = request.scope
    fields = list(scope["headers"])
    assert verdict_of(request) == "ok"
    assert scope["headers"] == fields
    assert request.scope["headers"] != fields


def test_the_credential_stays_where_strip_header_is_off(get, project):
    project(EDGEAUTH={"secret": SECRET, "strip_header": False})
    assert "META" in get(headers=signed()).json()["seen"]


def test_report_only_lets_an_unsigned_request_pass_and_marks_it(get, project):
    project(EDGEAUTH={"secret": SECRET, "mode": "report-only"})
    assert get().json() == {"reason": "missing", "pop": None, "seen": []}


def test_settings_come_from_the_environment_where_the_project_has_none(get, project, monkeypatch):
    monkeypatch.setenv("EDGEAUTH_SECRET", OLDER_SECRET)
    project()
    del settings.EDGEAUTH
    assert get(headers=signed(OLDER_SECRET)).status_code == 200
    assert get(headers=signed(SECRET)).status_code == 403


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ({}, "no secret"),
        ({"secret": "short"}, "16"),
        ({"SECRET": SECRET}, "unknown setting"),
        ("secret", "write a mapping"),
    ],
)
def test_settings_that_make_no_guard_are_an_error_when_the_site_starts(project, mapping, told):
    project(EDGEAUTH=mapping)
    with pytest.raises(ConfigurationError, match=told):
        EdgeAuthMiddleware(lambda _request: HttpResponse())


def test_settings_are_read_once(project):
    middleware = EdgeAuthMiddleware(lambda _request: HttpResponse())
    project(EDGEAUTH={"secret": OLDER_SECRET})
    assert middleware(RequestFactory().get("/", headers=signed(SECRET))).status_code == 200


def test_it_is_async_where_what_follows_is_and_sync_where_not():
    async def view(_request):
        return HttpResponse()

    middleware = EdgeAuthMiddleware(view)
    assert iscoroutinefunction(middleware)
    assert not iscoroutinefunction(EdgeAuthMiddleware(lambda _request: HttpResponse()))
    for headers, status in ((signed(), 200), ({}, 403)):
        answer = middleware(AsyncRequestFactory().get("/", headers=headers))
        assert inspect.isawaitable(answer)
        assert asyncio.run(_result(answer)).status_code == status


async def _result(awaitable):
    return await awaitable


@pytest.mark.parametrize(
    ("method", "content"), [("HEAD", b""), ("head", b"Forbidden\n"), ("GET", b"Forbidden\n")]
)
@pytest.mark.parametrize("factory", [RequestFactory, AsyncRequestFactory])
def test_the_denial_is_without_a_body_for_head_as_http_writes_it_alone(factory, method, content):
    request = factory().generic(method, "/")
    assert EdgeAuthMiddleware(None)(request).content == content

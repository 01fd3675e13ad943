"""What the doctor says of a Django project, in the process of the project itself."""

from __future__ import annotations

import pytest
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from support.vectors import SECRET

from edgeauth import EdgeAuthScheme, Guard
from edgeauth.asgi import EdgeAuthMiddleware as ASGIGate
from edgeauth.doctor.app_checks import check_app, is_asgi
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
def test_a_project_without_the_gate_and_one_with_two_are_found(build, project):
    project(MIDDLEWARE=[COMMON])
    assert ids(check_app(build(), [])) == ["no-gate"]
    project(MIDDLEWARE=[GATE, COMMON, GATE])
    assert ids(check_app(build(), [])) == ["several-gates"]


def test_a_gate_around_the_application_counts_too():
    guard = Guard(EdgeAuthScheme([SECRET]))
    assert ids(check_app(WSGIGate(get_wsgi_application(), guard), [])) == ["several-gates"]
    assert ids(check_app(ASGIGate(get_asgi_application(), guard), [])) == ["several-gates"]


def test_an_exempt_path_without_a_view_is_found(project):
    project(EDGEAUTH={"secret": SECRET, "exempt": ["GET /up"]})
    assert ids(check_app(get_wsgi_application(), [])) == ["exempt-path-unknown"]


def test_which_interface_a_project_has_is_seen():
    assert [is_asgi(build()) for build in BUILDERS] == [False, True]

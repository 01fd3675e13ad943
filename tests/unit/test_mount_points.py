"""A path that an operator wrote counts at the mount points that the operator named."""

from __future__ import annotations

import pytest
from support.requests import PlainRequest
from support.vectors import SECRET

from edgeauth import ConfigurationError, EdgeAuthScheme, Guard, Passes, Settings
from edgeauth.asgi import ScopeRequest, full_path
from edgeauth.wsgi import EnvironRequest

NOW = 1_700_000_000
PASSES = Passes("a-secret-for-passes-of-32-bytes!")


def guard(*mount_points, exempt=("GET /app/healthz", "GET /healthz")):
    return Guard(EdgeAuthScheme([SECRET]), exempt=exempt, mount_points=mount_points, passes=PASSES)


@pytest.mark.parametrize(
    ("configured", "mount", "path", "reason"),
    [
        ((), "", "/healthz", "exempt"),
        ((), "", "/app/healthz", "exempt"),
        ((), "/app", "/app/healthz", "missing"),
        (("/app",), "/app", "/app/healthz", "exempt"),
        (("/app",), "", "/app/healthz", "missing"),
        (("/app",), "/ap", "/app/healthz", "missing"),
        (("/app",), "/app/healthz", "/app/healthz", "missing"),
        (("/", "/app"), "", "/healthz", "exempt"),
        (("/", "/app"), "/app", "/app/healthz", "exempt"),
    ],
)
def test_an_exemption_counts_at_a_configured_mount_point_alone(configured, mount, path, reason):
    request = PlainRequest(path=path, mount=mount)

    assert guard(*configured).check(request, now=NOW).reason == reason


def test_the_log_says_what_to_set_where_a_mount_point_does_not_count(caplog):
    for request in (
        PlainRequest(path="/app/healthz", mount="/app"),
        PlainRequest(path="/app/other", mount="/app"),
        PlainRequest(path="/healthz", method="POST"),
    ):
        guard().check(request, now=NOW)

    told = ["add it to mount_points" in message for message in caplog.messages]
    assert told == [True, False, False]


def test_a_mount_point_that_the_application_configured_counts_as_well():
    request = PlainRequest(path="/app/healthz", mount="/app", mount_is_configured=True)

    assert guard().check(request, now=NOW).reason == "exempt"
    assert guard("/other").check(request, now=NOW).reason == "exempt"


@pytest.mark.parametrize(
    ("limits", "configured", "reason"),
    [
        ({"paths": ["/app/admin"]}, (), "missing"),
        ({"paths": ["/app/admin"]}, ("/app",), "pass"),
        ({"methods": ["GET"]}, (), "pass"),
        ({}, (), "pass"),
    ],
)
def test_a_pass_that_is_narrowed_to_a_path_counts_there_alone(limits, configured, reason, caplog):
    value, _ = PASSES.issue("alice", ttl=60, now=NOW, **limits)
    request = PlainRequest(
        path="/app/admin", mount="/app", fields=[("Edge-Auth-Pass", value.encode())]
    )

    assert guard(*configured).check(request, now=NOW).reason == reason
    assert ("add it to mount_points" in caplog.text) == (reason == "missing")


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ("/app", "must be a list"),
        (b"/app", "must be a list"),
        (["app"], "'app' must be a path"),
        (["/app/"], "no slash at its end"),
        (["/app*"], "'/app\\*' must be a path"),
        ([""], "'' must be a path"),
        ([7], "7 must be a path"),
    ],
)
def test_a_mount_point_that_is_none_is_an_error_at_the_start(points, why):
    with pytest.raises(ConfigurationError, match=why):
        Guard(EdgeAuthScheme([SECRET]), mount_points=points)


def test_mount_points_are_a_setting_and_a_guard_tells_them():
    settings = Settings.from_environ(
        {"EDGEAUTH_SECRET": SECRET, "EDGEAUTH_MOUNT_POINTS": "/, /app"}
    )

    assert Guard.from_settings(settings).mount_points == ("/", "/app")
    assert Guard.from_settings({"secret": SECRET}).mount_points == ("/",)


@pytest.mark.parametrize(
    ("root", "path", "whole"),
    [
        pytest.param("/app", "/app/healthz", "/app/healthz", id="uvicorn puts it there"),
        pytest.param("/app", "/healthz", "/app/healthz", id="hypercorn does not"),
        pytest.param("/app", "/app", "/app", id="the mount point itself"),
        pytest.param("/app", "/application", "/app/application", id="a name that begins alike"),
        pytest.param("/app/", "/app//healthz", "/app/healthz", id="uvicorn and a slash"),
        pytest.param("/app/", "/app/healthz", "/app/app/healthz", id="Starlette asks for two"),
        pytest.param("/", "/healthz", "/healthz", id="a slash alone is the root"),
        pytest.param("/app", "/", "/app/", id="the root below it"),
    ],
)
def test_the_path_of_a_scope_is_that_of_the_url(root, path, whole):
    scope = {"type": "http", "method": "GET", "path": path, "root_path": root, "headers": []}

    assert full_path(root, path) == ScopeRequest(scope).path == whole
    # The same as Starlette: its route is what comes after the mount point.
    starlette = pytest.importorskip("starlette._utils")
    assert root.rstrip("/") + starlette.get_route_path(scope) == whole


@pytest.mark.parametrize("root", ["/", "//"])
def test_a_root_path_of_slashes_alone_takes_no_slash_off(root):
    """Starlette takes one off, others do not: what they do not agree on is not exempt."""
    assert full_path(root, "//healthz") == "//healthz"


@pytest.mark.parametrize(
    ("changes", "mount"),
    [
        ({}, ""),
        ({"root_path": None}, ""),
        ({"root_path": ""}, ""),
        ({"root_path": "/app/"}, "/app"),
    ],
)
def test_the_mount_point_of_a_scope_is_its_root_path(changes, mount):
    assert ScopeRequest({"type": "http", "path": "/", **changes}).mount == mount


class App:
    root_path = "/app"


@pytest.mark.parametrize(
    ("scope", "configured"),
    [
        ({"root_path": "/app", "app": App}, True),
        ({"root_path": "/healthz", "app": App}, False),
        ({"root_path": "/app"}, False),
        ({"root_path": "/app", "app": object()}, False),
        ({"root_path": "", "app": App}, False),
        ({}, False),
    ],
)
def test_the_root_path_of_the_application_itself_is_configuration(scope, configured):
    assert ScopeRequest({"type": "http", "path": "/", **scope}).mount_is_configured is configured


@pytest.mark.parametrize(
    ("script_name", "configured", "mount", "counts"),
    [
        ("", "", "", False),
        ("/app", "", "/app", False),
        ("/app", "/app", "/app", True),
        ("/app/", "/app", "/app", True),
        ("/\xff", "/app", "/\ufffd", False),
    ],
)
def test_the_mount_point_of_an_environ_is_its_script_name(script_name, configured, mount, counts):
    request = EnvironRequest({"SCRIPT_NAME": script_name}, configured)

    assert (request.mount, request.mount_is_configured) == (mount, counts)

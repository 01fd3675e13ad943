"""The system checks, one by one."""

from __future__ import annotations

import logging

import pytest
from django.conf import settings
from django.core.checks import run_checks
from support.vectors import SECRET

GATE = "edgeauth.django.middleware.EdgeAuthMiddleware"
SECURITY = "django.middleware.security.SecurityMiddleware"


def messages(*, deploy=False):
    """What check says, or check --deploy, that begins with our name."""
    found = run_checks(include_deployment_checks=deploy)
    return {message.id: message for message in found if message.id.startswith("edgeauth.")}


@pytest.mark.parametrize("deploy", [False, True])
def test_a_good_project_gets_no_message(deploy):
    assert messages(deploy=deploy) == {}


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ({"secret": "short"}, "16"),
        ({"secret": SECRET, "exemt": []}, "did you mean 'exempt'"),
        ({"secret": SECRET, "exempt": ["/healthz"]}, "METHOD /exact/path"),
        ({"exempt": ["/healthz"]}, "METHOD /exact/path"),
        ({"secret": SECRET, "addresses": "/nowhere/list.json"}, "cannot be read"),
        ({"secret": SECRET, "trusted_proxies": ["everything"]}, "trusted_proxies"),
        (["secret"], "write a mapping"),
    ],
)
@pytest.mark.parametrize("deploy", [False, True])
def test_e001_settings_that_cannot_be_used(project, mapping, told, deploy):
    project(EDGEAUTH=mapping)
    found = messages(deploy=deploy)
    assert told in found["edgeauth.E001"].msg
    assert "settings.EDGEAUTH" in found["edgeauth.E001"].hint
    assert "short" not in found["edgeauth.E001"].msg


def test_e002_the_app_without_its_middleware(project):
    project(MIDDLEWARE=[SECURITY])
    assert list(messages()) == ["edgeauth.E002"]
    assert GATE in messages()["edgeauth.E002"].hint


def test_a_subclass_of_the_gate_is_a_gate(project):
    project(MIDDLEWARE=["support.django_middleware.GateOfAProject"])
    assert messages() == {}


def test_w003_middleware_before_the_gate_that_may_answer_by_itself(project):
    cache = "django.middleware.cache.UpdateCacheMiddleware"
    project(MIDDLEWARE=[SECURITY, cache, "not.there", GATE])
    (message,) = messages().values()
    assert message.id == "edgeauth.W003"
    assert message.msg == f"Middleware runs before the gate: {cache}, not.there."
    assert "Only SecurityMiddleware may stay" in message.hint


def test_security_middleware_may_come_before_the_gate_and_anything_after_it(project):
    project(MIDDLEWARE=[SECURITY, GATE, "django.middleware.common.CommonMiddleware"])
    assert messages() == {}


def test_w004_report_only_is_told_of_when_deploying_and_not_logged(project, caplog):
    project(EDGEAUTH={"secret": SECRET, "mode": "report-only"})
    with caplog.at_level(logging.WARNING, "edgeauth"):
        assert messages() == {}
        (message,) = messages(deploy=True).values()
    assert (message.id, caplog.records) == ("edgeauth.W004", [])
    assert "enforce" in message.hint


def test_e005_a_missing_secret_is_told_of_when_deploying(project):
    project()
    del settings.EDGEAUTH
    assert messages() == {}
    (message,) = messages(deploy=True).values()
    assert message.id == "edgeauth.E005"
    assert "EDGEAUTH_SECRET" in message.hint

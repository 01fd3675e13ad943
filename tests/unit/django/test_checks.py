"""The system checks, one by one."""

from __future__ import annotations

import logging

import pytest
from django.apps import apps
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
        ({"secret": "some-pre-shared-secret"}, "printed in edgeauth's documentation"),
        ({"secrets_dir": "/nowhere"}, "cannot be read"),
        ({"secret": SECRET, "decisions": "/nowhere/decisions"}, "cannot be opened"),
        ({"secret": SECRET, "watch_interval": 0}, "0.01 to 3600 seconds"),
        ({"secret": SECRET, "scheme": "shared-secret", "pops": ["LHR"]}, "the scheme"),
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


def test_a_project_whose_secrets_are_in_a_directory_gets_no_message(project, tmp_path):
    (tmp_path / "2026").write_text(SECRET)
    project(EDGEAUTH={"secrets_dir": tmp_path})
    assert messages(deploy=True) == {}


def test_a_project_whose_settings_are_in_a_file_gets_no_message(project, tmp_path, monkeypatch):
    file = tmp_path / "edgeauth.toml"
    file.write_text(f'secret = "{SECRET}"\nmode = "report-only"\n')
    monkeypatch.setenv("EDGEAUTH_CONFIG", str(file))
    project(EDGEAUTH={"exempt": ["GET /healthz"], "mode": "enforce"})
    assert list(messages(deploy=True)) == ["edgeauth.W004"]


def test_a_check_makes_no_file_of_decisions(project, tmp_path):
    project(EDGEAUTH={"secret": SECRET, "decisions": tmp_path / "decisions"})
    assert messages(deploy=True) == {}
    assert list(tmp_path.iterdir()) == []


def test_e002_the_app_without_its_middleware(project):
    project(MIDDLEWARE=[SECURITY])
    assert list(messages()) == ["edgeauth.E002"]
    assert "nothing checks requests" in messages()["edgeauth.E002"].msg
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


def test_a_function_before_the_gate_is_middleware_too(project):
    project(MIDDLEWARE=["support.django_middleware.a_function", GATE])
    assert list(messages()) == ["edgeauth.W003"]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"EDGEAUTH": {"secret": "short"}}, ["edgeauth.E001"]),
        ({"MIDDLEWARE": []}, ["edgeauth.E002"]),
        ({"ASGI_APPLICATION": "django.core.asgi.get_asgi_application"}, ["edgeauth.W006"]),
        ({"EDGEAUTH": {"mode": "report-only"}}, ["edgeauth.W004", "edgeauth.E005"]),
    ],
)
def test_all_checks_are_among_those_of_security(project, changes, found):
    project(**changes)
    told = run_checks(tags=["security"], include_deployment_checks=True)
    assert [message.id for message in told if message.id.startswith("edgeauth.")] == found


def test_the_app_has_a_label_and_a_name_for_people():
    config = apps.get_app_config("edgeauth")
    assert (config.name, config.verbose_name) == ("edgeauth.django", "Edge authentication")


def test_security_middleware_may_come_before_the_gate_and_anything_after_it(project):
    project(MIDDLEWARE=[SECURITY, GATE, "django.middleware.common.CommonMiddleware"])
    assert messages() == {}


WITH_GATE = "support.django_gated.application"
WITHOUT_GATE = "django.core.asgi.get_asgi_application"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"WSGI_APPLICATION": WITH_GATE}, []),
        ({"ASGI_APPLICATION": WITH_GATE}, []),
        ({"WSGI_APPLICATION": WITH_GATE, "ASGI_APPLICATION": WITH_GATE}, []),
        ({"WSGI_APPLICATION": WITHOUT_GATE, "ASGI_APPLICATION": WITH_GATE}, ["edgeauth.E002"]),
        ({"WSGI_APPLICATION": WITHOUT_GATE}, ["edgeauth.E002"]),
    ],
)
def test_gates_around_all_applications_serve_in_place_of_the_middleware(project, changes, found):
    project(MIDDLEWARE=[], **changes)
    assert list(messages()) == found


def test_what_comes_before_the_middleware_matters_not_behind_gates_around(project):
    project(
        MIDDLEWARE=["django.middleware.cache.UpdateCacheMiddleware", GATE],
        WSGI_APPLICATION=WITH_GATE,
    )
    assert messages() == {}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"ASGI_APPLICATION": WITHOUT_GATE}, ["edgeauth.W006"]),
        ({"ASGI_APPLICATION": WITH_GATE}, []),
        ({"INSTALLED_APPS": ["edgeauth.django", "channels"]}, ["edgeauth.W006"]),
        (
            {"INSTALLED_APPS": ["edgeauth.django", "support.django_named_daphne.Named"]},
            ["edgeauth.W006"],
        ),
        (
            {
                "INSTALLED_APPS": ["edgeauth.django", "channels"],
                "ASGI_APPLICATION": WITH_GATE,
            },
            [],
        ),
    ],
)
def test_w006_a_gate_around_the_application_is_recommended_under_asgi(project, changes, found):
    project(**changes)
    assert list(messages()) == found
    assert all("edgeauth.django.asgi" in message.hint for message in messages().values())
    assert all("Under ASGI" in message.msg for message in messages().values())


def test_w004_report_only_is_told_of_when_deploying_and_not_logged(project, caplog):
    project(EDGEAUTH={"secret": SECRET, "mode": "report-only"})
    with caplog.at_level(logging.WARNING, "edgeauth"):
        assert messages() == {}
        (message,) = messages(deploy=True).values()
    assert (message.id, caplog.records) == ("edgeauth.W004", [])
    assert "every request is let through" in message.msg
    assert "enforce" in message.hint


def test_e005_a_missing_secret_is_told_of_when_deploying(project):
    project()
    del settings.EDGEAUTH
    assert messages() == {}
    (message,) = messages(deploy=True).values()
    assert message.id == "edgeauth.E005"
    assert "has no secret" in message.msg
    assert "EDGEAUTH_SECRET" in message.hint

"""``edgeauth doctor``: what it prints, and its exit status."""

from __future__ import annotations

import json

import pytest

SECRET = "0f83b1a2c94d57e6a8b0c1d2e3f40516"
ENV = {"EDGEAUTH_SECRET": SECRET}


@pytest.fixture(autouse=True)
def _kept_clock(monkeypatch):
    """The clock of this machine is not what these tests are about."""
    monkeypatch.setattr("edgeauth.ops.doctor.clock_checks.kernel_state", lambda: 0)


def test_a_healthy_set_up_ends_with_status_0(edgeauth):
    result = edgeauth("doctor", env=ENV)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "nothing found\n", "")


def test_each_finding_says_what_was_seen_and_what_to_do(edgeauth):
    env = {**ENV, "EDGEAUTH_MODE": "report-only", "EDGEAUTH_MAX_AGE": "900"}
    result = edgeauth("doctor", env=env)
    assert result.exit_code == 1
    assert result.stdout.startswith(
        "WARNING  report-only\n"
        "  the settings: the mode is report-only, so every request is let through\n"
        "  Set mode to 'enforce' when the log shows no refusal of a real visitor.\n"
        "\nWARNING  window-large\n"
    )
    assert result.stdout.endswith("\n2 found\n")


def test_json_has_the_same_findings(edgeauth):
    result = edgeauth("doctor", "--json", env={**ENV, "EDGEAUTH_MODE": "report-only"})
    (finding,) = json.loads(result.stdout)["findings"]
    assert result.exit_code == 1
    assert set(finding) == {"id", "severity", "seen", "advice"}
    assert (finding["id"], finding["severity"]) == ("report-only", "warning")


def test_settings_that_cannot_be_read_are_a_finding(edgeauth):
    result = edgeauth("doctor", env={**ENV, "EDGEAUTH_MAX_AGEE": "1"})
    assert result.exit_code == 1
    assert "ERROR  settings-unusable\n" in result.stdout
    assert "did you mean 'EDGEAUTH_MAX_AGE'" in result.stdout.replace("\n  ", " ")


@pytest.mark.parametrize(
    ("name", "value", "id_"),
    [
        ("EXEMPT", "/healthz", "settings-unusable"),
        ("TRUSTED_PROXIES", "0.0.0.0/0", "settings-unusable"),
        ("DECISIONS", "missing/decisions", "settings-unusable"),
        ("WATCH_INTERVAL", "0", "settings-unusable"),
        ("ADDRESSES", "missing", "addresses-unusable"),
        ("SECRET", "some-pre-shared-secret", "secret-unusable"),
        ("PASS_SECRET", "changemechangeme", "pass-secret-unusable"),
    ],
)
def test_what_the_app_would_refuse_at_start_is_one_finding(edgeauth, name, value, id_):
    result = edgeauth("doctor", "--json", env={**ENV, f"EDGEAUTH_{name}": value})
    assert [finding["id"] for finding in json.loads(result.stdout)["findings"]] == [id_]


def test_the_file_that_a_variable_names_is_looked_at(edgeauth, tmp_path):
    (tmp_path / "edgeauth.toml").write_text(f'secret = "{SECRET}"\n')
    (tmp_path / "edgeauth.toml").chmod(0o644)
    result = edgeauth("doctor", "--json", env={"EDGEAUTH_CONFIG": "edgeauth.toml"})
    (finding,) = json.loads(result.stdout)["findings"]
    assert finding["id"] == "file-open-to-others"


def test_a_missing_secret_is_a_finding_unless_the_app_may_have_it_in_code(edgeauth, tmp_path):
    assert "secret-unusable" in edgeauth("doctor").stdout
    (tmp_path / "app_with_its_own_secret.py").write_text(
        "from edgeauth import Guard\nfrom edgeauth.wsgi import EdgeAuthMiddleware\n"
        f"app = EdgeAuthMiddleware(print, Guard.from_settings({{'secret': '{SECRET}'}}))\n"
    )
    result = edgeauth("doctor", "--app", "app_with_its_own_secret:app")
    assert (result.exit_code, result.stdout) == (0, "nothing found\n")


def test_the_exempt_paths_of_the_settings_are_looked_for_in_the_app(edgeauth, tmp_path):
    (tmp_path / "app_without_the_path.py").write_text(
        "import flask, edgeauth.flask\napp = flask.Flask('a')\nedgeauth.flask.EdgeAuth(app)\n"
    )
    env = {**ENV, "EDGEAUTH_EXEMPT": "GET /healthz"}
    result = edgeauth("doctor", "--app", "app_without_the_path:app", env=env)
    assert result.exit_code == 1
    assert "WARNING  exempt-path-unknown\n  'GET /healthz' is exempt" in result.stdout


def test_uvicorn_is_no_trouble_to_a_wsgi_app(edgeauth, tmp_path):
    (tmp_path / "app_by_wsgi.py").write_text(
        "import flask, edgeauth.flask\napp = flask.Flask('a')\nedgeauth.flask.EdgeAuth(app)\n"
    )
    env = {**ENV, "EDGEAUTH_ADDRESSES": "fastly", "FORWARDED_ALLOW_IPS": "*"}
    assert edgeauth("doctor", "--app", "app_by_wsgi:app", env=env).exit_code == 0
    assert "peer-from-anybody" in edgeauth("doctor", env=env).stdout


def test_a_broken_config_file_and_wrong_usage_are_told_apart(edgeauth):
    assert edgeauth("doctor", "--config", "/missing.toml", env=ENV).exit_code == 1
    assert edgeauth("doctor", "--app", "app", env=ENV).exit_code == 2
    assert edgeauth("doctor", "--clock", "time.example", env=ENV).exit_code == 2


def test_no_secret_is_printed(edgeauth, tmp_path):
    (tmp_path / "edgeauth.toml").write_text(f'secret = "{SECRET} "')
    for args in ((), ("--json",)):
        result = edgeauth("doctor", "--config", "edgeauth.toml", *args)
        assert "secret-unusable" in result.stdout
        assert SECRET not in result.output


def test_a_memory_of_each_worker_is_told_where_requests_are_good_once(edgeauth):
    env = {**ENV, "EDGEAUTH_SCHEME": "message-signatures", "EDGEAUTH_REPLAY": "memory"}
    result = edgeauth("doctor", "--workers", "2", env=env)
    assert result.exit_code == 1
    assert "ERROR  replay-per-worker\n" in result.stdout
    assert edgeauth("doctor", "--workers", "1", env=env).exit_code == 0

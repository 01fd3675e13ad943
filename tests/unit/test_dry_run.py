"""What the checks of settings share: starting, with nothing left behind."""

from __future__ import annotations

import logging

import pytest
from support.vectors import SECRET

from edgeauth import ConfigurationError, Guard, Settings
from edgeauth.dry_run import dry_run
from edgeauth.ops.doctor.setting_checks import check_start


def test_a_dry_run_makes_no_file_and_no_line_in_the_log(tmp_path, caplog):
    (tmp_path / "list.json").write_text(
        '{"addresses": ["192.0.2.0/24"], "ipv6_addresses": [], "as_of": "2020-01"}'
    )
    settings = Settings(
        secret=SECRET,
        mode="report-only",
        decisions=str(tmp_path / "decisions"),
        addresses=str(tmp_path / "list.json"),
    )
    with caplog.at_level(logging.DEBUG, "edgeauth"):
        assert dry_run(settings).mode == "report-only"
        assert caplog.records == []
        assert [path.name for path in tmp_path.iterdir()] == ["list.json"]
        Guard.from_settings(settings)
        assert len(caplog.records) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"secret": "changemechangeme"},
        {"exempt": ("/healthz",)},
        {"trusted_proxies": ("0.0.0.0/0",)},
        {"header": "X Edge"},
        {"decisions": "/absent/decisions"},
        {"secrets_dir": "/absent"},
        {"pass_secret": SECRET},
        {"revoked_passes": ("0a",)},
    ],
    ids=str,
)
def test_a_dry_run_and_the_doctor_refuse_what_the_app_refuses(options):
    settings = Settings(**{"secret": SECRET, **options})
    told = []
    for start in (Guard.from_settings, dry_run):
        with pytest.raises(ConfigurationError) as caught:
            start(settings)
        told.append(str(caught.value))
    (finding,) = check_start(settings, [])
    assert (finding.id, finding.severity) == ("settings-unusable", "error")
    assert {*told, finding.seen} == {told[0]}
    assert check_start(settings, [finding]) == []


@pytest.mark.parametrize("options", [{}, {"max_age": 30}])
def test_settings_without_a_secret_can_be_tried_for_the_rest(options):
    assert isinstance(dry_run(Settings(**options), secret_may_follow=True), Guard)
    with pytest.raises(ConfigurationError, match="no secret"):
        dry_run(Settings(**options))


def test_a_secret_that_is_there_is_tried_where_another_one_may_follow():
    schemes = [
        {"scheme": "edge-auth", "secret": "changemechangeme"},
        {"scheme": "shared-secret", "header": "X-Proof"},
    ]
    with pytest.raises(ConfigurationError, match="no secret: it is a short text"):
        dry_run(Settings.from_mapping({"schemes": schemes}), secret_may_follow=True)
    schemes[0]["secret"] = SECRET
    assert dry_run(Settings.from_mapping({"schemes": schemes}), secret_may_follow=True)

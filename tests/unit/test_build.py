"""What of settings reaches a guard, and what of them an inner gate holds against an outer one."""

from __future__ import annotations

import logging
import sys

import pytest
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import REGISTRY
from support.requests import PlainRequest
from support.vectors import SECRET

from edgeauth import ConfigurationError, Guard, Passes, Settings, sign
from edgeauth._reload.watched_policy import policy_source
from edgeauth.build import default_observers, guard_of, terms_of, worker_observers
from edgeauth.forwarded import TrustedProxies

PASS_SECRET = "a-secret-for-passes-of-32-bytes!"
OLD_LIST = '{"addresses": ["192.0.2.0/24"], "ipv6_addresses": [], "as_of": "2020-01"}'


def changed(store=None, **changes):
    """Which terms are others with *changes* than without."""
    base = {"secret": SECRET, "replay": store}
    before, after = (terms_of(Settings(**{**base, **more})) for more in ({}, changes))
    assert len(before) == 3
    return [name for name in before._fields if getattr(before, name) != getattr(after, name)]


@pytest.mark.parametrize(
    ("changes", "terms"),
    [
        ({"mode": "report-only"}, []),
        ({"strip_header": False}, []),
        ({"decisions": "/tmp/decisions"}, []),
        ({"addresses_stale_days": 9}, []),
        ({"metrics": ("prometheus",)}, []),
        ({"exempt": ("GET /healthz",)}, ["other_ways_in"]),
        ({"mount_points": ("/app",)}, ["other_ways_in"]),
        ({"pass_secret": PASS_SECRET}, ["other_ways_in"]),
        ({"pass_secret_file": "/run/secrets/pass"}, ["other_ways_in"]),
        ({"revoked_passes": ("0a1b2c3d4e5f6071",)}, ["other_ways_in"]),
        ({"revoked_passes_file": "/run/revoked"}, ["other_ways_in"]),
        ({"replay": "memory"}, ["once"]),
        ({"addresses": "fastly"}, ["proof"]),
        ({"trusted_proxies": ("192.0.2.1",)}, ["proof"]),
        ({"max_age": 20}, ["proof"]),
    ],
)
def test_each_setting_is_of_one_term_and_one_that_admits_nobody_of_none(changes, terms):
    assert changed(**changes) == terms


@pytest.mark.parametrize("changes", [{"replay_methods": ("GET",)}, {"replay_failure": "allow"}])
def test_how_a_store_is_asked_is_a_term_where_there_is_one(changes):
    assert changed("memory", **changes) == ["once"]
    assert changed(**changes) == []


def told_at_start(observers, settings, caplog):
    """How many lines there are at a start with an old list, and how many of a refusal."""
    caplog.clear()
    source = policy_source(settings)
    guard = guard_of(Guard, settings, source.policy, observers=observers)
    guard.start()
    lines = len(caplog.records)
    guard.check(PlainRequest())
    return lines, len(caplog.records) - lines


@pytest.mark.parametrize("mode", ["enforce", "report-only"])
def test_a_worker_warns_of_nothing_at_its_start_and_tells_of_refusals(tmp_path, caplog, mode):
    listed, decisions = tmp_path / "list.json", tmp_path / "decisions"
    listed.write_text(OLD_LIST)
    settings = Settings(secret=SECRET, mode=mode, addresses=str(listed), decisions=str(decisions))
    proxies = TrustedProxies(())
    word = "refused" if mode == "enforce" else "would refuse"
    with caplog.at_level(logging.DEBUG, "edgeauth"):
        assert told_at_start(worker_observers(settings, proxies), settings, caplog) == (0, 1)
        assert caplog.messages[-1].startswith(word)
        ours = default_observers(mode, None, proxies, None)
        lines = 1 + (mode == "report-only")
        assert told_at_start(ours, settings, caplog) == (lines, 1)
        assert caplog.messages[-1].startswith(word)
        patient = default_observers(mode, None, proxies, 3650)
        assert told_at_start(patient, settings, caplog) == (lines - 1, 1)
    assert len(decisions.read_text().splitlines()) == 1


def test_without_settings_those_of_the_environment_make_a_guard(monkeypatch):
    monkeypatch.setenv("EDGEAUTH_SECRET", SECRET)
    monkeypatch.setenv("EDGEAUTH_MODE", "report-only")
    assert Guard.from_settings().mode == "report-only"


def test_a_guard_of_settings_is_started():
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        Guard.from_settings({"secret": SECRET, "decisions": "/absent/decisions"})


def test_a_guard_goes_by_the_policy_and_the_proxies_that_it_is_given():
    settings = Settings(
        secret=SECRET, addresses="fastly", pass_secret=PASS_SECRET, mount_points=("/app",)
    )
    policy = policy_source(settings).policy
    guard = guard_of(Guard, settings, policy, trusted_proxies=("192.0.2.7",))
    assert guard.addresses is policy.addresses
    signed = ("Edge-Auth", sign(SECRET, pop="LHR").encode())
    by_proxy = [signed, ("X-Forwarded-For", b"151.101.1.1")]
    for peer, fields, reason in (
        ("151.101.1.1", [signed], "ok"),
        ("192.0.2.1", [signed], "address"),
        ("192.0.2.7", by_proxy, "ok"),
        ("192.0.2.1", by_proxy, "address"),
    ):
        assert guard.check(PlainRequest(peer=peer, fields=fields)).reason == reason
    value = Passes(PASS_SECRET).issue("alice", ttl=60)[0].encode()
    assert guard.check(PlainRequest(fields=[("Edge-Auth-Pass", value)])).reason == "pass"


def test_the_age_that_a_list_may_have_is_that_of_the_settings(tmp_path, caplog):
    (tmp_path / "list.json").write_text(OLD_LIST)
    settings = {"secret": SECRET, "addresses": str(tmp_path / "list.json")}
    Guard.from_settings({**settings, "addresses_stale_days": 3650})
    assert caplog.messages == []
    Guard.from_settings(settings)
    assert len(caplog.messages) == 1


def denied(guard):
    """How many refusals the usual registry has, and what the span around one says."""
    with TracerProvider().get_tracer("a test").start_as_current_span("request") as span:
        guard.check(PlainRequest())
    labels = {"result": "deny", "reason": "missing"}
    return REGISTRY.get_sample_value("edgeauth_decisions_total", labels) or 0, dict(span.attributes)


def test_a_guard_is_counted_in_the_ways_that_the_settings_name_and_in_no_other():
    told = {"edgeauth.result": "deny", "edgeauth.reason": "missing"}
    before, silent = denied(Guard.from_settings({"secret": SECRET}))
    assert silent == {}
    assert denied(Guard.from_settings({"secret": SECRET, "metrics": "opentelemetry"})) == (
        before,
        told,
    )
    assert denied(Guard.from_settings({"secret": SECRET, "metrics": "prometheus"})) == (
        before + 1,
        {},
    )
    both = Guard.from_settings({"secret": SECRET, "metrics": "prometheus,opentelemetry"})
    assert denied(both) == (before + 2, told)


@pytest.mark.parametrize(
    ("kind", "module", "extra"),
    [
        ("prometheus", "edgeauth.metrics", "metrics"),
        ("opentelemetry", "edgeauth.telemetry", "otel"),
    ],
)
def test_what_cannot_be_imported_to_count_is_said_with_its_extra(monkeypatch, kind, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError) as caught:
        Guard.from_settings({"secret": SECRET, "metrics": kind})
    assert str(caught.value) == (
        f"metrics: {kind} needs the package {module}: pip install 'edgeauth[{extra}]'"
    )

"""What dashboards and alerts are written against: names, labels, buckets, and what bounds them."""

from __future__ import annotations

import pytest

from edgeauth._record.metric_names import (
    AGE_BOUNDS,
    HOLDER,
    METRICS,
    NAME_BYTES,
    OTHER,
    SIGNERS,
    Described,
    result_of,
    signer_name,
)
from edgeauth.reasons import REASONS

# In the order in which they are shown; by "*" those that apps have too.
LISTED = """\
edgeauth_build info * version
edgeauth_decisions counter * result reason
edgeauth_verified counter * scheme key_id pop
edgeauth_age_seconds histogram *
edgeauth_decision_seconds histogram
edgeauth_generation gauge
edgeauth_worker_generation gauge worker
edgeauth_reloads counter result
edgeauth_restarts counter
edgeauth_config_loaded_timestamp_seconds gauge
edgeauth_address_list_age_seconds gauge
"""


def listed(metric):
    return " ".join([metric.name, metric.kind, *("*" * metric.in_apps), *metric.labels])


def test_each_metric_keeps_its_name_its_kind_and_its_labels():
    assert [listed(metric) for metric in METRICS] == LISTED.splitlines()


def test_each_metric_says_what_it_counts():
    for metric in METRICS:
        assert metric.text.isprintable()
        assert metric.text.endswith(".")


def test_a_metric_is_of_the_service_alone_and_has_no_labels_unless_it_says_so():
    assert Described("a", "gauge", "What it is.")[3:] == ((), False)


def test_ages_have_the_buckets_that_were_counted_in_before():
    assert AGE_BOUNDS == (-5, -2, -1, 0, 1, 2, 3, 5, 10, 20, 30, 45, 60, 120, 300)


def test_the_table_of_signers_has_a_bound_and_one_name_for_the_rest():
    assert SIGNERS == 512
    assert OTHER == ("other", "other", "other")
    assert HOLDER == "pass:"


@pytest.mark.parametrize(
    ("signer", "name"),
    [
        (("edge-auth", "key-1", "LHR"), b"edge-auth,key-1,LHR"),
        (("s", "", ""), b"s,,"),
        (("s", "a\u00fc", "P"), b"s,a?,P"),
        (("s", "k" * (NAME_BYTES - 4), "P"), b"s,%b,P" % (b"k" * 124)),
        (("s", "k" * (NAME_BYTES - 3), "P"), None),
        (("s", "one,two", "P"), None),
        (("s", "k", "one,two,three"), None),
    ],
)
def test_a_signer_has_a_name_that_can_be_taken_apart_again_or_none(signer, name):
    assert signer_name(*signer) == name


@pytest.mark.parametrize("reason", [*REASONS, "of somebody's own"])
def test_a_request_that_is_let_in_for_no_reason_that_admits_would_be_denied(reason):
    admits = reason in {"ok", "exempt", "pass"}
    assert result_of(reason, allowed=True) == ("allow" if admits else "would-deny")
    assert result_of(reason, allowed=False) == "deny"

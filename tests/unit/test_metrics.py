"""What apps count of their guards' decisions for Prometheus."""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Counter, generate_latest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families
from support import signed_requests
from support.counted_apps import GUIDE
from support.requests import PlainRequest
from support.vectors import SECRET

import edgeauth
from edgeauth import ConfigurationError, EdgeAuthScheme, EdgeIdentity, Guard, Passes, Verdict, sign
from edgeauth._record import cells
from edgeauth._record.metric_names import METRICS, SIGNERS
from edgeauth.errors import VerificationError
from edgeauth.metrics import DecisionCounter, GuardCollector
from edgeauth.reasons import REASONS
from edgeauth.replay import MemoryReplayStore
from edgeauth.schemes.message_signatures import MessageSignatureScheme
from edgeauth.service.counters import Counters, decision_index
from edgeauth.service.metrics import CountersCollector

NOW = 1_700_000_000
DECISIONS, VERIFIED = "edgeauth_decisions_total", "edgeauth_verified_total"
BUCKETS = "edgeauth_age_seconds_bucket"


def signed(pop="LHR", at=NOW):
    return PlainRequest(fields=[("Edge-Auth", sign(SECRET, pop=pop, timestamp=at).encode())])


def guard(**options):
    return Guard(EdgeAuthScheme([SECRET], max_age=10_000), **options)


def samples(registry, name):
    """The values of the samples called *name* that are not zero, by the values of their labels."""
    return {
        tuple(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
        if sample.name == name and sample.value
    }


def decisions(registry):
    """How many decisions were made, by result and reason in the order of the alphabet."""
    return {tuple(sorted(labels)): value for labels, value in samples(registry, DECISIONS).items()}


@pytest.fixture(params=["memory", "files"])
def registry(request, monkeypatch, tmp_path):
    """A registry to collect in, of an app with one process or with several."""
    if request.param == "files":
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    return CollectorRegistry()


def test_every_decision_is_counted_by_result_and_reason(registry):
    passes = Passes("a-secret-that-signs-passes-only")
    checked = guard(exempt=["GET /healthz"], passes=passes)
    reporting = guard(mode="report-only")
    GuardCollector(checked, reporting, registry=registry)
    visa, _ = passes.issue("alice", ttl=60, now=NOW)

    for _ in range(3):
        checked.check(signed(), now=NOW)
    checked.check(PlainRequest(path="/healthz"), now=NOW)
    checked.check(PlainRequest(), now=NOW)
    checked.check(PlainRequest(fields=[("Edge-Auth-Pass", visa.encode())]), now=NOW)
    for _ in range(2):
        reporting.check(PlainRequest(), now=NOW)

    assert decisions(registry) == {
        ("allow", "ok"): 3,
        ("allow", "exempt"): 1,
        ("allow", "pass"): 1,
        ("deny", "missing"): 1,
        ("missing", "would-deny"): 2,
    }
    verified = {frozenset(labels): v for labels, v in samples(registry, VERIFIED).items()}
    assert verified == {
        frozenset({"edge-auth", "key-1", "LHR"}): 3,
        frozenset({"pass", "pass:alice", ""}): 1,
    }


def test_a_request_that_is_recalled_is_counted(registry):
    checked = guard()
    GuardCollector(checked, registry=registry)
    request = signed()
    for _ in range(2):
        checked.check(request, now=NOW)
        assert checked.recall(request.fields[0][1], "GET", "/", now=NOW)
    assert decisions(registry) == {("allow", "ok"): 4}


def test_ages_are_counted_in_whole_seconds_as_they_grow(registry):
    checked = guard()
    GuardCollector(checked, registry=registry)
    request = signed()
    for now in (NOW - 4.5, NOW + 0.25, NOW + 0.99, NOW + 1.0, NOW + 2.9, NOW + 61, NOW + 9000):
        assert checked.check(request, now=now).reason == "ok"

    assert {float(le): value for (le,), value in samples(registry, BUCKETS).items()} == {
        **dict.fromkeys((-5.0, -2.0, -1.0), 1),
        0.0: 3,
        1.0: 4,
        **dict.fromkeys((2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0), 5),
        **dict.fromkeys((120.0, 300.0), 6),
        float("inf"): 7,
    }
    assert samples(registry, "edgeauth_age_seconds_sum") == {}


def test_names_texts_and_labels_are_those_of_the_service(registry):
    checked = guard()
    GuardCollector(checked, registry=registry)
    checked.check(signed(), now=NOW)
    service, counters = CollectorRegistry(), Counters(workers=1)
    counters.workers[0].count(0.1, decision_index("ok", allowed=True))
    counters.workers[0].counts[counters.workers[0].signer_index("edge-auth", "key-1", "LHR")] = 1
    service.register(CountersCollector(counters))

    told = {}
    for shown in (service, registry):
        families = text_string_to_metric_families(generate_latest(shown).decode())
        told[shown] = {
            family.name: (
                family.type,
                family.documentation,
                {frozenset(sample.labels) for sample in _kept(family)},
                {sample.labels.get("le") for sample in _kept(family)},
            )
            for family in families
            if family.name.startswith("edgeauth")
        }
    of_apps = {metric.name.replace("_build", "_build_info") for metric in METRICS if metric.in_apps}
    assert told[registry].keys() == of_apps
    assert told[registry] == {name: told[service][name] for name in of_apps}
    assert told[service].keys() | {"edgeauth_address_list_age_seconds"} == {
        metric.name.replace("_build", "_build_info") for metric in METRICS
    }


def test_the_guide_names_the_metrics_of_apps_with_their_labels():
    rows = re.findall(
        r"^\| `(edgeauth_\w+)` \| (\w+) \| (.*?) ?\|", GUIDE.read_text("utf-8"), re.MULTILINE
    )
    suffix = {"counter": "_total", "info": "_info"}
    assert [(name, re.findall(r"`(\w+)`", labels)) for name, _, labels in sorted(rows)] == sorted(
        (metric.name + suffix.get(metric.kind, ""), list(metric.labels))
        for metric in METRICS
        if metric.in_apps
    )


def _kept(family):
    # In multiprocess mode every histogram gets a count, which is that of the last bucket.
    return [sample for sample in family.samples if not sample.name.endswith("_count")]


def test_a_client_makes_no_value_of_a_label(registry):
    checked = guard()
    GuardCollector(checked, registry=registry)
    for number in range(50):
        sent = f"17{number},P{number},0x{number:064x}".encode()
        request = PlainRequest(
            method=f"M{number}",
            path=f"/{number}",
            peer=f"192.0.2.{number}",
            fields=[("Edge-Auth", sent), ("Edge-Auth-Pass", sent)],
        )
        checked.check(request, now=NOW)
    assert samples(registry, VERIFIED) == {}
    assert {label for labels in decisions(registry) for label in labels} <= {*REASONS, "deny"}


def test_signers_are_as_many_as_the_service_counts_and_the_rest_are_others(registry):
    checked = guard()
    GuardCollector(checked, registry=registry)
    for number in range(SIGNERS + 10):
        checked.check(signed(f"P{number}"), now=NOW)
    verified = samples(registry, VERIFIED)
    assert len(verified) == SIGNERS
    assert verified["other", "other", "other"] == 11
    assert sum(verified.values()) == SIGNERS + 10
    # Those that have a name keep it.
    checked.check(signed("P3"), now=NOW)
    assert 2 in samples(registry, VERIFIED).values()


class _Own:
    """A scheme of somebody's, with names of any form."""

    kind = "own"
    headers = ("X-Own",)

    def __init__(self, key_id, pop=None, error=None):
        self.identity = EdgeIdentity(None, pop, key_id, "own")
        self.error = error

    def verify(self, request, *, now):
        if self.error:
            raise self.error
        return self.identity


@pytest.mark.parametrize(
    ("key_id", "counted"),
    [
        ("a", {"own", "a", ""}),
        ("ä", {"own", "?", ""}),
        ("a,b", {"other"}),
        ("a" * 200, {"other"}),
        ('"\n', {"own", '"\n', ""}),
    ],
)
def test_the_key_of_somebodys_own_scheme_may_have_any_name(registry, key_id, counted):
    checked = Guard(_Own(key_id))
    GuardCollector(checked, registry=registry)
    for _ in range(2):
        checked.check(PlainRequest(), now=NOW)
    ((labels, value),) = samples(registry, VERIFIED).items()
    assert (set(labels), value) == (counted, 2)
    # It tells no time, so it has no age.
    assert samples(registry, BUCKETS) == {}


def test_the_reason_of_somebodys_own_scheme_is_counted_as_an_error(registry):
    class Odd(VerificationError):
        reason = "what a client wrote"

    checked = Guard(_Own("a", error=Odd("odd")))
    GuardCollector(checked, registry=registry)
    checked.check(PlainRequest(), now=NOW)
    assert decisions(registry) == {("deny", "error"): 1}


def test_a_request_that_a_store_admits_and_its_replay_are_counted_once_each(registry):
    scheme = MessageSignatureScheme([signed_requests.KEY])
    checked = Guard(scheme, replay=MemoryReplayStore())
    GuardCollector(checked, registry=registry)
    request = signed_requests.signed()
    for _ in range(2):
        checked.check(request, now=signed_requests.NOW)
    assert decisions(registry) == {("allow", "ok"): 1, ("deny", "replayed"): 1}


def test_a_guard_is_counted_once_however_often_it_is_named(registry):
    checked = guard()
    GuardCollector(checked, checked, registry=registry)
    GuardCollector(checked, registry=registry)
    checked.check(signed(), now=NOW)
    assert decisions(registry) == {("allow", "ok"): 1}


def test_a_guard_that_writes_each_decision_down_counts_each_once(registry, tmp_path):
    checked = guard(decisions=str(tmp_path / "decisions"), exempt=["GET /healthz"])
    GuardCollector(checked, registry=registry)
    checked.check(signed(), now=NOW)
    checked.check(PlainRequest(path="/healthz"), now=NOW)
    checked.check(PlainRequest(), now=NOW)
    assert set(decisions(registry).values()) == {1}
    assert len((tmp_path / "decisions").read_text().splitlines()) == len(decisions(registry)) == 3


def test_two_threads_that_count_something_new_at_once_count_it_in_one_place():
    counted = cells.Cells("1.0")
    others = []

    class Late:
        """A lock that another thread has first."""

        def __enter__(self):
            counted._lock = contextlib.nullcontext()
            others.append(counted.decision("allow", "ok"))

        def __exit__(self, *_error):
            pass

    counted._lock = Late()
    assert counted.decision("allow", "ok") is others[0]


def test_guards_of_one_registry_are_counted_together_and_of_two_apart():
    one, two = CollectorRegistry(), CollectorRegistry()
    guards = [guard() for _ in range(3)]
    GuardCollector(guards[0], registry=one)
    GuardCollector(guards[1], registry=one)
    GuardCollector(guards[2], registry=two)
    for checked in guards:
        checked.check(signed(), now=NOW)
    assert (decisions(one), decisions(two)) == ({("allow", "ok"): 2}, {("allow", "ok"): 1})


def test_a_registry_that_names_metrics_has_no_room_for_another_of_the_same_name(registry):
    GuardCollector(registry=registry)
    with pytest.raises(ValueError, match="Duplicated"):
        Counter("edgeauth_decisions", "", registry=registry)
    with pytest.raises(ValueError, match="Duplicated"):
        Counter("edgeauth_verified", "", registry=registry)


def test_threads_lose_no_count(registry):
    checked = guard()
    GuardCollector(checked, registry=registry)
    requests = [signed("LHR"), signed("AMS")]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [
            threading.Thread(
                target=lambda: [checked.check(requests[n % 3 // 2], now=NOW) for n in range(2_000)]
            )
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert decisions(registry) == {("allow", "ok"): 8_000}
    verified = {pop: v for labels, v in samples(registry, VERIFIED).items() for pop in labels}
    assert (verified["LHR"], verified["AMS"]) == (5_336, 2_664)


def test_many_signers_in_turn_are_each_counted_where_they_belong(registry):
    checked = guard()
    GuardCollector(checked, registry=registry)
    requests = [signed(f"P{number}") for number in range(300)]
    for _ in range(2):
        for request in requests:
            checked.check(request, now=NOW)
    # Their age is looked up anew when it has grown, though they are known.
    for request in requests[-2:]:
        for _ in range(2):
            checked.check(request, now=NOW + 1)
    verified = samples(registry, VERIFIED)
    assert sorted(set(verified.values())) == [2, 4]
    buckets = {float(le): value for (le,), value in samples(registry, BUCKETS).items()}
    assert (buckets[0.0], buckets[1.0]) == (600, 604)


_ROOM = 65_536


def _used(path):
    """How much of a file of counts is entries."""
    return int.from_bytes(path.read_bytes()[:4], sys.byteorder)


class TestLookUps:
    """Where something is counted is looked up once."""

    @pytest.fixture
    def looked_up(self, monkeypatch):
        signers = []
        look_up = cells.Cells.signer
        monkeypatch.setattr(
            cells.Cells, "signer", lambda *args: signers.append(args[3]) or look_up(*args)
        )
        return signers

    def test_it_is_known_of_signers_in_turn_for_as_long_as_an_age_is_one(self, looked_up):
        checked = guard()
        GuardCollector(checked, registry=CollectorRegistry())
        requests = [signed("LHR"), signed("AMS")]
        for now in (NOW + 6, NOW + 10.9):
            for request in requests * 2:
                checked.check(request, now=now)
        assert looked_up == ["LHR", "AMS"]
        checked.check(requests[0], now=NOW + 11)
        assert looked_up == ["LHR", "AMS", "LHR"]

    def test_as_many_are_known_as_a_scheme_remembers(self, looked_up):
        checked = guard()
        GuardCollector(checked, registry=CollectorRegistry())
        requests = [signed(f"P{number}") for number in range(257)]
        for request in requests[:256] * 2:
            checked.check(request, now=NOW)
        assert len(looked_up) == 256
        for request in (requests[256], requests[0]):
            checked.check(request, now=NOW)
        assert looked_up[256:] == ["P256", "P0"]

    def test_what_comes_once_is_not_kept(self):
        registry = CollectorRegistry()
        counter = DecisionCounter(cells.Cells("1.0"))
        checked = Guard(MessageSignatureScheme([signed_requests.KEY]), replay=MemoryReplayStore())
        checked.observe(counter)
        GuardCollector(checked, registry=registry)
        assert checked.check(signed_requests.signed(), now=signed_requests.NOW).reason == "ok"
        assert decisions(registry) == {("allow", "ok"): 1}
        assert counter._known == {}

    def test_no_more_than_those_are_kept(self):
        counter = DecisionCounter(cells.Cells("1.0"))
        kept = []
        for number in range(257):
            identity = EdgeIdentity(NOW, None, f"key-{number}")
            counter.accepted(Verdict(allowed=True, reason="ok", identity=identity), NOW)
            kept.append(len(counter._known))
        assert kept == [*range(1, 257), 1]

    def test_what_has_no_signer_and_no_age_is_counted_without_an_error(self):
        counter = DecisionCounter(cells.Cells("1.0"))
        for verdict in (
            Verdict(allowed=True, reason="exempt"),
            Verdict(allowed=True, reason="ok", identity=EdgeIdentity(None, None, "a")),
        ):
            counter.accepted(verdict, NOW)


class TestProcesses:
    """Several of one app, that count in files."""

    @pytest.fixture(autouse=True)
    def _directory(self, monkeypatch, tmp_path):
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
        self.directory, self.there = tmp_path, str(tmp_path)

    def all_processes(self):
        """As an app shows them that has never heard of this collector."""
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        return registry

    def test_whatever_shows_the_metrics_of_all_processes_shows_these(self):
        own = CollectorRegistry()
        checked = guard()
        GuardCollector(checked, registry=own)
        assert decisions(own) == decisions(self.all_processes()) == {}
        checked.check(signed(), now=NOW)
        assert decisions(own) == decisions(self.all_processes()) == {("allow", "ok"): 1}
        assert samples(own, "edgeauth_build_info") == {(edgeauth.__version__,): 1}
        assert samples(self.all_processes(), "edgeauth_build_info") == {(edgeauth.__version__,): 1}

    def test_a_process_that_was_forked_counts_beside_its_parent_even_if_it_is_killed(self):
        checked = guard()
        GuardCollector(checked, registry=CollectorRegistry())
        for _ in range(3):
            checked.check(signed(), now=NOW)
        child = os.fork()
        if child == 0:
            for _ in range(5):
                checked.check(signed(), now=NOW)
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        checked.check(signed(), now=NOW)
        assert decisions(self.all_processes()) == {("allow", "ok"): 9}
        own = {path.name for path in self.directory.iterdir()}
        assert own == {
            f"{kind}_edgeauth{pid}.db"
            for kind in ("counter", "histogram", "gauge_max")
            for pid in (os.getpid(), child)
        }

    def test_what_forks_begins_with_files_of_its_own(self, monkeypatch):
        checked = guard()
        GuardCollector(checked, registry=CollectorRegistry())
        request = signed()
        checked.check(request, now=NOW)
        monkeypatch.setattr(os, "getpid", lambda: 4711)
        cells._forked()
        checked.check(request, now=NOW)
        assert decisions(self.all_processes()) == {("allow", "ok"): 2}
        assert len(list(self.directory.glob("counter_edgeauth4711.db"))) == 1

    def test_a_process_with_the_id_of_one_before_it_goes_on_with_its_counts(self):
        script = f"""
import os, sys
os.getpid = lambda: 4711
from edgeauth import EdgeAuthScheme, Guard
from edgeauth.metrics import DecisionCounter, GuardCollector
from support.requests import PlainRequest
guard = Guard(EdgeAuthScheme([{SECRET!r}]))
GuardCollector(guard)
guard.check(PlainRequest())
"""
        for _ in range(2):
            environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
            subprocess.run([sys.executable, "-c", script], check=True, env=environ)
        assert decisions(self.all_processes()) == {("deny", "missing"): 2}
        assert len(list(self.directory.iterdir())) == 2

    def test_a_file_grows_before_it_is_full_and_nothing_is_lost(self):
        checked = guard()
        GuardCollector(checked, registry=CollectorRegistry())
        first = signed("FIRST")
        checked.check(first, now=NOW)
        (path,) = self.directory.glob("counter_*")
        sizes = {path.stat().st_size}
        for number in range(SIGNERS):
            before, used = path.stat().st_size, _used(path)
            checked.check(signed(f"A-LONG-NAME-{number}"), now=NOW)
            # An entry has 4096 bytes at most.
            assert path.stat().st_size == before + (_ROOM if used + 4096 > before else 0)
            sizes.add(path.stat().st_size)
        checked.check(first, now=NOW)
        assert sizes == {_ROOM, 2 * _ROOM, 3 * _ROOM}
        assert 2 in samples(self.all_processes(), VERIFIED).values()
        assert sum(samples(self.all_processes(), VERIFIED).values()) == SIGNERS + 2

    def test_a_file_has_what_prometheus_client_itself_would_write(self):
        checked = guard()
        GuardCollector(checked, registry=CollectorRegistry())
        checked.check(PlainRequest(), now=NOW)
        assert samples(self.all_processes(), "edgeauth_build_info") == {(edgeauth.__version__,): 1}
        kinds = {path.name.partition("_edgeauth")[0] for path in self.directory.iterdir()}
        assert kinds == {"counter", "gauge_max"}
        checked.check(signed(), now=NOW)
        names = {
            json.loads(key)[1]
            for path in self.directory.iterdir()
            for key, *_ in MmapedDict.read_all_values_from_file(str(path))
        }
        assert names == {DECISIONS, VERIFIED, BUCKETS, "edgeauth_build_info"}

    @pytest.mark.parametrize("place", ["nowhere", "a-file"])
    def test_a_directory_that_cannot_be_used_is_an_error_at_the_start(self, monkeypatch, place):
        (self.directory / "a-file").write_text("")
        (self.directory / "a-file").chmod(0o755)
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(self.directory / place))
        with pytest.raises(ConfigurationError, match=r"PROMETHEUS_MULTIPROC_DIR .* no directory"):
            GuardCollector(guard())

    def test_a_directory_in_which_no_file_can_be_made_is_an_error_too(self, monkeypatch):
        wanted = os.W_OK | os.X_OK
        monkeypatch.setattr(os, "access", lambda path, mode: (path, mode) != (self.there, wanted))
        with pytest.raises(ConfigurationError, match="PROMETHEUS_MULTIPROC_DIR"):
            GuardCollector(guard())

    @pytest.mark.parametrize("order", [1, -1])
    def test_what_finds_no_room_is_lost_and_said_once_and_changes_no_decision(
        self, monkeypatch, caplog, order
    ):
        passes = Passes("a-secret-that-signs-passes-only")
        checked = guard(passes=passes)
        GuardCollector(checked, registry=CollectorRegistry())
        visa, _ = passes.issue("alice", ttl=60, now=NOW)

        def full(*_args):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as broken:
            broken.setattr(os, "posix_fallocate", full)
            requests = [signed(), PlainRequest()]
            for lost, request in enumerate(requests[::order] * 2, 1):
                checked.check(request, now=NOW)
                assert checked.lost_lines == lost
                assert [each.message for each in caplog.records if "count" in each.message] == [
                    "what this process decides is not counted: No space left on device"
                ]
            assert decisions(self.all_processes()) == {}
        # There is room again.
        assert checked.check(signed(), now=NOW).reason == "ok"
        assert checked.check(PlainRequest(fields=[("Edge-Auth-Pass", visa.encode())]), now=NOW)
        assert decisions(self.all_processes()) == {("allow", "ok"): 1, ("allow", "pass"): 1}
        assert checked.lost_lines == 4

    def test_where_the_system_gives_no_space_ahead_a_file_is_made_all_the_same(self, monkeypatch):
        monkeypatch.delattr(os, "posix_fallocate")
        checked = guard()
        GuardCollector(checked, registry=CollectorRegistry())
        checked.check(signed(), now=NOW)
        assert decisions(self.all_processes()) == {("allow", "ok"): 1}
        # It grows as any other does, and not when prometheus-client has no room left.
        (path,) = self.directory.glob("counter_*")
        for number in range(SIGNERS):
            before, used = path.stat().st_size, _used(path)
            checked.check(signed(f"A-LONG-NAME-{number}"), now=NOW)
            assert path.stat().st_size == before + (_ROOM if used + 4096 > before else 0)


class TestSetting:
    def test_the_setting_counts_a_guard_in_the_usual_registry(self):
        before = decisions(REGISTRY).get(("allow", "ok"), 0)
        checked = Guard.from_settings({"secret": SECRET, "metrics": "prometheus"})
        GuardCollector(checked)
        checked.check(signed(at=NOW), now=NOW)
        assert decisions(REGISTRY)["allow", "ok"] == before + 1

    def test_another_word_is_refused(self):
        with pytest.raises(ConfigurationError, match="'prometheus' or 'opentelemetry'"):
            Guard.from_settings({"secret": SECRET, "metrics": ["statsd"]})

    @pytest.mark.parametrize(
        ("kind", "package", "extra"),
        [
            ("prometheus", "prometheus_client", "metrics"),
            ("opentelemetry", "opentelemetry", "otel"),
        ],
    )
    def test_a_missing_package_is_said_with_what_to_install(
        self, monkeypatch, kind, package, extra
    ):
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            monkeypatch.delitem(sys.modules, name)
        for name in (
            "edgeauth.metrics",
            "edgeauth.telemetry",
            "edgeauth._record.cells",
            "edgeauth._record.families",
        ):
            monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(ConfigurationError, match=rf"needs .*edgeauth\[{extra}\]"):
            Guard.from_settings({"secret": SECRET, "metrics": kind})

    def test_a_gate_inside_one_that_counts_takes_its_verdict(self):
        counting = Guard.from_settings({"secret": SECRET, "metrics": "prometheus"})
        silent = Guard.from_settings({"secret": SECRET})
        verdict = counting.check(signed(), now=NOW)
        assert silent.inherited(verdict, counting) is verdict


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("metrics", {"GuardCollector"}),
        ("telemetry", {"GuardTelemetry"}),
        ("logs", {"JsonFormatter"}),
    ],
)
def test_each_module_has_one_public_name(module, names):
    assert {*importlib.import_module(f"edgeauth.{module}").__all__} == names


def test_importing_the_package_and_each_adapter_loads_neither_client_nor_telemetry():
    script = """
import sys
from edgeauth import *
import edgeauth.asgi, edgeauth.wsgi, edgeauth.flask, edgeauth.starlette, edgeauth.logs
import edgeauth.django.middleware
Guard.from_settings({"secret": "a-secret-of-the-documentation"})
print({name.partition(".")[0] for name in sys.modules} & {"prometheus_client", "opentelemetry"})
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"

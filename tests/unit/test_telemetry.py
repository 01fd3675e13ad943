"""What OpenTelemetry is told of decisions, by its own SDK: on requests of ASGI and WSGI."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from support.requests import PlainRequest
from support.vectors import SECRET

import edgeauth.asgi
import edgeauth.wsgi
from edgeauth import EdgeAuthScheme, EdgeIdentity, Guard, Passes, sign
from edgeauth._record.metric_names import AGE_BOUNDS, NAME_BYTES, SIGNERS
from edgeauth.errors import VerificationError
from edgeauth.telemetry import GuardTelemetry

NOW = 1_700_000_000
TESTS = Path(__file__).parents[1]


class Recorded:
    """What the SDK has of spans and metrics."""

    def __init__(self):
        self.spans = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self.tracer = provider.get_tracer("test")
        self._reader = InMemoryMetricReader()
        self.meters = MeterProvider([self._reader])

    def watch(self, guard):
        GuardTelemetry(guard, meter_provider=self.meters)
        return guard

    def attributes(self):
        """Of each span that ended."""
        return [dict(span.attributes) for span in self.spans.get_finished_spans()]

    def metrics(self):
        """The points of each metric: attributes and count."""
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        return {
            metric.name: {
                frozenset(point.attributes.items()): getattr(point, "value", None) or point.count
                for point in metric.data.data_points
            }
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def scope(self):
        """Of the one meter."""
        (resource,) = self._reader.get_metrics_data().resource_metrics
        (found,) = resource.scope_metrics
        return found.scope

    def metric(self, name):
        data = self._reader.get_metrics_data()
        (found,) = [
            metric
            for metric in data.resource_metrics[0].scope_metrics[0].metrics
            if metric.name == name
        ]
        return found


@pytest.fixture
def recorded():
    return Recorded()


def guard(**options):
    return Guard(EdgeAuthScheme([SECRET], max_age=60), **options)


def checked(recorded, guard, *fields, now=NOW):
    """The attributes of a span in which *guard* decides about a request with *fields*."""
    with recorded.tracer.start_as_current_span("request"):
        guard.check(PlainRequest(fields=list(fields)), now=now)
    return recorded.attributes()[-1]


def signed(at=NOW, pop="LHR"):
    return ("Edge-Auth", sign(SECRET, pop=pop, timestamp=at).encode())


def test_an_asgi_request_has_its_verdict_on_the_span_around_the_gate(recorded):
    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    gate = edgeauth.asgi.EdgeAuthMiddleware(app, recorded.watch(guard()))
    sent = []

    async def request(*headers):
        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            sent.append(message.get("status"))

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "headers": list(headers),
            "http_version": "1.1",
        }
        with recorded.tracer.start_as_current_span("request"):
            await gate(scope, receive, send)

    value = sign(SECRET, pop="LHR").encode()
    for headers in ([(b"edge-auth", value)], [(b"edge-auth", value)], []):
        asyncio.run(request(*headers))

    assert [status for status in sent if status] == [200, 200, 403]
    first, recalled, refused = recorded.attributes()
    assert first.pop("edgeauth.age") in {0, 1}
    assert recalled.pop("edgeauth.age") in {0, 1}
    assert (
        first
        == recalled
        == {
            "edgeauth.result": "allow",
            "edgeauth.reason": "ok",
            "edgeauth.scheme": "edge-auth",
            "edgeauth.key_id": "key-1",
            "edgeauth.pop": "LHR",
        }
    )
    assert refused == {"edgeauth.result": "deny", "edgeauth.reason": "missing"}


def test_a_wsgi_request_has_its_verdict_on_the_span_around_the_gate(recorded):
    def app(_environ, start_response):
        start_response("200 OK", [])
        return [b""]

    gate = edgeauth.wsgi.EdgeAuthMiddleware(app, recorded.watch(guard(mode="report-only")))
    for value in (sign(SECRET, pop="LHR"), "junk"):
        environ = {"HTTP_EDGE_AUTH": value}
        setup_testing_defaults(environ)
        with recorded.tracer.start_as_current_span("request"):
            gate(environ, lambda *_: None)

    told = [(each["edgeauth.result"], each["edgeauth.reason"]) for each in recorded.attributes()]
    assert told == [("allow", "ok"), ("would-deny", "malformed")]
    assert {
        dict(attributes)["edgeauth.reason"]: value
        for attributes, value in recorded.metrics()["edgeauth.decisions"].items()
    } == {"ok": 1, "malformed": 1}


def test_what_is_authentic_and_refused_says_who_signed_and_is_not_counted_as_verified(recorded):
    told = checked(recorded, recorded.watch(guard()), signed(NOW - 61))
    assert told == {
        "edgeauth.result": "deny",
        "edgeauth.reason": "expired",
        "edgeauth.scheme": "edge-auth",
        "edgeauth.key_id": "key-1",
        "edgeauth.pop": "LHR",
        "edgeauth.age": 61,
    }
    assert recorded.metrics().keys() == {"edgeauth.decisions"}


def test_a_pass_says_whose_it_is_and_an_exempt_path_says_nobody(recorded):
    passes = Passes("a-secret-that-signs-passes-only")
    visa, _ = passes.issue("alice", ttl=60, now=NOW)
    watched = recorded.watch(guard(passes=passes, exempt=["GET /"]))
    told = checked(recorded, watched)
    assert told == {"edgeauth.result": "allow", "edgeauth.reason": "exempt"}
    watched = recorded.watch(guard(passes=passes))
    told = checked(recorded, watched, ("Edge-Auth-Pass", visa.encode()))
    assert told == {
        "edgeauth.result": "allow",
        "edgeauth.reason": "pass",
        "edgeauth.scheme": "pass",
        "edgeauth.key_id": "pass:alice",
    }
    (verified,) = recorded.metrics()["edgeauth.verified"].items()
    assert verified == (
        frozenset({("edgeauth.scheme", "pass"), ("edgeauth.key_id", "pass:alice")}),
        1,
    )


def test_the_metrics_have_units_texts_and_the_buckets_of_the_service(recorded):
    checked(recorded, recorded.watch(guard()), signed(NOW - 3), now=NOW + 0.9)
    decisions, verified, age = (
        recorded.metric(f"edgeauth.{name}") for name in ("decisions", "verified", "age")
    )
    assert (decisions.unit, verified.unit, age.unit) == ("{decision}", "{value}", "s")
    assert "by result" in decisions.description
    assert "Verified values" in verified.description
    assert "between signing and verifying" in age.description
    (point,) = age.data.data_points
    assert tuple(point.explicit_bounds) == AGE_BOUNDS
    assert (point.sum, point.count, dict(point.attributes)) == (3, 1, {})


def test_the_metrics_are_of_the_package_and_its_version(recorded):
    checked(recorded, recorded.watch(guard()), signed())
    scope = recorded.scope()
    assert (scope.name, scope.version) == ("edgeauth", edgeauth.__version__)


def test_without_a_span_and_without_an_sdk_a_guard_decides_as_ever():
    watched = guard()
    GuardTelemetry(watched)
    assert watched.check(PlainRequest(fields=[signed()]), now=NOW).reason == "ok"
    assert watched.check(PlainRequest(), now=NOW).reason == "missing"


def test_a_guard_that_is_named_twice_is_told_of_once_and_beside_a_file_of_decisions(
    recorded, tmp_path
):
    watched = guard(decisions=str(tmp_path / "decisions"))
    recorded.watch(watched)
    recorded.watch(watched)
    checked(recorded, watched, signed())
    assert list(recorded.metrics()["edgeauth.decisions"].values()) == [1]


def test_signers_are_bounded_on_metrics(recorded):
    watched = recorded.watch(guard())
    for number in range(SIGNERS + 10):
        watched.check(PlainRequest(fields=[signed(pop=f"P{number}")]), now=NOW)
    verified = {
        dict(attributes)["edgeauth.pop"]: value
        for attributes, value in recorded.metrics()["edgeauth.verified"].items()
    }
    assert len(verified) == SIGNERS
    assert verified["other"] == 11


class _Own:
    kind = "own"
    headers = ("X-Own",)

    def __init__(self, told):
        self.told = told

    def verify(self, request, *, now):
        if isinstance(self.told, Exception):
            raise self.told
        if isinstance(self.told, EdgeIdentity):
            return self.told
        return EdgeIdentity(None, None, self.told, "own")


def test_a_scheme_of_somebodys_makes_no_attribute_of_any_form(recorded):
    class Odd(VerificationError):
        reason = "what a client wrote"

    told = checked(recorded, recorded.watch(Guard(_Own("a,b" * 99))))
    assert (told["edgeauth.scheme"], told["edgeauth.key_id"], told["edgeauth.pop"]) == (
        ("other",) * 3
    )
    told = checked(recorded, recorded.watch(Guard(_Own("one"))))
    assert (told["edgeauth.key_id"], "edgeauth.pop" in told) == ("one", False)
    assert "edgeauth.age" not in told
    assert "edgeauth.age" not in recorded.metrics()
    told = checked(recorded, recorded.watch(Guard(_Own(Odd("odd")))))
    assert told == {"edgeauth.result": "deny", "edgeauth.reason": "error"}


@pytest.mark.parametrize(
    ("identity", "named"),
    [
        (EdgeIdentity(None, "LHR", "one", "ow,n"), ("other", "other", "other")),
        (EdgeIdentity(None, "L,HR", "one", "own"), ("other", "other", "other")),
        (EdgeIdentity(None, "LHR", "one", "own"), ("own", "one", "LHR")),
        (EdgeIdentity(None, None, "k" * (NAME_BYTES - 5), "own"), ("own", "k" * (NAME_BYTES - 5))),
        (EdgeIdentity(None, None, "k" * (NAME_BYTES - 4), "own"), ("other", "other", "other")),
    ],
    ids=["kind", "pop", "plain", "longest", "longer"],
)
def test_who_signed_is_named_where_all_of_his_name_is_of_its_form(recorded, identity, named):
    told = checked(recorded, recorded.watch(Guard(_Own(identity))))
    parts = ("edgeauth.scheme", "edgeauth.key_id", "edgeauth.pop")
    assert tuple(told[part] for part in parts if part in told) == named


def test_the_setting_tells_of_a_guard_that_the_gate_makes_of_its_settings():
    # The provider of a process is set once, so in one of its own.
    script = f"""
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from support.requests import PlainRequest
from edgeauth import Guard
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
guard = Guard.from_settings({{"secret": {SECRET!r}, "metrics": ["prometheus", "opentelemetry"]}})
guard.check(PlainRequest())
(scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
print(scope.scope.name, [metric.name for metric in scope.metrics])
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=TESTS
    )
    assert ran.stdout == "edgeauth ['edgeauth.decisions']\n"

"""The dashboard and the alerts, asked of a real Prometheus that scrapes a real app and service."""

from __future__ import annotations

import itertools
import json
import math
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support import counted_apps, service
from support.processes import wait_until
from support.programs import program
from support.prometheus import Prometheus, scraping

import edgeauth

if TYPE_CHECKING:
    from collections.abc import Iterator

_PANELS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "integrations" / "grafana" / "edgeauth.json").read_text("utf-8")
)["panels"]
_ROW = [panel["type"] for panel in _PANELS].index("row")


def _queries(panels: list[dict[str, Any]], job: str) -> list[Any]:
    return [
        pytest.param(target["expr"], job, id=f"{panel['title']} {target['refId']}, of {job}")
        for panel in panels
        for target in panel.get("targets", ())
    ]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One that has scraped both while requests came in, and has the guide's alerts."""
    folder = tmp_path_factory.mktemp("scraped")
    counted_apps.write_files(folder)
    field = ("X-Forwarded-For", "151.101.0.1")
    with (
        counted_apps.serving("uvicorn-httptools", "fastapi_app:app", folder) as app,
        service.serving(f'secret = "{service.SECRET}"\naddresses = "fastly"') as serves,
        scraping(
            {"app": (app.port, "/metrics/"), "service": (serves.admin, "/metrics")},
            folder,
            rules=folder / "edgeauth-alerts.yml",
        ) as started,
    ):

        def asked_often_enough() -> bool:
            for _ in range(3):
                assert app.ask()[0] == 200
                assert app.ask(signed=False)[0] == 403
                signed = ("Edge-Auth", edgeauth.sign(service.SECRET, pop="LHR"))
                assert serves.ask(signed, field).status == 204
                assert serves.ask(field).status == 403
            # Both rise between two scrapes.
            risen = started.ask("increase(edgeauth_decisions_total{reason='missing'}[1m]) > 3")
            return {labels["job"] for labels, _ in risen} == {"app", "service"}

        wait_until(asked_often_enough, what="two scrapes of both", seconds=60)
        yield started


@pytest.mark.parametrize(
    ("query", "job"),
    [
        *itertools.chain.from_iterable(_queries(_PANELS[:_ROW], job) for job in ("app", "service")),
        *_queries(_PANELS[_ROW:], "service"),
    ],
)
def test_each_query_of_the_dashboard_is_answered_with_data(
    prometheus: Prometheus, query: str, job: str
):
    asked = query.replace("$job", job).replace("$__rate_interval", "1m")

    found = prometheus.ask(asked)

    assert found, asked
    assert not [value for _, value in found if math.isnan(value)]


@pytest.mark.parametrize(("query", "job"), _queries(_PANELS[_ROW:], "app"))
def test_what_stands_in_the_row_of_the_service_no_app_has(
    prometheus: Prometheus, query: str, job: str
):
    assert prometheus.ask(query.replace("$job", job).replace("$__rate_interval", "1m")) == []


def test_the_row_says_whose_it_is():
    assert "serve alone" in _PANELS[_ROW]["title"]


def test_prometheus_takes_the_configuration_and_the_alerts_of_the_guide(tmp_path: Path):
    counted_apps.write_files(tmp_path)

    for words in (("config", "prometheus.yml"), ("rules", "edgeauth-alerts.yml")):
        ran = subprocess.run(
            [program("promtool", package="prometheus"), "check", words[0], tmp_path / words[1]],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_each_alert_of_the_guide_can_fire_and_is_quiet_as_things_are(prometheus: Prometheus):
    with_rules = prometheus.rules()
    assert len(with_rules) >= 5
    assert {rule["health"] for rule in with_rules} == {"ok"}
    assert {rule["state"] for rule in with_rules} == {"inactive"}

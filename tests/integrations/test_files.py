"""What is shipped and cannot be run here is of the right form and agrees with the code."""

from __future__ import annotations

import configparser
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import fields
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from packaging.requirements import Requirement
from support.processes import free_port
from support.proxies import INTEGRATIONS
from support.service import SECRET, Service, serving

import edgeauth
from edgeauth.ops.cli.serve import command
from edgeauth.service.settings import ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def metrics() -> Iterator[dict[str, set[str]]]:
    """The samples of a running service that checks addresses, with the labels of each."""
    with serving(f'secret = "{SECRET}"\naddresses = "fastly"\nmode = "report-only"') as service:
        service.ask()
        address = ("X-Forwarded-For", "151.101.0.1")
        service.ask(("Edge-Auth", edgeauth.sign(SECRET, pop="LHR")), address)
        yield _samples(service)


def _samples(service: Service) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in service.observe("/metrics")[1].splitlines():
        match = re.fullmatch(r"(\w+)(?:\{(.*)\})? \S+", line)
        if match:
            found.setdefault(match[1], set()).update(re.findall(r'(\w+)="', match[2] or ""))
    return found


def _queries() -> list[tuple[str, str, str]]:
    dashboard = json.loads((INTEGRATIONS / "grafana" / "edgeauth.json").read_text())
    return [
        (panel["title"], target["expr"], target["legendFormat"])
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]


@pytest.mark.parametrize(("title", "query", "legend"), _queries())
def test_every_query_of_the_dashboard_names_metrics_and_labels_that_exist(
    title: str, query: str, legend: str, metrics: dict[str, set[str]]
):
    names = re.findall(r"\bedgeauth_\w+", query)

    assert names, title
    for name in names:
        assert name in metrics
        labels = set(re.findall(r"\{\{(\w+)\}\}", legend))
        labels |= {
            label for part in re.findall(r"by \(([^)]*)\)", query) for label in part.split(", ")
        }
        labels |= set(re.findall(r'(\w+)!?=~?"', query)) - {"job"}
        assert labels - {"le"} <= metrics[name]


def test_every_metric_is_on_the_dashboard(metrics: dict[str, set[str]]):
    shown = {name for _, query, _ in _queries() for name in re.findall(r"\bedgeauth_\w+", query)}

    assert set(metrics) <= shown


def test_the_alerts_of_the_readme_name_metrics_that_exist(metrics: dict[str, set[str]]):
    text = (INTEGRATIONS / "grafana" / "README.md").read_text()

    assert set(re.findall(r"\bedgeauth_\w+", text)) <= set(metrics)


def _options(words: list[str]) -> dict[str, Any]:
    """The options of a command line, as the command reads them; an unknown one raises."""
    assert words[0].endswith("/edgeauth")
    assert words[1] == "serve"
    return command.make_context("serve", words[2:]).params


class TestSystemd:
    @staticmethod
    def unit(name: str) -> configparser.ConfigParser:
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.optionxform = str  # type: ignore[assignment, method-assign]
        parser.read_string((INTEGRATIONS / "systemd" / name).read_text())
        return parser

    def test_the_service_takes_the_socket_and_knows_its_options(self):
        service = self.unit("edgeauth.service")["Service"]
        options = _options(service["ExecStart"].split())

        assert options["listen"] == "systemd"
        assert options["config"] == "/etc/edgeauth/edgeauth.toml"
        assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
        assert service["Type"] == "notify"

    def test_the_service_is_confined(self):
        service = self.unit("edgeauth.service")["Service"]

        assert service["User"] == "edgeauth"
        assert service["CapabilityBoundingSet"] == ""
        assert {
            service[name]
            for name in (
                "NoNewPrivileges",
                "PrivateTmp",
                "PrivateDevices",
                "MemoryDenyWriteExecute",
            )
        } == {"yes"}
        assert service["ProtectSystem"] == "strict"

    def test_the_socket_is_where_the_proxies_look_for_it(self):
        socket = self.unit("edgeauth.socket")["Socket"]

        assert f"unix:{socket['ListenStream']}" == ServiceSettings().listen
        assert socket["SocketMode"] == "0660"

    def test_the_configuration_loads(self):
        path = INTEGRATIONS / "systemd" / "edgeauth.toml"

        assert ServiceSettings.load(path, {}).workers == 2
        assert edgeauth.Settings.load(path, {}).schemes[0].secrets_file == "/etc/edgeauth/secrets"


class TestDocker:
    @staticmethod
    def text() -> str:
        return (INTEGRATIONS / "docker" / "Dockerfile").read_text().replace("\\\n", " ")

    def instructions(self) -> dict[str, str]:
        lines = [line.split(None, 1) for line in self.text().splitlines()]
        return {line[0]: line[1] for line in lines if line and line[0] != "#"}

    def test_the_image_runs_the_service_itself_and_not_as_root(self):
        found = self.instructions()
        words = json.loads(found["ENTRYPOINT"]) + json.loads(found["CMD"])

        assert _options(words)["config"] == "/etc/edgeauth/edgeauth.toml"
        assert found["USER"] == "65532:65532"

    def test_where_its_metrics_are_is_a_variable_that_no_flag_beats(self, tmp_path: Path):
        found = self.instructions()
        name, _, value = found["ENV"].partition("=")
        (tmp_path / "edgeauth.toml").touch()
        words = json.loads(found["ENTRYPOINT"]) + json.loads(found["CMD"])
        flags = {
            option: given
            for option, given in _options(words).items()
            if given is not None and option in {field.name for field in fields(ServiceSettings)}
        }

        def admin(environ: dict[str, str]) -> str | None:
            return ServiceSettings.load(tmp_path / "edgeauth.toml", environ, flags).admin

        assert admin({name: value}) == "127.0.0.1:9180"
        assert admin({name: "0.0.0.0:9180"}) == "0.0.0.0:9180"
        assert f"{name}=0.0.0.0:9180" in (INTEGRATIONS / "docker" / "README.md").read_text()

    def test_the_health_check_asks_the_admin_listener_wherever_it_is(self):
        _, program, code = json.loads(self.instructions()["HEALTHCHECK"].partition("CMD ")[2])
        assert program == "-c"
        with serving(f'secret = "{SECRET}"') as service:
            for port, healthy in [(service.admin, True), (free_port(), False)]:
                environ = {**os.environ, "EDGEAUTH_SERVICE_ADMIN": f"0.0.0.0:{port}"}
                done = subprocess.run(
                    [sys.executable, "-c", code], env=environ, check=False, capture_output=True
                )
                assert (done.returncode == 0) is healthy

    def test_every_image_can_be_named_by_its_digest_and_every_package_is_by_its_hash(self):
        text = self.text()
        script = (INTEGRATIONS / "docker" / "root.sh").read_text()
        installs = re.findall(r"pip install ([^&\n]*)", text + script)

        assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${DEBIAN}", "scratch"}
        assert len(installs) == 3
        for options in installs:
            assert "--require-hashes" in options or "--no-deps --no-index" in options
        files = re.findall(r"--requirement /source/(\S+)", text)
        assert "/../../requirements/serve.txt" in script
        for file in (*files, "requirements/serve.txt"):
            pins = (INTEGRATIONS.parent / file).read_text().count("==")
            assert pins
            assert (INTEGRATIONS.parent / file).read_text().count("--hash=") >= pins
        assert "--build-arg DEBIAN=debian:12-slim@sha256:" in text

    def test_the_lock_has_all_that_the_service_imports(self):
        locked = {
            line.partition("==")[0]
            for line in (INTEGRATIONS.parent / "requirements/serve.txt").read_text().splitlines()
            if "==" in line
        }
        asked = {
            Requirement(text).name
            for text in metadata.requires("edgeauth") or ()
            if (marker := Requirement(text).marker) is None or marker.evaluate({"extra": "serve"})
        }

        assert asked <= locked


class TestIngressNginx:
    def test_the_annotations_ask_the_service_and_need_no_snippet(self):
        text = (INTEGRATIONS / "nginx" / "ingress-nginx.yaml").read_text()
        ingress, question = yaml.safe_load_all(text)
        prefix = "nginx.ingress.kubernetes.io/"
        annotations = ingress["metadata"]["annotations"]

        assert annotations[prefix + "auth-url"].startswith("http://edgeauth.edgeauth.svc.")
        assert not [name for name in annotations if "snippet" in name]
        meta = question["metadata"]
        named = annotations[prefix + "auth-proxy-set-headers"]
        assert named == f"{meta['namespace']}/{meta['name']}"
        assert question["data"] == {"X-Original-Upgrade": "$http_upgrade"}


class TestTraefik:
    @pytest.fixture(scope="class")
    @staticmethod
    def service() -> Iterator[Service]:
        guard = f'secret = "{SECRET}"\nexempt = ["GET /healthz"]'
        with serving(guard, 'proxy = "forward-auth"', tcp=True) as running_service:
            yield running_service

    @staticmethod
    def ask(service: Service, uri: str, *fields: tuple[str, str], method: str = "GET"):
        """A question with the headers that Traefik documents for ForwardAuth."""
        return service.ask(
            ("X-Forwarded-Method", method),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", "origin.example"),
            ("X-Forwarded-Uri", uri),
            ("X-Forwarded-For", "192.0.2.7"),
            *fields,
        )

    def test_its_headers_tell_the_original_request(self, service: Service):
        signed = ("Edge-Auth", edgeauth.sign(SECRET, pop="LHR", timestamp=int(time.time())))

        assert self.ask(service, "/page?q=1", signed).status == 204
        assert self.ask(service, "/healthz?x").status == 204
        assert self.ask(service, "/healthz", method="POST").status == 403
        assert self.ask(service, "/%68ealthz").status == 403
        assert self.ask(service, "/page", ("X-Original-URI", "/healthz")).status == 403

    def test_a_refusal_tells_the_client_nothing(self, service: Service):
        answer = self.ask(service, "/page")

        assert not [name for name in answer.headers if name.startswith("x-edgeauth")]

    def test_the_configuration_believes_no_client_and_hands_on_no_credential(self):
        http = yaml.safe_load((INTEGRATIONS / "traefik" / "dynamic.yaml").read_text())["http"]
        static = yaml.safe_load((INTEGRATIONS / "traefik" / "traefik.yaml").read_text())
        middlewares = http["middlewares"]
        asked = middlewares["edgeauth"]["forwardAuth"]
        handed_on = {f"X-EdgeAuth-{name}" for name in ("Reason", "Pop", "Age", "Key")}

        for name, router in http["routers"].items():
            own = "no-upgrade" if name == "app" else "websocket"
            wanted = ["no-claims", own, "edgeauth", "strip-credential"]
            assert router["middlewares"] == wanted
        assert asked["trustForwardHeader"] is False
        assert set(asked["authResponseHeaders"]) == handed_on
        assert set(middlewares["no-claims"]["headers"]["customRequestHeaders"]) == handed_on
        removed = middlewares["strip-credential"]["headers"]["customRequestHeaders"]
        assert removed == {"Edge-Auth": "", "Edge-Auth-Pass": "", "X-Original-Upgrade": ""}
        # Whatever is asked about is written by Traefik, or the credential.
        written = middlewares["websocket"]["headers"]["customRequestHeaders"]
        kept = middlewares["no-upgrade"]["headers"]["customRequestHeaders"]
        assert written == {"X-Original-Upgrade": "websocket"}
        assert kept == {"Upgrade": "", "X-Original-Upgrade": ""}
        assert static["entryPoints"]["web"]["forwardedHeaders"] == {"insecure": False}

"""The apps of the guide of metrics, run by a server with two processes."""

from __future__ import annotations

import contextlib
import http.client
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

import edgeauth
from support.pages import File, steps
from support.processes import HOST
from support.servers import SERVERS

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "metrics.md"
SECRET = "a-secret-of-the-metrics-tests"

# Django's settings, beside the urls that the guide has.
_DJANGO = f"""
SECRET_KEY = "nothing is signed with it"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "django_urls"
INSTALLED_APPS = ["edgeauth.django"]
MIDDLEWARE = ["edgeauth.django.middleware.EdgeAuthMiddleware"]
EDGEAUTH = {{"secret": "{SECRET}", "metrics": "prometheus", "exempt": ["GET /metrics/"]}}
"""
_APPLICATION = """
from django.core.{kind} import get_{kind}_application
application = get_{kind}_application()
"""


class App:
    """A running app of two processes."""

    def __init__(self, port: int, counts: Path) -> None:
        self.port, self.counts = port, counts

    def ask(self, path: str = "/", *, signed: bool = True) -> tuple[int, str]:
        """One request on a connection of its own, so that any process may get it."""
        fields = {"Edge-Auth": edgeauth.sign(SECRET, pop="LHR")} if signed else {}
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", path, headers=fields)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def counted(self) -> dict[tuple[str, str], float]:
        """How many decisions /metrics tells, by result and reason."""
        status, text = self.ask("/metrics/", signed=False)
        assert status == 200
        return {
            (sample.labels["result"], sample.labels["reason"]): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "edgeauth_decisions_total"
        }

    def workers(self) -> list[int]:
        """The processes that have counted something, and live."""
        pids = {
            int("".join(filter(str.isdigit, path.name)))
            for path in self.counts.glob("counter_edgeauth*")
        }
        return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def write_files(folder: Path) -> None:
    """Write the files that the guide shows into *folder*."""
    for step in steps(GUIDE.read_text("utf-8")):
        if isinstance(step, File):
            (folder / step.name).write_text(step.text, "utf-8")


@contextlib.contextmanager
def serving(server: str, app: str, folder: Path) -> Iterator[App]:
    """Run *app* of the guide with two processes."""
    write_files(folder)
    (folder / "django_settings.py").write_text(_DJANGO)
    for kind in ("asgi", "wsgi"):
        (folder / f"django_{kind}.py").write_text(_APPLICATION.format(kind=kind))
    counts = folder / "counts"
    counts.mkdir()
    env = {
        "PYTHONPATH": str(folder),
        "PROMETHEUS_MULTIPROC_DIR": str(counts),
        "DJANGO_SETTINGS_MODULE": "django_settings",
    }
    if not app.startswith("django"):
        env |= {
            "EDGEAUTH_SECRET": SECRET,
            "EDGEAUTH_METRICS": "prometheus",
            "EDGEAUTH_EXEMPT": "GET /metrics/",
        }
    with SERVERS[server].serving(app, folder, options=("--workers=2",), env=env) as running:
        _, port = running.address
        yield App(int(port), counts)

"""A real Prometheus on loopback, and the questions that a dashboard asks it."""

from __future__ import annotations

import contextlib
import http.client
import json
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.processes import HOST, free_port, running
from support.programs import program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Prometheus:
    """A server that scrapes."""

    port: int

    def ask(self, query: str) -> list[tuple[dict[str, str], float]]:
        """What *query* gives now: the labels of each series, and its value."""
        found = self._get(f"query?{urllib.parse.urlencode({'query': query})}")["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def rules(self) -> list[dict[str, Any]]:
        """The alerts that it looks at, and how each is."""
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def _get(self, path: str) -> Any:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", f"/api/v1/{path}")
            return json.load(connection.getresponse())["data"]


@contextlib.contextmanager
def scraping(
    jobs: Mapping[str, tuple[int, str]], folder: Path, *, rules: Path | None = None
) -> Iterator[Prometheus]:
    """Run Prometheus until the block ends.

    Args:
        jobs: port of loopback and path of the metrics, by the name of the job.
        folder: of its files.
        rules: a file of rules.
    """
    port = free_port()
    config = {
        "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
        "rule_files": [] if rules is None else [str(rules)],
        "scrape_configs": [
            {
                "job_name": name,
                "metrics_path": path,
                "static_configs": [{"targets": [f"{HOST}:{target}"]}],
            }
            for name, (target, path) in jobs.items()
        ],
    }
    # JSON is YAML too.
    (folder / "prometheus.json").write_text(json.dumps(config))
    words = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.json'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={HOST}:{port}",
    ]
    with running(words, address=(HOST, port), log=folder / "prometheus.log", seconds=60):
        yield Prometheus(port)
